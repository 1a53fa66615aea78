import Columnar
import Diagnostics

/// An ordinary SQLite file, opened to read: any program's, and so nothing in it is trusted.
package final class SQLiteDatabase: Sendable {
  package let path: String

  /// Opens the file and reads its schema, so that a file which is no database is refused here.
  package init(path: String) throws {
    self.path = path
    _ = try connect().integer("SELECT count(*) FROM sqlite_schema")
  }

  /// The names of its tables and views, without SQLite's own.
  package func tableNames() throws -> [String] {
    let connection = try connect()
    let statement = try connection.prepare(
      """
      SELECT name FROM sqlite_schema
      WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
      """)
    var names: [String] = []
    while try statement.step() { names.append(statement.text(0)) }
    return names
  }

  /// A table or view as rows; `asText` reads every value as VARCHAR.
  package func table(named name: String, asText: Bool = false) throws -> any TableSource {
    let connection = try connect()
    let columns = try columns(of: name, connection, asText: asText)
    if columns.isEmpty {
      throw SQLError(
        .catalog, "database \"\(path)\" has no table \"\(name)\"",
        hint: didYouMean(name, among: try tableNames()))
    }
    return SQLiteTable(
      self, name: name, columns: columns,
      rows: try rowNumbers(of: name, columns, connection))
  }

  /// The rows of a query, which SQLite runs.
  package func query(_ sql: String, asText: Bool = false) throws -> any TableSource {
    try SQLiteQuery(self, sql, asText: asText)
  }

  /// Views may be read: their functions are those that a stranger's schema may call.
  func connect() throws -> SQLiteConnection {
    let connection = try SQLiteConnection(path: path, mode: .readOnly)
    try connection.allowViews()
    connection.setBusyTimeout(milliseconds: 5_000)
    try connection.execute("PRAGMA mmap_size = 0", action: "open")
    try connection.execute("PRAGMA cell_size_check = ON", action: "open")
    return connection
  }

  private func columns(
    of table: String, _ connection: borrowing SQLiteConnection, asText: Bool
  ) throws -> [SQLiteColumn] {
    // Hidden columns of virtual tables are arguments; generated ones are values.
    let statement = try connection.prepare(
      "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden <> 1")
    try statement.bind(1, table)
    var columns: [SQLiteColumn] = []
    while try statement.step() {
      columns.append(
        SQLiteColumn(name: statement.text(0), declared: statement.text(1), asText: asText))
    }
    return columns
  }

  /// The name of the row number, and the numbers that there are; nil for views and tables without.
  private func rowNumbers(
    of table: String, _ columns: [SQLiteColumn], _ connection: borrowing SQLiteConnection
  ) throws -> SQLiteTable.RowNumbers? {
    let kind = try connection.prepare(
      "SELECT wr FROM pragma_table_list WHERE name = ? AND schema = 'main' AND type = 'table'")
    try kind.bind(1, table)
    guard try kind.step(), kind.integer(0) == 0 else { return nil }
    let taken = Set(columns.map { $0.name.lowercased() })
    guard let name = ["rowid", "_rowid_", "oid"].first(where: { !taken.contains($0) }) else {
      return nil
    }
    let place = SQLiteText.quoted(table)
    // Apart, each is one step down the tree; together they would be a scan.
    let bounds = try connection.prepare(
      "SELECT (SELECT min(\(name)) FROM \(place)), (SELECT max(\(name)) FROM \(place))")
    guard try bounds.step(), !bounds.isNull(0) else { return nil }
    return SQLiteTable.RowNumbers(name: name, low: bounds.integer(0), high: bounds.integer(1))
  }
}
