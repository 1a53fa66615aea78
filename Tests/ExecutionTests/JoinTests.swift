import Columnar
import Diagnostics
import Testing

@testable import Execution

/// What the join must give, by the definition: nested loops over values.
struct JoinOracle {
  let probeKeys: [Int]
  let buildKeys: [Int]
  let nullSafe: [Bool]
  let kind: JoinKind
  let residual: ((Row, Row) -> Bool)?

  /// True, false, or nil for unknown.
  func matches(_ left: Row, _ right: Row) -> Bool? {
    var unknown = false
    for key in probeKeys.indices {
      let a = left[probeKeys[key]]
      let b = right[buildKeys[key]]
      if a.isNull || b.isNull {
        if nullSafe[key] {
          if a.isNull != b.isNull { return false }
        } else {
          unknown = true
        }
      } else if !same(a, b) {
        return false
      }
    }
    if let residual, !residual(left, right) { return false }
    return unknown ? nil : true
  }

  func same(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.double(let x), .double(let y)): x == y || (x.isNaN && y.isNaN)
    case (.interval(let x), .interval(let y)): x.normalized == y.normalized
    default: a == b
    }
  }

  func run(_ probe: [Row], _ build: [Row], _ probeWidth: Int, _ buildWidth: Int) -> [Row]? {
    var result: [Row] = []
    var used = Array(repeating: false, count: build.count)
    let nulls = Row(repeating: .null, count: buildWidth)
    for left in probe {
      var hits: [Int] = []
      var unknown = false
      for (position, right) in build.enumerated() {
        switch matches(left, right) {
        case .some(true): hits.append(position)
        case .none: unknown = true
        case .some(false): break
        }
      }
      for hit in hits { used[hit] = true }
      switch kind {
      case .inner, .right: result += hits.map { left + build[$0] }
      case .left, .full: result += hits.isEmpty ? [left + nulls] : hits.map { left + build[$0] }
      case .single:
        if hits.count > 1 { return nil }
        result.append(left + (hits.first.map { build[$0] } ?? nulls))
      case .semi: if !hits.isEmpty { result.append(left) }
      case .anti: if hits.isEmpty { result.append(left) }
      case .buildSemi, .buildAnti: break
      case .mark:
        result.append(left + [!hits.isEmpty ? .boolean(true) : unknown ? .null : .boolean(false)])
      case .buildSemi, .buildAnti: break
      }
    }
    if kind == .buildSemi || kind == .buildAnti {
      for (position, right) in build.enumerated() where used[position] == (kind == .buildSemi) {
        result.append(right)
      }
    }
    if kind == .buildSemi || kind == .buildAnti {
      result += build.indices.filter { used[$0] == (kind == .buildSemi) }.map { build[$0] }
    }
    if kind == .right || kind == .full {
      for (position, right) in build.enumerated() where !used[position] {
        result.append(Row(repeating: .null, count: probeWidth) + right)
      }
    }
    return result
  }
}

let allKinds: [JoinKind] = [
  .inner, .left, .right, .full, .semi, .anti, .mark, .single, .buildSemi, .buildAnti,
]

struct KeyCase: CustomTestStringConvertible, Sendable {
  let name: String
  let types: [LogicalType]
  /// Key values by a small number: equal numbers, equal keys.
  let make: @Sendable (Int, Int) -> Value
  var nullSafe: [Bool]? = nil
  var testDescription: String { name }
}

let keyCases: [KeyCase] = [
  KeyCase(name: "int32 dense", types: [.integer], make: { n, _ in .integer(Int128(n - 5)) }),
  KeyCase(
    name: "int64 sparse", types: [.bigint], make: { n, _ in .integer(Int128(n) * 1_000_000_007) }),
  KeyCase(name: "tinyint", types: [.tinyint], make: { n, _ in .integer(Int128(n % 200 - 100)) }),
  KeyCase(
    name: "ubigint", types: [.ubigint], make: { n, _ in .integer(Int128(UInt64.max) - Int128(n)) }),
  KeyCase(name: "boolean", types: [.boolean], make: { n, _ in .boolean(n % 2 == 0) }),
  KeyCase(
    name: "decimal(9)", types: [.decimal(precision: 9, scale: 2)],
    make: { n, _ in .decimal(Int128(n)) }),
  KeyCase(
    name: "decimal(30)", types: [.decimal(precision: 30, scale: 2)],
    make: { n, _ in .decimal(Int128(n) << 80) }),
  KeyCase(name: "date", types: [.date], make: { n, _ in .date(Int32(n * 400)) }),
  KeyCase(name: "hugeint", types: [.hugeint], make: { n, _ in .integer(Int128(n) << 64 | 7) }),
  KeyCase(name: "short string", types: [.varchar], make: { n, _ in .varchar("k\(n)") }),
  KeyCase(
    name: "long string", types: [.varchar],
    make: { n, _ in .varchar("a rather long common beginning \(n)") }),
  KeyCase(
    name: "double", types: [.double],
    make: { n, variant in
      n == 0 ? .double(variant == 0 ? 0 : -0.0) : n == 1 ? .double(.nan) : .double(Double(n) / 3)
    }),
  KeyCase(
    name: "interval", types: [.interval],
    make: { n, variant in
      variant == 0
        ? .interval(Interval(months: Int32(n))) : .interval(Interval(days: Int32(n) * 30))
    }),
  KeyCase(
    name: "list", types: [.list(.integer)],
    make: { n, _ in .list([.integer(Int128(n % 3)), .integer(Int128(n))]) }),
  KeyCase(
    name: "two int32", types: [.integer, .integer], make: { n, _ in .integer(Int128(n % 4 - 2)) }),
  KeyCase(
    name: "int64, string", types: [.bigint, .varchar],
    make: { n, variant in variant == 1 ? .varchar("v\(n % 3)") : .integer(Int128(n % 4)) }),
  KeyCase(
    name: "null-safe int64", types: [.bigint], make: { n, _ in .integer(Int128(n)) },
    nullSafe: [true]),
  KeyCase(
    name: "null-safe and plain", types: [.integer, .bigint],
    make: { n, _ in .integer(Int128(n % 3)) }, nullSafe: [true, false]),
  KeyCase(name: "no keys", types: [], make: { _, _ in .null }),
]

/// Rows of `keys…, payload`.
func joinRows(
  _ key: KeyCase, _ count: Int, distinct: Int, nulls: Int, _ draw: inout Draw
) -> [Row] {
  (0..<count).map { number in
    var row: Row = []
    for position in key.types.indices {
      if nulls > 0 && draw.below(100) < nulls {
        row.append(.null)
      } else {
        // Skewed: half of the rows share one key.
        let n = draw.below(2) == 0 && distinct < 20 ? 3 : draw.below(distinct)
        let isMixed = key.types.count == 2 && key.types[1] == .varchar
        row.append(key.make(n, isMixed ? position : draw.below(2)))
      }
    }
    row.append(.integer(Int128(number)))
    return row
  }
}

@Suite struct JoinTests {
  /// `payload of probe + payload of build` is a multiple of three; written on batches.
  static func residual(_ probePayload: Int, _ buildPayload: Int) -> BatchPredicate {
    { batch in
      let a = ColumnReader<Int32>(batch.columns[probePayload])
      let b = ColumnReader<Int32>(batch.columns[buildPayload])
      var picked: [Int] = []
      for row in 0..<batch.rowCount where (a[row] &+ b[row]) % 3 == 0 { picked.append(row) }
      withExtendedLifetime(batch) {}
      return Selection(picked)
    }
  }

  static func check(
    _ key: KeyCase, _ kind: JoinKind, probe: [Row], build: [Row], size: Int, inputSize: Int,
    workers: Int, encoding: RowEncoding, withResidual: Bool
  ) throws -> String? {
    let types = key.types + [.integer]
    let keys = Array(key.types.indices)
    let nullSafe = key.nullSafe ?? keys.map { _ in false }
    let payload = key.types.count
    let oracle = JoinOracle(
      probeKeys: keys, buildKeys: keys, nullSafe: nullSafe, kind: kind,
      residual: withResidual
        ? { left, right in
          guard case .integer(let a) = left[payload], case .integer(let b) = right[payload] else {
            return false
          }
          return (a + b) % 3 == 0
        } : nil)
    let expected = oracle.run(probe, build, types.count, types.count)
    let query = QueryContext(workerCount: workers, batchRows: size)
    let shared = HashJoinShared(workers: workers)
    let probeBatches = try makeBatches(probe, types, size: inputSize, encoding: encoding)
    let buildBatches = try makeBatches(build, types, size: inputSize, encoding: encoding)
    let sources: [any BatchSource] = (0..<workers).map { index in
      HashJoinOperator(
        probe: BatchList(
          probeBatches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
        build: BatchList(
          buildBatches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
        probeTypes: types, buildTypes: types, probeKeys: keys, buildKeys: keys,
        nullSafe: nullSafe, kind: kind,
        residual: withResidual ? residual(payload, types.count + payload) : nil, shared: shared,
        worker: Worker(query: query, index: index, count: workers))
    }
    do {
      let output = try drain(sources, batchRows: size)
      guard let expected else { return "no error for a second row" }
      let got = multiset(rows(of: output))
      let wanted = multiset(expected)
      if got != wanted {
        let missing = wanted.filter { !got.contains($0) }.prefix(3)
        let extra = got.filter { !wanted.contains($0) }.prefix(3)
        return "\(got.count) rows instead of \(wanted.count); missing \(missing), extra \(extra)"
      }
    } catch let error as SQLError {
      if expected == nil && error.code == .invalidInput { return nil }
      return "\(error)"
    }
    return nil
  }

  @Test(arguments: keyCases)
  func agreesWithNestedLoops(_ key: KeyCase) throws {
    var draw = Draw(42)
    var turn = 0
    for kind in allKinds {
      for withResidual in [false, true] {
        for (probeCount, buildCount, distinct, nulls) in [
          (40, 30, 10, 0), (40, 30, 10, 25), (0, 10, 5, 0), (10, 0, 5, 10), (33, 12, 200, 5),
          (20, 20, 1000, 100),
        ] {
          for (size, inputSize) in [(1, 1), (3, 3), (3, 7), (64, 16), (2048, 2048)] {
            let probe = joinRows(key, probeCount, distinct: distinct, nulls: nulls, &draw)
            let build = joinRows(key, buildCount, distinct: distinct, nulls: nulls, &draw)
            for workers in [1, 2] {
              // All encodings in turn rather than in product: a third of the time.
              turn += 1
              for encoding in [RowEncoding.allCases[turn % 3]] {
                let problem = try Self.check(
                  key, kind, probe: probe, build: build, size: size, inputSize: inputSize,
                  workers: workers, encoding: encoding, withResidual: withResidual)
                if let problem {
                  Issue.record(
                    """
                    \(key.name) \(kind) residual \(withResidual) \(probeCount)x\(buildCount) \
                    nulls \(nulls) size \(size)/\(inputSize) workers \(workers) \(encoding): \
                    \(problem)
                    """)
                  return
                }
              }
            }
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3])
  func largeInputs(workers: Int) throws {
    // Tables with many slots, several partitions, chains across blocks; against sums.
    for (scale, name) in [(1, "direct"), (1_000_003, "packed"), (0, "general")] {
      let count = 50_000
      let type: LogicalType = scale == 0 ? .varchar : .bigint
      func key(_ n: Int) -> Value {
        scale == 0 ? .varchar("customer number \(n)") : .integer(Int128(n * scale))
      }
      let build: [Row] = (0..<count).map { [key($0 % 20_000), .integer(Int128($0))] }
      let probe: [Row] = (0..<60_000).map { [key($0 % 30_000), .integer(1)] }
      let types: [LogicalType] = [type, .bigint]
      let probeBatches = try makeBatches(probe, types, size: 1000)
      let buildBatches = try makeBatches(build, types, size: 1000)
      let query = QueryContext(workerCount: workers)
      let shared = HashJoinShared(workers: workers)
      let sources: [any BatchSource] = (0..<workers).map { index in
        HashJoinOperator(
          probe: BatchList(
            probeBatches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
          build: BatchList(
            buildBatches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
          probeTypes: types, buildTypes: types, probeKeys: [0], buildKeys: [0], nullSafe: [false],
          kind: .inner, shared: shared, worker: Worker(query: query, index: index, count: workers))
      }
      let output = try drain(sources, batchRows: 2048)
      // Keys 0..<10,000 have three build rows, 10,000..<20,000 two; each key has two probe rows.
      let total = output.reduce(0) { $0 + $1.rowCount }
      let expectedTotal = 100_000
      #expect(total == expectedTotal, "\(name)")
      var sum: Int64 = 0
      for batch in output {
        let values = ColumnReader<Int64>(batch.columns[3])
        for row in 0..<batch.rowCount {
          if batch.columns[0].value(row) != batch.columns[2].value(row) {
            Issue.record("\(name): unequal keys joined")
            return
          }
          sum += values[row]
        }
        withExtendedLifetime(batch) {}
      }
      let expectedSum: Int64 = 49_999 * 50_000
      #expect(sum == expectedSum, "\(name)")
    }
  }

  @Test func emptyBuildDoesNotPullTheProbe() throws {
    for kind in [JoinKind.inner, .semi, .right] {
      let types: [LogicalType] = [.integer]
      let probe = BatchList(try makeBatches([[.integer(1)]], types, size: 10))
      let join = HashJoinOperator(
        probe: probe, build: BatchList([]), probeTypes: types, buildTypes: types, probeKeys: [0],
        buildKeys: [0], nullSafe: [false], kind: kind, shared: HashJoinShared(workers: 1),
        worker: Worker(query: QueryContext()))
      #expect(try join.next() == nil)
      #expect(probe.pulled == 0)
    }
  }

  @Test func tellsTheRangeOfBuildKeys() throws {
    let types: [LogicalType] = [.integer, .varchar]
    let build: [Row] = [
      [.integer(7), .varchar("x")], [.null, .null], [.integer(-3), .varchar("y")],
    ]
    let shared = HashJoinShared(workers: 1)
    let join = HashJoinOperator(
      probe: BatchList([]), build: BatchList(try makeBatches(build, types, size: 2)),
      probeTypes: types, buildTypes: types, probeKeys: [0, 1], buildKeys: [0, 1],
      nullSafe: [false, false], kind: .inner, shared: shared, worker: Worker(query: QueryContext()))
    #expect(try join.next() == nil)
    #expect(shared.buildKeyRange == [-3...7, nil])
  }

  @Test func aFailingWorkerFreesTheOthers() throws {
    final class Failing: BatchSource {
      func next() throws -> Batch? { throw SQLError(.conversion, "bad cell") }
    }
    let types: [LogicalType] = [.integer]
    let query = QueryContext(workerCount: 2)
    let shared = HashJoinShared(workers: 2)
    let sources: [any BatchSource] = (0..<2).map { index in
      HashJoinOperator(
        probe: BatchList([]), build: index == 0 ? BatchList([]) : Failing(), probeTypes: types,
        buildTypes: types, probeKeys: [0], buildKeys: [0], nullSafe: [false], kind: .full,
        shared: shared, worker: Worker(query: query, index: index, count: 2))
    }
    #expect(throws: SQLError.self) { try drain(sources, batchRows: 2048) }
  }
}
