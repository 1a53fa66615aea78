import Columnar
import JSONReading

/// JSON as it is written: no space, the shortest numbers, only the escapes that must be. (yyjson's
/// forms, which are DuckDB's.)
package enum JSONText {
  /// A value of a tape with all that is in it.
  package static func append(
    _ tape: borrowing JSONTape, _ index: Int, to buffer: inout TextBuffer
  ) {
    let node = tape[index]
    if node.isPlain {
      buffer.append(node.bytes)
      return
    }
    switch node.kind {
    case .string: append(content: tape, index, to: &buffer)
    case .array:
      buffer.append(0x5B)
      var item = index + 1
      for position in 0..<Int(node.count) {
        if position > 0 { buffer.append(0x2C) }
        append(tape, item, to: &buffer)
        item = Int(tape[item].next)
      }
      buffer.append(0x5D)
    case .object:
      buffer.append(0x7B)
      var key = index + 1
      for position in 0..<Int(node.count) {
        if position > 0 { buffer.append(0x2C) }
        append(tape, key, to: &buffer)
        buffer.append(0x3A)
        append(tape, key + 1, to: &buffer)
        key = Int(tape[key + 1].next)
      }
      buffer.append(0x7D)
    case .double: append(double: TextParsing.double(node.bytes) ?? 0, to: &buffer)
    case .signed: buffer.append(0x30)  // Only -0 is not plain.
    case .null, .false, .true, .unsigned, .wide: buffer.append(node.bytes)
    }
  }

  /// As `append`, with four spaces a level.
  package static func appendPretty(
    _ tape: borrowing JSONTape, _ index: Int, indent: Int = 0, to buffer: inout TextBuffer
  ) {
    let node = tape[index]
    guard node.kind.isContainer, node.count > 0 else {
      if node.kind.isContainer {
        buffer.append(node.kind == .array ? "[]" : "{}")
      } else {
        append(tape, index, to: &buffer)
      }
      return
    }
    buffer.append(node.kind == .array ? 0x5B : 0x7B)
    var item = index + 1
    for position in 0..<Int(node.count) {
      buffer.append(position > 0 ? ",\n" : "\n")
      appendSpaces(indent + 4, to: &buffer)
      if node.kind == .object {
        append(tape, item, to: &buffer)
        buffer.append(": ")
        item += 1
      }
      appendPretty(tape, item, indent: indent + 4, to: &buffer)
      item = Int(tape[item].next)
    }
    buffer.append(0x0A)
    appendSpaces(indent, to: &buffer)
    buffer.append(node.kind == .array ? 0x5D : 0x7D)
  }

  private static func appendSpaces(_ count: Int, to buffer: inout TextBuffer) {
    buffer.reserve(count).update(repeating: 0x20, count: count)
    buffer.count += count
  }

  /// A string of the tape as its text, without quotes and escapes.
  package static func append(
    text tape: borrowing JSONTape, _ index: Int, to buffer: inout TextBuffer
  ) {
    let node = tape[index]
    if node.isPlain {
      buffer.append(node.content)
    } else {
      let length = JSONTape.decode(node, into: buffer.reserve(Int(node.length)))
      buffer.count += length
    }
  }

  /// A string of the tape in quotes with escapes of our own.
  private static func append(
    content tape: borrowing JSONTape, _ index: Int, to buffer: inout TextBuffer
  ) {
    var decoded = TextBuffer(capacity: Int(tape[index].length))
    append(text: tape, index, to: &decoded)
    append(quoted: decoded.bytes, to: &buffer)
  }

  /// Text as a JSON string.
  package static func append(
    quoted text: UnsafeBufferPointer<UInt8>, to buffer: inout TextBuffer
  ) {
    buffer.append(0x22)
    var start = 0
    for position in 0..<text.count {
      let byte = text[position]
      if byte >= 0x20, byte != 0x22, byte != 0x5C { continue }
      buffer.append(UnsafeBufferPointer(rebasing: text[start..<position]))
      start = position + 1
      buffer.append(0x5C)
      switch byte {
      case 8: buffer.append(UInt8(ascii: "b"))
      case 9: buffer.append(UInt8(ascii: "t"))
      case 10: buffer.append(UInt8(ascii: "n"))
      case 12: buffer.append(UInt8(ascii: "f"))
      case 13: buffer.append(UInt8(ascii: "r"))
      case 0x22, 0x5C: buffer.append(byte)
      default:
        let digits: StaticString = "0123456789ABCDEF"
        buffer.append("u00")
        buffer.append(digits.utf8Start[Int(byte >> 4)])
        buffer.append(digits.utf8Start[Int(byte & 15)])
      }
    }
    buffer.append(UnsafeBufferPointer(rebasing: text[start..<text.count]))
    buffer.append(0x22)
  }

  /// The shortest digits that read back the same: `0.000001`, `1e-7`, `100000.0`, `1e21`.
  package static func append(double value: Double, to buffer: inout TextBuffer) {
    guard value.isFinite else {
      if value.isNaN {
        buffer.append("NaN")
      } else {
        buffer.append(value < 0 ? "-Infinity" : "Infinity")
      }
      return
    }
    // Here SQL's form is the same.
    if value.magnitude >= 1e-4, value.magnitude < 1e15 {
      ValueText.append(double: value, to: &buffer)
      return
    }
    if value.sign == .minus { buffer.append(0x2D) }
    if value == 0 {
      buffer.append("0.0")
      return
    }
    // Swift prints the same digits in other forms.
    var (number, exponent) = ValueText.shortestDigits(value.magnitude.description)
    while number % 10 == 0 {
      number /= 10
      exponent += 1
    }
    let digits = Array(number.description.utf8)
    append(digits: digits, point: digits.count + exponent, to: &buffer)
  }

  /// 0.`digits` · 10^`point`.
  private static func append(digits: [UInt8], point: Int, to buffer: inout TextBuffer) {
    if point > -6, point <= 0 {
      buffer.append("0.")
      for _ in 0..<(-point) { buffer.append(0x30) }
      for digit in digits { buffer.append(digit) }
    } else if point > 0, point <= 21 {
      for position in 0..<max(point, digits.count) {
        if position == point { buffer.append(0x2E) }
        buffer.append(position < digits.count ? digits[position] : 0x30)
      }
      if digits.count <= point { buffer.append(".0") }
    } else {
      buffer.append(digits[0])
      if digits.count > 1 { buffer.append(0x2E) }
      for digit in digits.dropFirst() { buffer.append(digit) }
      buffer.append(0x65)
      buffer.append(integer: point - 1)
    }
  }
}
