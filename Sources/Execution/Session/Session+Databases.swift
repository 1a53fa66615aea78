import Diagnostics
import Planner
import Storage
import Syntax

// ATTACH and DETACH.
extension Session {
  func run(_ attach: Attach) throws -> StatementResult {
    let isMemory = attach.path == ":memory:" || attach.path.isEmpty
    let options = try AttachOptions(attach.options)
    guard let name = attach.name?.name ?? (isMemory ? nil : DatabaseCatalog.name(of: attach.path))
    else {
      throw SQLError(
        .binder, "a database in memory needs a name", hint: "ATTACH ':memory:' AS name")
    }
    if catalog().isSchemaOrDatabase(name) {
      if attach.ifNotExists { return .none }
      throw SQLError(
        .catalog, "a database or schema \"\(name)\" exists already", at: attach.name?.span,
        hint: attach.name == nil ? "ATTACH '…' AS another_name" : nil)
    }
    if isMemory {
      let schema = "\(name.lowercased()).\(CatalogState.mainSchema)"
      change {
        $0[CatalogState.Key(.schema, schema: "", schema)] = CatalogObject(
          name: schema, item: .schema)
      }
      return .none
    }
    if transaction != nil {
      throw SQLError(.transaction, "a file cannot be attached inside a transaction")
    }
    try database.attach(attach.path, as: name.lowercased(), isReadOnly: options.isReadOnly)
    return .none
  }

  func detach(_ name: Identifier, ifExists: Bool) throws -> StatementResult {
    let prefix = name.name.lowercased() + "."
    guard catalog().names.hasSchema(prefix + CatalogState.mainSchema) else {
      if ifExists { return .none }
      let isOwn =
        [NameResolution.database, CatalogState.temporarySchema, "system"].contains(
          name.name.lowercased()) || catalog().names.hasDatabase(name.name)
      throw SQLError(
        .catalog,
        isOwn
          ? "database \"\(name.name)\" cannot be detached"
          : "database \"\(name.name)\" does not exist",
        at: name.span)
    }
    if settings.searchPath.contains(where: { $0.hasPrefix(prefix) }) {
      throw SQLError(
        .catalog, "database \"\(name.name)\" is in use", at: name.span, hint: "USE memory")
    }
    if database.catalogFiles.contains(where: { $0.prefix == prefix }) {
      if transaction != nil {
        throw SQLError(.transaction, "a file cannot be detached inside a transaction")
      }
      database.detach(prefix)
      return .none
    }
    for (key, _) in state.allObjects()
    where key.schema.hasPrefix(prefix) || key.space == .schema && key.name.hasPrefix(prefix) {
      change { $0[key] = nil }
    }
    return .none
  }
}

/// What stands in the parentheses of ATTACH.
private struct AttachOptions {
  var isReadOnly = false

  init(_ options: [CopyOption]) throws {
    for (name, value) in try CopyValues.read(options).options.map({ ($0.name, $0.value) }) {
      switch name.lowercased() {
      case "read_only", "readonly": isReadOnly = value != .boolean(false)
      case "read_write": isReadOnly = value == .boolean(false)
      case "type":
        guard case .varchar(let text) = value, ["apus", "duckdb", ""].contains(text.lowercased())
        else {
          throw SQLError(
            .notSupported, "databases of the type \(value) cannot be attached",
            hint: "sqlite_scan('file', 'table') reads a table of an SQLite file")
        }
      default:
        throw SQLError(
          .binder, "ATTACH has no option \"\(name)\"",
          hint: didYouMean(name, among: ["read_only", "read_write", "type"]))
      }
    }
  }
}
