import Columnar
import Diagnostics
import Glibc

/// The format languages of printf and format: values are printed one by one, not by kernels.
enum TextFormat {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// What stands between % or {: and the letter.
  private struct Specification {
    var left = false
    var center = false
    var zeros = false
    var sign: Character?
    var commas = false
    var width = 0
    var precision: Int?
    var letter: UInt8 = 0
    /// As in C: negative integers are their bits where the letter is not a signed one.
    var isOfBits = false
  }

  // MARK: printf

  static func appendPercents(
    _ format: Bytes, _ arguments: [Column], _ row: Int, to buffer: inout ResultText
  ) throws {
    var index = 0
    var taken = 0
    while index < format.count {
      let byte = format[index]
      index += 1
      guard byte == 0x25 else {
        try buffer.append(byte)
        continue
      }
      if index < format.count, format[index] == 0x25 {
        try buffer.append(UInt8(0x25))
        index += 1
        continue
      }
      var specification = Specification()
      flags: while index < format.count {
        switch format[index] {
        case 0x2D: specification.left = true
        case 0x30: specification.zeros = true
        case 0x2B: specification.sign = "+"
        case 0x20: specification.sign = specification.sign ?? " "
        case 0x27, 0x2C: specification.commas = true
        case 0x23: break
        default: break flags
        }
        index += 1
      }
      try readWidth(format, &index, &specification)
      while index < format.count, [0x6C, 0x68, 0x7A, 0x6A].contains(format[index]) { index += 1 }
      guard index < format.count else { throw malformed(format) }
      specification.letter = format[index]
      specification.isOfBits = ![0x64, 0x69].contains(format[index])
      index += 1
      guard taken < arguments.count else { throw tooFew(format, arguments.count) }
      try append(arguments[taken], row, specification, format, to: &buffer)
      taken += 1
    }
  }

  private static func readWidth(
    _ format: Bytes, _ index: inout Int, _ specification: inout Specification
  ) throws {
    func number() throws -> Int {
      var value = 0
      while index < format.count, format[index] &- 0x30 < 10 {
        value = value * 10 + Int(format[index] - 0x30)
        if value > 100_000 { throw malformed(format) }
        index += 1
      }
      return value
    }
    specification.width = try number()
    if index < format.count, format[index] == 0x2E {
      index += 1
      specification.precision = try number()
    }
  }

  // MARK: format

  static func appendBraces(
    _ format: Bytes, _ arguments: [Column], _ row: Int, to buffer: inout ResultText
  ) throws {
    var index = 0
    var taken = 0
    while index < format.count {
      let byte = format[index]
      index += 1
      if byte == 0x7D {
        guard index < format.count, format[index] == 0x7D else { throw malformed(format) }
        index += 1
      }
      guard byte == 0x7B else {
        try buffer.append(byte)
        continue
      }
      if index < format.count, format[index] == 0x7B {
        try buffer.append(UInt8(0x7B))
        index += 1
        continue
      }
      var which = taken
      if index < format.count, format[index] &- 0x30 < 10 {
        which = 0
        while index < format.count, format[index] &- 0x30 < 10 {
          which = which * 10 + Int(format[index] - 0x30)
          if which > 10_000 { throw malformed(format) }
          index += 1
        }
      } else {
        taken += 1
      }
      var specification = Specification()
      if index < format.count, format[index] == 0x3A {
        index += 1
        flags: while index < format.count {
          switch format[index] {
          case 0x3C: specification.left = true
          case 0x5E: specification.center = true
          case 0x3E: specification.left = false
          case 0x30: specification.zeros = true
          case 0x2B: specification.sign = "+"
          case 0x20: specification.sign = " "
          case 0x2C: specification.commas = true
          default: break flags
          }
          index += 1
        }
        try readWidth(format, &index, &specification)
        if index < format.count, format[index] == 0x2C {
          specification.commas = true
          index += 1
        }
        if index < format.count, format[index] != 0x7D {
          specification.letter = format[index]
          index += 1
        }
      }
      guard index < format.count, format[index] == 0x7D else { throw malformed(format) }
      index += 1
      guard which < arguments.count else { throw tooFew(format, arguments.count) }
      try append(arguments[which], row, specification, format, to: &buffer)
    }
  }

  // MARK: One value

  private static func append(
    _ column: Column, _ row: Int, _ specification: Specification, _ format: Bytes,
    to buffer: inout ResultText
  ) throws {
    var letter = specification.letter
    let type = column.type
    if letter == 0 {
      letter =
        type.isInteger ? 0x64 : specification.precision != nil && type.isNumeric ? 0x66 : 0x73
      if type.isNumeric && !type.isInteger && letter == 0x73 && specification.commas {
        letter = 0x66
      }
    }
    var body: String
    var negative = false
    switch Unicode.Scalar(letter) {
    case "d", "i", "u", "x", "X", "o", "b", "c":
      let value = try integer(column, row, format)
      if letter == 0x63 {
        body =
          UInt32(exactly: value.magnitude).flatMap { Unicode.Scalar($0) }
          .map { String($0) } ?? ""
        break
      }
      negative = value.isNegative && !specification.isOfBits
      var magnitude = value.magnitude
      if value.isNegative && !negative {
        magnitude = 0 &- magnitude
        if type != .hugeint { magnitude &= UInt128(UInt64.max) }
      }
      let radix = letter | 32 == 0x78 ? 16 : letter == 0x6F ? 8 : letter == 0x62 ? 2 : 10
      body = String(magnitude, radix: radix, uppercase: letter == 0x58)
    case "f", "F", "e", "E", "g", "G":
      guard case .double(let value) = try scalar(column, row, .double) else {
        throw malformed(format)
      }
      negative = value.sign == .minus
      body = printed(value.magnitude, letter, min(specification.precision ?? 6, 400))
    case "s":
      guard case .varchar(let text) = try scalar(column, row, .varchar) else {
        throw malformed(format)
      }
      body = specification.precision.map { String(text.prefix($0)) } ?? text
    default: throw malformed(format)
    }
    if specification.commas { body = grouped(body) }
    let sign = negative ? "-" : letter == 0x73 ? "" : specification.sign.map { String($0) } ?? ""
    let missing = max(0, specification.width - body.unicodeScalars.count - sign.count)
    let isNumber = letter != 0x73 && letter != 0x63
    if specification.zeros && isNumber && !specification.left {
      body = sign + String(repeating: "0", count: missing) + body
    } else if specification.center {
      body =
        String(repeating: " ", count: missing / 2) + sign + body
        + String(repeating: " ", count: missing - missing / 2)
    } else if specification.left
      || (!isNumber && format.contains(0x7B) && specification.width > 0 && !format.contains(0x3E))
    {
      body = sign + body + String(repeating: " ", count: missing)
    } else {
      body = String(repeating: " ", count: missing) + sign + body
    }
    try buffer.append(body)
  }

  private static func integer(
    _ column: Column, _ row: Int, _ format: Bytes
  ) throws -> (magnitude: UInt128, isNegative: Bool) {
    if column.type == .uhugeint {
      return (column.values(as: UInt128.self)[column.valueIndex(row)], false)
    }
    guard column.type.isInteger || column.type == .boolean,
      case .integer(let value) = try scalar(column, row, .hugeint)
    else { throw malformed(format) }
    return (value.magnitude, value < 0)
  }

  private static func scalar(_ column: Column, _ row: Int, _ type: LogicalType) throws -> Value {
    try Cast.column(column.flatValue(row), to: type).value(0)
  }

  private static func printed(_ value: Double, _ letter: UInt8, _ precision: Int) -> String {
    var room = [CChar](repeating: 0, count: 1024)
    let format = "%.\(precision)" + String(Unicode.Scalar(letter))
    let length = withVaList([value]) { vsnprintf(&room, room.count, format, $0) }
    return String(
      decoding: room.prefix(max(0, min(Int(length), 1023))).map { UInt8(bitPattern: $0) },
      as: UTF8.self)
  }

  private static func grouped(_ digits: String) -> String {
    let whole = digits.prefix { $0.isNumber }
    var result = ""
    for (place, digit) in whole.enumerated() {
      if place > 0, (whole.count - place) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result + digits.dropFirst(whole.count)
  }

  // MARK: Messages

  private static func malformed(_ format: Bytes) -> SQLError {
    SQLError(
      .invalidInput,
      "the format '\(String(decoding: format, as: UTF8.self))' does not fit its arguments")
  }

  private static func tooFew(_ format: Bytes, _ count: Int) -> SQLError {
    SQLError(
      .invalidInput,
      "the format '\(String(decoding: format, as: UTF8.self))' asks for more than \(count) arguments"
    )
  }
}
