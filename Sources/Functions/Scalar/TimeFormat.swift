import Columnar
import Diagnostics

/// The letters of strftime and strptime: C's, with %g for milliseconds, %f for microseconds, %n for
/// nanoseconds, and %-d for numbers without leading zeros.
enum TimeFormat {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  // MARK: Printing

  static func append(_ timestamp: Int64, _ format: Bytes, to buffer: inout ResultText) throws {
    let (days, clock) = Calendar.split(timestamp)
    let date = Calendar.civil(days)
    let hour = Int(clock / Calendar.microsecondsPerHour)
    let minute = Int(clock / Calendar.microsecondsPerMinute % 60)
    let second = Int(clock / Calendar.microsecondsPerSecond % 60)
    let micros = Int(clock % Calendar.microsecondsPerSecond)
    var index = 0
    while index < format.count {
      let byte = format[index]
      index += 1
      guard byte == 0x25 else {
        try buffer.append(byte)
        continue
      }
      var pads = true
      if index < format.count, format[index] == 0x2D {
        pads = false
        index += 1
      }
      guard index < format.count else { throw danglingPercent() }
      let letter = format[index]
      index += 1
      func number(_ value: Int, _ width: Int) throws {
        try TimeFormat.append(value, pads ? width : 1, to: &buffer)
      }
      switch Unicode.Scalar(letter) {
      case "a": try buffer.append(String(DateNames.days[Calendar.dayOfWeek(days)].prefix(3)))
      case "A": try buffer.append(DateNames.days[Calendar.dayOfWeek(days)])
      case "b", "h": try buffer.append(String(DateNames.months[date.month - 1].prefix(3)))
      case "B": try buffer.append(DateNames.months[date.month - 1])
      case "c": try append(timestamp, "%Y-%m-%d %H:%M:%S", to: &buffer)
      case "x": try append(timestamp, "%Y-%m-%d", to: &buffer)
      case "X": try append(timestamp, "%H:%M:%S", to: &buffer)
      case "d": try number(date.day, 2)
      case "f": try append(micros, 6, to: &buffer)
      case "g": try append(micros / 1000, 3, to: &buffer)
      case "n": try append(micros * 1000, 9, to: &buffer)
      case "G": try append(Calendar.isoWeek(days).year, 4, to: &buffer)
      case "H": try number(hour, 2)
      case "I": try number(hour % 12 == 0 ? 12 : hour % 12, 2)
      case "j": try number(Calendar.dayOfYear(days), 3)
      case "m": try number(date.month, 2)
      case "M": try number(minute, 2)
      case "p": try buffer.append(hour < 12 ? "AM" : "PM")
      case "S": try number(second, 2)
      case "u": try number(Calendar.isoDayOfWeek(days), 1)
      case "U": try number((Calendar.dayOfYear(days) + 6 - Calendar.dayOfWeek(days)) / 7, 2)
      case "V": try number(Calendar.isoWeek(days).week, 2)
      case "w": try number(Calendar.dayOfWeek(days), 1)
      case "W": try number((Calendar.dayOfYear(days) + 7 - Calendar.isoDayOfWeek(days)) / 7, 2)
      case "y": try number((date.year % 100 + 100) % 100, 2)
      case "Y": try append(date.year, 4, to: &buffer)
      case "z": try buffer.append("+00")
      case "Z": break
      case "%": try buffer.append(UInt8(0x25))
      default: throw unknownLetter(letter)
      }
    }
  }

  private static func append(
    _ timestamp: Int64, _ format: String, to buffer: inout ResultText
  ) throws {
    var format = format
    try format.withUTF8 { try append(timestamp, $0, to: &buffer) }
  }

  private static func append(_ value: Int, _ width: Int, to buffer: inout ResultText) throws {
    let digits = String(value.magnitude)
    if value < 0 { try buffer.append(UInt8(0x2D)) }
    for _ in 0..<max(0, width - digits.utf8.count) { try buffer.append(UInt8(0x30)) }
    try buffer.append(digits)
  }

  // MARK: Parsing

  /// The timestamp that `text` shows by the format; nil when it does not match. Errors are those
  /// of the format itself.
  static func parse(_ text: Bytes, _ format: Bytes) throws -> Int64? {
    var year = 1970
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0
    var micros = 0
    var dayOfYear: Int?
    var afternoon: Bool?
    var (isoYear, isoWeek, isoDay): (Int?, Int?, Int) = (nil, nil, 1)
    var offsetMinutes = 0
    var position = 0
    var index = 0

    func skipSpace() {
      while position < text.count, text[position] == 32 { position += 1 }
    }
    func number(_ most: Int) -> Int? {
      var value = 0
      let start = position
      while position < text.count, position - start < most, text[position] &- 0x30 < 10 {
        value = value * 10 + Int(text[position] - 0x30)
        position += 1
      }
      return position > start ? value : nil
    }
    func fraction(_ most: Int) -> Int? {
      let start = position
      guard let value = number(most) else { return nil }
      var scaled = value
      for _ in (position - start)..<most { scaled *= 10 }
      return scaled
    }
    func name(_ names: [String], short: Bool) -> Int? {
      for (place, full) in names.enumerated() {
        let word = short ? String(full.prefix(3)) : full
        let letters = Array(word.utf8)
        guard position + letters.count <= text.count else { continue }
        if (0..<letters.count).allSatisfy({ text[position + $0] | 32 == letters[$0] | 32 }) {
          position += letters.count
          return place
        }
      }
      return nil
    }

    skipSpace()
    while index < format.count {
      let byte = format[index]
      let directive = index
      index += 1
      guard byte == 0x25 else {
        if byte == 32 {
          guard position < text.count, text[position] == 32 else { return nil }
          skipSpace()
          continue
        }
        guard position < text.count, text[position] == byte else { return nil }
        position += 1
        continue
      }
      if index < format.count, format[index] == 0x2D { index += 1 }
      guard index < format.count else { throw danglingPercent() }
      let letter = format[index]
      index += 1
      switch Unicode.Scalar(letter) {
      case "a": guard name(DateNames.days, short: true) != nil else { return nil }
      case "A": guard name(DateNames.days, short: false) != nil else { return nil }
      case "b", "h":
        guard let found = name(DateNames.months, short: true) else { return nil }
        month = found + 1
      case "B":
        guard let found = name(DateNames.months, short: false) else { return nil }
        month = found + 1
      case "d":
        guard let value = number(2) else { return nil }
        day = value
      case "m":
        guard let value = number(2) else { return nil }
        month = value
      case "y":
        guard let value = number(2) else { return nil }
        year = value < 69 ? 2000 + value : 1900 + value
      case "Y":
        let negative = position < text.count && text[position] == 0x2D
        if negative { position += 1 }
        guard let value = number(negative ? 6 : 4) else { return nil }
        year = negative ? -value : value
      case "H", "I":
        guard let value = number(2) else { return nil }
        hour = value
        if letter == 0x49 {
          guard (1...12).contains(value) else { return nil }
          hour = value % 12
        }
      case "M":
        guard let value = number(2) else { return nil }
        minute = value
      case "S":
        guard let value = number(2) else { return nil }
        second = value
      case "f":
        guard let value = fraction(6) else { return nil }
        micros = value
      case "g":
        guard let value = fraction(3) else { return nil }
        micros = value * 1000
      case "n":
        guard let value = fraction(9) else { return nil }
        micros = value / 1000
      case "j":
        guard let value = number(3) else { return nil }
        dayOfYear = value
      case "p":
        guard let found = name(["AM", "PM"], short: false) else { return nil }
        afternoon = found == 1
      case "u":
        guard let value = number(1), (1...7).contains(value) else { return nil }
        isoDay = value
      case "w": guard number(1) != nil else { return nil }
      case "G":
        guard let value = number(4) else { return nil }
        isoYear = value
      case "V":
        guard let value = number(2), (1...53).contains(value) else { return nil }
        isoWeek = value
      case "U", "W": guard number(2) != nil else { return nil }
      case "c", "x", "X":
        // Short for others: put in their place.
        let longer = letter == 0x63 ? "%Y-%m-%d %H:%M:%S" : letter == 0x78 ? "%Y-%m-%d" : "%H:%M:%S"
        let rest = Array(longer.utf8) + format[index...]
        return try (Array(format[..<directive]) + rest).withUnsafeBufferPointer {
          try parse(text, $0)
        }
      case "z":
        if position < text.count, text[position] | 32 == 0x7A {
          position += 1
          continue
        }
        guard position < text.count, text[position] == 0x2B || text[position] == 0x2D else {
          return nil
        }
        let sign = text[position] == 0x2D ? -1 : 1
        position += 1
        guard let hours = number(2) else { return nil }
        if position < text.count, text[position] == 0x3A { position += 1 }
        let minutes = number(2) ?? 0
        offsetMinutes = sign * (hours * 60 + minutes)
      case "Z":
        while position < text.count, (text[position] | 32) &- 0x61 < 26 { position += 1 }
      case "%":
        guard position < text.count, text[position] == 0x25 else { return nil }
        position += 1
      default: throw unknownLetter(letter)
      }
    }
    skipSpace()
    guard position == text.count else { return nil }
    if let afternoon, afternoon { hour += 12 }
    var days = Calendar.days(year: year, month: month, day: day)
    if let dayOfYear {
      guard dayOfYear >= 1, dayOfYear <= (Calendar.isLeapYear(year) ? 366 : 365) else { return nil }
      days = Calendar.days(year: year, month: 1, day: 1).map { $0 + Int32(dayOfYear - 1) }
    }
    if let isoYear, let isoWeek {
      // January 4 lies in week 1.
      guard let fourth = Calendar.days(year: isoYear, month: 1, day: 4) else { return nil }
      let monday = Int(fourth) - Calendar.isoDayOfWeek(fourth) + 1
      days = Int32(exactly: monday + (isoWeek - 1) * 7 + isoDay - 1)
    }
    guard let days,
      let clock = Calendar.clock(hour: hour, minute: minute, second: second, microsecond: micros),
      let local = Calendar.timestamp(days: days, microseconds: clock)
    else { return nil }
    let (moment, overflows) = local.subtractingReportingOverflow(
      Int64(offsetMinutes) * Calendar.microsecondsPerMinute)
    return overflows ? nil : moment
  }

  // MARK: Messages

  private static func danglingPercent() -> SQLError {
    SQLError(.invalidInput, "a time format must not end in %")
  }

  private static func unknownLetter(_ letter: UInt8) -> SQLError {
    SQLError(
      .invalidInput, "there is no time format '%\(Character(Unicode.Scalar(letter)))'")
  }
}
