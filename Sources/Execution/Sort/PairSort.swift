import Columnar

/// A sort word and the row it belongs to: 12 bytes, where a field of 64 bits would make it 16. A sort
/// of many rows is a question of what it moves.
package struct SortPair: BitwiseCopyable {
  private var low: UInt32
  private var high: UInt32
  package var row: UInt32

  @inline(__always)
  package init(key: UInt64, row: UInt32) {
    low = UInt32(truncatingIfNeeded: key)
    high = UInt32(truncatingIfNeeded: key >> 32)
    self.row = row
  }

  package var key: UInt64 {
    @inline(__always) get { UInt64(high) << 32 | UInt64(low) }
    @inline(__always) set {
      low = UInt32(truncatingIfNeeded: newValue)
      high = UInt32(truncatingIfNeeded: newValue >> 32)
    }
  }

  /// Uninitialised room for some pairs.
  static func buffer(_ count: Int) -> Buffer {
    Buffer(byteCount: max(count, 1) * MemoryLayout<SortPair>.stride)
  }
}

/// Stable sorting of pairs by key: insertion for a few, merging for hundreds, radix for more.
/// Large inputs are first cut by their highest differing byte, until a part and its scratch space
/// fit the cache; there the remaining bytes are sorted from the lowest up. Bytes in which no keys
/// differ cost nothing.
enum PairSort {
  typealias Pairs = UnsafeMutablePointer<SortPair>
  private static let cacheRows = 32_768

  /// Sorts `pairs`; `scratch` has as much room.
  static func sort(_ pairs: Pairs, _ scratch: Pairs, _ count: Int) {
    if count < 2 { return }
    var differing: UInt64 = 0
    var sorted = true
    let first = pairs[0].key
    var previous = first
    for position in 1..<count {
      let key = pairs[position].key
      differing |= key ^ first
      if key < previous { sorted = false }
      previous = key
    }
    if sorted { return }
    if count <= 32 { return insertion(pairs, count) }
    if count <= 512 { return merge(pairs, scratch, count) }
    let topBit = 63 - differing.leadingZeroBitCount
    var bytes = 0
    for byte in 0..<8 where differing >> UInt64(byte * 8) & 0xFF != 0 { bytes += 1 }
    if count <= cacheRows || bytes <= 2 {
      lowestFirst(pairs, scratch, count, differing)
    } else {
      highestFirst(pairs, scratch, count, shift: UInt64(max(0, topBit - 7)))
    }
  }

  private static func insertion(_ pairs: Pairs, _ count: Int) {
    for position in 1..<count {
      let pair = pairs[position]
      var place = position
      while place > 0 && pairs[place - 1].key > pair.key {
        pairs[place] = pairs[place - 1]
        place -= 1
      }
      pairs[place] = pair
    }
  }

  private static func merge(_ pairs: Pairs, _ scratch: Pairs, _ count: Int) {
    if count <= 24 { return insertion(pairs, count) }
    let half = count / 2
    merge(pairs, scratch, half)
    merge(pairs + half, scratch + half, count - half)
    if pairs[half - 1].key <= pairs[half].key { return }
    scratch.update(from: pairs, count: half)
    var left = 0
    var right = half
    var place = 0
    while left < half && right < count {
      let takesRight = pairs[right].key < scratch[left].key
      pairs[place] = takesRight ? pairs[right] : scratch[left]
      right += takesRight ? 1 : 0
      left += takesRight ? 0 : 1
      place += 1
    }
    (pairs + place).update(from: scratch + left, count: half - left)
  }

  private static func lowestFirst(
    _ pairs: Pairs, _ scratch: Pairs, _ count: Int, _ differing: UInt64
  ) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { starts in
      var source = pairs
      var target = scratch
      for byte in 0..<8 where differing >> UInt64(byte * 8) & 0xFF != 0 {
        scatter(source, target, count, UInt64(byte * 8), starts)
        swap(&source, &target)
      }
      if source != pairs { pairs.update(from: source, count: count) }
    }
  }

  private static func highestFirst(_ pairs: Pairs, _ scratch: Pairs, _ count: Int, shift: UInt64) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { ends in
      scatter(pairs, scratch, count, shift, ends)
      pairs.update(from: scratch, count: count)
      var start = 0
      for bucket in 0..<256 {
        sort(pairs + start, scratch + start, ends[bucket] - start)
        start = ends[bucket]
      }
    }
  }

  /// Moves pairs to `target` in the order of eight bits of the key; `places` ends as bucket ends.
  @inline(__always)
  private static func scatter(
    _ source: Pairs, _ target: Pairs, _ count: Int, _ shift: UInt64,
    _ places: UnsafeMutableBufferPointer<Int>
  ) {
    places.update(repeating: 0)
    for position in 0..<count {
      places[Int(truncatingIfNeeded: source[position].key >> shift & 0xFF)] &+= 1
    }
    var total = 0
    for bucket in 0..<256 {
      let size = places[bucket]
      places[bucket] = total
      total += size
    }
    for position in 0..<count {
      let pair = source[position]
      let bucket = Int(truncatingIfNeeded: pair.key >> shift & 0xFF)
      target[places[bucket]] = pair
      places[bucket] &+= 1
    }
  }
}
