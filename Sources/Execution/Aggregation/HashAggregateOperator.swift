import Columnar
import Diagnostics
import Functions
import Synchronization

/// What the workers of one aggregation share: of each grouping set their local groups, once each has
/// read its input, and the partitions left to merge.
package final class HashAggregateShared: @unchecked Sendable {
  let barrier: TeamBarrier
  let lock = Lock()
  /// By worker, then by set.
  fileprivate(set) var locals: [[LocalAggregation]]
  fileprivate var groupCounts: [[Int]]
  fileprivate var areDirect: [[Bool]]
  /// By worker, set and partition: rows that came when the memory was full.
  var spilled: [[[SpilledRows]]]
  /// Partitions of all sets, one set after the other.
  fileprivate let nextPartition = Atomic<Int>(0)

  /// Groups in all workers together from which partitions are merged in parallel.
  fileprivate let partitionedFrom: Int

  /// SAFETY: `locals`, `groupCounts`, `areDirect` and `spilled` are written under `lock` before a barrier
  /// and read after it.
  package init(workers: Int, partitionedFrom: Int = 10_000) {
    barrier = TeamBarrier(parties: workers)
    locals = Array(repeating: [], count: workers)
    groupCounts = Array(repeating: [], count: workers)
    areDirect = Array(repeating: [], count: workers)
    spilled = Array(repeating: [], count: workers)
    self.partitionedFrom = partitionedFrom
  }

  /// Whether one worker merges all groups of a set; as they were at the barrier, for the first worker
  /// may be merging already. Where keys address an array, a merge is a few nanoseconds a group, which
  /// is less than sorting the groups by partition takes, and new tables for each.
  fileprivate func mergesWhole(_ set: Int) -> Bool {
    let total = groupCounts.reduce(0) { $0 + $1[set] }
    return total < (areDirect.allSatisfy { $0[set] } ? 50 : 1) * partitionedFrom
  }
}

/// GROUP BY and DISTINCT: reads its whole input into groups, then gives a row for each: the keys in
/// order, the results of the calls, and for GROUPING SETS what GROUPING(…) says of the row's set.
///
/// With several workers each groups its own input first. Few groups, or not very many whose keys
/// address an array, are merged by one of them; many by radix partitions of the keys' hashes that the
/// workers claim one after the other. A set without keys gives exactly one row, input or not, on worker
/// 0. What does not fit into memory: see HashAggregateOperator+Spill.
package final class HashAggregateOperator: BatchSource {
  private static let partitionBits = 6

  private enum Phase { case reading, emitting, claiming, done }

  private let input: any BatchSource
  let inputTypes: [LogicalType]
  let keys: [Int]
  private let sharing: CallSharing
  /// Columns of texts or lists that calls take.
  private let longArguments: [Int]
  let grouping: GroupingSets
  /// One set of all keys, and nothing to add to its rows.
  private let isPlain: Bool
  let shared: HashAggregateShared
  let worker: Worker
  let memory: MemoryHolder
  private var phase = Phase.reading
  private var current: LocalAggregation?
  private var currentSet = 0
  private var emitted = 0
  private var sequence = 0
  /// Sets that this worker gives as a whole, still to come.
  private var wholeSets: [(set: Int, groups: LocalAggregation)] = []
  /// Sets whose partitions are claimed.
  private var partitioned: [Int] = []
  // See HashAggregateOperator+Spill.
  var partitioners: [RowPartitioner?] = []
  var isSpilled = false
  var pending: [SpilledPartition] = []
  /// Bytes of groups that stay in memory while others are given.
  var keptBytes = 0
  /// What grows at the moment: whose states to name when the memory runs out.
  var growing: [LocalAggregation] = []

  /// `keys` and the columns of `calls` are positions in the input's batches, whose types are
  /// `inputTypes`. `sets` and `groupings` are positions in `keys`.
  package init(
    input: any BatchSource, inputTypes: [LogicalType], keys: [Int], calls: [AggregateCall],
    sets: [[Int]] = [], groupings: [[Int]] = [], shared: HashAggregateShared, worker: Worker
  ) {
    self.input = input
    self.inputTypes = inputTypes
    self.keys = keys
    sharing = CallSharing(calls)
    longArguments = Set(calls.flatMap(\.arguments)).filter {
      [.string, .list].contains(inputTypes[$0].physical)
    }.sorted()
    grouping = GroupingSets(
      keyCount: keys.count, sets: sets, groupings: groupings, calls: calls)
    isPlain = sets.isEmpty && groupings.isEmpty
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
          phase = .claiming
        case .claiming: try claim()
        case .done: return nil
        }
      }
    } catch {
      let named = naming(error)
      shared.barrier.breakBarrier(named)
      throw named
    }
  }

  // MARK: Phases

  func made(_ set: Int) throws -> LocalAggregation {
    try LocalAggregation(
      inputTypes: inputTypes, keys: grouping.sets[set].map { keys[$0] }, sharing: sharing)
  }

  /// The batch, cut where states may copy so much of it that the limit should be asked in between.
  private func parts(of batch: Batch) -> [Batch] {
    var bytes = 0
    for position in longArguments { bytes = max(bytes, batch.columns[position].copiedBytes) }
    let pieces = min(batch.rowCount, bytes / HashAggregateOperator.copiedAtOnce + 1)
    if pieces <= 1 { return [batch] }
    let rows = (batch.rowCount + pieces - 1) / pieces
    return stride(from: 0, to: batch.rowCount, by: rows).map { start in
      batch.slice(start, min(rows, batch.rowCount - start))
    }
  }

  private static let copiedAtOnce = 16 << 20

  private func read() throws {
    let locals = try grouping.sets.indices.map(made)
    let readers = locals.indices.filter { grouping.parents[$0] == nil }.map { locals[$0] }
    let canSpill = grouping.sets.contains { !$0.isEmpty }
    while let batch = try input.next() {
      growing = readers
      try worker.query.checkCancelled()
      for part in parts(of: batch) {
        if !partitioners.isEmpty {
          try spill(part, locals)
          continue
        }
        for local in readers { try local.add(part) }
        if !canSpill {
          try hold(readers.reduce(0) { $0 + $1.byteCount })
        } else if !memory.holdOrSpill(
          readers.reduce(0) { $0 + $1.nextByteCount }, share: 0.6 / Double(worker.count))
        {
          try beginSpilling(held: readers.reduce(0) { $0 + $1.byteCount })
        }
      }
      growing = []
    }
    memory.keep()
    for set in grouping.mergeOrder {
      guard let parent = grouping.parents[set] else { continue }
      let positions = grouping.sets[set].compactMap { grouping.sets[parent].firstIndex(of: $0) }
      try locals[set].merge(larger: locals[parent], positions: positions)
      try worker.query.checkCancelled()
    }
    phase = .claiming
    if partitioners.isEmpty {
      try hold(locals.reduce(0) { $0 + $1.byteCount })
    } else {
      memory.holdRegardless(locals.reduce(0) { $0 + $1.byteCount })
    }
    if worker.count == 1 && partitioners.isEmpty {
      wholeSets = Array(locals.enumerated().map { ($0, $1) }.reversed())
      return
    }
    shared.lock.withLock {
      shared.locals[worker.index] = locals
      shared.groupCounts[worker.index] = locals.map(\.groupCount)
      shared.areDirect[worker.index] = locals.map { $0.table?.isDirectlyAbsorbed ?? true }
    }
    try shareSpilled()
    try shared.barrier.wait(worker.query)
    isSpilled = shared.spilled.contains { !$0.isEmpty }
    for set in grouping.sets.indices {
      if grouping.sets[set].isEmpty || (shared.mergesWhole(set) && !isSpilled) {
        if worker.index == 0 { wholeSets.append((set, locals[set])) }
      } else if isSpilled {
        partitioned.append(set)
        locals[set].bucket(level: 0)
      } else {
        partitioned.append(set)
        locals[set].bucket(bits: HashAggregateOperator.partitionBits)
      }
    }
    // Other workers' merges read them to the end.
    for set in grouping.sets.indices where worker.index > 0 || partitioned.contains(set) {
      keptBytes += locals[set].byteCount
    }
    if isSpilled {
      memory.holdRegardless(locals.reduce(0) { $0 + $1.byteCount })
      returnFreedMemory()
    }
    if !partitioned.isEmpty { try shared.barrier.wait(worker.query) }
    for entry in wholeSets {
      for other in shared.locals.dropFirst() {
        try entry.groups.merge(other[entry.set], partition: nil)
      }
    }
    wholeSets.reverse()
  }

  /// The next groups to give: a whole set, or a partition of one.
  private func claim() throws {
    if let next = pending.popLast() {
      try begin(next)
      return
    }
    if let (set, groups) = wholeSets.popLast() {
      try begin(groups, set: set, sequence: set << 8)
      return
    }
    let claimed = shared.nextPartition.wrappingAdd(1, ordering: .relaxed).oldValue
    let index = claimed >> HashAggregateOperator.partitionBits
    guard index < partitioned.count else {
      phase = .done
      return
    }
    let partition = claimed & (1 << HashAggregateOperator.partitionBits - 1)
    let set = partitioned[index]
    if isSpilled {
      try begin(spilledPartition(set, partition))
      return
    }
    let merged = try made(set)
    for locals in shared.locals { try merged.merge(locals[set], partition: partition) }
    if merged.groupCount > 0 { try begin(merged, set: set, sequence: set << 8 + partition) }
  }

  /// A row of results is not what memory is short of, whoever has taken it.
  private func hold(_ bytes: Int) throws {
    if bytes <= 1 << 16 { memory.holdRegardless(bytes) } else { try memory.hold(bytes) }
  }

  func begin(_ result: LocalAggregation, set: Int, sequence: Int) throws {
    try result.complete()
    try hold(
      keptBytes + wholeSets.reduce(result.byteCount) { $0 + $1.groups.byteCount })
    current = result
    currentSet = set
    emitted = 0
    self.sequence = sequence
    phase = .emitting
  }

  private func emit() throws -> Batch? {
    guard let current, emitted < current.groupCount else { return nil }
    let rows = min(worker.query.batchRows, current.groupCount - emitted)
    var columns = try current.columns(first: emitted, count: rows)
    if !isPlain {
      columns = grouping.laidOut(
        columns, set: currentSet, keyTypes: keys.map { inputTypes[$0] }, count: rows)
    }
    emitted += rows
    return Batch(columns: columns, rowCount: rows, sequence: sequence)
  }
}

extension HashAggregateOperator: RewindableSource {
  func rewind() -> Bool {
    if worker.count > 1 || isSpilled { return false }
    phase = .reading
    current = nil
    wholeSets = []
    return Execution.rewind(input)
  }
}

extension HashAggregateOperator: MemoryReporting {
  var peakBytes: Int { memory.peak }
}
