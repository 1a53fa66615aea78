import Columnar
import Diagnostics
import Storage

/// Where the workers of a load leave their row groups, by the morsel they come from; the table gets
/// them in the source's order, whichever worker was first.
final class RowGroupCollector: @unchecked Sendable {
  let types: [LogicalType]
  /// Throws when a batch must not be stored.
  let check: (@Sendable (Batch) throws -> Void)?
  private let lock = Lock()
  private var parts: [(sequence: Int, groups: [RowGroup])] = []

  /// SAFETY: `parts` is read and written under `lock`.
  init(types: [LogicalType], check: (@Sendable (Batch) throws -> Void)? = nil) {
    self.types = types
    self.check = check
  }

  func add(_ sequence: Int, _ groups: [RowGroup]) {
    lock.withLock { parts.append((sequence, groups)) }
  }

  /// All groups in order; small neighbours are joined, so that many tiny morsels do not leave many
  /// tiny groups.
  func finish() throws -> (groups: [RowGroup], rowCount: Int) {
    let ordered = lock.withLock { parts.sorted { $0.sequence < $1.sequence } }.flatMap(\.groups)
    var result: [RowGroup] = []
    var small: [RowGroup] = []
    var pending = 0
    func joinSmall() throws {
      if small.count == 1 {
        result.append(small[0])
      } else if small.count > 1 {
        var writer = RowGroupWriter(types: types)
        for group in small {
          writer.append(try group.batch())
        }
        result += writer.finish()
      }
      small = []
      pending = 0
    }
    for group in ordered {
      // From a quarter full on a group is worth more than another copy of it.
      if group.rowCount >= EngineLimits.rowGroupRows / 4 {
        try joinSmall()
        result.append(group)
        continue
      }
      if pending + group.rowCount > EngineLimits.rowGroupRows { try joinSmall() }
      small.append(group)
      pending += group.rowCount
    }
    try joinSmall()
    return (result, result.reduce(0) { $0 + $1.rowCount })
  }
}

/// Ends a worker's copy of a plan that loads a table: stores its rows and passes none on.
final class TableSinkOperator: BatchSource {
  private let input: any BatchSource
  private let collector: RowGroupCollector
  private let memory: MemoryHolder

  init(input: any BatchSource, collector: RowGroupCollector, worker: Worker) {
    self.input = input
    self.collector = collector
    memory = MemoryHolder(worker.query.memory, "table load")
  }

  func next() throws -> Batch? {
    var writer = RowGroupWriter(types: collector.types)
    var sequence: Int?
    var bytes = 0
    func publish() throws {
      guard let done = sequence else { return }
      let groups = writer.finish()
      for group in groups { bytes += group.byteCount }
      try memory.hold(bytes)
      collector.add(done, groups)
    }
    while let batch = try input.next() {
      if let check = collector.check { try check(batch) }
      if sequence != batch.sequence {
        try publish()
        sequence = batch.sequence
      }
      writer.append(batch)
    }
    try publish()
    return nil
  }
}
