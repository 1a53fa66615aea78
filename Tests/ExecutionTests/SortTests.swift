import Columnar
import Diagnostics
import Testing

@testable import Execution

struct SortCase: CustomTestStringConvertible, Sendable {
  let name: String
  let type: LogicalType
  let make: @Sendable (Int) -> Value
  var testDescription: String { name }
}

let sortCases: [SortCase] = [
  SortCase(name: "boolean", type: .boolean, make: { .boolean($0 % 2 == 0) }),
  SortCase(name: "tinyint", type: .tinyint, make: { .integer(Int128($0 % 256 - 128)) }),
  SortCase(name: "usmallint", type: .usmallint, make: { .integer(Int128($0 % 65536)) }),
  SortCase(name: "integer", type: .integer, make: { .integer(Int128($0 % 50 - 25)) }),
  SortCase(
    name: "bigint, whole range", type: .bigint,
    make: {
      $0 % 7 == 0
        ? .integer(Int128(Int64.min))
        : $0 % 7 == 1
          ? .integer(Int128(Int64.max))
          : .integer(Int128($0 - 50))
    }),
  SortCase(name: "ubigint", type: .ubigint, make: { .integer(Int128(UInt64.max) - Int128($0)) }),
  SortCase(
    name: "hugeint", type: .hugeint,
    make: { .integer((Int128($0 % 40) - 20) << 100 + Int128($0)) }),
  SortCase(
    name: "uhugeint", type: .uhugeint,
    make: { $0 % 3 == 0 ? .unsigned(UInt128.max - UInt128($0)) : .integer(Int128($0)) }),
  SortCase(
    name: "decimal(12,2)", type: .decimal(precision: 12, scale: 2),
    make: { .decimal(Int128($0 % 90 - 45)) }),
  SortCase(
    name: "double", type: .double,
    make: {
      [.double(.nan), .double(0), .double(-0.0), .double(.infinity), .double(-.infinity)][
        safe: $0 % 20] ?? .double(Double($0 - 50) / 7)
    }),
  SortCase(
    name: "float", type: .float,
    make: { $0 % 9 == 0 ? .float(.nan) : .float(Float($0 % 31 - 15) / 4) }),
  SortCase(name: "date", type: .date, make: { .date(Int32($0 % 60 - 30)) }),
  SortCase(name: "timestamp", type: .timestamp, make: { .timestamp(Int64($0) &* 1_000_003) }),
  SortCase(
    name: "interval", type: .interval,
    make: {
      .interval(
        Interval(
          months: Int32($0 % 5 - 2), days: Int32($0 % 70 - 35), microseconds: Int64($0 % 3) - 1))
    }),
  SortCase(
    name: "short string", type: .varchar,
    make: {
      ["", "a", "a\0", "ab", "b", "é"][safe: $0 % 12].map { .varchar($0) }
        ?? .varchar("s\($0 % 30)")
    }),
  SortCase(
    name: "long string", type: .varchar,
    make: { .varchar("Customer#" + String(repeating: "0", count: $0 % 17) + "\($0 % 11)") }),
  SortCase(
    name: "equal beginnings", type: .varchar,
    make: { .varchar("the same beginning" + String(repeating: "x", count: $0 % 23)) }),
  SortCase(name: "blob", type: .blob, make: { .blob([UInt8($0 % 256), 0, UInt8($0 % 3)]) }),
  SortCase(
    name: "list", type: .list(.integer),
    make: { n in
      .list((0..<n % 4).map { (n + $0) % 5 == 0 ? .null : .integer(Int128((n / 4 + $0) % 3)) })
    }),
  SortCase(
    name: "array", type: .array(.float, count: 2),
    make: { .list([.float(Float($0 % 3)), .float(Float($0 % 5))]) }),
  SortCase(
    name: "struct", type: .structure([Field("a", .integer), Field("b", .varchar)]),
    make: { .structure([.integer(Int128($0 % 3)), $0 % 5 == 0 ? .null : .varchar("\($0 % 7)")]) }),
]

extension Array {
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

/// The order by definition. NULL inside a nested value is greatest.
func orderOf(_ a: Value, _ b: Value) -> Int {
  func three<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x == y ? 0 : 1 }
  func floats<T: BinaryFloatingPoint>(_ x: T, _ y: T) -> Int {
    x.isNaN || y.isNaN ? three(x.isNaN ? 1 : 0, y.isNaN ? 1 : 0) : three(x, y)
  }
  switch (a, b) {
  case (.null, .null): return 0
  case (.null, _): return 1
  case (_, .null): return -1
  case (.boolean(let x), .boolean(let y)): return three(x ? 1 : 0, y ? 1 : 0)
  case (.integer(let x), .integer(let y)): return three(x, y)
  case (.unsigned(let x), .unsigned(let y)): return three(x, y)
  case (.unsigned, .integer): return 1
  case (.integer, .unsigned): return -1
  case (.decimal(let x), .decimal(let y)): return three(x, y)
  case (.float(let x), .float(let y)): return floats(x, y)
  case (.double(let x), .double(let y)): return floats(x, y)
  case (.date(let x), .date(let y)): return three(x, y)
  case (.timestamp(let x), .timestamp(let y)): return three(x, y)
  case (.interval(let x), .interval(let y)):
    let (p, q) = (x.normalized, y.normalized)
    return p < q ? -1 : p == q ? 0 : 1
  case (.varchar(let x), .varchar(let y)):
    return x.utf8.lexicographicallyPrecedes(y.utf8) ? -1 : x.utf8.elementsEqual(y.utf8) ? 0 : 1
  case (.blob(let x), .blob(let y)): return x.lexicographicallyPrecedes(y) ? -1 : x == y ? 0 : 1
  case (.list(let x), .list(let y)), (.structure(let x), .structure(let y)):
    for (p, q) in zip(x, y) { let r = orderOf(p, q); if r != 0 { return r } }
    return three(x.count, y.count)
  default: return 0
  }
}

func sortOracle(_ rows: [Row], _ keys: [SortKey]) -> [Row] {
  rows.enumerated().sorted { left, right in
    for key in keys {
      let (a, b) = (left.element[key.column], right.element[key.column])
      if a.isNull || b.isNull {
        if a.isNull && b.isNull { continue }
        return a.isNull == key.nullsFirst
      }
      let result = orderOf(a, b)
      if result != 0 { return key.descending ? result > 0 : result < 0 }
    }
    return left.offset < right.offset
  }.map { $0.element }
}

@Suite struct SortTests {
  static func run(
    _ rows: [Row], _ types: [LogicalType], _ keys: [SortKey], size: Int, inputSize: Int,
    workers: Int, encoding: RowEncoding = .flat, limit: Int? = nil, offset: Int = 0
  ) throws -> [Row] {
    let query = QueryContext(workerCount: workers, batchRows: size)
    let batches = try makeBatches(rows, types, size: inputSize, encoding: encoding)
    let shared = SortShared(workers: workers)
    let sources: [any BatchSource] = (0..<workers).map { index in
      SortOperator(
        input: BatchList(
          batches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
        inputTypes: types, keys: keys, limit: limit, offset: offset, shared: shared,
        worker: Worker(query: query, index: index, count: workers))
    }
    return ExecutionTests.rows(of: try drain(sources, batchRows: size))
  }

  static func check(
    _ rows: [Row], _ types: [LogicalType], _ keys: [SortKey], size: Int, inputSize: Int,
    encoding: RowEncoding, _ name: String
  ) throws {
    let expected = sortOracle(rows, keys).map { $0.map { text($0) }.joined(separator: "|") }
    for workers in [1, 2] {
      for (limit, offset) in [(nil, 0), (nil, 3), (0, 0), (1, 0), (10, 5), (500, 2)]
        as [(Int?, Int)]
      {
        let got = try run(
          rows, types, keys, size: size, inputSize: inputSize, workers: workers,
          encoding: encoding, limit: limit, offset: offset)
        let wanted = Array(expected.dropFirst(offset).prefix(limit ?? .max))
        let texts = got.map { $0.map { text($0) }.joined(separator: "|") }
        if texts != wanted {
          let at = zip(texts, wanted).enumerated().first { $0.element.0 != $0.element.1 }
          Issue.record(
            "\(name) \(keys) workers \(workers) limit \(limit ?? -1) size \(size): \(texts.count)/\(wanted.count), first difference \(String(describing: at))"
          )
          return
        }
      }
    }
  }

  @Test(arguments: sortCases)
  func agreesWithTheDefinition(_ type: SortCase) throws {
    var draw = Draw(7)
    for (count, nulls) in [(0, 0), (1, 0), (150, 0), (150, 30), (20, 100)] {
      let rows: [Row] = (0..<count).map {
        [draw.below(100) < nulls ? .null : type.make(draw.below(1000)), .integer(Int128($0))]
      }
      for descending in [false, true] {
        for nullsFirst in [false, true] {
          let key = SortKey(column: 0, descending: descending, nullsFirst: nullsFirst)
          for (size, inputSize) in [(1, 3), (64, 64), (2048, 7)] {
            try Self.check(
              rows, [type.type, .integer], [key], size: size, inputSize: inputSize,
              encoding: size == 64 ? .mixed : .flat, type.name)
          }
        }
      }
    }
  }

  @Test func severalKeys() throws {
    var draw = Draw(9)
    for round in 0..<60 {
      let picked = (0..<3).map { _ in sortCases[draw.below(sortCases.count)] }
      let keys = (0..<3).map {
        SortKey(column: $0, descending: draw.below(2) == 0, nullsFirst: draw.below(2) == 0)
      }
      let rows: [Row] = (0..<200).map { number in
        picked.map { draw.below(8) == 0 ? .null : $0.make(draw.below(4)) } + [
          .integer(Int128(number))
        ]
      }
      try Self.check(
        rows, picked.map { $0.type } + [.integer], keys, size: [3, 64, 2048][round % 3],
        inputSize: 16, encoding: .mixed, picked.map { $0.name }.joined(separator: ", "))
    }
  }

  @Test(arguments: [1, 2, 3])
  func largeInputs(workers: Int) throws {
    var draw = Draw(1)
    for range in [1 << 62, 1000, 1] {
      let rows: [Row] = (0..<150_000).map {
        [.integer(Int128(draw.below(range))), .integer(Int128($0))]
      }
      let got = try Self.run(
        rows, [.bigint, .integer], [SortKey(column: 0)], size: 2048, inputSize: 2000,
        workers: workers)
      #expect(got == sortOracle(rows, [SortKey(column: 0)]))
      let top = try Self.run(
        rows, [.bigint, .integer], [SortKey(column: 0, descending: true)], size: 2048,
        inputSize: 2000, workers: workers, limit: 100, offset: 10)
      #expect(
        top
          == Array(
            sortOracle(rows, [SortKey(column: 0, descending: true)]).dropFirst(10).prefix(100)))
    }
  }
}
