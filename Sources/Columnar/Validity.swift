/// Validity is a bit per row, 1 = not NULL, in 64-bit words; no words at all means no NULLs.
/// Bits past the last row are undefined.
@usableFromInline package enum Validity {
  @inlinable
  package static func wordCount(_ rows: Int) -> Int { (rows + 63) >> 6 }

  @inlinable
  package static func isValid(_ words: UnsafePointer<UInt64>, _ row: Int) -> Bool {
    words[row >> 6] >> UInt64(row & 63) & 1 != 0
  }

  @inlinable
  package static func setNull(_ words: UnsafeMutablePointer<UInt64>, _ row: Int) {
    words[row >> 6] &= ~(1 << UInt64(row & 63))
  }

  @inlinable
  package static func setValid(_ words: UnsafeMutablePointer<UInt64>, _ row: Int) {
    words[row >> 6] |= 1 << UInt64(row & 63)
  }

  package static func countValid(_ words: UnsafePointer<UInt64>, _ rows: Int) -> Int {
    var total = 0
    for word in 0..<(rows >> 6) { total += words[word].nonzeroBitCount }
    let rest = rows & 63
    if rest > 0 { total += (words[rows >> 6] & ((1 << UInt64(rest)) - 1)).nonzeroBitCount }
    return total
  }

  /// Copies `count` bits starting at bit `offset` to the start of `target`.
  package static func copy(
    _ source: UnsafePointer<UInt64>, from offset: Int, count: Int,
    to target: UnsafeMutablePointer<UInt64>
  ) {
    let words = wordCount(count)
    let shift = UInt64(offset & 63)
    let first = offset >> 6
    if shift == 0 {
      target.update(from: source + first, count: words)
      return
    }
    let last = (offset + count - 1) >> 6
    for word in 0..<words {
      let low = source[first + word] >> shift
      let high = first + word + 1 <= last ? source[first + word + 1] << (64 - shift) : 0
      target[word] = low | high
    }
  }
}
