import Columnar
import Functions

/// DISTINCT ON: passes each row whose key no row before it had. Above a sort, whose rows one worker
/// emits. Rows that come when the keys fill the memory follow at the end, in their order.
final class FirstOfEachOperator: BatchSource {
  private let input: any BatchSource
  private let columnCount: Int
  private let seen: SeenRows
  private let query: QueryContext
  private var isRead = false
  private var rest: RunMerger?
  private var merged: Batch?
  private var offset = 0

  init(input: any BatchSource, keys: [Int], types: [LogicalType], query: QueryContext) {
    self.input = input
    columnCount = types.count
    seen = SeenRows(types, keys: keys, name: "distinct on", query: query)
    self.query = query
  }

  func next() throws -> Batch? {
    while !isRead {
      guard let batch = try input.next() else {
        isRead = true
        rest = try seen.finishRound()
        break
      }
      if let rows = try seen.newRows(batch) { return rows }
    }
    while true {
      if let batch = merged, offset < batch.rowCount {
        let count = min(query.batchRows, batch.rowCount - offset)
        let piece = batch.slice(offset, count)
        offset += count
        return Batch(columns: Array(piece.columns.prefix(columnCount)), rowCount: count)
      }
      merged = try rest?.next()
      offset = 0
      if merged == nil { return nil }
    }
  }
}

extension FirstOfEachOperator: MemoryReporting {
  var peakBytes: Int { seen.peakBytes }
}
