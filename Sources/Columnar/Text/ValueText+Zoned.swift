extension ValueText {
  /// A timestamp of any type. For one with a zone the cursor is that of the session's; outside
  /// loops over a column it is made anew.
  static func append(timestamp: Int64, _ type: LogicalType, to buffer: inout TextBuffer) {
    switch type {
    case .timestampTZ:
      var cursor = SessionTime.cursor
      append(instant: timestamp, &cursor, to: &buffer)
    case .timestampSeconds: append(timestamp: timestamp, unitsPerSecond: 1, to: &buffer)
    case .timestampMilliseconds: append(timestamp: timestamp, unitsPerSecond: 1000, to: &buffer)
    case .timestampNanoseconds:
      append(timestamp: timestamp, unitsPerSecond: 1_000_000_000, to: &buffer)
    default: append(timestamp: timestamp, to: &buffer)
    }
  }

  /// `2024-01-31 12:34:56+02`, as the zone's clocks show it; offsets to the minute.
  static func append(
    instant: Int64, _ cursor: inout ZoneCursor, to buffer: inout TextBuffer
  ) {
    guard Calendar.isFinite(instant), let local = cursor.local(instant) else {
      // Beyond the clock's range at the very edge: then as UTC.
      append(timestamp: instant, to: &buffer)
      if Calendar.isFinite(instant) { append(offset: 0, to: &buffer) }
      return
    }
    append(timestamp: local, to: &buffer)
    let seconds = Int(cursor.offset(at: instant) / 1_000_000)
    append(offset: seconds / 60 * 60, negative: seconds < 0, to: &buffer)
  }

  /// A count of units since 1970, which in seconds and milliseconds reaches beyond a TIMESTAMP.
  @inline(__always)
  static func append(timestamp: Int64, unitsPerSecond: Int64, to buffer: inout TextBuffer) {
    if !Calendar.isFinite(timestamp) {
      buffer.append(timestamp > 0 ? "infinity" : "-infinity")
      return
    }
    let unitsPerDay = unitsPerSecond &* 86_400
    var days = timestamp / unitsPerDay
    var rest = timestamp % unitsPerDay
    if rest < 0 {
      rest += unitsPerDay
      days -= 1
    }
    append(date: Int32(clamping: days), to: &buffer)
    buffer.append(0x20)
    let seconds = rest / unitsPerSecond
    append(time: seconds &* 1_000_000, to: &buffer)
    let fraction = Int(rest % unitsPerSecond) &* (1_000_000_000 / Int(unitsPerSecond))
    if fraction > 0 { append(fraction: fraction, of: 9, to: &buffer) }
  }

  /// `12:34:56+02`, `12:34:56.5-03:30`
  static func append(timeTZ bits: UInt64, to buffer: inout TextBuffer) {
    let (microseconds, offset) = ZonedTime.unpack(bits)
    append(time: microseconds, to: &buffer)
    append(offset: offset, to: &buffer)
  }

  /// Seconds east of UTC as `+02`, `-03:30`, `+00:00:01`.
  static func append(offset: Int, negative: Bool? = nil, to buffer: inout TextBuffer) {
    buffer.append(negative ?? (offset < 0) ? 0x2D : 0x2B)
    let seconds = abs(offset)
    buffer.append(twoDigits: seconds / 3600)
    if seconds % 3600 == 0 { return }
    buffer.append(0x3A)
    buffer.append(twoDigits: seconds / 60 % 60)
    if seconds % 60 == 0 { return }
    buffer.append(0x3A)
    buffer.append(twoDigits: seconds % 60)
  }

  /// `00112233-4455-6677-8899-aabbccddeeff`
  static func append(uuid: UInt128, to buffer: inout TextBuffer) {
    let digits: StaticString = "0123456789abcdef"
    for position in 0..<32 {
      if position == 8 || position == 12 || position == 16 || position == 20 { buffer.append(0x2D) }
      buffer.append(
        digits.utf8Start[Int(truncatingIfNeeded: uuid >> UInt128(124 - position * 4)) & 15])
    }
  }
}
