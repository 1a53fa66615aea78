extension TextParsing {
  /// 32 hexadecimal digits in either case, hyphens anywhere among them, in braces or not.
  package static func uuid(_ text: Text) -> UInt128? {
    var first = 0
    var last = text.count
    if last - first >= 2, text[first] == 0x7B, text[last - 1] == 0x7D {
      first += 1
      last -= 1
    }
    var value: UInt128 = 0
    var digits = 0
    for position in first..<last {
      let byte = text[position]
      if byte == 0x2D { continue }
      guard digits < 32, let digit = hexadecimalDigit(byte) else { return nil }
      value = value << 4 | UInt128(digit)
      digits += 1
    }
    return digits == 32 ? value : nil
  }

  /// The value of a hexadecimal digit.
  @inlinable
  package static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
