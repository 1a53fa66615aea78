import Columnar
import Diagnostics

/// The letters of strftime and strptime: C's, with %g for milliseconds, %f for microseconds, %n for
/// nanoseconds, and %-d for numbers without leading zeros.
enum TimeFormat {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  // MARK: Printing

  /// What a format shows of a moment.
  struct Moment {
    /// As the clock shows it.
    var local: Int64
    /// Behind the microseconds, 0 to 999.
    var nanoseconds = 0
    /// Seconds ahead of UTC.
    var offset = 0
    /// Nothing for what has no zone.
    var zone = ""
  }

  static func append(_ moment: Moment, _ format: Bytes, to buffer: inout ResultText) throws {
    if !Calendar.isFinite(moment.local) {
      try buffer.append(moment.local > 0 ? "infinity" : "-infinity")
      return
    }
    let (days, clock) = Calendar.split(moment.local)
    let date = Calendar.civil(days)
    let (hour, minute, second, micros) = Calendar.clockParts(clock)
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
      @inline(__always) func number(_ value: Int, _ width: Int) throws {
        try TimeFormat.append(value, pads ? width : 1, to: &buffer)
      }
      switch Unicode.Scalar(letter) {
      case "a": try append(abbreviated: DateNames.days[Calendar.dayOfWeek(days)], to: &buffer)
      case "A": try buffer.append(DateNames.days[Calendar.dayOfWeek(days)])
      case "b", "h": try append(abbreviated: DateNames.months[date.month - 1], to: &buffer)
      case "B": try buffer.append(DateNames.months[date.month - 1])
      case "c": try append(moment, "%Y-%m-%d %H:%M:%S", to: &buffer)
      case "x": try append(moment, "%Y-%m-%d", to: &buffer)
      case "X": try append(moment, "%H:%M:%S", to: &buffer)
      case "d": try number(date.day, 2)
      case "f": try append(micros, 6, to: &buffer)
      case "g": try append(micros / 1000, 3, to: &buffer)
      case "n": try append(micros * 1000 + moment.nanoseconds, 9, to: &buffer)
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
      case "y": try number(abs(date.year % 100), 2)
      case "Y": try append(date.year, 4, to: &buffer)
      case "z": try append(offset: moment.offset, to: &buffer)
      case "Z": try buffer.append(moment.zone)
      case "%": try buffer.append(UInt8(0x25))
      default: throw unknownLetter(letter)
      }
    }
  }

  private static func append(
    _ moment: Moment, _ format: String, to buffer: inout ResultText
  ) throws {
    var format = format
    try format.withUTF8 { try append(moment, $0, to: &buffer) }
  }

  /// The first three letters of an English name.
  private static func append(abbreviated name: String, to buffer: inout ResultText) throws {
    for byte in name.utf8.prefix(3) { try buffer.append(byte) }
  }

  /// `+02`, `-03:30`, `-04:56:02`
  private static func append(offset: Int, to buffer: inout ResultText) throws {
    try buffer.append(UInt8(offset < 0 ? 0x2D : 0x2B))
    let seconds = abs(offset)
    try append(seconds / 3600, 2, to: &buffer)
    for rest in [seconds % 3600, seconds % 60] where rest != 0 {
      try buffer.append(UInt8(0x3A))
      try append(rest >= 60 ? rest / 60 : rest, 2, to: &buffer)
    }
  }

  /// In decimal digits, at least `width` of them, but never padded when negative. The digits are
  /// written in place: a text of Swift's for each number took half of strftime's time.
  @inline(__always)
  private static func append(_ value: Int, _ width: Int, to buffer: inout ResultText) throws {
    if width == 2, value >= 0, value < 100 {
      try buffer.reserve(2)
      let tens = UInt8(truncatingIfNeeded: value / 10)
      buffer.start[buffer.count] = 0x30 &+ tens
      buffer.start[buffer.count + 1] = 0x30 &+ UInt8(truncatingIfNeeded: value) &- 10 &* tens
      buffer.count += 2
      return
    }
    try appendLong(value, width, to: &buffer)
  }

  private static func appendLong(_ value: Int, _ width: Int, to buffer: inout ResultText) throws {
    // A sign and the digits of 64 bits, or the width that is asked for.
    try buffer.reserve(max(20, width))
    var rest = value.magnitude
    var length = 1
    var bound: UInt = 10
    while length < 19, rest >= bound {
      length += 1
      bound &*= 10
    }
    if length == 19, rest >= bound { length = 20 }
    if value < 0 {
      buffer.start[buffer.count] = 0x2D
      buffer.count += 1
    } else {
      length = max(length, width)
    }
    var place = buffer.count + length
    buffer.count = place
    for _ in 0..<length {
      place -= 1
      buffer.start[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  // MARK: Messages

  static func empty() -> SQLError { SQLError(.invalidInput, "a time format must not be empty") }

  static func danglingPercent() -> SQLError {
    SQLError(.invalidInput, "a time format must not end in %")
  }

  static func unknownLetter(_ letter: UInt8) -> SQLError {
    SQLError(
      .invalidInput, "there is no time format '%\(Character(Unicode.Scalar(letter)))'")
  }
}
