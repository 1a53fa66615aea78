import Columnar
import Diagnostics

/// Writes what one worker of a sort has collected, sorted, to disk whenever memory runs out. A run
/// has the sort's columns and one more, the sequence of the batch that each row came with, so that
/// rows that tie merge in the order of the input.
final class RunWriter {
  private let types: [LogicalType]
  private let keys: [SortKey]
  private let worker: Worker
  private(set) var runs: [SpilledRows] = []

  init(types: [LogicalType], keys: [SortKey], worker: Worker) {
    self.types = types
    self.keys = keys
    self.worker = worker
  }

  /// What a sort of the collected rows in memory would hold: they are copied into one store when
  /// workers put theirs together, and each row has two pairs of word and number.
  func bytesInMemory(_ collector: RowCollector) -> Int {
    collector.byteCount * (worker.count > 1 ? 2 : 1) + collector.rowCount * 48
  }

  /// Sorts and writes the rows; the collector is empty afterwards.
  func write(_ collector: inout RowCollector, _ segments: [RowSegment]) throws {
    let count = collector.rowCount
    if count == 0 { return }
    let sequences = Column(flat: .bigint, count: count)
    let values = sequences.values(as: Int64.self)
    var row = 0
    for segment in segments {
      (values + row).update(repeating: Int64(segment.sequence), count: segment.count)
      row += segment.count
    }
    let bytes = collector.byteCount
    let columns = collector.finish() + [sequences]
    let order = try RowSorter.order(
      RunMerger.sortColumns(keys, columns), rowCount: count, query: worker.query)
    var run = SpilledRows(try worker.query.spillFile(), types: types + [.bigint])
    let encoder = BlockEncoder()
    let blockRows = RunWriter.blockRows(bytes: bytes, rows: count, query: worker.query)
    var start = 0
    while start < count {
      try worker.query.checkCancelled()
      let rows = min(blockRows, count - start)
      let selection = Selection(capacity: rows)
      selection.indices.update(from: order.indices + start, count: rows)
      try run.append(
        Batch(columns: columns.map { Column.dictionary($0, selection) }, rowCount: rows),
        with: encoder)
      start += rows
    }
    runs.append(run)
    returnFreedMemory()
  }

  /// Rows of a block of about 256 KiB; less where the limit is tiny.
  static func blockRows(bytes: Int, rows: Int, query: QueryContext) -> Int {
    let wanted = min(RunMerger.blockBytes, max(1 << 12, query.memory.limit / 256))
    return max(1, min(1 << 14, wanted * rows / max(1, bytes)))
  }
}

extension RowCollector {
  /// Takes over all of `input`; gives the runs of rows that had one sequence number. What `writer`
  /// has written is no longer in the collector; without a writer all must fit.
  mutating func collect(
    _ input: any BatchSource, memory: MemoryHolder, query: QueryContext, writer: RunWriter?
  ) throws -> [RowSegment] {
    var segments: [RowSegment] = []
    while let batch = try input.next() {
      try query.checkCancelled()
      append(batch.columns, rowCount: batch.rowCount)
      if let last = segments.last, last.sequence == batch.sequence {
        segments[segments.count - 1].count += batch.rowCount
      } else {
        segments.append(RowSegment(sequence: batch.sequence, start: 0, count: batch.rowCount))
      }
      guard let writer else {
        try memory.hold(byteCount + rowCount * 48)
        continue
      }
      if !memory.holdOrSpill(writer.bytesInMemory(self)) {
        try writer.write(&self, segments)
        segments = []
        try memory.hold(0)
      }
    }
    memory.keep()
    return segments
  }
}
