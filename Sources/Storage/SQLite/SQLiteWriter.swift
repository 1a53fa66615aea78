import Columnar
import Diagnostics

/// Changes to an ordinary SQLite file, in one transaction: seen by others at `commit`, and rolled
/// back when the writer ends without one. Triggers of the file run, as they would for any program.
package struct SQLiteWriter: ~Copyable {
  private let connection: SQLiteConnection

  /// Waits for another writer up to the time-out. The file is made when there is none.
  package init(path: String, busyTimeout: Int = 5_000) throws {
    let opened = try SQLiteConnection(path: path, mode: .create)
    try opened.allowTriggersAndViews()
    opened.setBusyTimeout(milliseconds: busyTimeout)
    try opened.execute("PRAGMA mmap_size = 0", action: "open")
    try opened.execute("PRAGMA cell_size_check = ON", action: "open")
    try opened.execute("BEGIN IMMEDIATE")
    connection = opened
  }

  package consuming func commit() throws {
    try connection.execute("COMMIT", action: "commit to")
  }

  // MARK: Tables

  /// Makes a table whose declared types are those that `SQLiteDatabase` reads as such again. The
  /// names of the columns in `key` become its primary key.
  package func createTable(_ name: String, _ columns: [Field], key: [String] = []) throws {
    // A single integer is the row's number itself, which SQLite fills in.
    let number = key.count == 1 ? columns.first { $0.name == key[0] && $0.type.isInteger } : nil
    var parts = columns.map { column in
      let name = SQLiteText.quoted(column.name)
      if column.name == number?.name { return name + " INTEGER PRIMARY KEY" }
      let required = key.contains(column.name) ? " NOT NULL" : ""
      return "\(name) \(SQLiteCell.declaredType(column.type))\(required)"
    }
    if !key.isEmpty, number == nil {
      parts.append(
        "PRIMARY KEY (" + key.map { SQLiteText.quoted($0) }.joined(separator: ", ") + ")")
    }
    try connection.execute(
      "CREATE TABLE \(SQLiteText.quoted(name)) (\(parts.joined(separator: ", ")))")
  }

  package func dropTable(_ name: String) throws {
    try connection.execute("DROP TABLE \(SQLiteText.quoted(name))")
  }

  // MARK: Rows

  /// Adds the rows of a batch; columns that are not named get their defaults.
  package func insert(into table: String, columns: [String], _ batch: Batch) throws {
    let names = columns.map { SQLiteText.quoted($0) }.joined(separator: ", ")
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    try run(
      "INSERT INTO \(SQLiteText.quoted(table)) (\(names)) VALUES (\(marks))", batch.columns,
      batch.rowCount)
  }

  /// Gives rows new values; `rows` are BIGINT row numbers as `SQLiteDatabase` gives them, in a column
  /// that it calls `rowNumber`.
  package func update(
    _ table: String, columns: [String], _ values: Batch, rows: Column, rowNumber: String = "rowid"
  ) throws {
    let items = columns.map { "\(SQLiteText.quoted($0)) = ?" }.joined(separator: ", ")
    try run(
      "UPDATE \(SQLiteText.quoted(table)) SET \(items) WHERE \(rowNumber) = ?",
      values.columns + [rows],
      values.rowCount)
  }

  /// Removes rows by their numbers.
  package func delete(from table: String, rows: Column, rowNumber: String = "rowid") throws {
    try run("DELETE FROM \(SQLiteText.quoted(table)) WHERE \(rowNumber) = ?", [rows], rows.count)
  }

  /// Runs a statement for each row, its parameters the row's values.
  private func run(_ sql: String, _ columns: [Column], _ rowCount: Int) throws {
    let statement = try connection.prepare(sql, action: "write to")
    let sources = try columns.map { try SQLiteCell.Source($0) }
    for row in 0..<rowCount {
      for (index, source) in sources.enumerated() {
        try source.bind(row, to: statement, index + 1)
      }
      while try statement.step() {}
      statement.reset()
    }
  }
}
