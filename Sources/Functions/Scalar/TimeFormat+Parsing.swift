import Columnar
import Diagnostics

/// strptime: what a text shows by a format.
extension TimeFormat {
  /// What was read: a reading of a clock, and the clock's zone where the text says it.
  struct Reading {
    var local: Int64
    /// Behind the microseconds, 0 to 999.
    var nanoseconds = 0
    var offset: Int?
    var zone: String?
  }

  /// Which letters a format has; escaped percent signs are none.
  static func letters(_ format: String) -> Set<UInt8> {
    var found: Set<UInt8> = []
    var isLetter = false
    for byte in format.utf8 {
      if isLetter {
        if byte == 0x2D { continue }
        found.insert(byte)
        isLetter = false
      } else {
        isLetter = byte == 0x25
      }
    }
    return found
  }

  /// Nil when the text does not match. Errors are those of the format itself.
  static func parse(_ text: Bytes, _ format: Bytes) throws -> Reading? {
    if let special = special(text) { return Reading(local: special) }
    var parser = TimeParser(text: text)
    var index = 0
    parser.skipSpace()
    while index < format.count {
      let byte = format[index]
      index += 1
      guard byte == 0x25 else {
        if !parser.literal(byte) { return nil }
        continue
      }
      if index < format.count, format[index] == 0x2D { index += 1 }
      guard index < format.count else { throw danglingPercent() }
      let letter = format[index]
      index += 1
      guard try parser.read(letter) else { return nil }
    }
    parser.skipSpace()
    guard parser.position == text.count else { return nil }
    return parser.reading()
  }

  private static func special(_ text: Bytes) -> Int64? {
    guard let first = text.first, [0x69, 0x49, 0x2D, 0x65, 0x45].contains(first) else { return nil }
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "infinity", "inf": return .max
    case "-infinity", "-inf": return 0 &- .max
    case "epoch": return 0
    default: return nil
    }
  }
}

/// The parts of a moment as they are found in a text.
private struct TimeParser {
  let text: TimeFormat.Bytes
  var position = 0
  private var year = 1900
  private var month = 1
  private var day = 1
  private var hour = 0
  private var minute = 0
  private var second = 0
  private var nanoseconds = 0
  private var dayOfYear: Int?
  private var isAfternoon: Bool?
  private var isoYear: Int?
  /// By its letter: weeks from Sunday (U), Monday (W) or of ISO (V).
  private var week: (letter: UInt8, number: Int)?
  /// 0 is Sunday; counts in weeks of the year.
  private var weekday: Int?
  /// 1 is Monday; counts in weeks of ISO.
  private var isoWeekday: Int?
  private var offset: Int?
  private var zone: String?

  init(text: TimeFormat.Bytes) { self.text = text }

  mutating func skipSpace() {
    while position < text.count, text[position] == 32 { position += 1 }
  }

  mutating func literal(_ byte: UInt8) -> Bool {
    guard position < text.count, text[position] == byte else { return false }
    position += 1
    if byte == 32 { skipSpace() }
    return true
  }

  /// False when the text does not show that.
  mutating func read(_ letter: UInt8) throws -> Bool {
    switch Unicode.Scalar(letter) {
    // The date decides, not the day's name.
    case "a": return name(DateNames.days, short: true) != nil
    case "A": return name(DateNames.days, short: false) != nil
    case "b", "h", "B":
      guard let found = name(DateNames.months, short: letter != 0x42) else { return false }
      month = found + 1
      return true
    case "c": return try readAll("%Y-%m-%d %H:%M:%S")
    case "x": return try readAll("%Y-%m-%d")
    case "X": return try readAll("%H:%M:%S")
    case "d": return take(2, 1...31, into: \.day)
    case "m": return take(2, 1...12, into: \.month)
    case "y":
      guard let value = number(2) else { return false }
      year = value < 69 ? 2000 + value : 1900 + value
      return true
    case "Y": return take(4, 0...9999, into: \.year)
    case "G":
      guard let value = number(4) else { return false }
      isoYear = value
      return true
    case "H": return take(2, 0...23, into: \.hour)
    case "I":
      guard take(2, 1...12, into: \.hour) else { return false }
      hour %= 12
      return true
    case "M": return take(2, 0...59, into: \.minute)
    case "S": return take(2, 0...59, into: \.second)
    case "f": return takeFraction(6)
    case "g": return takeFraction(3)
    case "n": return takeFraction(9)
    case "j":
      guard let value = number(3), (1...366).contains(value) else { return false }
      dayOfYear = value
      return true
    case "p":
      guard let found = name(["AM", "PM"], short: false) else { return false }
      isAfternoon = found == 1
      return true
    case "u", "w":
      guard let value = number(1), value <= 7, letter == 0x77 ? value < 7 : value > 0 else {
        return false
      }
      if letter == 0x77 { weekday = value } else { isoWeekday = value }
      return true
    case "U", "W", "V":
      guard let value = number(2), value <= 53, value > 0 || letter != 0x56 else { return false }
      week = (letter, value)
      return true
    case "z": return takeOffset()
    case "Z":
      let start = position
      while position < text.count, isOfZoneName(text[position]) { position += 1 }
      zone = String(decoding: text[start..<position], as: UTF8.self)
      return position > start
    case "%": return literal(0x25)
    default: throw TimeFormat.unknownLetter(letter)
    }
  }

  private mutating func readAll(_ format: StaticString) throws -> Bool {
    let bytes = UnsafeBufferPointer(start: format.utf8Start, count: format.utf8CodeUnitCount)
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0x25 {
        index += 1
        guard try read(bytes[index]) else { return false }
      } else if !literal(bytes[index]) {
        return false
      }
      index += 1
    }
    return true
  }

  private func isOfZoneName(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2F || byte == 0x5F
      || byte == 0x2D || byte == 0x2B
  }

  private mutating func number(_ most: Int) -> Int? {
    var value = 0
    let start = position
    while position < text.count, position - start < most, text[position] &- 0x30 < 10 {
      value = value * 10 + Int(text[position] - 0x30)
      position += 1
    }
    return position > start ? value : nil
  }

  private mutating func take(
    _ most: Int, _ range: ClosedRange<Int>, into part: WritableKeyPath<TimeParser, Int>
  ) -> Bool {
    guard let value = number(most), range.contains(value) else { return false }
    self[keyPath: part] = value
    return true
  }

  private mutating func takeFraction(_ most: Int) -> Bool {
    let start = position
    guard var value = number(most) else { return false }
    for _ in (position - start)..<9 { value *= 10 }
    nanoseconds = value
    return true
  }

  private mutating func name(_ names: [String], short: Bool) -> Int? {
    for (place, full) in names.enumerated() {
      let length = short ? 3 : full.utf8.count
      guard position + length <= text.count else { continue }
      let letters = full.utf8.prefix(length)
      if zip(letters, text[position...]).allSatisfy({ $0 | 32 == $1 | 32 }) {
        position += length
        return place
      }
    }
    return nil
  }

  private mutating func takeOffset() -> Bool {
    guard position < text.count else { return false }
    if text[position] | 32 == 0x7A {
      position += 1
      offset = 0
      return true
    }
    guard text[position] == 0x2B || text[position] == 0x2D else { return false }
    let isNegative = text[position] == 0x2D
    position += 1
    guard let hours = number(2) else { return false }
    var seconds = hours * 3600
    for unit in [60, 1] {
      let before = position
      if position < text.count, text[position] == 0x3A { position += 1 }
      guard let part = number(2) else {
        position = before
        break
      }
      if part >= 60 { return false }
      seconds += part * unit
    }
    offset = isNegative ? -seconds : seconds
    return true
  }

  // MARK: Together

  func reading() -> TimeFormat.Reading? {
    guard let days = days() else { return nil }
    var hour = hour
    if let isAfternoon { hour = hour % 12 + (isAfternoon ? 12 : 0) }
    guard
      let clock = Calendar.clock(
        hour: hour, minute: minute, second: second, microsecond: nanoseconds / 1000),
      let local = Calendar.timestamp(days: days, microseconds: clock)
    else { return nil }
    return TimeFormat.Reading(
      local: local, nanoseconds: nanoseconds % 1000, offset: offset, zone: zone)
  }

  /// By month and day, by the day of the year, or by the week.
  private func days() -> Int32? {
    if let dayOfYear {
      return Calendar.days(year: year, month: 1, day: 1).map { $0 + Int32(dayOfYear - 1) }
    }
    if let isoYear, week == nil || week?.letter == 0x56 {
      // 4 January is always in the first week.
      return Calendar.days(year: isoYear, month: 1, day: 4).flatMap { fourth in
        let monday = Int(fourth) - Calendar.isoDayOfWeek(fourth) + 1
        return Int32(
          exactly: monday + ((week?.number ?? 1) - 1) * 7 + (isoWeekday ?? 1) - 1)
      }
    }
    if let week, week.letter != 0x56 {
      return Calendar.days(year: year, month: 1, day: 1).flatMap { first in
        let startsMonday = week.letter == 0x57
        let place = startsMonday ? Calendar.isoDayOfWeek(first) - 1 : Calendar.dayOfWeek(first)
        let start = Int(first) + (7 - place) % 7 + (week.number - 1) * 7
        let weekday =
          startsMonday ? weekday.map { $0 == 0 ? 6 : $0 - 1 } ?? 0 : weekday ?? 0
        return Int32(exactly: start + weekday)
      }
    }
    return Calendar.days(year: year, month: month, day: day)
  }
}
