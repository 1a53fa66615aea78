import Columnar
import Diagnostics
import Formats
import Functions
import Planner
import Storage
import Syntax

/// What one statement's binder sees of the database.
final class StatementCatalog: CatalogReader {
  let state: CatalogState
  let database: DatabaseCatalog
  /// What writes change.
  let target: any WriteTarget & ModelTarget
  let settings: Settings
  let connection: ConnectionState
  /// Schema keys.
  var searchPath: [String]
  let onProgress: @Sendable (String?) -> Void
  private let run: (BoundQuery) throws -> [[Value]]

  init(
    _ state: CatalogState, _ database: DatabaseCatalog, target: any WriteTarget & ModelTarget,
    settings: Settings, connection: ConnectionState,
    onProgress: @escaping @Sendable (String?) -> Void,
    run: @escaping (BoundQuery) throws -> [[Value]]
  ) {
    self.state = state
    self.database = database
    self.target = target
    self.settings = settings
    self.connection = connection
    searchPath = settings.searchPath
    self.onProgress = onProgress
    self.run = run
  }

  func rows(of query: BoundQuery) throws -> [[Value]] { try run(query) }

  var integerDivision: Bool { settings.integerDivision }

  func model(_ reference: ModelReference) throws -> any ModelDescription {
    try modelVersion(reference)
  }

  var modelNames: [String] { state.names(.model) }

  func userFunction(named name: String) -> ScalarFunction? { database.function(named: name) }

  var userFunctionNames: [String] { database.functionNames }

  func openFiles(
    _ paths: [String], format: String?, options: [(name: String, value: Value, type: LogicalType)]
  ) throws -> any TableSource {
    let found = try FileFormats.find(format, path: paths.first ?? "")
    return try found.read(try paths.flatMap { try FileGlob.expand($0) }, options)
  }

  func openCopy(_ path: String, options: [CopyOption], fields: [Field]) throws -> any TableSource {
    var (name, values) = try CopyValues.read(options)
    let format = try FileFormats.find(
      name ?? ((try? FileFormats.find(nil, path: path)) == nil ? "csv" : nil), path: path)
    if format.name == "csv", !values.contains(where: { $0.name.lowercased() == "columns" }) {
      for index in values.indices where values[index].name.lowercased() == "null" {
        values[index].name = "nullstr"
      }
      // Nested values and the like are read as text and cast.
      let types = fields.map { field in
        if case .enumeration = field.type { return "VARCHAR" }
        let isCast = field.type.isNested || field.type == .json || field.type == .blob
        return isCast ? "VARCHAR" : field.type.description
      }
      values.append(
        (
          name: "columns", value: .structure(types.map { .varchar($0) }),
          type: .structure(fields.map { Field($0.name, .varchar) })
        ))
    }
    if format.name == "json", !values.contains(where: { $0.name.lowercased() == "columns" }) {
      // Types without a name in text, such as an ENUM's, are read as JSON and cast.
      let types = fields.map { field in
        let name = field.type.description
        return (try? TypeText.type(named: name)) == nil ? "JSON" : name
      }
      values.append(
        (
          name: "columns", value: .structure(types.map { .varchar($0) }),
          type: .structure(fields.map { Field($0.name, .varchar) })
        ))
      values.removeAll { $0.name.lowercased() == "auto_detect" }
    }
    return try format.read(try FileGlob.expand(path), values)
  }

  // MARK: Writes

  func writeProvider(_ write: TableWrite) throws -> any RowProvider {
    try TableWriteProvider(write, target)
  }

  func conflictProvider(_ lookup: ConflictLookup) throws -> any RowProvider {
    ConflictProvider(lookup, target)
  }

  // MARK: Models

  func modelEntry(named name: String) -> ModelEntry? {
    guard case .model(let entry)? = state.find(.model, name)?.object.item else { return nil }
    return entry
  }

  func modelEntry(_ name: QualifiedName) throws -> ModelEntry { try findModel(name).entry }

  /// The version that a reference means; the default one where it names none.
  func modelVersion(_ reference: ModelReference) throws -> Model {
    try findModel(reference.name).entry.model(reference.version, at: reference.span)
  }

  func findModel(_ name: QualifiedName) throws -> (key: CatalogState.Key, entry: ModelEntry) {
    if let (key, object) = try find(.model, name), case .model(let entry) = object.item {
      return (key, entry)
    }
    throw SQLError(
      .catalog, "model \"\(name.last.name)\" does not exist", at: name.span,
      hint: didYouMean(name.last.name, among: modelNames))
  }

  func trainProvider(
    _ statement: TrainModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let (key, entry) = try findModel(statement.name)
    let definition = entry.definition
    func refuse(_ condition: Bool, _ what: String) throws {
      if condition { throw ModelCompiler.notYet(what, statement.name) }
    }
    if case .fresh = statement.start {} else { try refuse(true, "WARM START and RESUME") }
    try refuse(statement.versionName != nil, "named versions")
    try refuse(statement.weight != nil, "WEIGHT clauses")
    try refuse(!statement.forEach.isEmpty, "FOR EACH clauses")
    try refuse(statement.stopWhen != nil, "STOP WHEN clauses")
    try refuse(statement.labels.count > 1, "several labels")
    var options = definition.options
    for option in statement.options {
      let (value, _) = try ModelCompiler.optionValue(option)
      try ModelCompiler.set(option, value, in: &options)
    }
    var fraction = options.validationSplit
    switch statement.validation {
    case nil: break
    case .split(let size, let key):
      try refuse(key != nil, "VALIDATION SPLIT … ON clauses")
      guard case .literal(let literal) = size.kind, let number = ModelQueries.number(literal),
        number >= 0, number < 1
      else {
        throw SQLError(.model, "VALIDATION SPLIT takes a fraction from 0 to 1", at: size.span)
      }
      fraction = number
    case .filter: try refuse(true, "VALIDATION WHERE clauses")
    case .source: try refuse(true, "VALIDATION FROM clauses")
    }
    if !statement.orderBy.isEmpty { options.shuffle = false }
    var query = try ModelQueries.query(of: statement.source)
    if !statement.orderBy.isEmpty {
      let outer = Query(body: .nested(query), orderBy: statement.orderBy, span: query.span)
      query = outer
    }
    let bound = try input(query)
    let label = statement.labels.first?.column.last.name ?? definition.output.name
    let plan = try ModelQueries.features(
      of: definition, label: label, in: bound, span: statement.name.span)
    let provider = TrainProvider(
      entry: entry, key: key, target: target, options: options, validationFraction: fraction,
      columnNames: definition.inputs.map(\.name) + [label], onProgress: onProgress)
    return (provider, plan)
  }

  func evaluateProvider(
    _ statement: EvaluateModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let entry = try modelEntry(statement.model.name)
    let model = try entry.model(statement.model.version, at: statement.model.span)
    if !model.isTrained {
      throw SQLError(
        .model, "model \"\(model.name)\" has not been trained", at: statement.model.span,
        hint: "TRAIN MODEL \(quotedIdentifier(model.name)) FROM …")
    }
    let metrics = try Metrics.chosen(statement.metrics, for: model)
    let groups = try statement.groupBy.map { expression -> String in
      guard case .column(let name) = expression.kind else {
        throw SQLError(
          .notSupported, "EVALUATE groups by columns only so far", at: expression.span,
          hint: "compute it in the query: FROM (SELECT *, … AS g FROM …) GROUP BY g")
      }
      return name.last.name
    }
    let bound = try input(try ModelQueries.query(of: statement.source))
    let plan = try ModelQueries.features(
      of: model.definition, label: model.definition.output.name, in: bound, extra: groups,
      span: statement.model.span)
    let fields = plan.output.suffix(groups.count).map { Field($0.name, $0.type) }
    return (EvaluateProvider(model: model, metrics: metrics, groups: Array(fields)), plan)
  }
}

extension ModelQueries {
  static func number(_ literal: Literal) -> Double? {
    switch literal {
    case .integer(let text), .decimal(let text), .double(let text): Double(text)
    case .null, .boolean, .string, .blob: nil
    }
  }
}
