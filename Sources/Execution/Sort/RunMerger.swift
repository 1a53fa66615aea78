import Columnar
import Diagnostics

/// Merges sorted runs: of each it holds one block, and sorts anew, as columns, all rows that come
/// before anything not yet read. So the merge has the kernels of the sort, and compares rows one by
/// one only to find where blocks are cut.
final class RunMerger {
  /// What a block of a run should take.
  static let blockBytes = 1 << 18

  /// Where the merge is in one run.
  private struct Cursor {
    let run: SpilledRows
    var nextBlock = 0
    var block: Batch?
    var position = 0

    var remaining: Int { (block?.rowCount ?? 0) - position }
    var isLastBlock: Bool { nextBlock == run.blocks.count }
  }

  private let types: [LogicalType]
  private let keys: [SortKey]
  private let query: QueryContext
  private var cursors: [Cursor]

  /// `runs` in the order of the input where all else ties; `types` and the sequence are their
  /// columns.
  init(_ runs: [SpilledRows], types: [LogicalType], keys: [SortKey], query: QueryContext) throws {
    self.types = types
    self.keys = keys
    self.query = query
    var runs = runs
    let most = RunMerger.mostRuns(query)
    while runs.count > most {
      var merged: [SpilledRows] = []
      for start in stride(from: 0, to: runs.count, by: most) {
        let group = Array(runs[start..<min(start + most, runs.count)])
        merged.append(group.count == 1 ? group[0] : try RunMerger.oneRun(group, types, keys, query))
      }
      runs = merged
    }
    cursors = runs.map { Cursor(run: $0) }
  }

  /// Runs whose blocks, and what is sorted of them, fit beside other operators.
  private static func mostRuns(_ query: QueryContext) -> Int {
    max(8, min(512, query.memory.limit / 8 / blockBytes))
  }

  /// The keys over a run's columns, then the sequence.
  static func sortColumns(_ keys: [SortKey], _ columns: [Column]) -> [SortColumn] {
    var result = keys.map {
      SortColumn(columns[$0.column], descending: $0.descending, nullsFirst: $0.nullsFirst)
    }
    if let sequence = columns.last {
      result.append(SortColumn(sequence, descending: false, nullsFirst: false))
    }
    return result
  }

  private static func oneRun(
    _ runs: [SpilledRows], _ types: [LogicalType], _ keys: [SortKey], _ query: QueryContext
  ) throws -> SpilledRows {
    let merger = try RunMerger(runs, types: types, keys: keys, query: query)
    var result = SpilledRows(try query.spillFile(), types: types + [.bigint])
    let encoder = BlockEncoder()
    let bytes = runs.reduce(0) { $0 + $1.byteCount }
    let rows = runs.reduce(0) { $0 + $1.rowCount }
    let blockRows = RunWriter.blockRows(bytes: bytes, rows: rows, query: query)
    while let part = try merger.next() {
      for piece in part.pieces(of: blockRows) { try result.append(piece, with: encoder) }
    }
    return result
  }

  /// The next rows in order, the sequence as last column; nil at the end.
  func next() throws -> Batch? {
    try query.checkCancelled()
    try load()
    if cursors.isEmpty { return nil }
    let boundary = boundary()
    var collector = RowCollector(types + [.bigint], capacity: 2048)
    for index in cursors.indices {
      guard let block = cursors[index].block else { continue }
      let end = boundary.map { self.end(index, block, $0) } ?? block.rowCount
      let count = end - cursors[index].position
      if count == 0 { continue }
      let rows = block.slice(cursors[index].position, count)
      collector.append(rows.columns, rowCount: count)
      cursors[index].position = end
    }
    let count = collector.rowCount
    let columns = collector.finish()
    if cursors.count == 1 { return Batch(columns: columns, rowCount: count) }
    let order = try RowSorter.order(
      RunMerger.sortColumns(keys, columns), rowCount: count, query: query)
    return Batch(
      columns: columns.map { Column.dictionary($0, order).flattened() }, rowCount: count)
  }

  /// Reads the next block of each run whose block is used up; runs at their end go.
  private func load() throws {
    for index in cursors.indices where cursors[index].remaining == 0 {
      cursors[index].block = nil
      cursors[index].position = 0
      if cursors[index].isLastBlock { continue }
      let run = cursors[index].run
      let block = run.blocks[cursors[index].nextBlock]
      cursors[index].nextBlock += 1
      cursors[index].block = try run.read(block)
      run.file.free(block)
    }
    cursors.removeAll { $0.block == nil }
  }

  /// The run whose block ends first, of those that go on: rows after that one may have predecessors
  /// on disk. nil when all that is left is in memory.
  private func boundary() -> Int? {
    var best: Int?
    for index in cursors.indices where !cursors[index].isLastBlock {
      guard let block = cursors[index].block else { continue }
      guard let known = best, let other = cursors[known].block else {
        best = index
        continue
      }
      // Of equal rows the first run's: those of later runs wait for the rest of it.
      if compare(block, block.rowCount - 1, other, other.rowCount - 1) < 0 { best = index }
    }
    return best
  }

  /// The end of a run's rows that come before the end of run `boundary`'s block. Rows equal to it
  /// come before when their run does.
  private func end(_ index: Int, _ block: Batch, _ boundary: Int) -> Int {
    if index == boundary { return block.rowCount }
    guard let last = cursors[boundary].block else { return block.rowCount }
    let comparators = comparators(block, last)
    var low = cursors[index].position
    var high = block.rowCount
    while low < high {
      let middle = (low + high) / 2
      let order = compare(comparators, middle, last.rowCount - 1)
      if order < 0 || (order == 0 && index < boundary) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Comparing

  private func comparators(_ a: Batch, _ b: Batch) -> [ColumnComparator] {
    (keys.map(\.column) + [types.count]).map { ColumnComparator(a.columns[$0], b.columns[$0]) }
  }

  private func compare(_ a: Batch, _ i: Int, _ b: Batch, _ j: Int) -> Int {
    compare(comparators(a, b), i, j)
  }

  private func compare(_ comparators: [ColumnComparator], _ i: Int, _ j: Int) -> Int {
    for (position, comparator) in comparators.enumerated() {
      guard position < keys.count else { return comparator.compare(i, j) }
      let key = keys[position]
      let result: Int
      if comparator.left.isNull(i) || comparator.right.isNull(j) {
        result = comparator.compare(i, j, nullsFirst: key.nullsFirst)
      } else {
        let plain = comparator.compare(i, j)
        result = key.descending ? -plain : plain
      }
      if result != 0 { return result }
    }
    return 0
  }
}
