import Columnar
import Diagnostics
import Synchronization

// When the build side does not fit, both sides are written to partitions of the keys' hash, and each
// partition is a join of its own, which a worker runs alone: rows with equal keys lie in the same
// one, so whatever the kind of join gives is what the partitions give. A partition whose build side
// is too large is split again by the next bits of the hash. (Grace join, Kitsuregawa et al. 1983.)
//
// One key with more rows than fit cannot be split: its rows are joined in several passes over the probe
// side, where the kind of join allows it, and kept once where only their being there counts.
//
// IN over more than one column, or with a further condition, must compare NULLs with all rows: see
// HashJoinOperator+SpilledMark. For joins without equal keys see HashJoinOperator+Passes. What neither
// can do keeps its build side in memory: FULL and IN without an equality, and ASOF without one.

/// What the workers of a join share once it spills.
final class SpilledJoin: @unchecked Sendable {
  private let lock = Lock()
  private var isNeeded = false
  private var build: [[SpilledRows]] = []
  private var probe: [[SpilledRows]] = []
  /// Of IN that compares NULLs with all rows: those that have one among their keys.
  private var nullBuild: [SpilledRows] = []
  private var nullProbe: [SpilledRows] = []
  private(set) var facts = MarkFacts(hasRows: false, hasNullKeys: false)
  private let nextPartition = Atomic<Int>(0)

  /// SAFETY: fields are read and written under `lock`; `facts` is read after a barrier.
  init() {}

  /// Rows of the build side.
  var buildRowCount: Int { lock.withLock { build.joined().reduce(0) { $0 + $1.rowCount } } }

  /// Whether any worker has spilled; `mine` adds this one.
  func note(_ mine: Bool) { lock.withLock { isNeeded = isNeeded || mine } }
  var isSpilled: Bool { lock.withLock { isNeeded } }

  func add(build rows: [SpilledRows], hasNullKeys: Bool) {
    lock.withLock {
      build.append(rows)
      facts.hasRows = facts.hasRows || rows.contains { $0.rowCount > 0 }
      facts.hasNullKeys = facts.hasNullKeys || hasNullKeys
    }
  }

  func add(probe rows: [SpilledRows]) { lock.withLock { probe.append(rows) } }

  func add(nullBuild rows: [SpilledRows]) { lock.withLock { nullBuild += rows } }

  func add(nullProbe rows: [SpilledRows]) { lock.withLock { nullProbe += rows } }

  /// The probe rows with a NULL among their keys, and all build rows; for the first worker that asks.
  func claimNullProbe() -> (build: [SpilledRows], probe: [SpilledRows])? {
    lock.withLock {
      if nullProbe.isEmpty { return nil }
      defer { nullProbe = [] }
      return (build.flatMap { $0 } + nullBuild, nullProbe)
    }
  }

  /// All rows, of joins without keys: each worker has its share of the passes over them.
  func all(once isTaken: inout Bool) -> (build: [SpilledRows], probe: [SpilledRows])? {
    if isTaken { return nil }
    isTaken = true
    return lock.withLock { (build.flatMap { $0 }, probe.flatMap { $0 }) }
  }

  /// The rows of the next partition; nil when all are taken.
  func claim() -> (build: [SpilledRows], probe: [SpilledRows])? {
    let partition = nextPartition.wrappingAdd(1, ordering: .relaxed).oldValue
    if partition >= PartitionHash.count { return nil }
    return lock.withLock { (build.map { $0[partition] } + nullBuild, probe.map { $0[partition] }) }
  }
}

/// What a mark join must know of the whole build side.
struct MarkFacts: Sendable {
  var hasRows: Bool
  var hasNullKeys: Bool
}

extension HashJoinOperator {
  /// Whether the join of the partitions is the join.
  var canSpill: Bool {
    if level >= PartitionHash.levels { return false }
    if buildKeys.isEmpty { return !layout.isAsof && (joinsByParts || mirrored != nil) }
    return kind != .mark || ranges.isEmpty
  }

  /// What the rows will take with their table: they are copied into one store when workers put
  /// theirs together, and a row costs up to 48 bytes of slots, 8 of hash and 4 of link.
  func bytesInMemory(_ collector: RowCollector) -> Int {
    collector.byteCount * (worker.count > 1 ? 2 : 1)
      + (buildKeys.isEmpty && ranges.isEmpty ? 0 : collector.rowCount * 60)
      + (distinctKeys?.byteCount ?? 0)
  }

  func beginSpilling(_ collector: inout RowCollector) throws {
    let types = layout.stored.map { buildTypes[$0] }
    buildPartitioner = try RowPartitioner(
      types, keys: layout.keys, level: level, query: worker.query)
    let rows = collector.rowCount
    try spill(Batch(columns: collector.finish(), rowCount: rows))
    try memory.hold(0)
    returnFreedMemory()
  }

  /// `batch` has the stored columns.
  func spill(_ all: Batch) throws {
    let batch = try comparesNulls ? withoutNullKeys(all, layout.keys, &nullBuild) : all
    if kind == .mark && !hasSpilledNulls {
      KeyNulls.forEach(
        layout.keys.map { batch.columns[$0] }, nullSafe: nullSafe, rows: batch.rowCount
      ) { _ in hasSpilledNulls = true }
    }
    try buildPartitioner?.append(batch)
  }

  /// After all rows of the build side were read: true when they are on disk, for all workers alike.
  func finishSpilling(_ collector: inout RowCollector) throws -> Bool {
    memory.keep()
    let spilled = shared.spilled
    spilled.note(buildPartitioner != nil)
    try shared.barrier.wait(worker.query)
    if !spilled.isSpilled { return false }
    if buildPartitioner == nil { try beginSpilling(&collector) }
    if let rows = try buildPartitioner?.finish() {
      spilled.add(build: rows, hasNullKeys: hasSpilledNulls)
    }
    spilled.add(nullBuild: try nullBuild?.finish() ?? [])
    nullBuild = nil
    buildPartitioner = nil
    return true
  }

  /// Writes the probe side to partitions as well. All workers have both sides afterwards.
  func spillProbe() throws {
    let partitioner = try RowPartitioner(
      probeTypes, keys: probeKeys, level: level, query: worker.query)
    while let batch = try probe.next() {
      try worker.query.checkCancelled()
      try partitioner.append(
        comparesNulls ? withoutNullKeys(batch, probeKeys, &nullProbe) : batch)
    }
    shared.spilled.add(probe: try partitioner.finish())
    shared.spilled.add(nullProbe: try nullProbe?.finish() ?? [])
    nullProbe = nil
    try shared.barrier.wait(worker.query)
  }

  /// Output of the partitions that this worker claims.
  func partitionStep() throws -> Batch? {
    while true {
      if let output = try part?.next() { return output }
      part = nil
      if buildKeys.isEmpty {
        guard let (build, probe) = shared.spilled.all(once: &hasPasses) else { return nil }
        part = keylessPasses(build, probe)
        continue
      }
      guard let (build, probe) = shared.spilled.claim() else {
        part = try comparesNulls ? nullProbePass() : nil
        if part == nil { return nil }
        continue
      }
      try worker.query.checkCancelled()
      let buildRows = build.reduce(0) { $0 + $1.rowCount }
      let probeRows = probe.reduce(0) { $0 + $1.rowCount }
      if probeRows == 0 && (buildRows == 0 || !layout.emitsUnmatchedBuild) { continue }
      if buildRows == 0 && !keepsUnmatchedProbe { continue }
      let isOneKey = level > 0 && buildRows * 5 >= shared.spilled.buildRowCount * 4
      part = isOneKey && joinsByParts ? passes(build, probe) : join(build, probe, isLast: true)
    }
  }

  /// Whether each build row can be joined without the others.
  var joinsByParts: Bool {
    switch kind {
    case .inner, .right, .buildSemi, .buildAnti: !layout.isAsof
    case .left, .full, .semi, .anti, .mark, .single: false
    }
  }

  /// Joins a part of the build rows at a time with all probe rows.
  private func passes(_ build: [SpilledRows], _ probe: [SpilledRows]) -> any BatchSource {
    let bytes = max(1 << 14, worker.query.memory.limit / 16)
    return ChainedSource(
      build.flatMap { $0.parts(of: bytes) }.map { part in
        { [unowned self] in join([part], probe, isLast: false, level: PartitionHash.levels) }
      })
  }

  func join(
    _ build: [SpilledRows], _ probe: [SpilledRows], isLast: Bool, level: Int? = nil
  ) -> HashJoinOperator {
    let query = worker.query
    let joined = HashJoinOperator(
      probe: ChainedSource(
        probe.map { rows in { SpilledRowsSource(rows, query: query, isLast: isLast) } }),
      build: ChainedSource(
        build.map { [comparesNulls] rows in
          { SpilledRowsSource(rows, query: query, isLast: !comparesNulls) }
        }),
      probeTypes: probeTypes, buildTypes: layout.stored.map { buildTypes[$0] },
      probeKeys: probeKeys, buildKeys: layout.keys, nullSafe: nullSafe, kind: kind,
      residual: residual,
      ranges: zip(ranges, layout.ranges).map {
        RangeKey(probe: $0.probe, build: $1, operator: $0.operator)
      },
      isAsof: layout.isAsof, shared: HashJoinShared(workers: 1), worker: Worker(query: query))
    joined.level = level ?? self.level + 1
    joined.markFacts = shared.spilled.facts
    if level == nil && layout.stored.count == layout.keys.count && keepsKeysOnly {
      joined.distinctKeys = NewGroups(layout.stored.map { buildTypes[$0] })
    }
    return joined
  }

  /// Whether a key counts once however often it comes.
  private var keepsKeysOnly: Bool {
    switch kind {
    case .semi, .anti, .mark: residual == nil && ranges.isEmpty
    case .inner, .left, .right, .full, .single, .buildSemi, .buildAnti: false
    }
  }

  /// The batch without rows whose keys have come already, where they are not needed; nil for none.
  func newKeys(_ batch: Batch) -> Batch? {
    guard let distinctKeys else { return batch }
    return distinctKeys.firstRows(batch.columns, count: batch.rowCount).map { batch.selecting($0) }
  }
}
