import Diagnostics

extension Lexer {
  /// `1`, `1_000`, `1.5`, `.5`, `1.`, `1e-3`, `0xFF`, `0b101`.
  mutating func number(at start: Int) throws -> Token {
    if byte(start) == 48, let radixToken = try radixNumber(at: start) { return radixToken }
    var end = digits(from: start)
    var kind = TokenKind.integer
    // `1..` does not occur in SQL, `a[1:2]` has no dot: a dot after digits is the number's.
    if byte(end) == .dot {
      kind = .decimal
      end = digits(from: end + 1)
    }
    if byte(end) | 32 == UInt8(ascii: "e") {
      var exponent = end + 1
      if byte(exponent) == UInt8(ascii: "+") || byte(exponent) == UInt8(ascii: "-") {
        exponent += 1
      }
      if byte(exponent).isDigit {
        kind = .double
        end = digits(from: exponent)
      }
    }
    return try finished(kind, start, end)
  }

  private mutating func radixNumber(at start: Int) throws -> Token? {
    let mark = byte(start + 1) | 32
    let isHex = mark == UInt8(ascii: "x")
    guard isHex || mark == UInt8(ascii: "b") else { return nil }
    var end = start + 2
    while let value = byte(end).hexValue, isHex || value < 2 { end += 1 }
    guard end > start + 2 else { return nil }
    return try finished(isHex ? .hexInteger : .binaryInteger, start, end)
  }

  /// The end of a run of digits; an underscore between two digits belongs to it.
  private func digits(from start: Int) -> Int {
    var end = start
    while byte(end).isDigit || (byte(end) == 95 && end > start && byte(end + 1).isDigit) {
      end += 1
    }
    return end
  }

  private mutating func finished(_ kind: TokenKind, _ start: Int, _ end: Int) throws -> Token {
    guard !byte(end).isWordStart || byte(end) >= 0x80 else {
      var stop = end
      while byte(stop).isWordPart { stop += 1 }
      advance(to: stop)
      throw Self.trailingJunk(text(start, stop), at: SourceSpan(start, stop))
    }
    advance(to: end)
    return Token(kind, start, end)
  }

  /// Operators and punctuation: the longest spelling that the table knows.
  mutating func symbol(at start: Int) throws -> Token {
    let (kind, length) = Self.symbol(byte(start), byte(start + 1), byte(start + 2), byte(start + 3))
    guard let kind else {
      advance(to: start + 1)
      throw Self.strayCharacter(printable(byte(start)), at: SourceSpan(start, start + 1))
    }
    advance(to: start + length)
    return Token(kind, start, start + length)
  }

  private func printable(_ byte: UInt8) -> String {
    guard byte >= 32, byte < 127 else {
      let digits = String(byte, radix: 16, uppercase: true)
      return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }
    return String(UnicodeScalar(byte))
  }

  private static func symbol(
    _ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8
  ) -> (TokenKind?, Int) {
    func sign(_ byte: UInt8, _ text: Unicode.Scalar) -> Bool { byte == UInt8(ascii: text) }
    switch Character(UnicodeScalar(a)) {
    case "(": return (.leftParenthesis, 1)
    case ")": return (.rightParenthesis, 1)
    case "[": return (.leftBracket, 1)
    case "]": return (.rightBracket, 1)
    case "{": return (.leftBrace, 1)
    case "}": return (.rightBrace, 1)
    case ",": return (.comma, 1)
    case ";": return (.semicolon, 1)
    case ".": return (.dot, 1)
    case "?": return (.questionMark, 1)
    case "+": return (.plus, 1)
    case "%": return (.percent, 1)
    case ":":
      if sign(b, ":") { return (.doubleColon, 2) }
      return sign(b, "=") ? (.colonEquals, 2) : (.colon, 1)
    case "-":
      guard sign(b, ">") else { return (.minus, 1) }
      return sign(c, ">") ? (.doubleArrow, 3) : (.arrow, 2)
    case "*": return sign(b, "*") ? (.doubleStar, 2) : (.star, 1)
    case "/": return sign(b, "/") ? (.doubleSlash, 2) : (.slash, 1)
    case "^": return sign(b, "@") ? (.startsWith, 2) : (.caret, 1)
    case "=":
      if sign(b, "=") { return (.equal, 2) }
      return sign(b, ">") ? (.fatArrow, 2) : (.equal, 1)
    case "<":
      if sign(b, "-"), sign(c, ">") { return (.distance, 3) }
      if sign(b, "=") { return sign(c, ">") ? (.cosineDistance, 3) : (.lessOrEqual, 2) }
      if sign(b, "#"), sign(c, ">") { return (.negativeInnerProduct, 3) }
      if sign(b, ">") { return (.notEqual, 2) }
      if sign(b, "<") { return (.shiftLeft, 2) }
      return sign(b, "@") ? (.containedBy, 2) : (.less, 1)
    case ">":
      if sign(b, "=") { return (.greaterOrEqual, 2) }
      return sign(b, ">") ? (.shiftRight, 2) : (.greater, 1)
    case "|": return sign(b, "|") ? (.concat, 2) : (.pipe, 1)
    case "&": return sign(b, "&") ? (.overlaps, 2) : (.ampersand, 1)
    case "@": return sign(b, ">") ? (.contains, 2) : (.at, 1)
    case "~":
      if sign(b, "~") {
        if sign(c, "~") { return (.tripleTilde, 3) }
        return sign(c, "*") ? (.doubleTildeStar, 3) : (.doubleTilde, 2)
      }
      return sign(b, "*") ? (.tildeStar, 2) : (.tilde, 1)
    case "!":
      if sign(b, "=") { return (.notEqual, 2) }
      guard sign(b, "~") else { return (.exclamation, 1) }
      if sign(c, "~") { return sign(d, "*") ? (.notDoubleTildeStar, 4) : (.notDoubleTilde, 3) }
      return sign(c, "*") ? (.notTildeStar, 3) : (.notTilde, 2)
    default:
      return (nil, 1)
    }
  }

  /// The text between two offsets.
  func text(_ start: Int, _ end: Int) -> String {
    guard start >= 0, start <= end, end <= bytes.count else { return "" }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  static func trailingJunk(_ text: String, at span: SourceSpan) -> SQLError {
    SQLError(.syntax, "syntax error at or near \"\(text)\": letters follow a number", at: span)
  }
}
