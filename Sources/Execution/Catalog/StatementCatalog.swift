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
  /// Whether what was asked holds as long as the catalog and the settings stay as they are.
  var isReusable = true

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

  func rows(of query: BoundQuery) throws -> [[Value]] {
    isReusable = false
    return try run(query)
  }

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
}
