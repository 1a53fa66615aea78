import Columnar
import Diagnostics

/// The rows of a table or view of an SQLite file.
final class SQLiteTable: TableSource, Sendable {
  /// What rows are found by, and cut into partitions.
  struct RowNumbers: Sendable {
    var name: String
    var low: Int64
    var high: Int64
  }

  let database: SQLiteDatabase
  let name: String
  let columns: [SQLiteColumn]
  let schema: [Field]
  private let rows: RowNumbers?

  /// Each partition has a connection.
  private static let mostPartitions = 16

  init(_ database: SQLiteDatabase, name: String, columns: [SQLiteColumn], rows: RowNumbers?) {
    self.database = database
    self.name = name
    self.columns = columns
    self.rows = rows
    schema = columns.map { Field($0.name, $0.type) }
  }

  var isCheapToReadAgain: Bool { false }

  var estimatedRowCount: Int? {
    rows.map { Int(clamping: Int128($0.high) - Int128($0.low) + 1) }
  }

  func scan(columns wanted: [Int], filters: [ScanFilter], batchRows: Int) throws
    -> any PartitionedScan
  {
    var conditions: [String] = []
    var values: [StoredValue] = []
    for filter in filters {
      guard let (sql, value) = columns[filter.column].condition(filter) else { continue }
      conditions.append(sql)
      if let value { values.append(value) }
    }
    let read = wanted.map { columns[$0] }
    var list = read.map { SQLiteText.quoted($0.name) }
    // Errors name the row; and a batch of no columns has rows too.
    list.append(rows?.name ?? "NULL")
    let text = "SELECT \(list.joined(separator: ", ")) FROM \(SQLiteText.quoted(name))"
    let readers = try snapshot(partitions: ranges().count)
    for (reader, range) in zip(readers, ranges()) {
      var own = conditions
      var bound = values
      if let rows, let range {
        own.append("\(rows.name) BETWEEN ? AND ?")
        bound += [.integer(range.lowerBound), .integer(range.upperBound)]
      }
      var sql = text + (own.isEmpty ? "" : " WHERE " + own.joined(separator: " AND "))
      // By an index, rows would come in its order.
      if let rows, !conditions.isEmpty { sql += " ORDER BY \(rows.name)" }
      try reader.prepare(sql, bound)
    }
    return SQLiteScan(
      readers: readers, columns: read, place: "table \"\(name)\" of \"\(database.path)\"",
      batchRows: max(1, batchRows))
  }

  /// Ranges of row numbers; one nil for all rows.
  private func ranges() -> [ClosedRange<Int64>?] {
    guard let rows else { return [nil] }
    let span = Int128(rows.high) - Int128(rows.low) + 1
    let count = Int128(min(max(span / 20_000, 1), Int128(Self.mostPartitions)))
    if count == 1 { return [nil] }
    return (0..<count).map { part in
      // Rows that came since the bounds were read belong to the outer ranges.
      let first =
        part == 0 ? Int64.min : Int64(truncatingIfNeeded: Int128(rows.low) + span * part / count)
      let last =
        part == count - 1
        ? Int64.max : Int64(truncatingIfNeeded: Int128(rows.low) + span * (part + 1) / count - 1)
      return first...last
    }
  }

  /// Connections that all see the same commit. A further connection, which has no transaction, sees
  /// whether others have committed while they were opened; then they are opened anew.
  private func snapshot(partitions: Int) throws -> [SQLiteReader] {
    let watch = try database.connect()
    for _ in 0..<100 {
      let before = try watch.integer("PRAGMA data_version")
      let readers = try (0..<partitions).map { _ in try SQLiteReader(try database.connect()) }
      if partitions == 1 { return readers }
      if try watch.integer("PRAGMA data_version") == before { return readers }
    }
    throw SQLError(
      .transaction, "cannot read \"\(database.path)\": other programs write to it all the time")
  }
}

/// The rows of a query that SQLite runs.
final class SQLiteQuery: TableSource, Sendable {
  private let database: SQLiteDatabase
  private let sql: String
  private let columns: [SQLiteColumn]
  let schema: [Field]
  var estimatedRowCount: Int? { nil }
  var isCheapToReadAgain: Bool { false }

  /// Columns of tables have the types declared there; others that of their value in the first row.
  init(_ database: SQLiteDatabase, _ sql: String, asText: Bool) throws {
    self.database = database
    self.sql = sql
    let connection = try database.connect()
    let statement = try connection.prepare(sql)
    guard statement.columnCount > 0, statement.isReadOnly else {
      throw SQLError(.binder, "sqlite_query takes a query that gives rows and changes nothing")
    }
    let hasRow = try statement.step()
    columns = (0..<statement.columnCount).map { index in
      let declared =
        statement.declaredType(index) ?? (hasRow ? statement.kind(index).typeName : "text")
      return SQLiteColumn(
        name: statement.columnName(index), declared: declared, asText: asText)
    }
    var seen: Set<String> = []
    schema = columns.map { column in
      var name = column.name
      var number = 0
      while !seen.insert(name.lowercased()).inserted {
        number += 1
        name = "\(column.name)_\(number)"
      }
      return Field(name, column.type)
    }
  }

  func scan(columns wanted: [Int], filters: [ScanFilter], batchRows: Int) throws
    -> any PartitionedScan
  {
    let reader = try SQLiteReader(try database.connect())
    try reader.prepare(sql, [])
    return SQLiteScan(
      readers: [reader], columns: wanted.map { columns[$0] }, positions: wanted,
      place: "the query of \"\(database.path)\"", batchRows: max(1, batchRows))
  }
}
