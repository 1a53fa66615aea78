extension ValueText {
  /// A timestamp of any unit; one with a zone as UTC shows it, `2024-01-31 12:34:56+00`.
  static func append(timestamp: Int64, _ type: LogicalType, to buffer: inout TextBuffer) {
    switch type {
    case .timestampTZ:
      append(timestamp: timestamp, to: &buffer)
      append(offset: 0, to: &buffer)
    default:
      append(timestamp: timestamp, to: &buffer)
    }
  }

  /// `12:34:56+02`, `12:34:56.5-03:30`
  static func append(timeTZ bits: UInt64, to buffer: inout TextBuffer) {
    let (microseconds, offset) = ZonedTime.unpack(bits)
    append(time: microseconds, to: &buffer)
    append(offset: offset, to: &buffer)
  }

  /// Seconds east of UTC as `+02`, `-03:30`, `+00:00:01`.
  static func append(offset: Int, to buffer: inout TextBuffer) {
    buffer.append(offset < 0 ? 0x2D : 0x2B)
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
