import Columnar
import Diagnostics
import Storage

/// Where the workers of a load leave their row groups, by the morsel they come from; the table gets
/// them in the source's order, whichever worker was first.
///
/// With a sink, groups that no earlier row can come before any more are joined and written while the
/// load goes on, by the worker that notices.
final class RowGroupCollector: @unchecked Sendable {
  let types: [LogicalType]
  /// Throws when a batch must not be stored.
  let check: (@Sendable (Batch) throws -> Void)?
  private let sink: LoadSink?
  private let lock = Lock()
  private var parts: [(sequence: Int, groups: [RowGroup])] = []
  /// In their final order, not yet enough for a row group.
  private var ordered: [RowGroup] = []
  private var orderedRows = 0
  /// In their final order; nil while a worker is writing it.
  private var written: [RowGroup?] = []
  /// The morsel that each worker is at.
  private var positions: [Int: Int] = [:]

  /// SAFETY: what varies is read and written under `lock`.
  init(
    types: [LogicalType], sink: LoadSink? = nil, check: (@Sendable (Batch) throws -> Void)? = nil
  ) {
    self.types = types
    self.sink = sink
    self.check = check
  }

  /// Bytes of the groups that are in memory.
  var byteCount: Int {
    lock.withLock {
      parts.reduce(0) { $0 + $1.groups.reduce(0) { $0 + $1.byteCount } }
        + ordered.reduce(0) { $0 + $1.byteCount }
    }
  }

  var writesEarly: Bool { sink != nil }

  /// Takes all groups of one morsel.
  func add(_ sequence: Int, _ groups: [RowGroup]) {
    lock.withLock { parts.append((sequence, groups)) }
  }

  /// Takes groups of one morsel, of which more may come; `next` is the morsel that the worker, one of
  /// `workers`, goes on with (`Int.max` when it has ended).
  func add(_ sequence: Int, _ groups: [RowGroup], next: Int, of worker: Worker) throws {
    lock.withLock {
      if !groups.isEmpty { parts.append((sequence, groups)) }
      positions[worker.index] = next
    }
    guard let sink else { return }
    while let (place, run) = lock.withLock({ nextRun(workers: worker.count) }) {
      let group = try sink.add(try joined(run).columns())
      lock.withLock { written[place] = group }
    }
  }

  /// Groups that make one row group, and its place. To be called under the lock.
  private func nextRun(workers: Int) -> (place: Int, groups: [RowGroup])? {
    // Until every worker has begun, one may still come with the first rows.
    guard positions.count == workers, let first = positions.values.min() else { return nil }
    let done = parts.filter { $0.sequence <= first }.sorted { $0.sequence < $1.sequence }
    if !done.isEmpty {
      parts.removeAll { $0.sequence <= first }
      for group in done.flatMap(\.groups) {
        ordered.append(group)
        orderedRows += group.rowCount
      }
    }
    guard orderedRows >= EngineLimits.rowGroupRows else { return nil }
    var count = 0
    var rows = 0
    while count < ordered.count, rows + ordered[count].rowCount <= EngineLimits.rowGroupRows {
      rows += ordered[count].rowCount
      count += 1
    }
    let run = Array(ordered[..<count])
    ordered.removeFirst(count)
    orderedRows -= rows
    written.append(nil)
    return (written.count - 1, run)
  }

  private func joined(_ groups: [RowGroup]) throws -> RowGroup {
    if groups.count == 1 { return groups[0] }
    var writer = RowGroupWriter(types: types)
    for group in groups { writer.append(try group.batch()) }
    return writer.finish().first ?? RowGroup(rowCount: 0, columns: [])
  }

  /// All groups in order; small neighbours are joined, so that many tiny morsels do not leave many
  /// tiny groups.
  func finish() throws -> (groups: [RowGroup], rowCount: Int) {
    let (early, rest) = lock.withLock {
      (
        written.compactMap { $0 },
        ordered + parts.sorted { $0.sequence < $1.sequence }.flatMap(\.groups)
      )
    }
    var result = early
    var small: [RowGroup] = []
    var pending = 0
    func joinSmall() throws {
      if !small.isEmpty { result.append(try joined(small)) }
      small = []
      pending = 0
    }
    for group in rest {
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
