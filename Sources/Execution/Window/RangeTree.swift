import Columnar

/// Numbers in a row that answer, for any run of them, how many are below a bound and which is the
/// k-th smallest, in a step a bit of the largest: a wavelet matrix (Claude, Navarro and Ordóñez
/// 2015), 1.5 bits a number and level.
struct RangeTree {
  private let count: Int
  private let bits: Int
  /// Words of one level: those of the bits, then ranks.
  private let wordCount: Int
  /// Per level: whether the bit is 0 by place, in the order of the levels above.
  private let words: UnsafeMutablePointer<UInt64>
  /// Per level and word: zeros before the word.
  private let ranks: UnsafeMutablePointer<UInt32>
  /// Per level: how many zeros there are.
  private let zeros: [Int]

  /// The memory lives as long as the chunk.
  init(_ values: UnsafePointer<UInt32>, count: Int, maximum: UInt32, chunk: WindowChunk) {
    self.count = count
    bits = max(1, 32 - maximum.leadingZeroBitCount)
    wordCount = count / 64 + 1
    words = chunk.allocate(UInt64.self, wordCount * bits)
    ranks = chunk.allocate(UInt32.self, (wordCount + 1) * bits)
    words.update(repeating: 0, count: wordCount * bits)
    let buffer = Buffer(byteCount: max(1, count) * 8)
    var current = buffer.pointer.assumingMemoryBound(to: UInt32.self)
    var next = current + count
    current.update(from: values, count: count)
    var zeros: [Int] = []
    for level in 0..<bits {
      let shift = UInt32(bits - 1 - level)
      let words = words + level * wordCount
      let ranks = ranks + level * (wordCount + 1)
      var total = 0
      for place in 0..<count where current[place] >> shift & 1 == 0 {
        words[place >> 6] |= 1 << UInt64(place & 63)
        total += 1
      }
      var before = 0
      for word in 0..<wordCount {
        ranks[word] = UInt32(truncatingIfNeeded: before)
        before += words[word].nonzeroBitCount
      }
      ranks[wordCount] = UInt32(truncatingIfNeeded: before)
      zeros.append(total)
      var low = 0
      var high = total
      for place in 0..<count {
        let isOne = current[place] >> shift & 1 != 0
        next[isOne ? high : low] = current[place]
        high += isOne ? 1 : 0
        low += isOne ? 0 : 1
      }
      swap(&current, &next)
    }
    withExtendedLifetime(buffer) {}
    self.zeros = zeros
  }

  @inline(__always)
  private func zerosBefore(_ place: Int, level: Int) -> Int {
    let word = words[level * wordCount + place >> 6]
    let mask = (1 << UInt64(place & 63)) &- 1
    return Int(ranks[level * (wordCount + 1) + place >> 6]) + (word & UInt64(mask)).nonzeroBitCount
  }

  /// How many of the numbers at `from ..< to` are below `bound`.
  func countBelow(_ bound: UInt32, from: Int, to: Int) -> Int {
    var from = from
    var to = to
    if from >= to { return 0 }
    if bits < 32 && bound >> UInt32(bits) != 0 { return to - from }
    var result = 0
    for level in 0..<bits {
      let low = zerosBefore(from, level: level)
      let high = zerosBefore(to, level: level)
      if bound >> UInt32(bits - 1 - level) & 1 != 0 {
        result += high - low
        from = zeros[level] + from - low
        to = zeros[level] + to - high
      } else {
        from = low
        to = high
      }
    }
    return result
  }

  /// Places `from ..< to`, and zeros before them in the level at hand.
  struct Run {
    var from: Int
    var to: Int
    fileprivate var low = 0
    fileprivate var high = 0

    init(from: Int, to: Int) {
      self.from = from
      self.to = to
    }
  }

  /// The number that `k` others of the runs stand before; the runs hold more than `k`, and are
  /// overwritten.
  func smallest(_ k: Int, in runs: UnsafeMutableBufferPointer<Run>) -> UInt32 {
    var k = k
    var result: UInt32 = 0
    for level in 0..<bits {
      var below = 0
      for index in runs.indices {
        runs[index].low = zerosBefore(runs[index].from, level: level)
        runs[index].high = zerosBefore(runs[index].to, level: level)
        below += runs[index].high - runs[index].low
      }
      let takesOnes = k >= below
      if takesOnes {
        k -= below
        result |= 1 << UInt32(bits - 1 - level)
      }
      for index in runs.indices {
        let run = runs[index]
        runs[index].from = takesOnes ? zeros[level] + run.from - run.low : run.low
        runs[index].to = takesOnes ? zeros[level] + run.to - run.high : run.high
      }
    }
    return result
  }

  /// As above for one run, whose ends stay in registers.
  func smallest(_ k: Int, from: Int, to: Int) -> UInt32 {
    var from = from
    var to = to
    var k = k
    var result: UInt32 = 0
    for level in 0..<bits {
      let low = zerosBefore(from, level: level)
      let high = zerosBefore(to, level: level)
      if k >= high - low {
        k -= high - low
        result |= 1 << UInt32(bits - 1 - level)
        from = zeros[level] + from - low
        to = zeros[level] + to - high
      } else {
        from = low
        to = high
      }
    }
    return result
  }
}

/// Rows of a chunk as another order sees them.
struct RowOrder {
  /// By place in the order: the pick.
  let pick: WindowChunk.Numbers
  /// By pick: its place, no two alike, and where the places of rows with the same keys begin and end.
  let place: WindowChunk.Numbers
  let tieStart: WindowChunk.Numbers
  let tieEnd: WindowChunk.Numbers
  let tree: RangeTree
}

extension WindowChunk {
  /// The kept rows sorted by the ORDER BY among a call's arguments; rows that tie as they come.
  func argumentOrder(_ call: WindowCall, _ kept: KeptRows) throws -> RowOrder {
    let keys = call.order.map {
      SortColumn(
        picked(.column($0.column), kept), descending: $0.descending, nullsFirst: $0.nullsFirst)
    }
    return try rowOrder(keys, count: kept.count)
  }

  /// The picks `0 ..< count` sorted by columns of as many rows.
  func rowOrder(_ keys: [SortColumn], count: Int) throws -> RowOrder {
    let sorted = try RowSorter.order(keys, rowCount: count, query: query)
    let pick = allocate(UInt32.self, count)
    let place = allocate(UInt32.self, count)
    let tieStart = allocate(UInt32.self, count)
    let tieEnd = allocate(UInt32.self, count)
    pick.update(from: sorted.indices, count: count)
    let comparators = keys.map { (ColumnComparator($0.column, $0.column), $0.nullsFirst) }
    var start = 0
    for position in 0..<count {
      place[Int(pick[position])] = UInt32(truncatingIfNeeded: position)
      let isTie =
        position > 0
        && comparators.allSatisfy {
          $0.0.compare(Int(pick[position]), Int(pick[position - 1]), nullsFirst: $0.1) == 0
        }
      if !isTie {
        for tie in start..<position {
          tieEnd[Int(pick[tie])] = UInt32(truncatingIfNeeded: position)
        }
        start = position
      }
      tieStart[Int(pick[position])] = UInt32(truncatingIfNeeded: start)
    }
    for tie in start..<count { tieEnd[Int(pick[tie])] = UInt32(truncatingIfNeeded: count) }
    withExtendedLifetime(sorted) {}
    let tree = RangeTree(
      place, count: count, maximum: UInt32(truncatingIfNeeded: max(1, count) - 1), chunk: self)
    return RowOrder(pick: pick, place: place, tieStart: tieStart, tieEnd: tieEnd, tree: tree)
  }
}
