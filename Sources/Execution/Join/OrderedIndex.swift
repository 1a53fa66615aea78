import Columnar
import Diagnostics
import Planner

/// One inequality of a join, as columns of its inputs: `probe operator build`.
package struct RangeKey: Sendable {
  package var probe: Int
  package var build: Int
  package var `operator`: JoinInequality.Operator

  package init(probe: Int, build: Int, operator: JoinInequality.Operator) {
    self.probe = probe
    self.build = build
    self.operator = `operator`
  }
}

/// Build rows in the order of a column, for joins that compare instead of matching.
///
/// One inequality: the rows that a probe row meets are a run of this order, found by two binary
/// searches. Two: within the run, those whose rank in the second column passes a threshold, found by
/// a tree of maxima that skips what cannot pass. So a join costs what it gives, and a logarithm a
/// row. ASOF: rows ordered by the equal keys, then by the column; the keys' run is found by hash, and
/// the nearest is beside the place in it where the probe row would stand.
///
/// Searches go over words in the order of the values; only where two words of values that are longer
/// than a word agree are the values compared.
final class OrderedIndex: @unchecked Sendable {
  private let keys: [Column]
  private let ranges: [Column]
  private let operators: [JoinInequality.Operator]
  private let nullSafe: [Bool]
  let isAsof: Bool
  /// Build rows without NULL in what is compared, in order.
  private let order: Selection
  let count: Int
  /// Of the first column, by position.
  private let words: OrderedWords
  private let runs: KeyRuns?
  /// Of the second column: a row of each of its values, ascending, and the words of these.
  private var ranked: Selection?
  private var rankedWords: OrderedWords?
  private var rankCount = 0
  /// Maxima of `fan` entries each over the level below; level 0 is a value per position: larger
  /// passes more thresholds.
  private var levels: [Buffer] = []
  private var levelCounts: [Int] = []

  private static let fanBits = 4

  /// SAFETY: written by one worker before a barrier, read by all afterwards.
  init(
    keys: [Column], nullSafe: [Bool], ranges: [Column], operators: [JoinInequality.Operator],
    isAsof: Bool, rowCount: Int, query: QueryContext
  ) throws {
    self.keys = keys
    self.nullSafe = nullSafe
    self.ranges = ranges
    self.operators = operators
    self.isAsof = isAsof
    let sorted = try RowSorter.order(
      (keys + [ranges[0]]).map { SortColumn($0, descending: false, nullsFirst: false) },
      rowCount: rowCount, query: query)
    let mustBe =
      ranges.filter(\.mayHaveNulls)
      + zip(keys, nullSafe).filter { !$1 && $0.mayHaveNulls }.map(\.0)
    var kept = sorted
    if !mustBe.isEmpty {
      var count = 0
      for position in 0..<rowCount {
        let row = sorted.indices[position]
        kept.indices[count] = row
        if !mustBe.contains(where: { $0.isNull(Int(row)) }) { count += 1 }
      }
      kept.count = count
    }
    order = kept
    count = kept.count
    words = OrderedWords(ranges[0], rows: kept)
    runs = keys.isEmpty ? nil : KeyRuns(keys: keys, nullSafe: nullSafe, order: kept)
    if ranges.count > 1 { try rankSecond(query) }
  }

  var byteCount: Int {
    count * 12 + levels.reduce(0) { $0 + $1.byteCount } + rankCount * 12 + (runs?.byteCount ?? 0)
  }

  /// The build row at a position of the order.
  @inline(__always)
  func row(_ position: Int) -> UInt32 { order.indices[position] }

  private func rankSecond(_ query: QueryContext) throws {
    let column = ranges[1]
    let rows = order
    let second = Column.dictionary(column, rows)
    let sorted = try RowSorter.order(
      [SortColumn(second.flattened(), descending: false, nullsFirst: false)], rowCount: count,
      query: query)
    let comparator = ColumnComparator(second, second)
    var ranked = Selection(capacity: count)
    let values = Buffer(byteCount: count * 4)
    let ranks = values.pointer.assumingMemoryBound(to: UInt32.self)
    var distinct = 0
    for place in 0..<count {
      let position = Int(sorted.indices[place])
      if place == 0 || comparator.compare(Int(sorted.indices[place - 1]), position) != 0 {
        ranked.indices[distinct] = rows.indices[position]
        distinct += 1
      }
      ranks[position] = UInt32(truncatingIfNeeded: distinct - 1)
    }
    switch operators[1] {
    case .less, .lessOrEqual: break
    case .greater, .greaterOrEqual:
      // Smaller build values pass: turn the order round.
      for position in 0..<count { ranks[position] = UInt32(distinct - 1) - ranks[position] }
    }
    ranked.count = distinct
    self.ranked = ranked
    rankedWords = OrderedWords(column, rows: ranked)
    rankCount = distinct
    levels = [values]
    levelCounts = [count]
    while let below = levels.last, let size = levelCounts.last, size > 1 << Self.fanBits {
      let upper = (size + (1 << Self.fanBits) - 1) >> Self.fanBits
      let buffer = Buffer(byteCount: upper * 4)
      let source = below.pointer.assumingMemoryBound(to: UInt32.self)
      let target = buffer.pointer.assumingMemoryBound(to: UInt32.self)
      for block in 0..<upper {
        var largest: UInt32 = 0
        for entry in block << Self.fanBits..<min(size, (block + 1) << Self.fanBits) {
          largest = max(largest, source[entry])
        }
        target[block] = largest
      }
      levels.append(buffer)
      levelCounts.append(upper)
    }
  }

  // MARK: Finding

  /// For each of the first `rows` rows: the first position that matches plus one (0 for none), where
  /// its run ends, and the least value of the second column.
  func find(
    _ probeKeys: [Column], _ probeRanges: [Column], rows: Int,
    heads: UnsafeMutablePointer<UInt32>, ends: UnsafeMutablePointer<UInt32>,
    thresholds: UnsafeMutablePointer<UInt32>
  ) {
    let wanted = OrderedWords(probeRanges[0])
    let comparator = ColumnComparator(probeRanges[0], ranges[0])
    let nullable = probeRanges.filter(\.mayHaveNulls)
    // An ASOF join has the run of its keys in `ends`, until the nearest row is found in it.
    if let runs { runs.find(probeKeys, rows: rows, into: ends) }
    for row in 0..<rows {
      heads[row] = 0
      thresholds[row] = 0
      var start = 0
      var end = count
      if let runs {
        if ends[row] == 0 { continue }
        let positions = runs.positions(Int(ends[row]) - 1)
        (start, end) = (positions.lowerBound, positions.upperBound)
      }
      ends[row] = 0
      if !nullable.isEmpty, nullable.contains(where: { $0.isNull(row) }) { continue }
      let isAfter = operators[0] == .less || operators[0] == .greaterOrEqual
      let bound = words.bound(
        wanted.values[row], start..<end, isAfter: isAfter
      ) { comparator.compare(row, Int(order.indices[$0])) }
      if isAsof {
        heads[row] = nearest(bound, start..<end)
        continue
      }
      switch operators[0] {
      case .less, .lessOrEqual: start = bound
      case .greater, .greaterOrEqual: end = bound
      }
      if start >= end { continue }
      ends[row] = UInt32(truncatingIfNeeded: end)
      heads[row] = UInt32(truncatingIfNeeded: start + 1)
    }
    if ranges.count > 1 {
      findSecond(probeRanges[1], rows: rows, heads: heads, ends: ends, thresholds: thresholds)
    }
  }

  private func findSecond(
    _ column: Column, rows: Int, heads: UnsafeMutablePointer<UInt32>,
    ends: UnsafeMutablePointer<UInt32>, thresholds: UnsafeMutablePointer<UInt32>
  ) {
    guard let ranked, let rankedWords else { return }
    let comparator = ColumnComparator(column, ranges[1])
    let wanted = OrderedWords(column)
    // Values below `low` are smaller than the probe's (or equal to it, as the operator says).
    let isAfter = operators[1] == .less || operators[1] == .greaterOrEqual
    for row in 0..<rows where heads[row] != 0 {
      let low = rankedWords.bound(wanted.values[row], 0..<rankCount, isAfter: isAfter) {
        comparator.compare(row, Int(ranked.indices[$0]))
      }
      switch operators[1] {
      case .less, .lessOrEqual: thresholds[row] = UInt32(truncatingIfNeeded: low)
      case .greater, .greaterOrEqual:
        thresholds[row] = UInt32(truncatingIfNeeded: rankCount - low)
      }
      heads[row] = next(
        from: Int(heads[row]) - 1, end: Int(ends[row]), threshold: thresholds[row])
    }
  }

  /// The first position from `position` on, before `end`, whose second value passes, plus one; 0 for
  /// none.
  func next(from position: Int, end: Int, threshold: UInt32) -> UInt32 {
    if position >= end { return 0 }
    guard let first = levels.first else { return UInt32(truncatingIfNeeded: position + 1) }
    let values = first.pointer.assumingMemoryBound(to: UInt32.self)
    let mask = (1 << Self.fanBits) - 1
    var position = position
    while position < end {
      if position & mask == 0, levels.count > 1 {
        var level = 1
        var block = position >> Self.fanBits
        if largest(level, block) < threshold {
          // The whole block fails; perhaps that of blocks as well.
          while block & mask == 0, level + 1 < levels.count,
            largest(level + 1, block >> Self.fanBits) < threshold
          {
            block >>= Self.fanBits
            level += 1
          }
          position = (block + 1) << (Self.fanBits * level)
          continue
        }
      }
      if values[position] >= threshold { return UInt32(truncatingIfNeeded: position + 1) }
      position += 1
    }
    return 0
  }

  @inline(__always)
  private func largest(_ level: Int, _ block: Int) -> UInt32 {
    levels[level].pointer.assumingMemoryBound(to: UInt32.self)[block]
  }

  /// The position of the nearest build row of an ASOF join plus one, or 0 for none, of the positions
  /// with its keys, where `bound` is the place at which the probe row would stand.
  private func nearest(_ bound: Int, _ positions: Range<Int>) -> UInt32 {
    let isBefore = operators[0] == .greater || operators[0] == .greaterOrEqual
    let place = isBefore ? bound - 1 : bound
    return positions.contains(place) ? UInt32(truncatingIfNeeded: place + 1) : 0
  }

  /// The next nearest row of an ASOF join behind the one at `position`, plus one; 0 for none.
  func further(_ row: Int, from position: Int, _ comparators: [ColumnComparator]) -> UInt32 {
    let place =
      operators[0] == .greater || operators[0] == .greaterOrEqual ? position - 1 : position + 1
    return hasKeys(row, place, comparators) ? UInt32(truncatingIfNeeded: place + 1) : 0
  }

  /// Of the keys, for `further`.
  func comparators(_ probeKeys: [Column]) -> [ColumnComparator] {
    zip(probeKeys, keys).map { ColumnComparator($0, $1) }
  }

  private func hasKeys(_ row: Int, _ place: Int, _ comparators: [ColumnComparator]) -> Bool {
    if place < 0 || place >= count { return false }
    let found = Int(order.indices[place])
    for key in keys.indices {
      let result =
        nullSafe[key]
        ? comparators[key].compare(row, found, nullsFirst: false)
        : comparators[key].compare(row, found)
      if result != 0 { return false }
    }
    return true
  }
}
