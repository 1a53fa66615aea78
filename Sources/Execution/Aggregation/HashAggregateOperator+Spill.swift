import Columnar
import Diagnostics

// When the memory is full the groups that there are stay as they are, and every row that follows is
// written to a partition of its keys' hash. At the end a partition's result is made of its groups in
// all workers and its rows, which are aggregated like any input; if that does not fit either, the
// rest of the partition's rows is split by the next bits of the hash, and so on.
//
// Rows are spilled, not states: no aggregate needs a second form of its states, whatever it collects,
// and a row is written once in most queries.

/// Groups and rows of one partition, still to be brought together.
struct SpilledPartition {
  let set: Int
  /// Its number on its level.
  let number: Int
  let level: Int
  /// On the first level, which emitted batches are ordered by.
  let sequence: Int
  /// Complete groups, bucketed by this level's partitions.
  let groups: [LocalAggregation]
  let rows: [SpilledRows]
  /// Bytes of `groups` that nobody needs any more afterwards.
  let releasedBytes: Int
}

extension HashAggregateOperator {
  /// From now on rows go to disk. `held` is what the groups take.
  func beginSpilling(held: Int) throws {
    memory.holdRegardless(held)
    partitioners = try grouping.sets.map { set in
      set.isEmpty
        ? nil
        : try RowPartitioner(
          inputTypes, keys: set.map { keys[$0] }, level: 0, query: worker.query)
    }
  }

  /// Sets without keys have one group, which takes the rows as they are.
  func spill(_ batch: Batch, _ locals: [LocalAggregation]) throws {
    for (set, partitioner) in partitioners.enumerated() {
      if let partitioner {
        try partitioner.append(batch)
      } else {
        try locals[set].add(batch)
      }
    }
  }

  /// Gives the worker's spilled rows to all; before the barrier.
  func shareSpilled() throws {
    if partitioners.isEmpty { return }
    let rows = try partitioners.map { try $0?.finish() ?? [] }
    partitioners = partitioners.map { _ in nil }
    shared.lock.withLock { shared.spilled[worker.index] = rows }
  }

  /// Running out of memory with the function named whose states take most of it: rows go to disk, but
  /// the values that one group collects do not.
  func naming(_ error: any Error) -> any Error {
    guard var error = error as? SQLError, error.code == .outOfMemory else { return error }
    let total = growing.reduce(0) { $0 + $1.byteCount }
    let largest = growing.flatMap(\.calls).max { $0.byteCount < $1.byteCount }
    guard let largest, largest.byteCount > total / 2, error.span == nil else { return error }
    let function = largest.call.resolved.function.name
    error.message = "the values of one group of \(function)() must fit: \(error.message)"
    return error
  }

  func spilledPartition(_ set: Int, _ number: Int) -> SpilledPartition {
    SpilledPartition(
      set: set, number: number, level: 0, sequence: set << 8 + number,
      groups: shared.locals.map { $0[set] },
      rows: shared.spilled.compactMap { $0.isEmpty ? nil : $0[set][number] }, releasedBytes: 0)
  }

  /// Brings a partition together and emits it, or splits it.
  func begin(_ partition: SpilledPartition) throws {
    let merged = try made(partition.set)
    growing = [merged]
    for groups in partition.groups { try merged.merge(groups, partition: partition.number) }
    var splitter: RowPartitioner?
    for rows in partition.rows {
      let source = SpilledRowsSource(rows, query: worker.query)
      while let batch = try source.next() {
        if let splitter {
          try splitter.append(batch)
          continue
        }
        try merged.add(batch)
        let bytes = keptBytes + merged.nextByteCount
        if partition.level + 1 >= PartitionHash.levels {
          // All that is left has the same hash: it is one group, or as good as one.
          try memory.hold(keptBytes + merged.byteCount)
        } else if !memory.holdOrSpill(bytes, kept: keptBytes) {
          splitter = try RowPartitioner(
            inputTypes, keys: grouping.sets[partition.set].map { keys[$0] },
            level: partition.level + 1, query: worker.query)
        }
      }
    }
    memory.keep()
    growing = []
    keptBytes -= partition.releasedBytes
    guard let splitter else {
      if merged.groupCount > 0 {
        try begin(merged, set: partition.set, sequence: partition.sequence)
      }
      return
    }
    let parts = try splitter.finish()
    merged.bucket(level: partition.level + 1)
    let bytes = merged.byteCount
    keptBytes += bytes
    memory.holdRegardless(keptBytes)
    for (number, rows) in parts.enumerated() {
      pending.append(
        SpilledPartition(
          set: partition.set, number: number, level: partition.level + 1,
          sequence: partition.sequence, groups: [merged], rows: [rows],
          releasedBytes: number == 0 ? bytes : 0))
    }
  }
}
