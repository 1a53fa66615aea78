import Columnar
import Diagnostics
import Testing

@testable import Storage

/// What is written to ordinary SQLite files, read again.
@Suite("SQLite writing") struct SQLiteWriterTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("any.sqlite")
  }

  private func column(_ type: LogicalType, _ values: [Value]) throws -> Column {
    var builder = ColumnBuilder(type, capacity: values.count)
    for value in values { try builder.append(value) }
    return builder.finish()
  }

  /// Each type with a value, and what is read again of it.
  static let cases: [(LogicalType, Value, Value)] = [
    (.boolean, .boolean(true), .integer(1)), (.tinyint, .integer(-1), .integer(-1)),
    (.uinteger, .integer(4_294_967_295), .integer(4_294_967_295)),
    (.bigint, .integer(.init(Int64.min)), .integer(.init(Int64.min))),
    (.ubigint, .integer(.init(UInt64.max)), .varchar("18446744073709551615")),
    (.hugeint, .integer(1 << 100), .varchar("1267650600228229401496703205376")),
    (.float, .float(1.5), .double(1.5)), (.double, .double(0.1), .double(0.1)),
    (.decimal(precision: 9, scale: 2), .decimal(-1234), .double(-12.34)),
    (.varchar, .varchar("é, longer than twelve bytes"), .varchar("é, longer than twelve bytes")),
    (.varchar, .varchar(""), .varchar("")), (.blob, .blob([0, 255]), .blob([0, 255])),
    (.date, .date(18321), .date(18321)),
    (.timestamp, .timestamp(1_582_934_400_123_456), .timestamp(1_582_934_400_123_456)),
    (.list(.integer), .list([.integer(1), .null]), .varchar("[1, NULL]")),
  ]

  @Test(arguments: cases)
  func keepsValues(_ type: LogicalType, _ value: Value, _ read: Value) throws {
    let writer = try SQLiteWriter(path: path)
    try writer.createTable("t", [Field("a \"b\"", type)])
    let batch = Batch(columns: [try column(type, [value, .null, value])], rowCount: 3)
    try writer.insert(into: "t", columns: ["a \"b\""], batch)
    try writer.commit()
    let table = try SQLiteDatabase(path: path).table(named: "t")
    #expect(try rowsOfTable(table) == [[read], [.null], [read]])
    #expect(table.schema.map(\.name) == ["a \"b\""])
  }

  @Test func changesRowsByTheirNumbers() throws {
    do {
      let writer = try SQLiteWriter(path: path)
      try writer.createTable("t", [Field("k", .varchar), Field("v", .bigint)], key: ["k"])
      let batch = Batch(
        columns: [
          try column(.varchar, [.varchar("a"), .varchar("b"), .varchar("c")]),
          try column(.bigint, [.integer(1), .integer(2), .integer(3)]),
        ], rowCount: 3)
      try writer.insert(into: "t", columns: ["k", "v"], batch)
      try writer.commit()
    }
    let database = try SQLiteDatabase(path: path)
    let table = try database.table(named: "t", withRowNumbers: true)
    #expect(table.schema.last == Field("rowid", .bigint))
    #expect(try rowsOfTable(table).map { $0[2] } == [.integer(1), .integer(2), .integer(3)])
    let change = Batch(columns: [try column(.bigint, [.integer(20)])], rowCount: 1)
    do {
      let writer = try SQLiteWriter(path: path)
      try writer.update("t", columns: ["v"], change, rows: try column(.bigint, [.integer(2)]))
      try writer.delete(from: "t", rows: try column(.bigint, [.integer(1), .integer(3)]))
      // Not committed: rolled back.
    }
    #expect(try rowsOfTable(database.table(named: "t")).count == 3)
    do {
      let writer = try SQLiteWriter(path: path)
      try writer.update("t", columns: ["v"], change, rows: try column(.bigint, [.integer(2)]))
      try writer.delete(from: "t", rows: try column(.bigint, [.integer(1), .integer(3)]))
      try writer.commit()
    }
    #expect(try rowsOfTable(database.table(named: "t")) == [[.varchar("b"), .integer(20)]])
  }

  @Test func obeysConstraintsTriggersAndOtherWriters() throws {
    do {
      let connection = try SQLiteConnection(path: path, mode: .create)
      try connection.execute("CREATE TABLE t(k INTEGER PRIMARY KEY, v INT CHECK (v > 0))")
      try connection.execute("CREATE TABLE seen(n INT)")
      // Defined here as any program would: our connections refuse none of it in a schema.
      try connection.execute(
        "CREATE TRIGGER w AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (new.v); END")
    }
    let good = Batch(columns: [try column(.bigint, [.integer(7)])], rowCount: 1)
    let bad = Batch(columns: [try column(.bigint, [.integer(0)])], rowCount: 1)
    do {
      let writer = try SQLiteWriter(path: path)
      let other = messageOf { _ = try SQLiteWriter(path: path, busyTimeout: 10) }
      #expect(other.contains("locked by another writer"))
      let refusal = messageOf { try writer.insert(into: "t", columns: ["v"], bad) }
      #expect(refusal.contains("CHECK constraint failed"))
      try writer.insert(into: "t", columns: ["v"], good)
      try writer.commit()
    }
    let database = try SQLiteDatabase(path: path)
    #expect(try rowsOfTable(database.table(named: "seen")) == [[.integer(7)]])
    do {
      let writer = try SQLiteWriter(path: path)
      try writer.dropTable("seen")
      try writer.commit()
    }
    #expect(try database.tableNames() == ["t"])
  }
}
