import Columnar
import Diagnostics
import Synchronization

/// The partitions of one scan, handed out to whoever asks next.
final class ScanShared: Sendable {
  let scan: any PartitionedScan
  let partitionCount: Int
  private let cursor: Atomic<Int>
  /// The partitions in another order than the source's, where a Top-N above wants the best first.
  private let order: [Int]?

  init(scan: any PartitionedScan, order: [Int]? = nil) {
    self.scan = scan
    self.order = order
    partitionCount = scan.partitionCount
    cursor = Atomic(0)
  }

  /// The next partition; nil when all are taken.
  func claim() -> Int? {
    let place = cursor.wrappingAdd(1, ordering: .relaxed).oldValue
    if place >= partitionCount { return nil }
    return order?[place] ?? place
  }

  /// How many rows the next partition has, where its scan knows.
  func nextRowCount() -> Int? {
    let place = cursor.load(ordering: .relaxed)
    if place >= partitionCount { return nil }
    return scan.rowCount(of: order?[place] ?? place)
  }

  /// The partitions by the values of a column, those of unknown values last. Ties keep the source's
  /// order, and rows their numbers: only the time of reading differs.
  static func order(
    _ scan: any PartitionedScan, column: Int, descending: Bool, nullsFirst: Bool
  ) -> [Int]? {
    let count = scan.partitionCount
    if count < 2 { return nil }
    let isNull = ScanFilter(column: column, operator: .isNull, value: .null)
    // Those that may have the very first rows, then those of known bounds, then the rest.
    let keys = (0..<count).map { partition -> (rank: Int, bound: PartitionBounds.Bound) in
      if nullsFirst && scan.mayPass(isNull, in: partition) { return (0, .number(0)) }
      guard let bounds = scan.bounds(ofColumn: column, in: partition) else {
        return (2, .number(0))
      }
      guard descending else { return (1, bounds.low) }
      return bounds.high.map { (1, $0) } ?? (0, .number(0))
    }
    return (0..<count).sorted { a, b in
      let (x, y) = (keys[a], keys[b])
      if x.rank != y.rank { return x.rank < y.rank }
      if x.bound == y.bound { return a < b }
      return descending ? y.bound < x.bound : x.bound < y.bound
    }
  }

  /// Gives all partitions again: for a region of one worker.
  func rewind() { cursor.store(0, ordering: .relaxed) }
}

/// Reads partitions from the shared cursor until none is left.
final class ScanOperator: RewindableSource, SkippingSource {
  private let shared: ScanShared
  private let query: QueryContext
  private var current: (any BatchSource)?
  private var partition = 0
  /// What operators above know of columns, by position in the source's schema.
  private let runtime: [(filter: RuntimeFilter, column: Int)]
  private let look: FirstLook?
  private let statistics: NodeStatistics?

  init(
    shared: ScanShared, worker: Worker, runtime: [(filter: RuntimeFilter, column: Int)] = [],
    look: FirstLook? = nil, statistics: NodeStatistics? = nil
  ) {
    self.shared = shared
    query = worker.query
    self.runtime = runtime
    self.look = look
    self.statistics = statistics
  }

  func next() throws -> Batch? {
    while true {
      try query.checkCancelled()
      if let source = current {
        if var batch = try source.next() {
          batch.sequence = partition
          return batch
        }
        current = nil
        query.progress.advance()
      }
      guard let next = shared.claim() else { return nil }
      try begin(next)
    }
  }

  private func begin(_ partition: Int) throws {
    self.partition = partition
    current = mayPass(partition) ? try shared.scan.open(partition, look: look) : nil
    statistics?.add(partition: current == nil)
    if current == nil { query.progress.advance() }
  }

  /// Whole partitions whose number of rows is known, then what the next one can leave out. For a
  /// region of one worker.
  func skip(_ count: Int) throws -> Int {
    if look != nil || !runtime.isEmpty { return 0 }
    var left = count
    while current == nil, let rows = shared.nextRowCount(), left > 0 {
      guard let next = shared.claim() else { break }
      if rows > left {
        try begin(next)
      } else {
        left -= rows
        statistics?.add(partition: true)
        query.progress.advance()
      }
    }
    if let current { left -= try Columnar.skip(left, of: current) }
    return count - left
  }

  /// Whether some row of the partition may pass all that is known above.
  private func mayPass(_ partition: Int) -> Bool {
    for (filter, column) in runtime {
      guard let test = filter.test else { continue }
      if !test.mayPass(shared.scan, partition, column: column) { return false }
    }
    return true
  }

  func rewind() -> Bool {
    shared.rewind()
    current = nil
    return true
  }
}

/// Keeps the rows for which the condition is true.
final class FilterOperator: RewindableSource {
  private let input: any BatchSource
  private let condition: RowFilter

  init(input: any BatchSource, condition: RowFilter) {
    self.input = input
    self.condition = condition
  }

  func rewind() -> Bool { Execution.rewind(input) }

  func next() throws -> Batch? {
    while let batch = try input.next() {
      guard let rows = try condition.select(batch) else { return batch }
      if rows.count > 0 { return batch.selecting(rows) }
    }
    return nil
  }
}

/// Computes expressions over each batch.
final class ProjectOperator: RewindableSource, SkippingSource {
  private let input: any BatchSource
  private let items: [ExpressionEvaluator]

  init(input: any BatchSource, items: [ExpressionEvaluator]) {
    self.input = input
    self.items = items
  }

  func rewind() -> Bool { Execution.rewind(input) }

  func skip(_ count: Int) throws -> Int { try Columnar.skip(count, of: input) }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    return Batch(
      columns: try items.map { try $0.evaluate(batch) }, rowCount: batch.rowCount,
      sequence: batch.sequence)
  }
}

/// Keeps some of the input's columns, in a new order.
final class PickColumnsOperator: RewindableSource, SkippingSource {
  private let input: any BatchSource
  private let positions: [Int]

  init(input: any BatchSource, positions: [Int]) {
    self.input = input
    self.positions = positions
  }

  func rewind() -> Bool { Execution.rewind(input) }

  func skip(_ count: Int) throws -> Int { try Columnar.skip(count, of: input) }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    return Batch(
      columns: positions.map { batch.columns[$0] }, rowCount: batch.rowCount,
      sequence: batch.sequence)
  }
}

/// Skips `offset` rows, then passes `limit`; runs on one worker.
final class LimitOperator: BatchSource {
  private var input: (any BatchSource)?
  private var remaining: Int
  private var skip: Int

  init(input: any BatchSource, limit: Int?, offset: Int) {
    self.input = input
    remaining = limit ?? .max
    skip = offset
  }

  func next() throws -> Batch? {
    while remaining > 0, let input {
      if skip > 0 { skip -= try Columnar.skip(skip, of: input) }
      guard let batch = try input.next() else { break }
      if skip >= batch.rowCount {
        skip -= batch.rowCount
        continue
      }
      let count = min(batch.rowCount - skip, remaining)
      let part = batch.slice(skip, count)
      skip = 0
      remaining -= count
      return part
    }
    // Letting go of the input stops the workers below.
    input = nil
    return nil
  }
}

/// All rows of each input after the other.
final class UnionOperator: RewindableSource, SkippingSource {
  private let inputs: [any BatchSource]
  private var position = 0

  init(inputs: [any BatchSource]) { self.inputs = inputs }

  func rewind() -> Bool {
    position = 0
    return inputs.allSatisfy { Execution.rewind($0) }
  }

  func skip(_ count: Int) throws -> Int {
    position < inputs.count ? try Columnar.skip(count, of: inputs[position]) : 0
  }

  func next() throws -> Batch? {
    while position < inputs.count {
      if var batch = try inputs[position].next() {
        batch.sequence += position << 44
        return batch
      }
      position += 1
    }
    return nil
  }
}

/// Batches that are there already.
package final class BatchListSource: RewindableSource {
  private let batches: [Batch]
  private var position = 0

  package init(_ batches: [Batch]) { self.batches = batches.filter { $0.rowCount > 0 } }

  func rewind() -> Bool {
    position = 0
    return true
  }

  package func next() throws -> Batch? {
    if position == batches.count { return nil }
    position += 1
    return batches[position - 1]
  }
}

/// How much of a statement's scans is done.
package final class QueryProgress: Sendable {
  private let total = Atomic<Int>(0)
  private let done = Atomic<Int>(0)

  func add(_ partitions: Int) { total.wrappingAdd(partitions, ordering: .relaxed) }
  func advance() { done.wrappingAdd(1, ordering: .relaxed) }

  /// 0…1; nil when nothing is scanned.
  package var fraction: Double? {
    let all = total.load(ordering: .relaxed)
    return all == 0 ? nil : min(1, Double(done.load(ordering: .relaxed)) / Double(all))
  }
}
