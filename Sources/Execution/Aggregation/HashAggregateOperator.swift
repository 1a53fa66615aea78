import Columnar
import Diagnostics
import Functions
import Synchronization

/// What the workers of one aggregation share: their local groups, once each has read its input, and
/// the partitions left to merge.
package final class HashAggregateShared: @unchecked Sendable {
  let barrier: TeamBarrier
  fileprivate let lock = Lock()
  fileprivate var locals: [LocalAggregation?]
  fileprivate let nextPartition = Atomic<Int>(0)

  /// Groups in all workers together from which partitions are merged in parallel.
  fileprivate let partitionedFrom: Int

  /// SAFETY: `locals` is written under `lock` before a barrier and read after it.
  package init(workers: Int, partitionedFrom: Int = 10_000) {
    barrier = TeamBarrier(parties: workers)
    locals = Array(repeating: nil, count: workers)
    self.partitionedFrom = partitionedFrom
  }
}

/// GROUP BY and DISTINCT: reads its whole input into groups, then gives a row for each: the keys in
/// order, then the results of the calls in order.
///
/// With several workers each groups its own input first. Few groups are merged by one of them; many
/// by radix partitions of the keys' hashes that the workers claim one after the other. Without keys
/// worker 0 gives exactly one row, input or not.
package final class HashAggregateOperator: BatchSource {
  private static let partitionBits = 6

  private enum Phase { case reading, emitting, claiming, done }

  private let input: any BatchSource
  private let inputTypes: [LogicalType]
  private let keys: [Int]
  private let calls: [AggregateCall]
  private let shared: HashAggregateShared
  private let worker: Worker
  let memory: MemoryHolder
  private var phase = Phase.reading
  private var current: LocalAggregation?
  private var emitted = 0
  private var sequence = 0

  /// `keys` and the columns of `calls` are positions in the input's batches, whose types are
  /// `inputTypes`.
  package init(
    input: any BatchSource, inputTypes: [LogicalType], keys: [Int], calls: [AggregateCall],
    shared: HashAggregateShared, worker: Worker
  ) {
    self.input = input
    self.inputTypes = inputTypes
    self.keys = keys
    self.calls = calls
    self.shared = shared
    self.worker = worker
    memory = MemoryHolder(worker.query.memory, "hash aggregate")
  }

  package func next() throws -> Batch? {
    do {
      while true {
        try worker.query.checkCancelled()
        switch phase {
        case .reading: try read()
        case .emitting:
          if let batch = try emit() { return batch }
          current = nil
          phase = worker.count > 1 && !keys.isEmpty ? .claiming : .done
        case .claiming: try claim()
        case .done: return nil
        }
      }
    } catch {
      shared.barrier.breakBarrier(error)
      throw error
    }
  }

  // MARK: Phases

  private func read() throws {
    let local = try LocalAggregation(inputTypes: inputTypes, keys: keys, calls: calls)
    while let batch = try input.next() {
      try worker.query.checkCancelled()
      try local.add(batch)
      try memory.hold(local.byteCount)
    }
    if worker.count == 1 {
      try begin(local, sequence: 0)
      return
    }
    shared.lock.withLock { shared.locals[worker.index] = local }
    try shared.barrier.wait(worker.query)
    let total = locals.reduce(0) { $0 + $1.groupCount }
    if keys.isEmpty || total < shared.partitionedFrom {
      if worker.index == 0 { try mergeAll() } else { phase = .done }
      return
    }
    local.bucket(bits: HashAggregateOperator.partitionBits)
    try shared.barrier.wait(worker.query)
    phase = .claiming
  }

  private var locals: [LocalAggregation] { shared.locals.compactMap { $0 } }

  private func mergeAll() throws {
    let all = locals
    guard let first = all.first else { return }
    for other in all.dropFirst() { try first.merge(other, partition: nil) }
    // No partitions are left for anybody to claim.
    shared.nextPartition.store(1 << HashAggregateOperator.partitionBits, ordering: .relaxed)
    try begin(first, sequence: 0)
  }

  private func claim() throws {
    let partition = shared.nextPartition.wrappingAdd(1, ordering: .relaxed).oldValue
    if partition >= 1 << HashAggregateOperator.partitionBits {
      phase = .done
      return
    }
    let merged = try LocalAggregation(inputTypes: inputTypes, keys: keys, calls: calls)
    for local in locals { try merged.merge(local, partition: partition) }
    if merged.groupCount > 0 { try begin(merged, sequence: partition) }
  }

  private func begin(_ result: LocalAggregation, sequence: Int) throws {
    try result.complete()
    try memory.hold(result.byteCount)
    current = result
    emitted = 0
    self.sequence = sequence
    phase = .emitting
  }

  private func emit() throws -> Batch? {
    guard let current, emitted < current.groupCount else { return nil }
    let rows = min(worker.query.batchRows, current.groupCount - emitted)
    let columns = try current.columns(first: emitted, count: rows)
    emitted += rows
    return Batch(columns: columns, rowCount: rows, sequence: sequence)
  }
}

extension HashAggregateOperator: MemoryReporting {
  var peakBytes: Int { memory.peak }
}
