import Columnar
import Diagnostics
import Formats
import Functions
import NeuralNet
import Planner
import Storage
import Synchronization
import Syntax

/// The tables, views, models and functions of one database, shared by its connections.
package final class DatabaseCatalog: Sendable {
  struct State {
    /// By lower-case name.
    var entries: [String: (name: String, entry: CatalogEntry)] = [:]
    var models: [String: ModelEntry] = [:]
    var functions: [String: ScalarFunction] = [:]
  }

  let state: Mutex<State>

  package init() { state = Mutex(State()) }

  /// Makes a function known to all connections; an error when a built-in one has the name.
  package func register(_ function: ScalarFunction) throws {
    if ScalarFunctions.named(function.name) != nil || Aggregates.named(function.name) != nil {
      throw SQLError(.catalog, "function \"\(function.name)\" is built in and cannot be replaced")
    }
    state.withLock { $0.functions[function.name.lowercased()] = function }
  }
}

/// What one statement's binder sees of the database.
final class StatementCatalog: CatalogReader {
  let database: DatabaseCatalog
  let settings: Settings
  let onProgress: @Sendable (String?) -> Void

  init(
    _ database: DatabaseCatalog, settings: Settings,
    onProgress: @escaping @Sendable (String?) -> Void
  ) {
    self.database = database
    self.settings = settings
    self.onProgress = onProgress
  }

  var integerDivision: Bool { settings.integerDivision }

  func entry(named name: String) -> CatalogEntry? {
    if let known = database.state.withLock({ $0.entries[name.lowercased()]?.entry }) {
      return known
    }
    // A replacement scan: a name that is a path of a known format.
    if name.contains("."), let format = try? FileFormats.find(nil, path: name),
      let paths = try? FileGlob.expand(name), let source = try? format.read(paths, [])
    {
      return .table(source)
    }
    return nil
  }

  var tableNames: [String] { database.state.withLock { $0.entries.values.map(\.name).sorted() } }

  func model(named name: String) -> (any ModelDescription)? {
    database.state.withLock { $0.models[name.lowercased()] }?.current
  }

  var modelNames: [String] {
    database.state.withLock { $0.models.values.map(\.definition.name).sorted() }
  }

  func userFunction(named name: String) -> ScalarFunction? {
    database.state.withLock { $0.functions[name.lowercased()] }
  }

  var userFunctionNames: [String] { database.state.withLock { $0.functions.keys.sorted() } }

  func openFile(
    _ path: String, format: String?, options: [(name: String, value: Value, type: LogicalType)]
  ) throws -> any TableSource {
    let found = try FileFormats.find(format, path: path)
    return try found.read(try FileGlob.expand(path), options)
  }

  // MARK: Models

  func modelEntry(_ name: QualifiedName) throws -> ModelEntry {
    let key = name.last.name
    if let entry = database.state.withLock({ $0.models[key.lowercased()] }) { return entry }
    throw SQLError(
      .catalog, "model \"\(key)\" does not exist", at: name.span,
      hint: didYouMean(key, among: modelNames))
  }

  func trainProvider(
    _ statement: TrainModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let entry = try modelEntry(statement.name)
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
      entry: entry, options: options, validationFraction: fraction,
      columnNames: definition.inputs.map(\.name) + [label], onProgress: onProgress)
    return (provider, plan)
  }

  func evaluateProvider(
    _ statement: EvaluateModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let entry = try modelEntry(statement.model.name)
    if statement.model.version != nil {
      throw ModelCompiler.notYet("model versions", statement.model.name)
    }
    let model = entry.current
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
