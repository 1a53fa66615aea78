import Columnar
import Diagnostics
import Formats
import Glibc
import Testing

/// Files written by pyarrow, read back in batches of several sizes; files of our own, both ways;
/// damaged files.
@Suite struct ParquetTests {
  static func fixture(_ name: String) -> String {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast()
    return parts.joined(separator: "/") + "/Fixtures/" + name + ".parquet"
  }

  static func temporary(_ name: String) -> String {
    "/tmp/apus-parquet-\(getpid())-\(name).parquet"
  }

  static func rows(
    _ source: ParquetSource, _ columns: [Int]? = nil, batchRows: Int = 2048,
    filters: [ScanFilter] = []
  ) throws -> [[Value]] {
    let scan = try source.scan(
      columns: columns ?? Array(source.schema.indices), filters: filters, batchRows: batchRows)
    var rows: [[Value]] = []
    for partition in 0..<scan.partitionCount {
      guard let batches = try scan.open(partition) else { continue }
      while let batch = try batches.next() {
        #expect(batch.rowCount > 0 && batch.rowCount <= batchRows)
        #expect(batch.sequence == partition)
        for row in 0..<batch.rowCount { rows.append(batch.columns.map { $0.value(row) }) }
      }
    }
    return rows
  }

  /// What the fixtures hold in row `i`.
  static func expected(_ i: Int) -> [Value] {
    [
      .integer(Int128(i)),
      i % 7 == 0 ? .null : .varchar("a rather long word \(i % 5)"),
      i % 11 == 0 ? .null : .double(Double(i) / 4),
      i % 5 == 0 ? .null : .list((0..<(i % 4)).map { .varchar("t\($0)") }),
      i % 6 == 0
        ? .null : .structure([.integer(Int128(i)), i % 4 == 0 ? .null : .varchar("\(i)")]),
    ]
  }

  @Test(arguments: ["mixed-v1-snappy", "mixed-v2-zstd", "delta"], [1, 3, 64, 2048])
  func readsWhatPyarrowWrites(_ name: String, batchRows: Int) throws {
    let source = try ParquetSource(paths: [Self.fixture(name)])
    #expect(source.estimatedRowCount == 300)
    let rows = try Self.rows(source, batchRows: batchRows)
    let width = source.schema.count
    #expect(rows == (0..<300).map { Array(Self.expected($0).prefix(width)) })
  }

  /// `counted` is DuckDB's: 5,000 rows of i % 7, 'x' || i % 50 and i, with distinct counts of columns
  /// that have a dictionary.
  @Test func countsDistinctValues() throws {
    let source = try ParquetSource(paths: [Self.fixture("counted")])
    let known = source.schema.indices.map { source.columnStatistics($0) }
    #expect(known[0]?.distinctCount == 7)
    #expect(known[1].flatMap(\.distinctCount).map { abs($0 - 50) < 1 } == true)
    #expect((known[2]?.distinctCount ?? 5000) == 5000)
    #expect(known.allSatisfy { $0?.nullFraction == 0 })
  }

  @Test func countsRowsWithoutColumns() throws {
    let path = Self.fixture("delta")
    let source = try ParquetSource(paths: [path, path])
    #expect(try Self.rows(source, []).count == 600)
    #expect(source.metadata.rowCount == 600)
    #expect(source.metadata.rowGroups.count == 2)
  }

  @Test func dictionariesShareOneBase() throws {
    let source = try ParquetSource(paths: [Self.fixture("mixed-v2-zstd")])
    let scan = try source.scan(columns: [1], filters: [], batchRows: 16)
    let batches = try #require(try scan.open(0))
    let first = try #require(try batches.next()).columns[0]
    let second = try #require(try batches.next()).columns[0]
    #expect(first.encoding == .dictionary)
    #expect(first.base != nil && first.base === second.base)
  }

  @Test func skipsRowGroupsByStatistics() throws {
    let source = try ParquetSource(paths: [Self.fixture("mixed-v1-snappy")])
    let late = ScanFilter(column: 0, operator: .greaterOrEqual, value: .integer(240))
    #expect(try Self.rows(source, [0], filters: [late]).count == 60)
    let none = ScanFilter(column: 0, operator: .isNull, value: .null)
    #expect(try Self.rows(source, [0], filters: [none]).isEmpty)
    // NaN is greater than any number and not in the statistics.
    let huge = ScanFilter(column: 2, operator: .greater, value: .double(1e9))
    #expect(try Self.rows(source, [2], filters: [huge]).count == 300)
  }

  static let everyType: [(LogicalType, [Value])] = [
    (.boolean, [.boolean(true), .null, .boolean(false)]),
    (.tinyint, [.integer(-128), .null, .integer(127)]),
    (.smallint, [.integer(-32768), .null, .integer(5)]),
    (.integer, [.integer(-5), .null, .integer(Int128(Int32.max))]),
    (.bigint, [.integer(Int128(Int64.min)), .null, .integer(9)]),
    (.utinyint, [.integer(255), .null, .integer(0)]),
    (.usmallint, [.integer(65535), .null, .integer(0)]),
    (.uinteger, [.integer(Int128(UInt32.max)), .null, .integer(0)]),
    (.ubigint, [.integer(Int128(UInt64.max)), .null, .integer(0)]),
    (.float, [.float(1.5), .null, .float(-.infinity)]),
    (.double, [.double(-0.25), .null, .double(1e300)]),
    (.decimal(precision: 4, scale: 1), [.decimal(-9999), .null, .decimal(3)]),
    (.decimal(precision: 9, scale: 2), [.decimal(-999_999_999), .null, .decimal(3)]),
    (.decimal(precision: 18, scale: 2), [.decimal(-1 << 55), .null, .decimal(3)]),
    (.decimal(precision: 38, scale: 2), [.decimal(-1 << 120), .null, .decimal(3)]),
    (.varchar, [.varchar("häßlich and longer than twelve"), .null, .varchar("")]),
    (.blob, [.blob([0, 255]), .null, .blob([])]),
    (.date, [.date(-1), .null, .date(20000)]),
    (.time, [.time(86_399_999_999), .null, .time(0)]),
    (.timestamp, [.timestamp(-1), .null, .timestamp(1_700_000_000_000_001)]),
    (
      .interval,
      [.interval(Interval(months: 1, days: -2, microseconds: 3000)), .null, .interval(Interval())]
    ),
    (.list(.integer), [.list([.integer(1), .null]), .null, .list([])]),
    (
      .list(.list(.varchar)),
      [.list([.list([.varchar("x")]), .null, .list([])]), .null, .list([])]
    ),
    (
      .structure([Field("a", .integer), Field("b", .list(.double))]),
      [.structure([.integer(1), .list([.double(2)])]), .null, .structure([.null, .null])]
    ),
  ]

  @Test(arguments: ["snappy", "zstd", "gzip", "lz4_raw", "uncompressed"])
  func writesEveryType(_ compression: String) throws {
    let path = Self.temporary("types-\(compression)")
    defer { unlink(path) }
    let schema = Self.everyType.enumerated().map { Field("c\($0.offset)", $0.element.0) }
    let options = try ParquetWriteOptions([
      ("compression", .varchar(compression), .varchar), ("row_group_size", .integer(50), .integer),
    ])
    let writer = try ParquetWriter(path: path, schema: schema, options: options)
    var wanted: [[Value]] = []
    for round in 0..<7 {
      var builders = schema.map { ColumnBuilder($0.type) }
      for row in 0..<31 {
        let values = Self.everyType.map { $0.1[(row + round) % 3] }
        wanted.append(values)
        for column in builders.indices { try builders[column].append(values[column]) }
      }
      var columns: [Column] = []
      for column in builders.indices { columns.append(builders[column].finish()) }
      try writer.write(Batch(columns: columns, rowCount: 31))
    }
    #expect(access(path, F_OK) != 0)
    #expect(try writer.finish() == 217)
    let source = try ParquetSource(paths: [path])
    #expect(source.schema == schema)
    #expect(source.metadata.rowGroups.map(\.rowCount) == [50, 50, 50, 50, 17])
    for batchRows in [1, 64, 2048] {
      #expect(try Self.rows(source, batchRows: batchRows) == wanted)
    }
  }

  @Test func abortLeavesNothing() throws {
    let path = Self.temporary("abort")
    let writer = try ParquetWriter(path: path, schema: [Field("a", .integer)])
    writer.abort()
    #expect(access(path, F_OK) != 0)
  }

  @Test func suggestsOptions() throws {
    let error = try #require(throws: SQLError.self) {
      try ParquetWriteOptions([("compresion", .varchar("zstd"), .varchar)])
    }
    #expect(error.hint == "did you mean \"compression\"?")
  }

  @Test func reportsOtherSchemas() throws {
    let error = try #require(throws: SQLError.self) {
      try ParquetSource(paths: [Self.fixture("delta"), Self.fixture("mixed-v2-zstd")])
    }
    #expect(error.message.contains("mixed-v2-zstd") && error.message.contains("tags"))
  }

  /// Damage gives errors or other values, never a trap.
  @Test(arguments: ["mixed-v1-snappy", "mixed-v2-zstd", "delta"])
  func survivesDamage(_ name: String) throws {
    let descriptor = open(Self.fixture(name), O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = read(descriptor, &bytes, bytes.count)
    close(descriptor)
    bytes.removeLast(bytes.count - count)
    let path = Self.temporary("damage-\(name)")
    defer { unlink(path) }
    var state: UInt64 = 88_172_645_463_325_252
    func random(_ limit: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(limit))
    }
    for round in 0..<150 {
      var copy = bytes
      if round % 10 == 0 { copy.removeLast(random(count)) }
      for _ in 0..<3 where !copy.isEmpty { copy[random(copy.count)] = UInt8(random(256)) }
      let out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      _ = copy.withUnsafeBytes { write(out, $0.baseAddress, $0.count) }
      close(out)
      do {
        let source = try ParquetSource(paths: [path])
        guard (source.estimatedRowCount ?? 0) < 1 << 20 else { continue }
        _ = try Self.rows(source)
      } catch is SQLError {}
    }
  }
}
