extension TextParsing {
  /// A TIMESTAMPTZ: a date and time, then `Z`, an offset such as `+02:30` or the name of a zone;
  /// without any, the cursor's zone is meant.
  package static func timestampTZ(_ text: Text, _ zone: inout ZoneCursor) -> Int64? {
    guard var cursor = TextCursor(text) else { return nil }
    var nanoseconds = 0
    guard let local = moment(&cursor, &nanoseconds) else { return infiniteTimestamp(text) }
    cursor.skipSpaces()
    if cursor.isAtEnd { return isEpoch(text) ? 0 : zone.instant(local) }
    switch suffix(&cursor) {
    case .offset(let seconds):
      let (instant, overflows) = local.subtractingReportingOverflow(Int64(seconds) &* 1_000_000)
      return overflows || !Calendar.isInRange(instant) ? nil : instant
    case .zone(let name):
      guard let rules = TimeZones.named(name) else { return nil }
      var other = ZoneCursor(rules)
      return other.instant(local)
    case nil: return nil
    }
  }

  /// A TIMESTAMP_NS: as a TIMESTAMP, with nine digits behind the point.
  package static func timestampNanoseconds(_ text: Text) -> Int64? {
    guard var cursor = TextCursor(text) else { return nil }
    var nanoseconds = 0
    guard let local = moment(&cursor, &nanoseconds) else { return infiniteTimestamp(text) }
    guard cursor.isAtEnd || offset(&cursor) else { return nil }
    cursor.skipSpaces()
    guard cursor.isAtEnd else { return nil }
    // The first instants lie before zero by less than their microseconds alone.
    let wide = Int128(local) * 1000 + Int128(nanoseconds)
    guard let value = Int64(exactly: wide), Calendar.isFinite(value) else { return nil }
    return value
  }

  /// A TIMETZ: `12:34:56[.123456]`, then an offset; without one `defaultOffset`, in seconds. With a
  /// date before it, an instant whose time of day is taken in the cursor's zone.
  package static func timeTZ(
    _ text: Text, _ zone: inout ZoneCursor, defaultOffset: Int
  ) -> UInt64? {
    guard var cursor = TextCursor(text) else { return nil }
    cursor.skipSpaces()
    if let time = clock(&cursor) {
      cursor.skipSpaces()
      if cursor.isAtEnd { return ZonedTime.pack(microseconds: time, offset: defaultOffset) }
      guard case .offset(let seconds)? = suffix(&cursor), abs(seconds) <= ZonedTime.offsetLimit
      else { return nil }
      return ZonedTime.pack(microseconds: time, offset: seconds)
    }
    guard let instant = timestampTZ(text, &zone), Calendar.isFinite(instant),
      let local = zone.local(instant)
    else { return nil }
    let offset = Int(zone.offset(at: instant) / 1_000_000)
    return ZonedTime.pack(microseconds: Calendar.split(local).microseconds, offset: offset)
  }

  /// The instant, whatever the zone.
  private static func isEpoch(_ text: Text) -> Bool {
    guard var cursor = TextCursor(text) else { return false }
    cursor.skipSpaces()
    return cursor.take(word: "epoch")
  }

  private enum Suffix {
    case offset(Int)
    case zone(String)
  }

  /// What names the zone, up to the text's end but for spaces.
  private static func suffix(_ cursor: inout TextCursor) -> Suffix? {
    let rest = cursor.position
    if cursor.take(0x5A) {
      cursor.skipSpaces()
      if cursor.isAtEnd { return .offset(0) }
      cursor.position = rest
    }
    let isNegative = cursor.peek == 0x2D
    if cursor.take(0x2B) || cursor.take(0x2D) {
      let start = cursor.position
      guard let hours = cursor.number(atMost: 2), cursor.position == start + 2 else { return nil }
      var seconds = hours * 3600
      for unit in [60, 1] {
        let colon = cursor.take(0x3A)
        guard let part = cursor.number(atMost: 2) else {
          if colon { return nil }
          break
        }
        if part >= 60 { return nil }
        seconds += part * unit
      }
      cursor.skipSpaces()
      return cursor.isAtEnd ? .offset(isNegative ? -seconds : seconds) : nil
    }
    // A name stands apart from the time.
    guard rest > 0, isSpace(cursor.bytes[rest - 1]) else { return nil }
    let start = cursor.position
    while !cursor.isAtEnd, !isSpace(cursor.peek) { cursor.position &+= 1 }
    let name = UnsafeBufferPointer(start: cursor.bytes + start, count: cursor.position - start)
    cursor.skipSpaces()
    guard cursor.isAtEnd, !name.isEmpty, name.count <= 64 else { return nil }
    return .zone(String(decoding: name, as: UTF8.self))
  }
}
