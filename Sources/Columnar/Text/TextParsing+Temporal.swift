/// Reads the bytes of one text from left to right.
@frozen
@usableFromInline
struct TextCursor {
  @usableFromInline let bytes: UnsafePointer<UInt8>
  @usableFromInline let count: Int
  @usableFromInline var position = 0

  @inlinable
  init?(_ text: UnsafeBufferPointer<UInt8>) {
    guard let start = text.baseAddress else { return nil }
    bytes = start
    count = text.count
  }

  @inlinable var isAtEnd: Bool { position >= count }

  /// The next byte, 0 at the end.
  @inlinable var peek: UInt8 { position < count ? bytes[position] : 0 }

  @inlinable
  mutating func skipSpaces() {
    while position < count, TextParsing.isSpace(bytes[position]) { position &+= 1 }
  }

  @inlinable
  mutating func take(_ byte: UInt8) -> Bool {
    if position < count, bytes[position] == byte {
      position &+= 1
      return true
    }
    return false
  }

  /// One to `limit` digits as a number; nil when there is none. Stops before a further digit.
  @inlinable
  mutating func number(atMost limit: Int) -> Int? {
    var value = 0
    let start = position
    while position < count, position &- start < limit {
      let digit = bytes[position] &- 0x30
      if digit > 9 { break }
      value = value &* 10 &+ Int(digit)
      position &+= 1
    }
    return position == start ? nil : value
  }

  @inlinable
  mutating func take(word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard count &- position >= length else { return false }
    for index in 0..<length where bytes[position &+ index] != word.utf8Start[index] {
      return false
    }
    position &+= length
    return true
  }
}

extension TextParsing {
  // MARK: Dates

  /// A DATE as a cast reads it: a date, or a timestamp of which the day is taken.
  @inlinable
  package static func date(_ text: Text) -> Int32? {
    plainDate(text) ?? timestamp(text).map { Calendar.day(of: $0) }
  }

  /// `2024-01-31`, `2024/1/31`, `0044-03-15 (BC)`, `epoch`, `infinity`; nothing after it but spaces.
  @inlinable
  package static func plainDate(_ text: Text) -> Int32? {
    if text.count == 10, let bytes = text.baseAddress, let days = isoDate(bytes) { return days }
    if let sign = infinity(text) { return sign > 0 ? .max : 0 &- .max }
    guard var cursor = TextCursor(text) else { return nil }
    guard let days = date(&cursor) else { return nil }
    cursor.skipSpaces()
    return cursor.isAtEnd ? days : nil
  }

  /// 1 for `infinity`, -1 for `-infinity`, whatever the case; `inf` is short for it.
  @usableFromInline
  static func infinity(_ text: Text) -> Int? {
    let text = trimmed(text)
    guard var first = text.first else { return nil }
    var start = 0
    if first == 0x2D, text.count > 1 {
      start = 1
      first = text[1]
    }
    guard first | 0x20 == 0x69 else { return nil }
    let word: StaticString = "infinity"
    let length = text.count - start
    guard length == 8 || length == 3 else { return nil }
    for index in 0..<length where text[start + index] | 0x20 != word.utf8Start[index] {
      return nil
    }
    return start == 0 ? 1 : -1
  }

  /// Ten bytes `dddd-dd-dd`.
  @inlinable
  static func isoDate(_ bytes: UnsafePointer<UInt8>) -> Int32? {
    let a = bytes[0] &- 0x30
    let b = bytes[1] &- 0x30
    let c = bytes[2] &- 0x30
    let d = bytes[3] &- 0x30
    let e = bytes[5] &- 0x30
    let f = bytes[6] &- 0x30
    let g = bytes[8] &- 0x30
    let h = bytes[9] &- 0x30
    guard bytes[4] == 0x2D, bytes[7] == 0x2D,
      max(max(max(a, b), max(c, d)), max(max(e, f), max(g, h))) <= 9
    else { return nil }
    let year = (Int(a) &* 10 &+ Int(b)) &* 100 &+ Int(c) &* 10 &+ Int(d)
    return Calendar.days(
      year: year, month: Int(e) &* 10 &+ Int(f), day: Int(g) &* 10 &+ Int(h))
  }

  @usableFromInline
  static func date(_ cursor: inout TextCursor) -> Int32? {
    cursor.skipSpaces()
    if cursor.take(word: "epoch") { return 0 }
    let isNegative = cursor.take(0x2D)
    guard var year = cursor.number(atMost: 7) else { return nil }
    let separator = cursor.peek
    guard separator == 0x2D || separator == 0x2F || separator == 0x20 || separator == 0x5C else {
      return nil
    }
    cursor.position &+= 1
    guard let month = cursor.number(atMost: 2), cursor.take(separator),
      let day = cursor.number(atMost: 2), cursor.peek &- 0x30 > 9
    else { return nil }
    if cursor.take(word: " (BC)") {
      if isNegative || year == 0 { return nil }
      year = 1 - year
    }
    return Calendar.days(year: isNegative ? -year : year, month: month, day: day)
  }

  // MARK: Times

  /// A TIME: `12:34[:56[.123456]]`, an offset or a date before it ignored; digits past
  /// microseconds are cut.
  @inlinable
  package static func time(_ text: Text) -> Int64? {
    if let time = plainTime(text) { return time }
    guard let timestamp = timestamp(text, needsTime: true) else { return nil }
    return Calendar.split(timestamp).microseconds
  }

  /// A time without a date.
  @usableFromInline
  package static func plainTime(_ text: Text) -> Int64? {
    guard var cursor = TextCursor(text) else { return nil }
    cursor.skipSpaces()
    guard let time = clock(&cursor), offset(&cursor) else { return nil }
    cursor.skipSpaces()
    return cursor.isAtEnd ? time : nil
  }

  @usableFromInline
  static func clock(_ cursor: inout TextCursor) -> Int64? {
    var nanoseconds = 0
    return clock(&cursor, &nanoseconds)
  }

  /// With the nanoseconds behind the microseconds, 0 to 999.
  static func clock(_ cursor: inout TextCursor, _ nanoseconds: inout Int) -> Int64? {
    guard let hour = cursor.number(atMost: 2), cursor.take(0x3A),
      let minute = cursor.number(atMost: 2)
    else { return nil }
    var second = 0
    var microsecond = 0
    if cursor.take(0x3A) {
      guard let seconds = cursor.number(atMost: 2) else { return nil }
      second = seconds
      if cursor.take(0x2E) {
        let start = cursor.position
        microsecond = cursor.number(atMost: 6) ?? 0
        for _ in (cursor.position &- start)..<6 { microsecond &*= 10 }
        let behind = cursor.position
        nanoseconds = cursor.number(atMost: 3) ?? 0
        for _ in (cursor.position &- behind)..<3 { nanoseconds &*= 10 }
        while cursor.peek &- 0x30 <= 9 { cursor.position &+= 1 }
      }
    }
    if cursor.peek &- 0x30 <= 9 { return nil }
    return Calendar.clock(hour: hour, minute: minute, second: second, microsecond: microsecond)
  }

  /// Skips `Z`, `+02`, `-08:30`, `+0230`, or a zone name after a space: TIMESTAMP and TIME have no
  /// zone, and as in DuckDB the clock's reading counts. False when something else follows.
  @usableFromInline
  static func offset(_ cursor: inout TextCursor) -> Bool {
    if cursor.take(0x5A) { return true }
    let beforeSpaces = cursor.position
    cursor.skipSpaces()
    if cursor.take(0x2B) || cursor.take(0x2D) {
      guard cursor.number(atMost: 2) != nil else { return false }
      for _ in 0..<2 {
        let colon = cursor.take(0x3A)
        guard let part = cursor.number(atMost: 2) else { return !colon }
        if part >= 60 { return false }
      }
      return true
    }
    if cursor.position > beforeSpaces {
      while !cursor.isAtEnd {
        let byte = cursor.peek
        let letter = byte | 0x20
        guard
          (letter >= 0x61 && letter <= 0x7A) || byte == 0x2F || byte == 0x5F || byte == 0x2D
            || byte == 0x2B
        else { break }
        cursor.position &+= 1
      }
    }
    return true
  }

  // MARK: Timestamps

  /// A TIMESTAMP: a date, then after a space or `T` a time, unless the time is left out. A zone
  /// behind it is passed over.
  @usableFromInline
  package static func timestamp(_ text: Text, needsTime: Bool = false) -> Int64? {
    guard var cursor = TextCursor(text) else { return nil }
    var nanoseconds = 0
    guard let local = moment(&cursor, &nanoseconds, needsTime: needsTime) else {
      return needsTime ? nil : infiniteTimestamp(text)
    }
    guard cursor.isAtEnd || offset(&cursor) else { return nil }
    cursor.skipSpaces()
    return cursor.isAtEnd ? local : nil
  }

  static func infiniteTimestamp(_ text: Text) -> Int64? {
    infinity(text).map { $0 > 0 ? .max : 0 &- .max }
  }

  /// The date and time at the cursor; without a time its midnight, and then nothing may follow.
  static func moment(
    _ cursor: inout TextCursor, _ nanoseconds: inout Int, needsTime: Bool = false
  ) -> Int64? {
    let days: Int32
    // A space may be the one before (BC): then the general way. A digit would be part of the day.
    if cursor.count > 11, cursor.bytes[10] &- 0x30 > 9, cursor.bytes[11] != 0x28,
      let iso = isoDate(cursor.bytes)
    {
      days = iso
      cursor.position = 10
    } else {
      guard let parsed = date(&cursor) else { return nil }
      days = parsed
    }
    let separator = cursor.peek
    if separator == 0x54 { cursor.position &+= 1 } else { cursor.skipSpaces() }
    if cursor.isAtEnd, separator != 0x54 {
      return needsTime ? nil : Calendar.timestamp(days: days, microseconds: 0)
    }
    guard separator == 0x54 || separator == 0x20, let time = clock(&cursor, &nanoseconds) else {
      return nil
    }
    return Calendar.timestamp(days: days, microseconds: time)
  }
}
