import Columnar
import Diagnostics

/// What the workers of one window operator share: the sort, then the sorted rows with marks where
/// partitions and peers begin, then the chunks left to evaluate.
package final class WindowShared: @unchecked Sendable {
  let sort: SortShared
  private let lock = Lock()
  private var sorted: SortedRows?
  private var cursor = 0
  /// Set by worker 0 between barriers: the rows go to disk after all.
  var isTooLarge = false

  /// SAFETY: written under `lock`; the sorted rows are filled in disjoint ranges between barriers.
  package init(workers: Int) { sort = SortShared(workers: workers) }

  var barrier: TeamBarrier { sort.barrier }

  /// The rows in order, unmarked when first asked for. After the sort's last barrier.
  func rows(_ keyCounts: [Int], rowCount: Int) -> SortedRows {
    lock.withLock {
      if let sorted { return sorted }
      let made = SortedRows(keyCounts: keyCounts, rowCount: rowCount, parts: sort.result())
      sorted = made
      return made
    }
  }

  /// Lets go of the sorted rows, which are on disk.
  func releaseRows() { lock.withLock { sorted = nil } }

  /// The next whole partitions of about `size` rows; nil when all are taken.
  func claim(size: Int) -> Range<Int>? {
    lock.withLock {
      guard let sorted, cursor < sorted.count else { return nil }
      let start = cursor
      cursor = sorted.partitionEnd(atOrAfter: min(sorted.count, start + size))
      return start..<cursor
    }
  }
}

/// All rows of a window's input in the order of partitions and sort.
final class SortedRows: @unchecked Sendable {
  let count: Int
  /// The sorted words; none once the rows are in order and marked.
  private var parts: [(pairs: Buffer, count: Int)]
  private let numbers: Buffer
  /// Store row by place.
  let order: UnsafeMutablePointer<UInt32>
  /// For some numbers of keys: a bit a place, set where those keys change. The first is that of the
  /// partition.
  let keyCounts: [Int]
  private let words: [Buffer]

  /// SAFETY: `order` and the words are written in ranges of whole words by one worker each, and
  /// read after a barrier; `parts` are dropped by one worker when no other reads them any more.
  init(keyCounts: [Int], rowCount: Int, parts: [(pairs: Buffer, count: Int)]) {
    count = rowCount
    self.parts = parts
    self.keyCounts = keyCounts
    numbers = Buffer(byteCount: max(1, rowCount) * 4)
    order = numbers.pointer.assumingMemoryBound(to: UInt32.self)
    words = keyCounts.map { _ in Buffer(byteCount: (rowCount + 63) / 64 * 8 + 8) }
  }

  /// Rows of one partition that stand in order in the store.
  init(inOrder keys: [SortColumn], keyCounts: [Int], rowCount: Int) {
    count = rowCount
    parts = []
    self.keyCounts = keyCounts
    numbers = Buffer(byteCount: max(1, rowCount) * 4)
    order = numbers.pointer.assumingMemoryBound(to: UInt32.self)
    words = keyCounts.map { _ in Buffer(byteCount: (rowCount + 63) / 64 * 8 + 8) }
    for place in 0..<rowCount { order[place] = UInt32(truncatingIfNeeded: place) }
    fill(0..<rowCount, keys: keys, bits: nil)
  }

  /// After the barrier behind all `fill`s: half of what the sort took goes back.
  func releaseWords() { parts = [] }

  func marks(_ index: Int) -> UnsafeMutablePointer<UInt64> {
    words[index].pointer.assumingMemoryBound(to: UInt64.self)
  }

  /// Rows of the largest partition; after all marks are set.
  var largestPartition: Int {
    var largest = 0
    var start = 0
    while start < count {
      let end = partitionEnd(atOrAfter: start + 1)
      largest = max(largest, end - start)
      start = end
    }
    return largest
  }

  /// The first place from `place` on where a partition begins, or the end.
  func partitionEnd(atOrAfter place: Int) -> Int {
    let marks = marks(0)
    var place = place
    while place < count {
      let word = marks[place >> 6] >> UInt64(place & 63)
      if word != 0 { return min(count, place + word.trailingZeroBitCount) }
      place = (place | 63) + 1
    }
    return count
  }

  /// Fills a worker's share of `order` and of the marks. `bits`, where known: how many low bits of a
  /// sort word lie below the keys of each mark.
  func fill(_ places: Range<Int>, keys: [SortColumn], bits: [Int]?) {
    if places.isEmpty { return }
    var base = 0
    for part in parts {
      let pairs = part.pairs.pointer.assumingMemoryBound(to: SortPair.self)
      let from = max(places.lowerBound, base)
      let to = min(places.upperBound, base + part.count)
      for place in from..<max(from, to) { order[place] = pairs[place - base].row }
      base += part.count
    }
    for index in keyCounts.indices {
      let marks = marks(index)
      for word in (places.lowerBound >> 6)..<((places.upperBound + 63) >> 6) { marks[word] = 0 }
      if places.lowerBound == 0 { marks[0] = 1 }
      if let bits {
        markWords(places, shift: bits[index], marks)
      } else {
        for key in keys.prefix(keyCounts[index]) { markChanges(places, key.column, marks) }
      }
    }
    withExtendedLifetime((parts, words)) {}
  }

  private func markWords(_ places: Range<Int>, shift: Int, _ marks: UnsafeMutablePointer<UInt64>) {
    if shift >= 64 { return }
    var previous: UInt64?
    var base = 0
    for part in parts where part.count > 0 {
      let pairs = part.pairs.pointer.assumingMemoryBound(to: SortPair.self)
      // The place before the range is read too: a change may lie at its begin.
      let from = max(places.lowerBound - 1, base)
      let to = min(places.upperBound, base + part.count)
      if from < to {
        var last = previous ?? pairs[from - base].key >> UInt64(shift)
        for place in from..<to {
          let word = pairs[place - base].key >> UInt64(shift)
          if word != last && place >= places.lowerBound {
            marks[place >> 6] |= 1 << UInt64(place & 63)
          }
          last = word
        }
        previous = last
      }
      base += part.count
    }
  }

  /// Sets the bits of places whose value differs from that of the place before.
  private func markChanges(
    _ places: Range<Int>, _ column: Column, _ marks: UnsafeMutablePointer<UInt64>
  ) {
    func each(_ differs: (_ row: Int, _ before: Int) -> Bool) {
      for place in max(1, places.lowerBound)..<max(1, places.upperBound)
      where differs(Int(row(place)), Int(row(place - 1))) {
        marks[place >> 6] |= 1 << UInt64(place & 63)
      }
    }
    @inline(__always)
    func values<T: BitwiseCopyable>(_ type: T.Type, _ differ: (T, T) -> Bool) {
      let reader = ColumnReader<T>(column)
      if reader.validity == nil {
        each { differ(reader[$0], reader[$1]) }
      } else {
        each {
          let isNull = reader.isNull($0)
          return isNull != reader.isNull($1) || (!isNull && differ(reader[$0], reader[$1]))
        }
      }
    }
    func words<T: Equatable & BitwiseCopyable>(_ type: T.Type) { values(type) { $0 != $1 } }
    switch column.type.physical {
    case .bool, .int8, .uint8: words(UInt8.self)
    case .int16, .uint16: words(UInt16.self)
    case .int32, .uint32: words(UInt32.self)
    case .int64, .uint64: words(UInt64.self)
    case .int128, .uint128: words(UInt128.self)
    case .float:
      values(Float.self) { Hashing.canonical($0).bitPattern != Hashing.canonical($1).bitPattern }
    case .double:
      values(Double.self) { Hashing.canonical($0).bitPattern != Hashing.canonical($1).bitPattern }
    case .interval: values(Interval.self) { $0.orderedBits != $1.orderedBits }
    case .string: values(StringView.self) { !($0 == $1) }
    case .list, .array, .structure:
      let comparator = ColumnComparator(column, column)
      each { comparator.compare($0, $1, nullsFirst: false) != 0 }
    }
    withExtendedLifetime(column) {}
  }

  /// The store row at a place, which another worker may have to copy to `order` still.
  @inline(__always)
  private func row(_ place: Int) -> UInt32 {
    if parts.isEmpty { return order[place] }
    var base = 0
    for part in parts {
      if place < base + part.count {
        return part.pairs.pointer.assumingMemoryBound(to: SortPair.self)[place - base].row
      }
      base += part.count
    }
    return 0
  }
}
