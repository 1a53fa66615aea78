import Diagnostics
import Planner
import Syntax

/// Where the parts of a written name lead. A schema key of the catalog is `main` or another schema of
/// the database `memory`, `temp`, or `database.schema` of an attached one; all lower case.
struct NameResolution: Sendable {
  static let database = "memory"
  /// Schemas that hold nothing but what the engine itself shows.
  static let systemSchemas = ["information_schema", "pg_catalog", "system"]

  let state: CatalogState
  let searchPath: [String]

  /// The schema keys where the name is looked for, in order; empty for the engine's own schemas.
  func schemas(of name: QualifiedName) throws -> [String] {
    let parts = name.parts.dropLast().map { $0.name.lowercased() }
    switch parts.count {
    case 0:
      // Behind the path, as DuckDB has it, comes the main schema.
      return [CatalogState.temporarySchema] + searchPath + mains
    case 1:
      let only = parts[0]
      if only == CatalogState.temporarySchema { return [only] }
      if let own = currentDatabaseSchema(only) { return [own] }
      if hasSchema(only) { return [only] }
      if isOwn(only) { return [CatalogState.mainSchema] }
      if hasDatabase(only) { return ["\(only).\(CatalogState.mainSchema)"] }
      if Self.systemSchemas.contains(only) { return [] }
      throw unknown(name.parts[0], "schema", name)
    default:
      let (database, schema) = (own(parts[parts.count - 2]), parts[parts.count - 1])
      if Self.systemSchemas.contains(schema) || database == "system" { return [] }
      guard hasDatabase(database) else {
        throw unknown(name.parts[parts.count - 2], "database", name)
      }
      let key = NameResolution.key(database: database, schema: schema)
      if key != CatalogState.temporarySchema, !hasSchema(key) {
        throw unknown(name.parts[parts.count - 1], "schema", name)
      }
      return [key]
    }
  }

  /// The main schemas of the databases of the path, where the path does not have them.
  private var mains: [String] {
    var found: [String] = []
    for schema in searchPath {
      let database = NameResolution.parts(of: schema).database
      let main = NameResolution.key(database: database, schema: CatalogState.mainSchema)
      if !searchPath.contains(main), !found.contains(main) { found.append(main) }
    }
    return found
  }

  /// The object that a name means, by the search path where it has no schema.
  func find(_ space: CatalogState.Space, _ name: QualifiedName) throws -> (
    key: CatalogState.Key, object: CatalogObject
  )? {
    for schema in try schemas(of: name) {
      let key = CatalogState.Key(space, schema: schema, name.last.name)
      if let object = state[key] { return (key, object) }
    }
    return nil
  }

  /// The schema key where a new object of that name goes.
  func target(of name: QualifiedName, isTemporary: Bool) throws -> String {
    if isTemporary {
      if let qualifier = name.parts.dropLast().last {
        let first = name.parts[0].name.lowercased()
        if first != CatalogState.temporarySchema {
          throw SQLError(
            .catalog, "a temporary object belongs to the schema temp, not \"\(qualifier.name)\"",
            at: qualifier.span)
        }
      }
      return CatalogState.temporarySchema
    }
    if name.parts.count == 1 { return searchPath.first ?? CatalogState.mainSchema }
    guard let schema = try schemas(of: name).first else {
      throw SQLError(
        .catalog, "nothing can be created in the schema \"\(name.parts[0].name)\"", at: name.span)
    }
    if schema == CatalogState.temporarySchema {
      throw SQLError(
        .catalog, "only temporary objects go to the schema temp", at: name.span,
        hint: "CREATE TEMP …")
    }
    return schema
  }

  /// The schema key that a name of a schema means: `s`, `database.s`, `database`.
  func schema(named name: QualifiedName) -> String? {
    let parts = name.parts.map { $0.name.lowercased() }
    if parts.count == 1 {
      if parts[0] == CatalogState.temporarySchema { return parts[0] }
      if let own = currentDatabaseSchema(parts[0]) { return own }
      if hasSchema(parts[0]) { return parts[0] }
      if isOwn(parts[0]) { return CatalogState.mainSchema }
      return hasDatabase(parts[0]) ? "\(parts[0]).\(CatalogState.mainSchema)" : nil
    }
    let key = NameResolution.key(
      database: own(parts[parts.count - 2]), schema: parts[parts.count - 1])
    return key == CatalogState.temporarySchema || hasSchema(key) ? key : nil
  }

  /// Whether a name means the database whose schemas have no prefix: by its own name too.
  private func isOwn(_ name: String) -> Bool { own(name.lowercased()) == Self.database }

  /// A database's name as keys have it.
  func own(_ name: String) -> String {
    name == state.databaseName.lowercased() ? Self.database : name
  }

  func hasSchema(_ key: String) -> Bool {
    state[CatalogState.Key(.schema, schema: "", key)] != nil
  }

  func hasDatabase(_ name: String) -> Bool {
    let key = name.lowercased()
    return isOwn(key) || key == CatalogState.temporarySchema
      || hasSchema("\(key).\(CatalogState.mainSchema)")
  }

  /// A schema of the attached database that is in use.
  private func currentDatabaseSchema(_ schema: String) -> String? {
    guard let current = searchPath.first, current.contains(".") else { return nil }
    let key = "\(NameResolution.parts(of: current).database).\(schema)"
    return hasSchema(key) ? key : nil
  }

  static func key(database: String, schema: String) -> String {
    if database == Self.database { return schema }
    if database == CatalogState.temporarySchema { return CatalogState.temporarySchema }
    return "\(database).\(schema)"
  }

  /// A schema key as people see it.
  static func parts(of key: String) -> (database: String, schema: String) {
    if key == CatalogState.temporarySchema {
      return (CatalogState.temporarySchema, CatalogState.mainSchema)
    }
    guard let dot = key.firstIndex(of: ".") else { return (database, key) }
    return (String(key[..<dot]), String(key[key.index(after: dot)...]))
  }

  private func unknown(_ part: Identifier, _ kind: String, _ name: QualifiedName) -> SQLError {
    let known = state.objects(.schema).map { NameResolution.parts(of: $0.key.name) }
    return SQLError(
      .catalog, "\(kind) \"\(part.name)\" does not exist", at: part.span,
      hint: didYouMean(
        part.name, among: kind == "schema" ? known.map(\.schema) : known.map(\.database)))
  }
}

extension StatementCatalog {
  var names: NameResolution { NameResolution(state: state, searchPath: searchPath) }

  /// The object that a name means, by the search path where it has no schema.
  func find(_ space: CatalogState.Space, _ name: QualifiedName) throws -> (
    key: CatalogState.Key, object: CatalogObject
  )? {
    try names.find(space, name)
  }

  func isSchemaOrDatabase(_ name: String) -> Bool {
    let key = name.lowercased()
    return names.hasSchema(key) || names.hasDatabase(key)
      || NameResolution.systemSchemas.contains(key)
  }

  /// Names that could be meant in FROM: as they are written from here.
  var tableNames: [String] {
    state.objects(.relation).map { key, object in
      let isNear = key.schema == CatalogState.temporarySchema || searchPath.contains(key.schema)
      return isNear ? object.name : "\(key.schema).\(object.name)"
    }
  }
}
