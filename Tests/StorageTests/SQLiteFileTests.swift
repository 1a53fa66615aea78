import Columnar
import Diagnostics
import Foundation
import Testing

@testable import Storage

/// Ordinary SQLite files, made here by SQLite, as rows.
@Suite("SQLite files") struct SQLiteFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("any.sqlite")
  }

  private func make(_ statements: String...) throws {
    let connection = try SQLiteConnection(path: path, mode: .create)
    for statement in statements { try connection.execute(statement) }
  }

  static let types: [(String, LogicalType)] = [
    ("INTEGER", .bigint), ("BIGINT UNSIGNED", .bigint), ("BOOLEAN", .bigint), ("POINT", .bigint),
    ("VARCHAR(3)", .varchar), ("NCHAR", .varchar), ("CLOB", .varchar), ("TEXT", .varchar),
    ("", .blob), ("BLOB", .blob), ("REAL", .double), ("FLOAT", .double),
    ("DOUBLE PRECISION", .double), ("NUMERIC", .double), ("DECIMAL(10,2)", .double),
    ("DATE", .date), ("DATETIME", .timestamp), ("TIMESTAMP", .timestamp), ("JSON", .varchar),
  ]

  @Test(arguments: types)
  func hasTheDeclaredType(_ declared: String, _ type: LogicalType) throws {
    try make("CREATE TABLE t(a \(declared))")
    let database = try SQLiteDatabase(path: path)
    #expect(try database.table(named: "t").schema == [Field("a", type)])
    #expect(try database.table(named: "t", asText: true).schema == [Field("a", .varchar)])
  }

  @Test func readsEveryKindOfValue() throws {
    try make(
      "CREATE TABLE t(i INTEGER, r REAL, s TEXT, b BLOB, d DATE, m DATETIME)",
      "INSERT INTO t VALUES (-9223372036854775808, 1.5, 'é', x'00ff', '2020-02-29', '1970-01-02 00:00:01')",
      "INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL)",
      "INSERT INTO t VALUES (1, 2, 3, 'x', '0001-01-01', 5)")
    let table = try SQLiteDatabase(path: path).table(named: "t")
    #expect(
      try rowsOfTable(table) == [
        [
          .integer(-9_223_372_036_854_775_808), .double(1.5), .varchar("é"), .blob([0, 255]),
          .date(18321), .timestamp(86_401_000_000),
        ],
        [.null, .null, .null, .null, .null, .null],
        [
          .integer(1), .double(2), .varchar("3"), .blob([120]), .date(-719_162),
          .timestamp(5_000_000),
        ],
      ])
    #expect(try rowsOfTable(table, []).count == 3)
    #expect(try rowsOfTable(table, [2, 0]).first == [.varchar("é"), .integer(.init(Int64.min))])
  }

  @Test func namesTheValueThatDoesNotFit() throws {
    try make(
      "CREATE TABLE t(k INTEGER PRIMARY KEY, a INTEGER, s TEXT, d DATE)",
      "INSERT INTO t VALUES (7, 'abc', x'ff', 'soon')")
    let database = try SQLiteDatabase(path: path)
    let table = try database.table(named: "t")
    #expect(
      messageOf { _ = try rowsOfTable(table, [1]) }
        == "table \"t\" of \"\(path)\", column \"a\", row 7: 'abc' is of type text, not BIGINT")
    #expect(messageOf { _ = try rowsOfTable(table, [2]) }.hasSuffix("of type blob, not VARCHAR"))
    #expect(messageOf { _ = try rowsOfTable(table, [3]) }.hasSuffix("'soon' is no date, not DATE"))
    #expect(
      try rowsOfTable(database.table(named: "t", asText: true))
        == [[.varchar("7"), .varchar("abc"), .varchar("\\xFF"), .varchar("soon")]])
  }

  @Test func readsInvalidTextAsAnError() throws {
    try make("CREATE TABLE t(s TEXT)", "INSERT INTO t VALUES (CAST(x'c328' AS TEXT))")
    let table = try SQLiteDatabase(path: path).table(named: "t")
    #expect(messageOf { _ = try rowsOfTable(table) }.contains("not valid UTF-8"))
  }

  @Test func readsUTF16() throws {
    try make(
      "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t(s TEXT)", "INSERT INTO t VALUES ('Ünï')")
    #expect(try rowsOfTable(SQLiteDatabase(path: path).table(named: "t")) == [[.varchar("Ünï")]])
  }

  /// A hundred thousand rows in several partitions, with every operator: what SQLite leaves out is
  /// only what the filter would.
  @Test func leavesOutOnlyWhatFiltersExclude() throws {
    try make(
      "CREATE TABLE t(k INTEGER PRIMARY KEY, i INT, r REAL, s TEXT COLLATE NOCASE, n NUMERIC)",
      """
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000)
      INSERT INTO t SELECT x * 3, nullif(x % 17, 3), x % 13 / 2.0,
        CASE x % 3 WHEN 0 THEN 'B' WHEN 1 THEN 'a' ELSE 'b' END, x % 5 FROM c
      """, "CREATE INDEX ti ON t(i)")
    let table = try SQLiteDatabase(path: path).table(named: "t")
    let scan = try table.scan(columns: [0], filters: [], batchRows: 2048)
    #expect(scan.partitionCount > 4)
    let all = try rowsOfTable(table, batchRows: 2048)
    #expect(all.count == 100_000 && all[99_999][0] == .integer(300_000))
    let constants: [(Int, Value)] = [
      (0, .integer(1_000)), (1, .integer(5)), (1, .integer(1 << 80)), (2, .double(2.5)),
      (2, .double(.nan)), (3, .varchar("b")), (3, .varchar("B")), (4, .double(3)),
    ]
    let operators: [ScanFilter.Operator] = [
      .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .isNull, .isNotNull,
    ]
    for (column, constant) in constants {
      for sign in operators {
        let filter = ScanFilter(column: column, operator: sign, value: constant)
        let found = try rowsOfTable(table, nil, [filter], batchRows: 2048)
        let wanted = all.filter { passes($0[column], filter) }
        // All that pass, in the table's order; others may be among them.
        #expect(found.filter { passes($0[column], filter) } == wanted)
        if column == 1, case .equal = sign, constant == .integer(5) {
          #expect(found.count == wanted.count)
        }
      }
    }
  }

  private func passes(_ value: Value, _ filter: ScanFilter) -> Bool {
    switch filter.operator {
    case .isNull: return value == .null
    case .isNotNull: return value != .null
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    let order: Int
    switch (value, filter.value) {
    case (.integer(let a), .integer(let b)): order = a < b ? -1 : a == b ? 0 : 1
    case (.double(let a), .double(let b)):
      // NaN is greatest, and equal to itself.
      order = b.isNaN ? (a.isNaN ? 0 : -1) : a < b ? -1 : a == b ? 0 : 1
    case (.varchar(let a), .varchar(let b)):
      order = a.utf8.elementsEqual(b.utf8) ? 0 : a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
    default: return false
    }
    switch filter.operator {
    case .equal: return order == 0
    case .less: return order < 0
    case .lessOrEqual: return order <= 0
    case .greater: return order > 0
    default: return order >= 0
    }
  }

  @Test(arguments: ["DELETE", "WAL"])
  func seesOneCommit(_ journal: String) throws {
    try make(
      "PRAGMA journal_mode = \(journal)", "CREATE TABLE t(k INTEGER PRIMARY KEY, v INT)",
      """
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000)
      INSERT INTO t SELECT x, 1 FROM c
      """)
    let table = try SQLiteDatabase(path: path).table(named: "t")
    let scan = try table.scan(columns: [1], filters: [], batchRows: 2048)
    let writer = try SQLiteConnection(path: path, mode: .readWrite)
    let refusal = messageOf { try writer.execute("UPDATE t SET v = 2") }
    #expect(refusal.contains("locked") == (journal == "DELETE"))
    var total = 0
    for partition in 0..<scan.partitionCount {
      guard let batches = try scan.open(partition) else { continue }
      while let batch = try batches.next() {
        for row in 0..<batch.rowCount {
          if case .integer(let value) = batch.columns[0].value(row) { total += Int(value) }
        }
      }
    }
    #expect(total == 100_000)
    try writer.execute("UPDATE t SET v = 3")
  }

  @Test func readsViewsTablesWithoutRowNumbersAndQueries() throws {
    try make(
      "CREATE TABLE w(a TEXT PRIMARY KEY, b INT) WITHOUT ROWID", "INSERT INTO w VALUES ('x', 1)",
      "CREATE TABLE o(rowid TEXT, _rowid_ INT, oid INT)", "INSERT INTO o VALUES ('r', 1, 2)",
      "CREATE VIEW v AS SELECT upper(a) AS u, b + 1 FROM w")
    let database = try SQLiteDatabase(path: path)
    #expect(try database.tableNames() == ["o", "v", "w"])
    #expect(try rowsOfTable(database.table(named: "w")) == [[.varchar("x"), .integer(1)]])
    #expect(
      try rowsOfTable(database.table(named: "o")) == [[.varchar("r"), .integer(1), .integer(2)]])
    #expect(try rowsOfTable(database.table(named: "v")).count == 1)
    let query = try database.query("SELECT b, b AS b, 1.5 FROM w")
    #expect(query.schema.map(\.name) == ["b", "b_1", "1.5"])
    #expect(query.schema.map(\.type) == [.bigint, .bigint, .double])
    #expect(try rowsOfTable(query, [2, 0]) == [[.double(1.5), .integer(1)]])
    #expect(messageOf { _ = try database.query("DELETE FROM w") }.contains("changes nothing"))
    #expect(messageOf { _ = try database.table(named: "x") }.contains("has no table \"x\""))
  }

  /// Bytes flipped anywhere: rows or an error, never a trap.
  @Test func survivesDamage() throws {
    try make(
      "PRAGMA page_size = 1024", "CREATE TABLE t(k INTEGER PRIMARY KEY, a INT, s TEXT)",
      """
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200)
      INSERT INTO t SELECT x, x, printf('%.*c', x, 'x') FROM c
      """)
    let whole = try Data(contentsOf: URL(filePath: path))
    var random = Draws(state: 5)
    var errors = 0
    for _ in 0..<150 {
      var bytes = whole
      for _ in 0..<(1 + random.next() % 8) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.next() % 8 == 0 { bytes = bytes.prefix(Int(random.next() % UInt64(bytes.count))) }
      try bytes.write(to: URL(filePath: path))
      let outcome = messageOf {
        _ = try rowsOfTable(try SQLiteDatabase(path: path).table(named: "t"))
      }
      if outcome != "no error" { errors += 1 }
    }
    #expect(errors > 10)
  }
}
