/// How a TIME WITH TIME ZONE lies in its 64 bits: the instant first, so that the order of the bits is
/// the order of the values, then the offset, greater ones first.
package enum ZonedTime {
  /// Offsets are at most so many seconds east or west.
  package static let offsetLimit = 16 * 3600 - 1
  private static let bias: Int64 = 16 * 3600 * 1_000_000

  /// From microseconds since midnight in the zone and the zone's seconds east of UTC.
  package static func pack(microseconds: Int64, offset: Int) -> UInt64 {
    let instant = UInt64(microseconds - Int64(offset) * 1_000_000 + bias)
    return instant << 24 | UInt64(offsetLimit - offset)
  }

  /// Microseconds since midnight at UTC: negative before it, a day or more behind it.
  package static func instant(_ bits: UInt64) -> Int64 { Int64(bits >> 24) - bias }

  /// From microseconds since midnight at UTC, at most as far from the day as zones are.
  package static func pack(instant: Int64, offset: Int) -> UInt64 {
    pack(microseconds: instant + Int64(offset) * 1_000_000, offset: offset)
  }

  package static func unpack(_ bits: UInt64) -> (microseconds: Int64, offset: Int) {
    let offset = offsetLimit - Int(bits & 0xFF_FFFF)
    return (Int64(bits >> 24) - bias + Int64(offset) * 1_000_000, offset)
  }
}
