import Columnar
import Diagnostics

/// The windows of rows that come sorted from disk: gathers whole partitions, some ten thousand rows
/// of them (fewer where memory is small), and evaluates those as an input of its own. A partition
/// that is too large for that is a `LargePartition`, or where a call does not allow it must fit into
/// memory.
final class SpilledWindow {
  private let merger: RunMerger
  private let window: WindowDescription
  private let chunkRows: Int
  private let memory: MemoryHolder
  private let query: QueryContext
  private let evaluate: (any BatchSource) -> any BatchSource
  private var open: RowCollector
  /// Where the last partition in `open` begins.
  private var lastStart = 0
  /// The keys of the last row that was read.
  private var last: [Column] = []
  /// What has been gathered, in order.
  private var gathered: [any BatchSource] = []
  private var sequence = 0
  private var isAtEnd = false

  /// `evaluate` gives the windows of whole partitions.
  init(
    _ merger: RunMerger, window: WindowDescription, chunkRows: Int, memory: MemoryHolder,
    query: QueryContext, evaluate: @escaping (any BatchSource) -> any BatchSource
  ) {
    self.merger = merger
    self.window = window
    self.chunkRows = chunkRows
    self.memory = memory
    self.query = query
    self.evaluate = evaluate
    open = RowCollector(window.types)
  }

  func next() throws -> Batch? {
    while true {
      while let current = gathered.first {
        if var batch = try current.next() {
          batch.sequence = sequence
          sequence += 1
          return batch
        }
        gathered.removeFirst()
      }
      if isAtEnd { return nil }
      try gather()
    }
  }

  /// Reads on until partitions are complete.
  private func gather() throws {
    let chunkBytes = query.memory.limit / 16
    while let rows = try merger.next() {
      let cut = lastPartition(rows)
      if let cut, open.rowCount + cut >= chunkRows || open.byteCount >= chunkBytes {
        add(rows.slice(0, cut), cut: nil)
        close()
        add(rows.slice(cut, rows.rowCount - cut), cut: 0)
        return
      }
      add(rows, cut: cut)
      if isTooLarge, let partition = try largePartition() {
        gathered.append(partition)
        return
      }
      try memory.hold(open.byteCount)
    }
    isAtEnd = true
    close()
  }

  /// `cut`: where a partition begins among the rows that is the last now.
  private func add(_ rows: Batch, cut: Int?) {
    if rows.rowCount == 0 { return }
    if let cut { lastStart = open.rowCount + cut }
    open.append(Array(rows.columns.prefix(window.types.count)), rowCount: rows.rowCount)
    last = window.partition.map { rows.columns[$0].copiedRow(rows.rowCount - 1) }
  }

  private func close() {
    let count = open.rowCount
    if count == 0 { return }
    let rows = Batch(columns: open.finish(), rowCount: count)
    lastStart = 0
    gathered.append(evaluate(BatchListSource(rows.pieces(of: query.batchRows))))
  }

  // MARK: Large partitions

  /// Whether the last partition, copied twice and with what calls compute of it, takes much of the
  /// memory.
  private var isTooLarge: Bool {
    let rows = open.rowCount - lastStart
    let bytes = open.byteCount / max(1, open.rowCount) * rows
    return bytes * 2 + rows * 128 > query.memory.limit / 3
  }

  /// The last partition with all of its rows that are still to come; nil when it must be kept in
  /// memory. What comes before it is closed.
  private func largePartition() throws -> LargePartition? {
    guard let partition = try LargePartition(window, query: query) else { return nil }
    let count = open.rowCount
    let rows = Batch(columns: open.finish(), rowCount: count)
    let before = rows.slice(0, lastStart)
    if lastStart > 0 {
      gathered.append(evaluate(BatchListSource(before.pieces(of: query.batchRows))))
    }
    try partition.append(rows.slice(lastStart, count - lastStart))
    lastStart = 0
    try memory.hold(0)
    while let rows = try merger.next() {
      let end = firstPartitionEnd(rows)
      if end > 0 { try partition.append(rows.slice(0, end)) }
      if end == rows.rowCount { continue }
      let rest = rows.slice(end, rows.rowCount - end)
      add(rest, cut: lastPartition(rest) ?? 0)
      try partition.finish()
      return partition
    }
    isAtEnd = true
    try partition.finish()
    return partition
  }

  // MARK: Cutting

  /// Where the partition of the last of these rows begins among them; nil when it began before.
  private func lastPartition(_ rows: Batch) -> Int? {
    let end = rows.rowCount - 1
    let own = window.partition.map { ColumnComparator(rows.columns[$0], rows.columns[$0]) }
    let low = firstPlace(end) { row in
      own.allSatisfy { $0.compare(row, end, nullsFirst: false) == 0 }
    }
    if low > 0 { return low }
    if open.rowCount == 0 { return 0 }
    return isLast(rows)(0) ? nil : 0
  }

  /// Where the partition of the last row that was read ends among rows that follow it.
  private func firstPartitionEnd(_ rows: Batch) -> Int {
    let isLast = isLast(rows)
    return firstPlace(rows.rowCount) { !isLast($0) }
  }

  /// Whether a row belongs to the partition of the last row that was read.
  private func isLast(_ rows: Batch) -> (Int) -> Bool {
    let before = zip(window.partition, last).map { ColumnComparator(rows.columns[$0], $1) }
    return { row in before.allSatisfy { $0.compare(row, 0, nullsFirst: false) == 0 } }
  }

  /// The first of the places `0 ..< end` from which on a condition holds, or `end`.
  private func firstPlace(_ end: Int, _ holds: (Int) -> Bool) -> Int {
    var low = 0
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
