import Columnar
import Diagnostics

/// What the workers of one sort share. Made once per sort node and execution.
package final class SortShared: @unchecked Sendable {
  let barrier: TeamBarrier
  private let lock = Lock()
  private let workers: Int
  private var collected: RowAssembly?
  private var segmentParts: [[RowSegment]]
  private var all: Buffer?
  private var splitters: [UInt64]?
  private var sorted: [(pairs: Buffer, count: Int)?]
  private var sorter: RowSorter?
  private var runs: [[SpilledRows]]
  private var topBoundary: TopBoundary?

  /// SAFETY: everything is written under `lock`, or (pairs) in disjoint ranges between barriers.
  package init(workers: Int) {
    self.workers = workers
    barrier = TeamBarrier(parties: workers)
    segmentParts = Array(repeating: [], count: workers)
    sorted = Array(repeating: nil, count: workers)
    runs = Array(repeating: [], count: workers)
  }

  /// After all have collected: the runs that they wrote, in the order of the workers; nil when all
  /// rows are in memory. When one worker has spilled the others write what they have as well. One
  /// barrier, or three.
  func spilledRuns(
    _ writer: RunWriter, _ collector: inout RowCollector, _ segments: [RowSegment], worker: Worker
  ) throws -> [SpilledRows]? {
    lock.withLock { runs[worker.index] = writer.runs }
    try barrier.wait(worker.query)
    if !lock.withLock({ runs.contains { !$0.isEmpty } }) { return nil }
    // Nobody may add to `runs` before all have seen that there are some.
    try barrier.wait(worker.query)
    try writer.write(&collector, segments)
    lock.withLock { runs[worker.index] = writer.runs }
    try barrier.wait(worker.query)
    return lock.withLock { runs.flatMap { $0 } }
  }

  /// Of a Top-N by this first key: where its rows end.
  func boundary(of key: SortKey) -> TopBoundary {
    lock.withLock {
      let known = topBoundary ?? TopBoundary(key)
      topBoundary = known
      return known
    }
  }

  func assembly(_ types: [LogicalType]) -> RowAssembly {
    lock.withLock {
      if let collected { return collected }
      let made = RowAssembly(types: types, workers: workers, nullRow: false)
      collected = made
      return made
    }
  }

  /// Puts the worker's rows into the store beside those of the others: two barriers.
  func assemble(
    _ collector: inout RowCollector, _ segments: [RowSegment], into assembly: RowAssembly,
    worker: Worker
  ) throws {
    lock.withLock { segmentParts[worker.index] = segments }
    try assembly.deposit(&collector, worker: worker.index)
    try barrier.wait(worker.query)
    assembly.copyPart(worker: worker.index)
    try barrier.wait(worker.query)
  }

  /// The runs of rows in the order of the input: by sequence, then worker, then arrival. After the
  /// barrier that follows the deposits.
  func inputOrder() -> [RowSegment] {
    var result: [RowSegment] = []
    var start = 0
    for segments in segmentParts {
      for segment in segments {
        result.append(RowSegment(sequence: segment.sequence, start: start, count: segment.count))
        start += segment.count
      }
    }
    // Starts ascend with worker and arrival.
    result.sort { ($0.sequence, $0.start) < ($1.sequence, $1.start) }
    return result
  }

  func prepare(_ keys: () -> [SortColumn], rowCount: Int) -> (RowSorter, Buffer) {
    lock.withLock {
      let pairs = all ?? SortPair.buffer(rowCount)
      all = pairs
      let made = sorter ?? RowSorter(keys())
      sorter = made
      return (made, pairs)
    }
  }

  /// Words that cut the rows into one range per worker, from an even sample.
  func splitters(_ pairs: UnsafePointer<SortPair>, _ count: Int) -> [UInt64] {
    lock.withLock {
      if let splitters { return splitters }
      let size = min(count, 4096)
      var sample = (0..<size).map { pairs[$0 * count / size].key }
      sample.sort()
      let made = (1..<workers).map { sample.isEmpty ? 0 : sample[size * $0 / workers] }
      splitters = made
      return made
    }
  }

  /// Lets go of the words of all rows, which every worker has picked its own from.
  func releaseWords() { lock.withLock { all = nil } }

  func finish(_ pairs: Buffer, _ count: Int, worker: Int) {
    lock.withLock { sorted[worker] = (pairs, count) }
  }

  /// What sorted the rows; nil before `prepare`.
  var usedSorter: RowSorter? { lock.withLock { sorter } }

  /// Lets go of the sorted words, once nobody reads them.
  func releaseResult() { lock.withLock { for worker in sorted.indices { sorted[worker] = nil } } }

  /// All workers' ranges, in order. After the last barrier.
  func result() -> [(pairs: Buffer, count: Int)] { lock.withLock { sorted.compactMap { $0 } } }
}

/// Rows of one sequence number that came one after the other.
struct RowSegment: Sendable {
  let sequence: Int
  var start: Int
  var count: Int
}

/// ORDER BY, with LIMIT and OFFSET where the plan has them on top. Rows that tie keep the order of
/// the input (batch sequence, then arrival), so the result is the same for any number of workers.
///
/// Phases, a barrier after each: collect (with a limit: a bounded set, see `TopRows`); copy into
/// one store; write the first sort word of a share of the rows; sort the rows of one range of
/// words. The ranges follow each other, so nothing is merged; rows that tie on the first word are
/// one worker's. Only worker 0 emits.
package final class SortOperator: BatchSource {
  private let input: any BatchSource
  private let types: [LogicalType]
  private let keys: [SortKey]
  private let limit: Int?
  private let offset: Int
  private let shared: SortShared
  private let worker: Worker
  let memory: MemoryHolder
  private var parts: [(pairs: Buffer, count: Int)]?
  private var columns: [Column] = []
  private var position = 0
  private var end = 0
  /// Instead of `parts`, when rows had to be written to disk.
  private var merger: RunMerger?
  private var merged: Batch?
  private var mergedStart = 0

  package init(
    input: any BatchSource, inputTypes: [LogicalType], keys: [SortKey], limit: Int? = nil,
    offset: Int = 0, shared: SortShared, worker: Worker
  ) {
    self.input = input
    types = inputTypes
    self.keys = keys
    self.limit = limit
    self.offset = max(0, offset)
    self.shared = shared
    self.worker = worker
    memory = MemoryHolder(worker.query.memory, "sort")
  }

  package func next() throws -> Batch? {
    do {
      if parts == nil { try sort() }
      return try emit()
    } catch {
      shared.barrier.breakBarrier(error)
      throw error
    }
  }

  private func sort() throws {
    let query = worker.query
    let isTop = !keys.isEmpty && (limit.map { isBounded($0) } ?? false)
    // Top-N reorders rows while it collects, so they carry their place in the input along.
    let storedTypes = isTop ? types + [.bigint, .bigint] : types
    let assembly = shared.assembly(storedTypes)
    var collector = RowCollector(storedTypes)
    var segments: [RowSegment] = []
    if isTop, let limit, let key = keys.first {
      collector = try TopRows(
        types: storedTypes, keys: keys, wanted: limit + offset, boundary: shared.boundary(of: key),
        memory: memory, query: query
      ).collect(input)
      segments = [RowSegment(sequence: 0, start: 0, count: collector.rowCount)]
    } else {
      let writer = RunWriter(types: types, keys: keys, worker: worker)
      segments = try collector.collect(input, memory: memory, query: query, writer: writer)
      if let runs = try shared.spilledRuns(writer, &collector, segments, worker: worker) {
        try merge(runs)
        return
      }
    }
    try shared.assemble(&collector, segments, into: assembly, worker: worker)
    if isTop && worker.index == 0 {
      try memory.hold(memory.bytes + assembly.rowCount * 2 * MemoryLayout<SortPair>.stride)
    }
    try shared.sortRange(
      assembly, { Self.sortColumns(self.keys, assembly.columns, isTop: isTop) }, worker: worker)
    try shared.barrier.wait(query)
    columns = Array(assembly.columns.prefix(types.count))
    if worker.index == 0 {
      parts = shared.result()
      position = min(offset, assembly.rowCount)
      end = limit.map { min(assembly.rowCount - position, $0) + position } ?? assembly.rowCount
    } else {
      parts = []
    }
  }

  /// Whether the first rows can be kept in memory while all others are dropped.
  private func isBounded(_ limit: Int) -> Bool {
    let wanted = limit.addingReportingOverflow(offset)
    if wanted.overflow || wanted.partialValue >= 1 << 40 { return false }
    // Strings and nested values: a guess, which the limit has room for.
    let width = types.reduce(32) {
      $0 + ($1.physical == .string || $1.isNested ? 64 : $1.physical.width)
    }
    return wanted.partialValue * 3 <= worker.query.memory.spillLimit / 4 / width
  }

  /// What is left to do when rows are on disk: worker 0 merges and emits.
  private func merge(_ runs: [SpilledRows]) throws {
    try memory.hold(0)
    parts = []
    if worker.index > 0 { return }
    let rows = runs.reduce(0) { $0 + $1.rowCount }
    merger = try RunMerger(runs, types: types, keys: keys, query: worker.query)
    end = limit.map { min(max(0, rows - offset), $0) + min(offset, rows) } ?? rows
  }

  /// The next rows of the merge, OFFSET's left out.
  private func emitMerged(_ merger: RunMerger) throws -> Batch? {
    while position < end {
      guard let rows = merged, mergedStart < rows.rowCount else {
        merged = try merger.next()
        mergedStart = 0
        if merged == nil { return nil }
        continue
      }
      let isSkipped = position < offset
      let most = isSkipped ? offset - position : min(end - position, worker.query.batchRows)
      let count = min(most, rows.rowCount - mergedStart)
      let sequence = position / max(1, worker.query.batchRows)
      defer {
        position += count
        mergedStart += count
      }
      if isSkipped { continue }
      return Batch(
        columns: rows.columns.prefix(types.count).map { $0.slice(mergedStart, count) },
        rowCount: count, sequence: sequence)
    }
    self.merger = nil
    return nil
  }

  /// The keys over stored columns; of Top-N rows also their place in the input, the last two columns.
  static func sortColumns(_ keys: [SortKey], _ columns: [Column], isTop: Bool) -> [SortColumn] {
    var result = keys.map {
      SortColumn(columns[$0.column], descending: $0.descending, nullsFirst: $0.nullsFirst)
    }
    if isTop {
      for column in columns.suffix(2) {
        result.append(SortColumn(column, descending: false, nullsFirst: false))
      }
    }
    return result
  }

  private func emit() throws -> Batch? {
    if let merger { return try emitMerged(merger) }
    guard let parts, position < end else { return nil }
    try worker.query.checkCancelled()
    let count = min(worker.query.batchRows, end - position)
    let rows = Selection(capacity: count)
    var filled = 0
    var start = 0
    for part in parts {
      let pairs = part.pairs.pointer.assumingMemoryBound(to: SortPair.self)
      while filled < count && position + filled < start + part.count {
        rows.indices[filled] = pairs[position + filled - start].row
        filled += 1
      }
      start += part.count
    }
    let sequence = position / max(1, worker.query.batchRows)
    position += count
    return Batch(
      columns: columns.map { Column.dictionary($0, rows).flattened() }, rowCount: count,
      sequence: sequence)
  }
}

extension SortOperator: MemoryReporting {
  var peakBytes: Int { memory.peak }
}
