import Columnar
import Functions

/// DISTINCT ON: passes each row whose key no row before it had. Above a sort, whose rows one worker
/// emits.
final class FirstOfEachOperator: BatchSource {
  private let input: any BatchSource
  private let keys: [Int]
  private let seen: NewGroups
  private let memory: MemoryHolder

  init(input: any BatchSource, keys: [Int], types: [LogicalType], memory: MemoryBroker) {
    self.input = input
    self.keys = keys
    seen = NewGroups(types)
    self.memory = MemoryHolder(memory, "distinct on")
  }

  func next() throws -> Batch? {
    while let batch = try input.next() {
      let rows = seen.firstRows(keys.map { batch.columns[$0] }, count: batch.rowCount)
      try memory.hold(seen.byteCount)
      if let rows { return batch.selecting(rows) }
    }
    return nil
  }
}
