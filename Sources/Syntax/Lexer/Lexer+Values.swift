import Diagnostics

extension Lexer {
  /// The value of a string token of any kind but a blob: quotes off, escapes resolved.
  func stringValue(_ token: Token) throws -> String {
    switch token.kind {
    case .escapeString:
      return try escapedValue(token)
    case .dollarString:
      var tag = token.start + 1
      while byte(tag) != UInt8(ascii: "$"), tag < token.end { tag += 1 }
      let length = tag - token.start + 1
      return text(token.start + length, token.end - length)
    default:
      let quote: UInt8 = token.kind == .quotedIdentifier ? .doubleQuote : .quote
      let low = token.start + 1
      let high = token.end - 1
      guard low <= high else { return "" }
      let body = bytes[low..<high]
      guard body.contains(quote) else { return String(decoding: body, as: UTF8.self) }
      var value: [UInt8] = []
      value.reserveCapacity(body.count)
      var index = low
      while index < high {
        value.append(bytes[index])
        index += bytes[index] == quote ? 2 : 1
      }
      return String(decoding: value, as: UTF8.self)
    }
  }

  /// `E'a\n\x41\u00e9'`: C's escapes; an unknown one stands for the character itself.
  private func escapedValue(_ token: Token) throws -> String {
    var value: [UInt8] = []
    var index = token.start + 2
    let end = token.end - 1
    while index < end {
      let current = bytes[index]
      if current == .quote {
        value.append(current)
        index += 2
        continue
      }
      guard current == 0x5C, index + 1 < end else {
        value.append(current)
        index += 1
        continue
      }
      let letter = bytes[index + 1]
      index += 2
      switch letter {
      case UInt8(ascii: "n"): value.append(10)
      case UInt8(ascii: "t"): value.append(9)
      case UInt8(ascii: "r"): value.append(13)
      case UInt8(ascii: "b"): value.append(8)
      case UInt8(ascii: "f"): value.append(12)
      case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
        let most = letter == UInt8(ascii: "x") ? 2 : letter == UInt8(ascii: "u") ? 4 : 8
        let (code, count) = hexNumber(at: index, atMost: min(most, end - index))
        guard count > 0, let scalar = UnicodeScalar(code), code != 0 else {
          throw Self.badEscape(at: SourceSpan(index - 2, index + count))
        }
        value.append(contentsOf: Array(String(Character(scalar)).utf8))
        index += count
      case 48...55:
        var code: UInt32 = 0
        var count = 0
        while count < 3, index - 1 + count < end, (48...55).contains(bytes[index - 1 + count]) {
          code = code * 8 + UInt32(bytes[index - 1 + count] - 48)
          count += 1
        }
        guard let scalar = UnicodeScalar(code), code != 0 else {
          throw Self.badEscape(at: SourceSpan(index - 2, index - 1 + count))
        }
        value.append(contentsOf: Array(String(Character(scalar)).utf8))
        index += count - 1
      default: value.append(letter)
      }
    }
    return String(decoding: value, as: UTF8.self)
  }

  private func hexNumber(at start: Int, atMost limit: Int) -> (code: UInt32, count: Int) {
    var code: UInt32 = 0
    var count = 0
    while count < limit, count < 8, let digit = byte(start + count).hexValue {
      code = code << 4 | UInt32(digit)
      count += 1
    }
    return (code, count)
  }

  /// The bytes of `X'00FF'`.
  func blobValue(_ token: Token) throws -> [UInt8] {
    let digits = bytes[min(token.start + 2, token.end - 1)..<token.end - 1]
    guard digits.count % 2 == 0 else { throw Self.badBlob(at: token.span) }
    var value: [UInt8] = []
    value.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      guard let nibble = digit.hexValue else { throw Self.badBlob(at: token.span) }
      if let first = high {
        value.append(first << 4 | nibble)
        high = nil
      } else {
        high = nibble
      }
    }
    return value
  }

  /// The digits of a number without underscores; hexadecimal and binary become decimal.
  func numberText(_ token: Token) throws -> String {
    switch token.kind {
    case .hexInteger, .binaryInteger:
      let body = text(token.start + 2, token.end)
      guard let value = UInt128(body, radix: token.kind == .hexInteger ? 16 : 2) else {
        throw Self.numberTooLarge(at: token.span)
      }
      return String(value)
    default:
      let body = bytes[token.start..<token.end]
      guard body.contains(95) else { return String(decoding: body, as: UTF8.self) }
      return String(decoding: body.filter { $0 != 95 }, as: UTF8.self)
    }
  }

  static func badEscape(at span: SourceSpan) -> SQLError {
    SQLError(.syntax, "invalid escape in a string", at: span)
  }

  static func badBlob(at span: SourceSpan) -> SQLError {
    SQLError(.syntax, "a blob literal takes pairs of hexadecimal digits", at: span)
  }

  static func numberTooLarge(at span: SourceSpan) -> SQLError {
    SQLError(.syntax, "number too large", at: span)
  }
}
