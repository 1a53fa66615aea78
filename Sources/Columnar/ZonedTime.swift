/// How a TIME WITH TIME ZONE lies in its 64 bits: the instant first, so that the order of the bits is
/// the order of the values, then the offset, greater ones first.
package enum ZonedTime {
  /// Offsets are at most so many seconds east or west.
  package static let offsetLimit = 16 * 3600 - 1
  private static let bias: Int64 = 16 * 3600 * 1_000_000

  /// From microseconds since midnight in the zone and the zone's seconds east of UTC.
  package static func pack(microseconds: Int64, offset: Int) -> UInt64 {
    // Nothing keeps a file from times beyond a day: these come out wrong, and do no harm.
    let instant = microseconds &- Int64(offset) &* 1_000_000 &+ bias
    return UInt64(truncatingIfNeeded: instant) << 24
      | UInt64(truncatingIfNeeded: offsetLimit &- offset) & 0xFF_FFFF
  }

  /// Microseconds since midnight at UTC: negative before it, a day or more behind it.
  package static func instant(_ bits: UInt64) -> Int64 { Int64(bits >> 24) - bias }

  /// As the clock at UTC shows it.
  package static func pack(instantOfDay instant: Int64) -> UInt64 {
    let day = Calendar.microsecondsPerDay
    let time = instant % day
    return pack(microseconds: time < 0 ? time + day : time, offset: 0)
  }

  package static func unpack(_ bits: UInt64) -> (microseconds: Int64, offset: Int) {
    let offset = offsetLimit - Int(bits & 0xFF_FFFF)
    return (Int64(bits >> 24) - bias + Int64(offset) * 1_000_000, offset)
  }
}
