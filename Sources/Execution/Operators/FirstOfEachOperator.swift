import Columnar
import Functions

/// DISTINCT ON: passes each row whose key no row before it had. Above a sort, whose rows one worker
/// emits.
final class FirstOfEachOperator: BatchSource {
  private let input: any BatchSource
  private let keys: [Int]
  private let table: GroupTable
  private let memory: MemoryHolder
  private var ids: [UInt32] = []

  init(input: any BatchSource, keys: [Int], types: [LogicalType], memory: MemoryBroker) {
    self.input = input
    self.keys = keys
    table = GroupTable(types)
    self.memory = MemoryHolder(memory, "distinct on")
  }

  func next() throws -> Batch? {
    while let batch = try input.next() {
      var known = UInt32(truncatingIfNeeded: table.count)
      if ids.count < batch.rowCount { ids = Array(repeating: 0, count: batch.rowCount) }
      var rows = Selection(capacity: batch.rowCount)
      var count = 0
      ids.withUnsafeMutableBufferPointer { ids in
        guard let groups = ids.baseAddress else { return }
        table.lookUp(keys.map { batch.columns[$0] }, count: batch.rowCount, groups: groups)
        // New groups get the next numbers in the order of the rows.
        for row in 0..<batch.rowCount where groups[row] == known {
          rows.indices[count] = UInt32(truncatingIfNeeded: row)
          count += 1
          known += 1
        }
      }
      try memory.hold(table.byteCount)
      if count == 0 { continue }
      rows.count = count
      return batch.selecting(rows)
    }
    return nil
  }
}
