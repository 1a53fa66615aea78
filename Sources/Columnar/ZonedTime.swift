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

  package static func unpack(_ bits: UInt64) -> (microseconds: Int64, offset: Int) {
    let offset = offsetLimit - Int(bits & 0xFF_FFFF)
    return (Int64(bits >> 24) - bias + Int64(offset) * 1_000_000, offset)
  }
}
