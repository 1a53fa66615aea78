import Columnar
import Diagnostics
import Functions
import Planner
import Storage
import Syntax

/// A table function about the catalog: `apus_tables()`, also under the name that DuckDB gives it. One
/// row of `CatalogFunctions.rows` each.
struct CatalogFunction: Sendable {
  /// Without `apus_` and `duckdb_`.
  let name: String
  let summary: String
  let columns: [Field]
  let rows: @Sendable (StatementCatalog) throws -> [[Value]]

  /// Columns as "name TYPE" of the few types that occur here.
  init(
    _ name: String, _ summary: String, _ columns: String,
    _ rows: @escaping @Sendable (StatementCatalog) throws -> [[Value]]
  ) {
    self.name = name
    self.summary = summary
    self.columns = columns.split(separator: ",").map { column in
      let parts = column.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
      let types: [String: LogicalType] = [
        "bigint": .bigint, "boolean": .boolean, "integer": .integer, "varchar[]": .list(.varchar),
        "bigint[]": .list(.bigint), "double": .double,
      ]
      return Field(parts[0], types[parts.count > 1 ? parts[1] : ""] ?? .varchar)
    }
    self.rows = rows
  }

  var definition: TableFunctionDefinition {
    TableFunctionDefinition(
      name: "apus_\(name)", aliases: ["duckdb_\(name)"], summary: summary,
      example: "SELECT * FROM apus_\(name)()"
    ) { [self] arguments, named, catalog in
      if let first = arguments.first ?? named.first {
        throw SQLError(.binder, "apus_\(name) takes no arguments", at: first.span)
      }
      guard let catalog = catalog as? StatementCatalog else { return ValueListSource(columns, []) }
      return ValueListSource(columns, try rows(catalog))
    }
  }
}

enum CatalogFunctions {
  static let rows: [CatalogFunction] = [
    columnStatistics, columns, constraints, databases, dependencies, extensions, functions, indexes,
    keywords, memory,
    models, optimizers, preparedStatements, schemas, secrets, sequences, settings, tables,
    temporaryFiles, types, variables, views,
  ]

  static let definitions =
    rows.map(\.definition) + PragmaFunctions.rows + FileTableFunctions.rows
    + SQLiteTableFunctions.rows
    + ParquetTableFunctions.rows
    + [TimeZoneNames.definition]

  static func named(_ name: String) -> TableFunctionDefinition? {
    definitions.first { $0.name == name || $0.aliases.contains(name) }
  }

  static let allNames: [String] = definitions.flatMap { [$0.name] + $0.aliases }
}

extension StatementCatalog {
  func catalogFunction(named name: String) -> TableFunctionDefinition? {
    CatalogFunctions.named(name)
  }

  var catalogFunctionNames: [String] { CatalogFunctions.allNames }
}

// MARK: - Values

extension Value {
  static func text(_ text: String?) -> Value { text.map { .varchar($0) } ?? .null }
  static func count(_ count: Int?) -> Value { count.map { .integer(Int128($0)) } ?? .null }
  static func texts(_ texts: [String]) -> Value { .list(texts.map { .varchar($0) }) }
}

/// Where an object is, as columns of a catalog table.
struct ObjectPlace {
  let database: String
  let schema: String
  let schemaNumber: Int
  let databaseNumber: Int
  let isTemporary: Bool

  init(_ key: CatalogState.Key, _ state: CatalogState) {
    let parts = NameResolution.parts(of: key.schema)
    database = state.shown(database: parts.database)
    schema = parts.schema
    schemaNumber = state[CatalogState.Key(.schema, schema: "", key.schema)]?.stamp ?? 0
    databaseNumber = ObjectPlace.number(ofDatabase: parts.database, state)
    isTemporary = key.schema == CatalogState.temporarySchema
  }

  static func number(ofDatabase name: String, _ state: CatalogState) -> Int {
    let own = name == state.databaseName ? NameResolution.database : name
    let schema = NameResolution.key(database: own, schema: CatalogState.mainSchema)
    return (state[CatalogState.Key(.schema, schema: "", schema)]?.stamp ?? 0) + 1_000_000
  }
}
