/// JSON as bytes: what the renderers and the protocol write.
enum JSONText {
  /// Appends a quoted JSON string. Control characters are escaped; bytes that are no UTF-8 become
  /// U+FFFD, so that the text is always valid.
  static func append(string text: [UInt8], to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    if text.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }) {
      line.append(contentsOf: text)
    } else if text.contains(where: { $0 >= 0x80 }) {
      for byte in String(decoding: text, as: UTF8.self).utf8 { append(byte, to: &line) }
    } else {
      for byte in text { append(byte, to: &line) }
    }
    line.append(UInt8(ascii: "\""))
  }

  private static func append(_ byte: UInt8, to line: inout [UInt8]) {
    switch byte {
    case 0x22, 0x5c: line.append(contentsOf: [0x5c, byte])
    case 0x0a: line.append(contentsOf: [0x5c, UInt8(ascii: "n")])
    case 0x0d: line.append(contentsOf: [0x5c, UInt8(ascii: "r")])
    case 0x09: line.append(contentsOf: [0x5c, UInt8(ascii: "t")])
    case 0..<0x20, 0x7f:
      line.append(contentsOf: [0x5c, UInt8(ascii: "u"), 0x30, 0x30])
      line.append(hexDigits[Int(byte >> 4)])
      line.append(hexDigits[Int(byte & 15)])
    default: line.append(byte)
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// Whether the text of a numeric value is finite: not `nan`, not `inf`.
  static func isNumber(_ text: [UInt8]) -> Bool {
    text.last.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ?? false
  }

  /// Appends a finite number as SQL prints it; `.5`, which JSON does not know, as `0.5`.
  static func append(number text: [UInt8], to line: inout [UInt8]) {
    var digits = text[...]
    if digits.first == UInt8(ascii: "-") { line.append(digits.removeFirst()) }
    if digits.first == UInt8(ascii: ".") { line.append(UInt8(ascii: "0")) }
    line.append(contentsOf: digits)
  }
}
