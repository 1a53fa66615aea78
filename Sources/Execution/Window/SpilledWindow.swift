import Columnar
import Diagnostics

/// The windows of rows that come sorted from disk: gathers whole partitions, some ten thousand rows
/// of them (fewer where memory is small), and evaluates those as an input of its own. One partition must fit into memory.
final class SpilledWindow {
  private let merger: RunMerger
  private let types: [LogicalType]
  private let partition: [Int]
  private let chunkRows: Int
  private let chunkBytes: Int
  private let memory: MemoryHolder
  private let batchRows: Int
  private let evaluate: (any BatchSource) -> any BatchSource
  private var open: RowCollector
  /// The last row in `open`.
  private var last: [Column] = []
  private var current: (any BatchSource)?
  private var sequence = 0
  private var isAtEnd = false

  /// `evaluate` gives the windows of whole partitions.
  init(
    _ merger: RunMerger, types: [LogicalType], partition: [Int], chunkRows: Int, chunkBytes: Int,
    memory: MemoryHolder, batchRows: Int,
    evaluate: @escaping (any BatchSource) -> any BatchSource
  ) {
    self.merger = merger
    self.types = types
    self.partition = partition
    self.chunkRows = chunkRows
    self.chunkBytes = chunkBytes
    self.memory = memory
    self.batchRows = batchRows
    self.evaluate = evaluate
    open = RowCollector(types)
  }

  func next() throws -> Batch? {
    while true {
      if var batch = try current?.next() {
        batch.sequence = sequence
        sequence += 1
        return batch
      }
      current = nil
      if isAtEnd { return nil }
      try gather()
    }
  }

  /// Reads on until partitions are complete.
  private func gather() throws {
    while let rows = try merger.next() {
      let cut = lastPartition(rows)
      if let cut, open.rowCount + cut >= chunkRows || open.byteCount >= chunkBytes {
        add(rows.slice(0, cut))
        close()
        add(rows.slice(cut, rows.rowCount - cut))
        return
      }
      add(rows)
      try memory.hold(open.byteCount)
    }
    isAtEnd = true
    close()
  }

  private func add(_ rows: Batch) {
    if rows.rowCount == 0 { return }
    open.append(Array(rows.columns.prefix(types.count)), rowCount: rows.rowCount)
    last = partition.map { rows.columns[$0].flatValue(rows.rowCount - 1) }
  }

  private func close() {
    let count = open.rowCount
    if count == 0 { return }
    let rows = Batch(columns: open.finish(), rowCount: count)
    current = evaluate(BatchListSource(rows.pieces(of: batchRows)))
  }

  /// Where the partition of the last of these rows begins among them; nil when it began before.
  private func lastPartition(_ rows: Batch) -> Int? {
    let end = rows.rowCount - 1
    let own = partition.map { ColumnComparator(rows.columns[$0], rows.columns[$0]) }
    func isSame(_ row: Int) -> Bool {
      own.allSatisfy { $0.compare(row, end, nullsFirst: false) == 0 }
    }
    var low = 0
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if isSame(middle) { high = middle } else { low = middle + 1 }
    }
    if low > 0 { return low }
    if open.rowCount == 0 { return 0 }
    let before = zip(partition, last).map { ColumnComparator(rows.columns[$0], $1) }
    return before.allSatisfy { $0.compare(0, 0, nullsFirst: false) == 0 } ? nil : 0
  }
}
