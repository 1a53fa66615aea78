import Columnar
import Diagnostics
import Functions
import Planner
import Testing

@testable import Execution

/// The operator with several workers, which the cases (their tables are small) do not have.
@Suite struct WindowTests {
  private static func frame(_ start: WindowFrameBounds.Bound, _ end: WindowFrameBounds.Bound)
    -> WindowFrameBounds
  {
    WindowFrameBounds(unit: .rows, start: start, end: end, exclusion: .noOthers)
  }

  private static func number(_ value: Int) throws -> WindowSource {
    .constant(try Column.constant(.integer(Int128(value)), .bigint, count: 1).flattened())
  }

  /// id, row_number, running sum, sum of the two rows before, the next row's id.
  private static func run(
    _ rows: [Row], _ types: [LogicalType], partition: [Int], size: Int, workers: Int
  ) throws -> [Row] {
    let query = QueryContext(workerCount: workers, batchRows: size)
    let batches = try makeBatches(rows, types, size: 7, encoding: .flat)
    let sum = try Aggregates.resolve(name: "sum", arguments: [.bigint])
    let calls = [
      WindowCall(
        function: .builtin(.rowNumber), type: .bigint, arguments: [], orderCount: 1,
        frame: frame(.unboundedPreceding, .currentRow)),
      WindowCall(
        function: .aggregate(sum), type: .hugeint, arguments: [.column(0)], orderCount: 1,
        frame: frame(.unboundedPreceding, .currentRow)),
      WindowCall(
        function: .aggregate(sum), type: .hugeint, arguments: [.column(0)], orderCount: 1,
        frame: frame(.preceding(try number(2)), .preceding(try number(1)))),
      WindowCall(
        function: .builtin(.lead), type: .bigint, arguments: [.column(0)], orderCount: 1,
        frame: frame(.unboundedPreceding, .currentRow)),
    ]
    let shared = WindowShared(workers: workers)
    let sources: [any BatchSource] = (0..<workers).map { index in
      WindowOperator(
        input: BatchList(
          batches.enumerated().filter { $0.offset % workers == index }.map { $0.element }),
        inputTypes: types, outputCount: 1, partition: partition,
        order: [SortKey(column: 0, descending: true)], calls: calls, shared: shared,
        worker: Worker(query: query, index: index, count: workers))
    }
    return ExecutionTests.rows(of: try drain(sources, batchRows: size))
  }

  private static func row(_ number: Int) -> Row {
    let id = Value.integer(Int128((number * 7919) % 100_003))
    let key = number % 11 == 0 ? Value.null : .integer(Int128(number % 5))
    let name = number % 13 == 0 ? Value.null : .varchar("a partition of the name \(number % 3)")
    return [id, key, name]
  }

  private static func plain(_ value: Value) -> String {
    switch value {
    case .null: "NULL"
    case .integer(let number): "\(number)"
    default: text(value)
    }
  }

  private static func oracle(_ rows: [Row], partition: [Int]) -> [String] {
    func key(_ row: Row) -> String { partition.map { text(row[$0]) }.joined(separator: "|") }
    func id(_ row: Row) -> Int {
      if case .integer(let value) = row[0] { Int(value) } else { 0 }
    }
    var result: [String] = []
    for group in Dictionary(grouping: rows, by: key).values {
      let ids = group.map(id).sorted(by: >)
      for place in ids.indices {
        let before = ids[max(0, place - 2)..<place]
        let running = ids[...place].reduce(0, +)
        let recent = before.isEmpty ? "NULL" : "\(before.reduce(0, +))"
        let next = place + 1 < ids.count ? "\(ids[place + 1])" : "NULL"
        result.append("\(ids[place])|\(place + 1)|\(running)|\(recent)|\(next)")
      }
    }
    return result.sorted()
  }

  @Test(arguments: [1, 2, 3])
  func partitions(workers: Int) throws {
    let types: [LogicalType] = [.bigint, .integer, .varchar]
    for count in [0, 1, 100, 3000] {
      let rows = (0..<count).map(Self.row)
      for partition in [[], [1], [2], [1, 2], [0]] {
        let expected = Self.oracle(rows, partition: partition)
        for size in [1, 3, 2048] {
          let got = try Self.run(rows, types, partition: partition, size: size, workers: workers)
          let texts = got.map { row in
            row.map { Self.plain($0) }.joined(separator: "|")
          }.sorted()
          #expect(texts == expected, "\(count) rows by \(partition) in batches of \(size)")
        }
      }
    }
  }
}
