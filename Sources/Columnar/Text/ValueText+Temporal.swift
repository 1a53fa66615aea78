extension ValueText {
  /// `2024-01-31`, `0044-03-15 (BC)`
  @inlinable
  package static func append(date days: Int32, to buffer: inout TextBuffer) {
    if !Calendar.isFinite(days) {
      buffer.append(days > 0 ? "infinity" : "-infinity")
      return
    }
    let date = Calendar.civil(days)
    append(date, to: &buffer)
    if date.year <= 0 { buffer.append(" (BC)") }
  }

  @inlinable
  static func append(_ date: CivilDate, to buffer: inout TextBuffer) {
    let year = date.year <= 0 ? 1 &- date.year : date.year
    if year <= 9999 {
      buffer.append(twoDigits: year / 100)
      buffer.append(twoDigits: year % 100)
    } else {
      buffer.append(decimal: UInt64(year))
    }
    buffer.append(0x2D)
    buffer.append(twoDigits: date.month)
    buffer.append(0x2D)
    buffer.append(twoDigits: date.day)
  }

  /// `12:34:56`, and `.5` or more when the fraction is not zero
  @inlinable
  package static func append(time microseconds: Int64, to buffer: inout TextBuffer) {
    let parts = Calendar.clockParts(microseconds)
    append(hour: parts.hour, to: &buffer)
    buffer.append(0x3A)
    buffer.append(twoDigits: parts.minute)
    buffer.append(0x3A)
    buffer.append(twoDigits: parts.second)
    if parts.microsecond > 0 { append(fraction: parts.microsecond, to: &buffer) }
  }

  @inlinable
  static func append(hour: Int, to buffer: inout TextBuffer) {
    if hour < 100 {
      buffer.append(twoDigits: hour)
    } else {
      buffer.append(decimal: UInt64(hour))
    }
  }

  @usableFromInline
  static func append(fraction microseconds: Int, to buffer: inout TextBuffer) {
    append(fraction: microseconds, of: 6, to: &buffer)
  }

  /// A point and so many digits after it, without zeros at the end.
  static func append(fraction: Int, of places: Int, to buffer: inout TextBuffer) {
    var digits = places
    var rest = fraction
    while rest % 10 == 0, digits > 1 {
      rest /= 10
      digits -= 1
    }
    buffer.append(0x2E)
    buffer.append(decimal: UInt64(rest), digits: digits)
  }

  /// `2024-01-31 12:34:56`, `0044-03-15 (BC) 12:34:56.5`
  @inlinable
  package static func append(timestamp: Int64, to buffer: inout TextBuffer) {
    if !Calendar.isFinite(timestamp) {
      buffer.append(timestamp > 0 ? "infinity" : "-infinity")
      return
    }
    let parts = Calendar.split(timestamp)
    append(date: parts.days, to: &buffer)
    buffer.append(0x20)
    append(time: parts.microseconds, to: &buffer)
  }

  /// `1 year 2 months 3 days 04:05:06`; the empty interval is `00:00:00`
  package static func append(interval: Interval, to buffer: inout TextBuffer) {
    let start = buffer.count
    append(interval.months / 12, "year", since: start, to: &buffer)
    append(interval.months % 12, "month", since: start, to: &buffer)
    append(interval.days, "day", since: start, to: &buffer)
    if interval.microseconds == 0 && buffer.count > start { return }
    if buffer.count > start { buffer.append(0x20) }
    if interval.microseconds < 0 { buffer.append(0x2D) }
    let magnitude = interval.microseconds.magnitude
    append(time: Int64(clamping: magnitude), to: &buffer)
  }

  private static func append(
    _ count: Int32, _ unit: StaticString, since start: Int, to buffer: inout TextBuffer
  ) {
    if count == 0 { return }
    if buffer.count > start { buffer.append(0x20) }
    buffer.append(integer: count)
    buffer.append(0x20)
    buffer.append(unit)
    if count != 1 && count != -1 { buffer.append(0x73) }
  }
}
