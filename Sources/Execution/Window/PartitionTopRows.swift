import Columnar
import Functions

/// Passes on the rows that may be among the first `keep` of their partition: what a filter such as
/// `row_number() … <= 2` above a window leaves over need not be collected and sorted. A row goes when
/// `keep` rows of its partition, seen by this worker, sort strictly before it by the first key; the
/// window still ranks what is left.
///
/// It gives up, and passes everything, where little is dropped or its table would need much memory.
final class PartitionTopRows: BatchSource {
  private let input: any BatchSource
  private let partition: [Int]
  private let key: SortKey
  private let keep: Int
  private let worker: Worker
  private let memory: MemoryHolder
  /// nil: given up.
  private var groups: GroupTable?
  /// Of each group its `keep` least words so far, ascending; `.max` stands for none.
  private var best = StateMemory(stride: 8)
  private var groupCount = 0
  private let numbers = StateMemory(stride: 4)
  private let words = StateMemory(stride: 8)
  private var seen = 0
  /// Since the last look at how much is dropped.
  private var recent = (seen: 0, kept: 0)

  /// Rows after which most must be dropped, as all are new to their partitions in the beginning.
  private static let trialRows = 1 << 20
  private static let lookRows = 1 << 17

  init(
    input: any BatchSource, types: [LogicalType], partition: [Int], key: SortKey, keep: Int,
    worker: Worker
  ) {
    self.input = input
    self.partition = partition
    self.key = key
    self.keep = keep
    self.worker = worker
    memory = MemoryHolder(worker.query.memory, "window")
    groups = GroupTable(partition.map { types[$0] })
  }

  func next() throws -> Batch? {
    while let batch = try input.next() {
      guard let groups else { return batch }
      let rows = pick(batch, groups)
      consider(batch.rowCount, kept: rows.count)
      if rows.count > 0 { return batch.selecting(rows) }
    }
    release()
    return nil
  }

  private func pick(_ batch: Batch, _ groups: GroupTable) -> Selection {
    let count = batch.rowCount
    numbers.resize(count)
    words.resize(count)
    let numbers = numbers.values(UInt32.self)
    let words = words.values(UInt64.self)
    if partition.isEmpty {
      numbers.update(repeating: 0, count: count)
      grow(to: 1)
    } else {
      groups.lookUp(partition.map { batch.columns[$0] }, count: count, groups: numbers)
      grow(to: groups.count)
    }
    SortKeys.orderedWords(
      SortColumn(
        batch.columns[key.column], descending: key.descending, nullsFirst: key.nullsFirst),
      count: count, into: words)
    var rows = Selection(capacity: count)
    let best = best.values(UInt64.self)
    let last = keep - 1
    var kept = 0
    for row in 0..<count {
      let mine = best + Int(numbers[row]) * keep
      let word = words[row]
      if word > mine[last] { continue }
      var place = last
      while place > 0 && mine[place - 1] > word {
        mine[place] = mine[place - 1]
        place -= 1
      }
      mine[place] = word
      rows.indices[kept] = UInt32(truncatingIfNeeded: row)
      kept += 1
    }
    rows.count = kept
    return rows
  }

  private func grow(to count: Int) {
    if count <= groupCount { return }
    best.resize(count * keep)
    (best.values(UInt64.self) + groupCount * keep)
      .update(repeating: .max, count: (count - groupCount) * keep)
    groupCount = count
  }

  private func consider(_ count: Int, kept: Int) {
    seen += count
    recent.seen += count
    recent.kept += kept
    if recent.seen < PartitionTopRows.lookRows { return }
    let isWorthIt = seen < PartitionTopRows.trialRows || recent.kept < recent.seen / 4 * 3
    let bytes = (groups?.byteCount ?? 0) + best.byteCount
    if isWorthIt && memory.holdOrSpill(bytes, share: 0.25) {
      recent = (0, 0)
      return
    }
    release()
  }

  private func release() {
    groups = nil
    best = StateMemory(stride: 8)
    memory.keep()
    memory.holdRegardless(0)
  }
}
