import Diagnostics

/// Cuts SQL text into tokens, a statement at a time.
package struct Lexer: Sendable {
  let bytes: [UInt8]
  private(set) var position: Int

  mutating func advance(to offset: Int) { position = min(offset, bytes.count) }
  private let keywords = KeywordTable.shared

  /// A lexer at the start of `text`.
  package init(_ text: String) throws {
    try self.init(bytes: Array(text.utf8))
  }

  init(bytes: [UInt8], position: Int = 0) throws {
    guard bytes.count < Int(Int32.max) else {
      throw SQLError(.syntax, "SQL text longer than 2 GB", at: nil)
    }
    self.bytes = bytes
    self.position = position
  }

  /// The text that `bytes` encode. Throws where they are not UTF-8.
  package static func decode(_ bytes: [UInt8]) throws -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    decoding: while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): offset += UTF8.width(scalar)
      case .emptyInput, .error: break decoding
      }
    }
    throw SQLError(
      .syntax, "invalid UTF-8 at byte \(offset)", at: SourceSpan(offset, offset + 1))
  }

  /// The tokens up to and with the next semicolon or the end of the input. On an error `position`
  /// is after the statement, so that the next one can be read.
  package mutating func statementTokens() throws -> [Token] {
    var tokens: [Token] = []
    do {
      while true {
        let token = try nextToken()
        tokens.append(token)
        if token.kind == .semicolon || token.kind == .endOfInput { return tokens }
      }
    } catch {
      skipStatement()
      throw error
    }
  }

  /// Moves past the next semicolon; what cannot be read is passed over.
  private mutating func skipStatement() {
    while true {
      let before = position
      do {
        let token = try nextToken()
        if token.kind == .semicolon || token.kind == .endOfInput { return }
      } catch {
        if position <= before { position = before + 1 }
      }
    }
  }

  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    index < bytes.count ? bytes[index] : 0
  }

  /// The next token; `.endOfInput` again and again at the end.
  package mutating func nextToken() throws -> Token {
    try skipBlanks()
    let start = position
    guard start < bytes.count else { return Token(.endOfInput, bytes.count, bytes.count) }
    let first = bytes[start]
    if first.isWordStart { return try word(at: start) }
    if first.isDigit || (first == .dot && byte(start + 1).isDigit) { return try number(at: start) }
    switch first {
    case .quote:
      return try quoted(.string, from: start, bodyAt: start + 1)
    case .doubleQuote:
      return try quoted(.quotedIdentifier, from: start, bodyAt: start + 1)
    case UInt8(ascii: "$"):
      return try dollar(at: start)
    case UInt8(ascii: "#") where byte(start + 1).isDigit:
      // `#2`, the second column, is a name like any other here.
      position = start + 1
      while byte(position).isDigit { position += 1 }
      return Token(.word, start, position)
    default:
      return try symbol(at: start)
    }
  }

  /// Spaces, line ends, `--` comments and nested `/* */` comments.
  private mutating func skipBlanks() throws {
    while position < bytes.count {
      let current = bytes[position]
      switch current {
      case UInt8(ascii: " "), 9, 10, 11, 12, 13:
        position += 1
      case 0xC2 where byte(position + 1) == 0xA0:
        // A no-break space comes with text pasted from documents.
        position += 2
      case 0xEF where position == 0 && byte(1) == 0xBB && byte(2) == 0xBF:
        position += 3
      case UInt8(ascii: "-") where byte(position + 1) == current:
        while position < bytes.count, bytes[position] != 10 { position += 1 }
      case UInt8(ascii: "/") where byte(position + 1) == UInt8(ascii: "*"):
        try skipBlockComment()
      default:
        return
      }
    }
  }

  private mutating func skipBlockComment() throws {
    let start = position
    var depth = 0
    while position < bytes.count {
      let pair = (bytes[position], byte(position + 1))
      if pair == (UInt8(ascii: "/"), UInt8(ascii: "*")) {
        depth += 1
        position += 2
      } else if pair == (UInt8(ascii: "*"), UInt8(ascii: "/")) {
        depth -= 1
        position += 2
        if depth == 0 { return }
      } else {
        position += 1
      }
    }
    throw Self.unterminated("comment", at: SourceSpan(start, bytes.count))
  }

  private mutating func word(at start: Int) throws -> Token {
    let next = byte(start + 1)
    if next == .quote {
      switch bytes[start] {
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        return try quoted(.escapeString, from: start, bodyAt: start + 2)
      case UInt8(ascii: "x"), UInt8(ascii: "X"):
        return try quoted(.blobString, from: start, bodyAt: start + 2)
      default:
        break
      }
    }
    var end = start
    while end < bytes.count, bytes[end].isWordPart {
      // A no-break space ends a word, although its bytes could be part of one.
      if bytes[end] == 0xC2, byte(end + 1) == 0xA0 { break }
      end += 1
    }
    position = end
    // SAFETY: the pointer does not leave the closure, and the range was just walked in bounds.
    let keyword = bytes.withUnsafeBufferPointer { keywords.keyword(in: $0, start..<end) }
    return Token(.word, start, end, keyword: keyword)
  }

  /// A literal or identifier between quotes; a doubled quote stands for one.
  private mutating func quoted(
    _ kind: TokenKind, from start: Int, bodyAt body: Int
  ) throws -> Token {
    let quote: UInt8 = kind == .quotedIdentifier ? .doubleQuote : .quote
    var index = body
    while index < bytes.count {
      let current = bytes[index]
      if current == quote {
        if byte(index + 1) != quote {
          position = index + 1
          return Token(kind, start, position)
        }
        index += 2
      } else if current == 0x5C, kind == .escapeString {
        index += 2
      } else {
        index += 1
      }
    }
    position = bytes.count
    let what = kind == .quotedIdentifier ? "quoted identifier" : "quoted string"
    throw Self.unterminated(what, at: SourceSpan(start, bytes.count))
  }

  /// `$1`, `$name`, `$$text$$`, `$tag$text$tag$`.
  private mutating func dollar(at start: Int) throws -> Token {
    var end = start + 1
    if byte(end).isDigit {
      while byte(end).isDigit { end += 1 }
      position = end
      return Token(.numberedParameter, start, end)
    }
    if byte(end).isWordStart {
      while byte(end).isWordPart, byte(end) != UInt8(ascii: "$") { end += 1 }
    }
    guard byte(end) == UInt8(ascii: "$") else {
      position = max(end, start + 1)
      guard end > start + 1 else {
        throw Self.strayCharacter("$", at: SourceSpan(start, start + 1))
      }
      return Token(.namedParameter, start, end)
    }
    let delimiter = bytes[start...end]
    var index = end + 1
    while index + delimiter.count <= bytes.count {
      if bytes[index] == UInt8(ascii: "$"), bytes[index..<index + delimiter.count] == delimiter {
        position = index + delimiter.count
        return Token(.dollarString, start, position)
      }
      index += 1
    }
    position = bytes.count
    throw Self.unterminated("dollar-quoted string", at: SourceSpan(start, bytes.count))
  }

  static func unterminated(_ what: String, at span: SourceSpan) -> SQLError {
    SQLError(.syntax, "\(SQLError.unterminatedPrefix)\(what)", at: span)
  }

  static func strayCharacter(_ text: String, at span: SourceSpan) -> SQLError {
    SQLError(.syntax, "syntax error at or near \"\(text)\": unexpected character", at: span)
  }
}

extension SQLError {
  static let unterminatedPrefix = "unterminated "
  static let endOfInputPrefix = "syntax error at end of input"

  /// Whether more text could make the statement right: the input ended too early. A shell goes on
  /// reading where this is true.
  package var isIncompleteInput: Bool {
    code == .syntax
      && (message.hasPrefix(Self.unterminatedPrefix) || message.hasPrefix(Self.endOfInputPrefix))
  }
}

extension UInt8 {
  static var quote: UInt8 { UInt8(ascii: "'") }
  static var doubleQuote: UInt8 { UInt8(ascii: "\"") }
  static var dot: UInt8 { UInt8(ascii: ".") }

  @inline(__always) var isDigit: Bool { self >= 48 && self <= 57 }

  @inline(__always) var isWordStart: Bool {
    (self | 32 >= 97 && self | 32 <= 122) || self == 95 || self >= 0x80
  }

  @inline(__always) var isWordPart: Bool { isWordStart || isDigit || self == 36 }

  /// The value of a hexadecimal digit.
  var hexValue: UInt8? {
    switch self {
    case 48...57: self - 48
    case 65...70: self - 55
    case 97...102: self - 87
    default: nil
    }
  }
}
