import Columnar
import Diagnostics

/// Sorts row numbers by keys, level by level: all rows by the first word, then, breadth first, the
/// runs that tie by the next. Stable. Usable wherever rows of contiguous columns must be ordered
/// (sort, Top-N, window, ordered aggregates).
package struct RowSorter {
  private typealias Run = (start: Int, end: Int)
  private let levels: [SortLevel]

  package init(_ keys: [SortColumn]) { levels = SortKeys.levels(keys) }

  /// When all keys fit one word: how many of its low bits the keys from number `count` on take. Rows
  /// whose words agree above them agree in the first `count` keys.
  func bitsAfter(keys count: Int) -> Int? {
    if levels.isEmpty { return 0 }
    guard levels.count == 1, case .packed(let codes) = levels[0] else { return nil }
    return codes.reduce(0) { $1.keyIndex >= count ? $0 + $1.bits : $0 }
  }

  /// The numbers of all rows of `keys`, in order.
  package static func order(_ keys: [SortColumn], rowCount: Int, query: QueryContext) throws
    -> Selection
  {
    let sorter = RowSorter(keys)
    let pairs = SortPair.buffer(rowCount)
    let scratch = SortPair.buffer(rowCount)
    // A buffer dies after its last mention: pointers into it need it held to the end.
    defer { withExtendedLifetime((pairs, scratch)) {} }
    let memory = pairs.pointer.assumingMemoryBound(to: SortPair.self)
    for row in 0..<rowCount { memory[row] = SortPair(key: 0, row: UInt32(truncatingIfNeeded: row)) }
    sorter.fillFirst(memory, rowCount)
    try sorter.sort(
      memory, scratch.pointer.assumingMemoryBound(to: SortPair.self), rowCount, query: query)
    let order = Selection(capacity: rowCount)
    for row in 0..<rowCount { order.indices[row] = memory[row].row }
    return order
  }

  /// Sets the pairs' keys to the first level's words.
  func fillFirst(_ pairs: UnsafeMutablePointer<SortPair>, _ count: Int) {
    guard let first = levels.first else { return }
    var offset = 0
    if case .string(_, let start) = first { offset = start }
    extract(first, offset: offset, pairs, [(0, count)])
  }

  /// Sorts pairs whose keys `fillFirst` has set.
  func sort(
    _ pairs: UnsafeMutablePointer<SortPair>, _ scratch: UnsafeMutablePointer<SortPair>,
    _ count: Int, query: QueryContext
  ) throws {
    var runs: [Run] = count > 1 ? [(0, count)] : []
    for (position, level) in levels.enumerated() {
      if runs.isEmpty { return }
      try query.checkCancelled()
      let isLast = position == levels.count - 1
      switch level {
      case .packed:
        if position > 0 { extract(level, offset: 0, pairs, runs) }
        for run in runs {
          PairSort.sort(pairs + run.start, scratch + run.start, run.end - run.start)
        }
        runs = isLast ? [] : ties(pairs, runs)
      case .string(let key, let start):
        var offset = start
        var settled: [Run] = []
        var isFilled = position == 0
        while !runs.isEmpty {
          try query.checkCancelled()
          if !isFilled { extract(level, offset: offset, pairs, runs) }
          isFilled = false
          for run in runs {
            PairSort.sort(pairs + run.start, scratch + run.start, run.end - run.start)
          }
          var open: [Run] = []
          for run in ties(pairs, runs) {
            if SortKeys.stringGoesOn(pairs[run.start].key, descending: key.descending) {
              open.append(run)
            } else if !isLast {
              settled.append(run)
            }
          }
          runs = open
          offset += 7
        }
        runs = settled
      case .comparing(let comparator, let descending, let nullsFirst):
        for run in runs {
          compareSort(
            pairs + run.start, run.end - run.start, comparator, descending: descending,
            nullsFirst: nullsFirst)
        }
        runs = isLast ? [] : ties(pairs, runs)
      }
    }
  }

  /// Stretches of more than one equal key within the runs.
  private func ties(_ pairs: UnsafeMutablePointer<SortPair>, _ runs: [Run]) -> [Run] {
    var result: [Run] = []
    for run in runs {
      var start = run.start
      while start < run.end {
        var end = start + 1
        let key = pairs[start].key
        while end < run.end && pairs[end].key == key { end += 1 }
        if end - start > 1 { result.append((start, end)) }
        start = end
      }
    }
    return result
  }

  /// Sets the keys of the runs' pairs to the level's words, in blocks that span runs.
  private func extract(
    _ level: SortLevel, offset: Int, _ pairs: UnsafeMutablePointer<SortPair>, _ runs: [Run]
  ) {
    let block = 2048
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: block * 2) { numbers in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: block) { words in
        guard let rows = numbers.baseAddress, let words = words.baseAddress else { return }
        let places = rows + block
        var filled = 0
        func flush() {
          switch level {
          case .packed(let codes):
            words.update(repeating: 0, count: filled)
            for code in codes { code.add(rows: rows, count: filled, to: words) }
          case .string(let key, _):
            SortKeys.stringWords(key, offset: offset, rows: rows, count: filled, into: words)
          case .comparing:
            words.update(repeating: 0, count: filled)
          }
          for position in 0..<filled { pairs[Int(places[position])].key = words[position] }
          filled = 0
        }
        for run in runs {
          var position = run.start
          while position < run.end {
            let count = min(block - filled, run.end - position)
            for step in 0..<count {
              rows[filled + step] = pairs[position + step].row
              places[filled + step] = UInt32(truncatingIfNeeded: position + step)
            }
            filled += count
            position += count
            if filled == block { flush() }
          }
        }
        flush()
      }
    }
  }

  /// By comparison, then numbers the distinct keys so that ties show as equal words.
  private func compareSort(
    _ pairs: UnsafeMutablePointer<SortPair>, _ count: Int, _ comparator: ColumnComparator,
    descending: Bool, nullsFirst: Bool
  ) {
    func order(_ a: SortPair, _ b: SortPair) -> Int {
      let (i, j) = (Int(a.row), Int(b.row))
      if comparator.left.isNull(i) || comparator.right.isNull(j) {
        return comparator.compare(i, j, nullsFirst: nullsFirst)
      }
      let result = comparator.compare(i, j)
      return descending ? -result : result
    }
    // The standard library's sort is stable only in practice: position breaks ties.
    var list = (0..<count).map { (pair: pairs[$0], position: $0) }
    list.sort {
      let result = order($0.pair, $1.pair)
      return result != 0 ? result < 0 : $0.position < $1.position
    }
    var rank: UInt64 = 0
    for position in 0..<count {
      if position > 0 && order(list[position - 1].pair, list[position].pair) != 0 { rank += 1 }
      pairs[position] = SortPair(key: rank, row: list[position].pair.row)
    }
  }
}
