import Columnar
import Execution
import Functions
import Testing

/// Grouping itself: types, encodings, batch sizes, NULLs, workers and both ways of merging.
@Suite struct AggregationKeyTests {
  /// Counts by key, with keys as text.
  private func counts(_ rows: [[Value]], keys: [Int]) -> [String: Int] {
    var result: [String: Int] = [:]
    for row in rows { result[keyText(keys.map { row[$0] }), default: 0] += 1 }
    return result
  }

  private func check(
    _ table: TestTable, keys: [Int], size: Int, encoding: TestEncoding, workers: Int,
    partitionedFrom: Int = 10_000
  ) throws {
    let (batches, rows) = try table.batches(size: size, encoding: encoding)
    let found = try aggregate(
      batches, types: table.types, keys: keys, calls: [try call("count", [], table.types)],
      workers: workers, partitionedFrom: partitionedFrom)
    var result: [String: Int] = [:]
    for row in found {
      guard case .integer(let count) = row[keys.count] else { continue }
      result[keyText(Array(row[..<keys.count])), default: 0] += Int(count)
    }
    #expect(found.count == result.count, "a key came twice: \(table.types)")
    #expect(result == counts(rows, keys: keys), "\(table.types) \(size) \(encoding) \(workers)")
  }

  private func table(_ types: [LogicalType], rows: Int, domain: Int, nulls: NullPattern)
    -> TestTable
  {
    var random = Seeded(state: UInt64(rows * 31 + domain))
    return TestTable(
      types: types,
      rows: (0..<rows).map { _ in
        types.map { type in
          if nulls == .all || (nulls == .some && random.next() % 4 == 0) { return .null }
          return testValue(type, Int(random.next() % UInt64(domain)))
        }
      })
  }

  @Test(arguments: testTypes) func everyTypeAsKey(_ type: LogicalType) throws {
    for nulls in NullPattern.allCases {
      let table = table([type], rows: 300, domain: 23, nulls: nulls)
      for size in [1, 3, 64, 2048] {
        for encoding in TestEncoding.allCases {
          try check(table, keys: [0], size: size, encoding: encoding, workers: 1)
        }
      }
      try check(table, keys: [0], size: 64, encoding: .flat, workers: 2)
      try check(table, keys: [0], size: 64, encoding: .flat, workers: 2, partitionedFrom: 0)
    }
  }

  @Test(arguments: testTypes) func everyTypeBesideOthers(_ type: LogicalType) throws {
    for nulls in NullPattern.allCases {
      let table = table([.integer, type, .varchar, .boolean], rows: 300, domain: 5, nulls: nulls)
      for encoding in TestEncoding.allCases {
        try check(table, keys: [0, 1], size: 64, encoding: encoding, workers: 1)
        try check(
          table, keys: [3, 1], size: 64, encoding: encoding, workers: 2, partitionedFrom: 0)
        try check(table, keys: [2, 1, 0, 3], size: 7, encoding: encoding, workers: 2)
      }
    }
  }

  @Test func packedKeysOfOneWord() throws {
    for nulls in NullPattern.allCases {
      let table = table([.tinyint, .smallint, .boolean], rows: 2000, domain: 100, nulls: nulls)
      try check(table, keys: [0, 1, 2], size: 64, encoding: .flat, workers: 1)
      try check(table, keys: [1, 2], size: 64, encoding: .flat, workers: 2, partitionedFrom: 0)
    }
  }

  @Test func equalKeysOfDifferentBits() throws {
    let rows: [[Value]] = [
      [.double(0.0), .interval(Interval(months: 1))],
      [.double(-0.0), .interval(Interval(days: 30))],
      [.double(.nan), .interval(Interval(months: 1, days: -1))],
      [.double(-.nan), .interval(Interval(days: 29))],
    ]
    let table = TestTable(types: [.double, .interval], rows: rows)
    let batches = try table.batches(size: 3, encoding: .flat).batches
    for keys in [[0], [1], [0, 1]] {
      let found = try aggregate(batches, types: table.types, keys: keys, calls: [])
      #expect(found.count == 2)
    }
  }

  @Test(arguments: [1, 2]) func manyGroups(_ workers: Int) throws {
    var random = Seeded(state: 7)
    let rows: [[Value]] = (0..<400_000).map { _ in
      let key = random.next() % 200_000
      return [
        .integer(Int128(key)), .integer(Int128(key &* 0x9E37_79B9_7F4A >> 3)),
        .varchar(key % 2 == 0 ? "k\(key)" : "a long key with number \(key)"),
        .integer(Int128(key % 10)),
      ]
    }
    let table = TestTable(types: [.integer, .bigint, .varchar, .integer], rows: rows)
    for keys in [[0], [1], [2], [0, 1], [2, 3]] {
      try check(table, keys: keys, size: 2048, encoding: .flat, workers: workers)
    }
  }

  /// Ranges that grow, jump and leave direct addressing.
  @Test func integerRanges() throws {
    let numbers: [Int64] =
      Array(0..<500) + Array(-700..<(-100)) + Array(100_000..<100_300) + [.max, .min, 0, 5]
      + Array(0..<3000)
    let table = TestTable(types: [.bigint], rows: numbers.map { [.integer(Int128($0))] })
    for size in [1, 64, 2048] {
      try check(table, keys: [0], size: size, encoding: .flat, workers: 1)
    }
  }

  @Test func noKeysGiveOneRow() throws {
    for workers in [1, 2] {
      let calls = [try call("count", [], []), try call("sum", [0], [.integer])]
      let found = try aggregate([], types: [.integer], keys: [], calls: calls, workers: workers)
      #expect(found == [[.integer(0), .null]])
      let none = try aggregate([], types: [.integer], keys: [0], calls: calls, workers: workers)
      #expect(none.isEmpty)
    }
  }

  @Test func cancelling() throws {
    let query = QueryContext()
    query.cancel()
    let source = HashAggregateOperator(
      input: BatchList([]), inputTypes: [.integer], keys: [0], calls: [],
      shared: HashAggregateShared(workers: 1), worker: Worker(query: query))
    #expect(throws: (any Error).self) { try source.next() }
  }
}
