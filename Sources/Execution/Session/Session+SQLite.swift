import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

// CREATE TABLE and DROP TABLE in attached SQLite files.
extension Session {
  /// The attached SQLite file that a key belongs to, ready to be written.
  func sqliteFile(for key: CatalogState.Key) throws -> AttachedSQLite? {
    guard let file = database.sqliteFiles.first(where: { key.schema.hasPrefix($0.prefix) }) else {
      return nil
    }
    try checkWritable(file)
    return file
  }

  func checkWritable(_ file: AttachedSQLite) throws {
    if file.isReadOnly {
      throw SQLError(.io, "cannot write to \"\(file.path)\": it was attached read-only")
    }
    if transaction != nil {
      throw SQLError(
        .transaction, "SQLite files are written outside of transactions: \"\(file.path)\"")
    }
  }

  /// CREATE TABLE … AS, or with columns and a primary key.
  func create(
    _ definition: TableDefinition, _ rows: BoundQuery?, in file: AttachedSQLite
  ) throws -> Int {
    let writer = try SQLiteWriter(path: file.path)
    let key = definition.keys.first { $0.kind == .primary }?.columns ?? []
    try writer.createTable(
      definition.name, definition.fields, key: key.map { definition.columns[$0].name })
    var count = 0
    if let rows {
      try drain(rows) { batch in
        try writer.insert(
          into: definition.name, columns: definition.columns.map(\.name), batch)
        count += batch.rowCount
      }
    }
    try writer.commit()
    return count
  }

  func drop(_ table: SQLiteStoredTable) throws {
    try checkWritable(table.file)
    let writer = try SQLiteWriter(path: table.file.path)
    try writer.dropTable(table.definition.name)
    try writer.commit()
  }
}
