import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

/// A table of an attached SQLite file, which stays as it is: SQLite keeps its rows, keys and checks.
final class SQLiteStoredTable: StoredTable, Sendable {
  let definition: TableDefinition
  let file: AttachedSQLite
  private let source: any TableSource
  /// What SQLite calls the row numbers; nil for views and tables without them.
  let rowNumber: String?

  init(_ file: AttachedSQLite, name: String) throws {
    self.file = file
    source = try file.database.table(named: name, withRowNumbers: true)
    let columns = try file.database.defaults(of: name)
    rowNumber = source.schema.count > columns.count ? source.schema.last?.name : nil
    definition = TableDefinition(
      name: name,
      columns: zip(source.schema, columns).map { field, value in
        var column = TableDefinition.Column(name: field.name, type: field.type)
        column.defaultValue = value.flatMap { try? SQLiteStoredTable.expression($0) }
        return column
      })
  }

  /// A default as the engine reads it.
  private static func expression(_ sql: String) throws -> SyntaxExpression? {
    guard case .query(let query) = try Parser.parseStatement("SELECT (\(sql))").statement,
      case .select(let select) = query.body, let item = select.items.first
    else { return nil }
    return item.expression
  }

  var hasRowNumbers: Bool { rowNumber != nil }
  var schema: [Field] { definition.fields }
  var estimatedRowCount: Int? { source.estimatedRowCount }
  var isCheapToReadAgain: Bool { source.isCheapToReadAgain }

  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan {
    if rowNumber == nil, columns.contains(rowNumberPosition) {
      throw SQLError(
        .notSupported, "\"\(definition.name)\" of the SQLite file has no row numbers",
        hint: "it is a view or WITHOUT ROWID, and cannot be changed from here")
    }
    return try source.scan(columns: columns, filters: filters, batchRows: batchRows)
  }

  /// Writes the rows that a plan has collected, in a transaction of SQLite's; gives how many.
  func apply(_ write: TableWrite, _ groups: [RowGroup]) throws -> Int {
    if write.action != nil || write.returnsRows {
      throw SQLError(
        .notSupported,
        "MERGE, ON CONFLICT and RETURNING do not reach tables of SQLite files: \"\(definition.name)\""
      )
    }
    let writer = try SQLiteWriter(path: file.path)
    var count = 0
    for group in groups {
      count += group.rowCount
      let number = rowNumber ?? "rowid"
      switch write.verb {
      case .insert:
        let values = try columns(Array(write.columns.indices), write, group)
        try writer.insert(
          into: definition.name, columns: write.columns.map { definition.columns[$0].name }, values)
      case .update:
        let changed = write.columns.indices.filter { write.changed.contains(write.columns[$0]) }
        try writer.update(
          definition.name, columns: changed.map { definition.columns[write.columns[$0]].name },
          try columns(changed, write, group), rows: try group.column(write.rowNumber ?? 0),
          rowNumber: number)
      case .delete:
        try writer.delete(
          from: definition.name, rows: try group.column(write.rowNumber ?? 0), rowNumber: number)
      case .merge: break
      }
    }
    try writer.commit()
    return count
  }

  /// Values of the write by their places in `write.columns`.
  private func columns(_ places: [Int], _ write: TableWrite, _ group: RowGroup) throws -> Batch {
    Batch(
      columns: try places.map { try group.column(write.firstValue + $0) },
      rowCount: group.rowCount)
  }
}

/// An SQLite file under the name it was attached by.
final class AttachedSQLite: Sendable {
  let path: String
  /// `name.`.
  let prefix: String
  let isReadOnly: Bool
  let database: SQLiteDatabase

  init(path: String, name: String, isReadOnly: Bool) throws {
    self.path = path
    self.isReadOnly = isReadOnly
    prefix = name + "."
    database = try SQLiteDatabase(path: path)
  }

  /// `state` with the file's tables as they are now.
  func load(into state: CatalogState) throws -> CatalogState {
    let version = try database.schemaVersion()
    if state.files[prefix]?.commit == version { return state }
    var next = state
    for (key, _) in next.allObjects() where key.schema.hasPrefix(prefix) { next[key] = nil }
    let main = prefix + CatalogState.mainSchema
    next[CatalogState.Key(.schema, schema: "", main)] = CatalogObject(name: main, item: .schema)
    for name in try database.tableNames() {
      let table = try SQLiteStoredTable(self, name: name)
      next[CatalogState.Key(.relation, schema: main, name)] = CatalogObject(
        name: name, item: .foreign(table))
    }
    next.files[prefix] = FileVersion(commit: version, catalogCommit: version)
    next.version += 1
    return next
  }
}
