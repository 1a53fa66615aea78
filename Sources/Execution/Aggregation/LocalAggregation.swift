import Columnar
import Functions

/// The groups one worker has, and their states; also the result of merging several.
final class LocalAggregation {
  let table: GroupTable?
  let calls: [AggregateCallState]
  /// Where the results are that are asked for.
  private let sources: [(state: Int, result: SummedResult)]
  private let keys: [Int]
  private let groups = StateMemory(stride: 4)
  private var buckets: RowBuckets?

  init(inputTypes: [LogicalType], keys: [Int], sharing: CallSharing) throws {
    self.keys = keys
    sources = sharing.sources
    table = keys.isEmpty ? nil : GroupTable(keys.map { inputTypes[$0] })
    calls = try sharing.kept.map {
      try AggregateCallState($0, inputTypes: inputTypes, hasGroups: !keys.isEmpty)
    }
    if keys.isEmpty { for call in self.calls { call.resize(groups: 1) } }
  }

  /// Without keys there is one group, rows or not.
  var groupCount: Int { table?.count ?? 1 }

  var byteCount: Int { calls.reduce(table?.byteCount ?? 0) { $0 + $1.byteCount } }

  /// The same after the next batch, if that makes the table larger.
  var nextByteCount: Int { byteCount + (table?.nextGrowth ?? 0) }

  func add(_ batch: Batch) throws {
    guard let table else {
      for call in calls { try call.update(batch, groups: nil) }
      return
    }
    groups.resize(batch.rowCount)
    let ids = groups.values(UInt32.self)
    table.lookUp(keys.map { batch.columns[$0] }, count: batch.rowCount, groups: ids)
    for call in calls {
      call.resize(groups: table.count)
      try call.update(batch, groups: UnsafePointer(ids))
    }
  }

  /// Sorts groups and collected rows by radix partition of the keys' hashes.
  func bucket(bits: Int) {
    guard let table else { return }
    let memory = StateMemory(stride: 1, count: max(table.count, 1))
    defer { withExtendedLifetime(memory) {} }
    let partitionOf = memory.values(UInt8.self)
    table.partitions(bits: bits, into: partitionOf)
    buckets = RowBuckets(count: table.count, partitions: 1 << bits) { Int(partitionOf[$0]) }
    for call in calls { call.bucket(partitionOf: partitionOf, partitions: 1 << bits) }
  }

  /// Sorts groups and collected rows by the partition that their spilled rows go to. The groups are
  /// complete then: nothing may be added.
  func bucket(level: Int) {
    guard let table else { return }
    let memory = StateMemory(stride: 1, count: max(table.count, 1))
    defer { withExtendedLifetime(memory) {} }
    let partitionOf = memory.values(UInt8.self)
    let hash = PartitionHash(keys: Array(keys.indices), level: level)
    forEachChunk(count: table.count) { first, count in
      hash.fill(
        table.keys(first: first, count: count), rowCount: count, into: partitionOf + first)
    }
    table.seal()
    buckets = RowBuckets(count: table.count, partitions: PartitionHash.count) {
      Int(partitionOf[$0])
    }
    for call in calls {
      call.bucket(partitionOf: partitionOf, partitions: PartitionHash.count)
    }
  }

  /// Adds another worker's groups: those of a partition, or all.
  func merge(_ other: LocalAggregation, partition: Int?) throws {
    // A partition is a small part of the other's groups: what is as long as those costs more than the
    // merge, and there are as many merges as partitions.
    let size = other.groupCount
    let bucket = partition.flatMap { other.buckets?.range($0) }
    let count = bucket?.count ?? size
    if count == 0 { return }
    let identity = StateMemory(stride: 4, count: bucket == nil ? size : 1)
    let targets = StateMemory(stride: 4, count: count)
    let keepsRows = calls.contains { $0.keepsRows }
    let targetOf = StateMemory(stride: 4, count: keepsRows ? size : 1)
    defer { withExtendedLifetime((identity, targets, targetOf)) {} }
    var source = UnsafePointer(identity.values(UInt32.self))
    if let bucket {
      source = bucket.rows
    } else {
      let all = identity.values(UInt32.self)
      for group in 0..<size { all[group] = UInt32(group) }
    }
    let target = targets.values(UInt32.self)
    if let table, let theirs = other.table {
      table.absorb(theirs, source: source, count: count, target: target)
    }
    let map = targetOf.values(UInt32.self)
    if keepsRows { for row in 0..<count { map[Int(source[row])] = target[row] } }
    for (call, theirs) in zip(calls, other.calls) {
      call.resize(groups: groupCount)
      try call.merge(
        theirs, source: source, target: UnsafePointer(target), count: count,
        partition: CollectedPartition(number: partition, targetOf: UnsafePointer(map)))
    }
  }

  /// Adds all groups of an aggregation by more keys, of which `positions` are the keys here.
  func merge(larger other: LocalAggregation, positions: [Int]) throws {
    let size = other.groupCount
    if size == 0 { return }
    let identity = StateMemory(stride: 4, count: size)
    let targets = StateMemory(stride: 4, count: size)
    defer { withExtendedLifetime((identity, targets)) {} }
    let source = identity.values(UInt32.self)
    let target = targets.values(UInt32.self)
    for group in 0..<size { source[group] = UInt32(group) }
    if let table, let theirs = other.table {
      forEachChunk(count: size) { first, count in
        let keys = theirs.keys(first: first, count: count)
        table.lookUp(positions.map { keys[$0] }, count: count, groups: target + first)
      }
    }
    for (call, theirs) in zip(calls, other.calls) {
      call.resize(groups: groupCount)
      try call.merge(
        theirs, source: UnsafePointer(source), target: UnsafePointer(target), count: size,
        partition: CollectedPartition(number: nil, targetOf: UnsafePointer(target)))
    }
  }

  func complete() throws {
    for call in calls {
      call.resize(groups: groupCount)
      try call.complete()
    }
  }

  /// Keys and results of groups `first ..< first + count`.
  func columns(first: Int, count: Int) throws -> [Column] {
    try (table?.keys(first: first, count: count) ?? [])
      + sources.map { source in
        let state = calls[source.state].state
        if source.result == .own { return try state.finish(first: first, count: count) }
        return try state.finish(source.result, first: first, count: count)
      }
  }
}
