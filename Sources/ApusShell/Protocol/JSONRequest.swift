/// Reads one request of the protocol: a JSON object (RFC 8259, nothing laxer) whose key `sql` is a
/// string. Other keys are checked and forgotten; of a key given twice the last counts.
struct JSONRequest {
  /// Why a line is no request: one sentence for the answer.
  struct Mistake: Error {
    let message: String
  }

  let sql: String

  init(_ line: ArraySlice<UInt8>) throws(Mistake) {
    var parser = JSONParser(bytes: line)
    guard let sql = try parser.requestText() else {
      throw Mistake(message: "the request has no string under the key \"sql\"")
    }
    self.sql = sql
  }
}

/// A parser that keeps only the texts it is asked for, in one pass over the bytes.
private struct JSONParser {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  /// Nested values are skipped by recursion; the depth is bounded, so the stack is too.
  private static let deepest = 256

  init(bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  mutating func requestText() throws(JSONRequest.Mistake) -> String? {
    var found: String?
    skipSpace()
    guard take("{") else { throw wrong("a request is a JSON object") }
    skipSpace()
    if !take("}") {
      repeat {
        skipSpace()
        let key = try string()
        skipSpace()
        guard take(":") else { throw wrong("expected \":\"") }
        skipSpace()
        if key == "sql" {
          found = peek() == UInt8(ascii: "\"") ? try string() : nil
          if found == nil { try skipValue(depth: 1) }
        } else {
          try skipValue(depth: 1)
        }
        skipSpace()
      } while take(",")
      guard take("}") else { throw wrong("expected \",\" or \"}\"") }
    }
    skipSpace()
    guard position == bytes.endIndex else { throw wrong("text after the JSON object") }
    return found
  }

  // MARK: - Values

  private mutating func skipValue(depth: Int) throws(JSONRequest.Mistake) {
    guard depth <= Self.deepest else { throw wrong("JSON nested too deep") }
    switch peek() {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "{"): try skipContainer(closing: "}", hasKeys: true, depth: depth)
    case UInt8(ascii: "["): try skipContainer(closing: "]", hasKeys: false, depth: depth)
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: try number()
    }
  }

  private mutating func skipContainer(
    closing: Unicode.Scalar, hasKeys: Bool, depth: Int
  ) throws(JSONRequest.Mistake) {
    position += 1
    skipSpace()
    if take(closing) { return }
    repeat {
      skipSpace()
      if hasKeys {
        _ = try string()
        skipSpace()
        guard take(":") else { throw wrong("expected \":\"") }
        skipSpace()
      }
      try skipValue(depth: depth + 1)
      skipSpace()
    } while take(",")
    guard take(closing) else { throw wrong("expected \",\" or \"\(closing)\"") }
  }

  private mutating func word(_ word: StaticString) throws(JSONRequest.Mistake) {
    let count = word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
    guard matches else { throw wrong("not a JSON value") }
    position += count
  }

  /// `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`
  private mutating func number() throws(JSONRequest.Mistake) {
    _ = take("-")
    if !take("0"), digits() == 0 { throw wrong("not a JSON value") }
    if take("."), digits() == 0 { throw wrong("expected a digit") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      if digits() == 0 { throw wrong("expected a digit") }
    }
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = peek(), byte >= 0x30, byte <= 0x39 { position += 1 }
    return position - start
  }

  // MARK: - Strings

  private mutating func string() throws(JSONRequest.Mistake) -> String {
    guard take("\"") else { throw wrong("expected a string") }
    var text: [UInt8] = []
    while true {
      let start = position
      while let byte = peek(), byte != 0x22, byte != 0x5c, byte >= 0x20 { position += 1 }
      text.append(contentsOf: bytes[start..<position])
      guard let byte = peek() else { throw wrong("a string without its end") }
      position += 1
      if byte == 0x22 { break }
      guard byte == 0x5c else { throw wrong("a bare control character in a string") }
      try escape(into: &text)
    }
    guard let valid = String(validating: text, as: UTF8.self) else {
      throw wrong("a string that is not UTF-8")
    }
    return valid
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONRequest.Mistake) {
    guard let byte = peek() else { throw wrong("a string without its end") }
    position += 1
    switch byte {
    case 0x22, 0x5c, UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: try unicodeEscape())
    default: throw wrong("an unknown escape in a string")
    }
  }

  /// `\uXXXX`, or two of them for a scalar beyond U+FFFF. Half of a pair stands for nothing that
  /// UTF-8 can say: U+FFFD takes its place.
  private mutating func unicodeEscape() throws(JSONRequest.Mistake) -> [UInt8] {
    let unit = try fourHexDigits()
    if unit & 0xfc00 == 0xd800 {
      let back = position
      if take("\\"), take("u") {
        let low = try fourHexDigits()
        if low & 0xfc00 == 0xdc00 {
          return Self.utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
        }
      }
      position = back
    }
    return Self.utf8(unit)
  }

  private static func utf8(_ value: UInt32) -> [UInt8] {
    Array(String(Unicode.Scalar(value) ?? "\u{fffd}").utf8)
  }

  private mutating func fourHexDigits() throws(JSONRequest.Mistake) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Self.hexDigit(byte) else {
        throw wrong("expected four hexadecimal digits")
      }
      value = value << 4 | digit
      position += 1
    }
    return value
  }

  private static func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte) - 0x30
    case 0x41...0x46: UInt32(byte) - 0x41 + 10
    case 0x61...0x66: UInt32(byte) - 0x61 + 10
    default: nil
    }
  }

  // MARK: - Bytes

  private func peek() -> UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
      position += 1
    }
  }

  private func wrong(_ message: String) -> JSONRequest.Mistake {
    JSONRequest.Mistake(
      message: "not a request: \(message) at byte \(position - bytes.startIndex + 1)")
  }
}
