import Columnar
import Diagnostics
import Synchronization

/// Joins the rows of two inputs on equal keys (or, without keys, all with all), filtered by a
/// residual predicate over both sides.
///
///     HashJoin(kind: left, probe keys [0] = build keys [1], residual: $2 < $5)
///       probe: orders     streamed; output batches are selections over its batches
///       build: lineitem   collected into one store; output columns are dictionaries over it
///
/// Output columns: probe columns, then build columns; probe columns only for semi and anti; probe
/// columns and one BOOLEAN for mark. Output batches carry the probe batch's sequence, unmatched
/// build rows one beyond all of them. Keys are plain columns of equal physical type on both sides;
/// NULL matches nothing unless the key is `nullSafe` (IS NOT DISTINCT FROM), -0 equals 0, and NaN
/// equals NaN.
///
/// All workers must be pulled to the end (or the query cancelled): right and full joins meet at a
/// barrier after probing.
package final class HashJoinOperator: BatchSource {
  let probe: any BatchSource
  let buildInput: any BatchSource
  let probeTypes: [LogicalType]
  let buildTypes: [LogicalType]
  let probeKeys: [Int]
  let buildKeys: [Int]
  let nullSafe: [Bool]
  let kind: JoinKind
  let residual: BatchPredicate?
  let ranges: [RangeKey]
  /// Whether an `OrderedIndex` takes the place of the hash table.
  let usesIndex: Bool
  let shared: HashJoinShared
  let worker: Worker
  let memory: MemoryHolder
  let layout: BuildLayout
  let batchRows: Int
  /// Which of the build side's keys scans below the probe side want to know, by position.
  var runtimeFilters: [(key: Int, filter: RuntimeFilter)] = []

  // Of the build side, once it is complete.
  var buildRows = 0
  var buildColumns: [Column] = []
  private(set) var table: JoinTable?
  private(set) var nextLinks: UnsafeMutablePointer<UInt32>?
  private(set) var index: OrderedIndex?
  private(set) var matchedBuild: UnsafeMutablePointer<Atomic<UInt8>>?

  enum Stage {
    case building, probing, finishingProbe, unmatchedBuild
    case partitioning, partitions
    case done
  }
  private var stage = Stage.building
  /// In the step of a recursion: the build side is the same in each round.
  var keepsBuild = false

  // See HashJoinOperator+Spill.
  /// How many times the rows have been partitioned.
  var level = 0
  /// Of a partition of a mark join.
  var markFacts: MarkFacts?
  var buildPartitioner: RowPartitioner?
  var hasSpilledNulls = false
  // Of IN that compares NULLs with all rows, see HashJoinOperator+SpilledMark.
  var nullBuild: RowPartitioner?
  var nullProbe: RowPartitioner?
  /// Of a join without keys: whether this worker has its passes.
  var hasPasses = false
  /// Of a partition of a join that only asks whether a key is there.
  var distinctKeys: NewGroups?
  /// The join of the partition in work.
  var part: (any BatchSource)?

  // The probe batch in work; see HashJoinOperator+Probe.
  var waiting: Batch?
  var waitingOffset = 0
  var batch: Batch?
  var row = 0
  var link: UInt32 = 0
  var crossPosition = 0
  /// Build rows with a NULL key, once a mark join had to know them.
  var buildRowsWithNull: [Int]?
  var candidatesDone = false
  var heads: UnsafeMutablePointer<UInt32>
  var words: UnsafeMutablePointer<UInt64>
  /// With a residual: 1 for probe rows that have matched.
  var matchedProbe: UnsafeMutablePointer<UInt8>
  /// Of a range join: where each probe row's run ends and what its second column must reach.
  let ends: UnsafeMutablePointer<UInt32>
  let thresholds: UnsafeMutablePointer<UInt32>
  var asofComparators: [ColumnComparator] = []
  let scratch: CandidateScratch
  private var unmatchedCursor = 0
  private var unmatchedEnd = 0

  package init(
    probe: any BatchSource, build: any BatchSource, probeTypes: [LogicalType],
    buildTypes: [LogicalType], probeKeys: [Int], buildKeys: [Int], nullSafe: [Bool],
    kind: JoinKind, residual: BatchPredicate? = nil, ranges: [RangeKey] = [],
    isAsof: Bool = false, shared: HashJoinShared, worker: Worker
  ) {
    precondition(
      probeKeys.count == buildKeys.count && nullSafe.count == probeKeys.count,
      "a join has as many keys on both sides")
    for (left, right) in zip(probeKeys, buildKeys) {
      precondition(
        probeTypes[left].physical == buildTypes[right].physical,
        "join keys of types \(probeTypes[left]) and \(buildTypes[right]) were not cast")
    }
    self.probe = probe
    buildInput = build
    self.probeTypes = probeTypes
    self.buildTypes = buildTypes
    self.probeKeys = probeKeys
    self.buildKeys = buildKeys
    self.nullSafe = nullSafe
    self.kind = kind
    self.residual = residual
    self.ranges = ranges
    usesIndex = !ranges.isEmpty
    self.shared = shared
    self.worker = worker
    memory = MemoryHolder(worker.query.memory, "hash join")
    batchRows = worker.query.batchRows
    layout = shared.layout {
      BuildLayout(
        types: buildTypes, keys: buildKeys, nullSafe: nullSafe, kind: kind,
        hasResidual: residual != nil, ranges: ranges.map(\.build), isAsof: isAsof,
        workers: worker.count)
    }
    heads = .allocate(capacity: batchRows)
    words = .allocate(capacity: batchRows)
    matchedProbe = .allocate(capacity: batchRows)
    scratch = CandidateScratch(capacity: batchRows)
    ends = .allocate(capacity: batchRows)
    thresholds = .allocate(capacity: batchRows)
  }

  deinit {
    heads.deallocate()
    words.deallocate()
    matchedProbe.deallocate()
    ends.deallocate()
    thresholds.deallocate()
  }

  func adopt(_ table: JoinTable?) {
    self.table = table
    nextLinks = table?.next
    index = shared.index
    matchedBuild = shared.matched.map {
      // SAFETY: Atomic<UInt8> has UInt8's layout; the memory is zeroed, one byte a build row.
      $0.pointer.assumingMemoryBound(to: Atomic<UInt8>.self)
    }
  }

  package func next() throws -> Batch? {
    do {
      return try step()
    } catch {
      shared.barrier.breakBarrier(error)
      throw error
    }
  }

  private func step() throws -> Batch? {
    while true {
      switch stage {
      case .building:
        if try !build() {
          stage = .partitioning
          continue
        }
        stage = buildRows == 0 && !keepsUnmatchedProbe ? .done : .probing
      case .probing:
        if let output = try probeStep() { return output }
        stage = matchedBuild == nil ? .done : .finishingProbe
      case .finishingProbe:
        try shared.barrier.wait(worker.query)
        unmatchedCursor = buildRows * worker.index / worker.count
        unmatchedEnd = buildRows * (worker.index + 1) / worker.count
        stage = .unmatchedBuild
      case .unmatchedBuild:
        if let output = try unmatchedBuildStep() { return output }
        stage = .done
      case .partitioning:
        try spillProbe()
        stage = .partitions
      case .partitions:
        if let output = try partitionStep() { return output }
        stage = .done
      case .done:
        return nil
      }
    }
  }

  /// Whether probe rows come out although nothing matches them.
  var keepsUnmatchedProbe: Bool {
    switch kind {
    case .inner, .right, .semi, .buildSemi, .buildAnti: false
    case .left, .full, .anti, .mark, .single: true
    }
  }

  /// Build rows that no worker's probe rows have matched, padded with NULLs on the left; or, of a
  /// semi join that builds its left side, those that were matched.
  private func unmatchedBuildStep() throws -> Batch? {
    guard let matchedBuild, unmatchedCursor < unmatchedEnd else { return nil }
    try worker.query.checkCancelled()
    var rows = Selection(capacity: batchRows)
    var count = 0
    var cursor = unmatchedCursor
    let end = unmatchedEnd
    let wanted: UInt8 = kind == .buildSemi ? 1 : 0
    while cursor < end && count < batchRows {
      rows.indices[count] = UInt32(truncatingIfNeeded: cursor)
      count += matchedBuild[cursor].load(ordering: .relaxed) == wanted ? 1 : 0
      cursor += 1
    }
    unmatchedCursor = cursor
    if count == 0 { return nil }
    rows.count = count
    var columns = buildColumns.map { Column.dictionary($0, rows) }
    if kind != .buildSemi && kind != .buildAnti {
      columns = probeTypes.map { Column.nulls($0, count: count) } + columns
    }
    return Batch(columns: columns, rowCount: count, sequence: (1 << 40) + worker.index)
  }
}

extension HashJoinOperator: RewindableSource {
  /// Probes the same table again.
  func rewind() -> Bool {
    guard keepsBuild, matchedBuild == nil, stage == .probing || stage == .done,
      !shared.spilled.isSpilled
    else { return false }
    waiting = nil
    batch = nil
    stage = buildRows == 0 && !keepsUnmatchedProbe ? .done : .probing
    return Execution.rewind(probe)
  }
}

extension HashJoinOperator: MemoryReporting {
  var peakBytes: Int { memory.peak }
}
