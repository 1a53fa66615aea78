import Diagnostics

extension Parser {
  /// Whether the token `offset` places ahead may name a column or a table.
  func isName(at offset: Int = 0) -> Bool {
    let token = token(at: offset)
    return token.kind == .quotedIdentifier || (token.kind == .word && token.keyword.canNameColumn)
  }

  /// An identifier token taken as it is, whatever its keyword.
  mutating func takeIdentifier() throws -> Identifier {
    let token = peek
    advance()
    guard token.kind == .quotedIdentifier else {
      return Identifier(name: lexer.text(token.start, token.end), span: token.span)
    }
    let name = try lexer.stringValue(token)
    guard !name.isEmpty else { throw mistake("empty quoted identifier", at: token.span) }
    return Identifier(name: name, quoted: true, span: token.span)
  }

  /// A name of a column, a table or the like.
  mutating func identifier(_ what: String = "a name") throws -> Identifier {
    guard isName() else { throw unexpected(what) }
    return try takeIdentifier()
  }

  /// Any word, reserved or not: after AS, after a dot, the name of an option.
  mutating func label(_ what: String = "a name") throws -> Identifier {
    guard peek.kind == .word || peek.kind == .quotedIdentifier else { throw unexpected(what) }
    return try takeIdentifier()
  }

  /// `a`, `a.b`, `a.b.c`.
  mutating func qualifiedName(_ what: String = "a name") throws -> QualifiedName {
    let first = try identifier(what)
    guard at(.dot) else { return QualifiedName(first) }
    return try qualifiedName(after: first)
  }

  mutating func qualifiedName(after first: Identifier) throws -> QualifiedName {
    var parts = [first]
    while at(.dot), next.kind == .word || next.kind == .quotedIdentifier {
      advance()
      parts.append(try takeIdentifier())
    }
    return QualifiedName(parts: parts, span: span(from: first.span.start))
  }

  /// `(a, b, c)`.
  mutating func identifierList() throws -> [Identifier] {
    try parenthesized { try $0.label() }
  }

  mutating func stringLiteral(_ what: String = "a string") throws -> String {
    guard peek.kind == .string || peek.kind == .escapeString || peek.kind == .dollarString else {
      throw unexpected(what)
    }
    let token = peek
    advance()
    return try lexer.stringValue(token)
  }

  /// An integer, with a sign where `signed`.
  mutating func integerLiteral(_ what: String, signed: Bool = false) throws -> Int {
    let start = peek.start
    var sign = ""
    if signed, accept(.minus) { sign = "-" } else if signed { _ = accept(.plus) }
    guard peek.kind == .integer || peek.kind == .hexInteger else { throw unexpected(what) }
    let token = peek
    advance()
    guard let value = Int(sign + (try lexer.numberText(token))) else {
      throw Lexer.numberTooLarge(at: span(from: start))
    }
    return value
  }
}

// MARK: - Types

extension Parser {
  /// A type with its brackets.
  mutating func typeName() throws -> TypeName {
    try nested { parser in
      let outer = parser.height
      parser.height = 0
      let start = parser.peek.start
      var type = try parser.elementType()
      while parser.accept(.leftBracket) {
        try parser.grow()
        if parser.accept(.rightBracket) {
          type = .list(type, span: parser.span(from: start))
        } else {
          let size = try parser.integerLiteral("the array's length or \"]\"")
          try parser.expect(.rightBracket, "\"]\"")
          type = .array(type, size: size, span: parser.span(from: start))
        }
      }
      if parser.at(.array) {
        parser.advance()
        type = .list(type, span: parser.span(from: start))
      }
      parser.height = max(outer, parser.height)
      return type
    }
  }

  private mutating func elementType() throws -> TypeName {
    let start = peek.start
    let opensList = next.kind == .leftParenthesis
    switch peek.keyword {
    case .struct where opensList, .row where opensList:
      advance()
      let fields = try typeFields()
      return .structure(fields, span: span(from: start))
    case .union where opensList:
      advance()
      let fields = try typeFields()
      return .union(fields, span: span(from: start))
    case .map where opensList:
      advance()
      advance()
      let key = try typeName()
      try expect(.comma, "\",\" and the type of the values")
      let value = try typeName()
      try expect(.rightParenthesis, "\")\"")
      return .map(key: key, value: value, span: span(from: start))
    case .enum where opensList:
      advance()
      if next.kind == .rightParenthesis {
        advance()
        advance()
        return .enumeration([], span: span(from: start))
      }
      let values = try parenthesized { try $0.stringLiteral("a string") }
      return .enumeration(values, span: span(from: start))
    default:
      return try namedType()
    }
  }

  private mutating func typeFields() throws -> [TypeField] {
    try parenthesized { parser in
      let name = try parser.label("a field's name")
      return TypeField(name: name, type: try parser.typeName())
    }
  }

  private mutating func namedType() throws -> TypeName {
    let token = peek
    let isNamed =
      token.kind == .quotedIdentifier
      || (token.kind == .word && token.keyword.keywordClass != .reserved)
    guard isNamed else { throw unexpected("a type") }
    let start = token.start
    var name = QualifiedName(try takeIdentifier())
    if at(.dot) {
      name = try qualifiedName(after: name.last)
    } else if token.kind == .word, let words = longTypeName(token) {
      name = QualifiedName(Identifier(name: words, span: span(from: start)))
    }
    var arguments: [SyntaxExpression] = []
    if at(.leftParenthesis) {
      arguments = try parenthesized { try $0.expression() }
    }
    if token.keyword == .time || token.keyword == .timestamp, let suffix = try zoneSuffix() {
      name = QualifiedName(
        Identifier(name: name.last.name.uppercased() + suffix, span: span(from: start)))
    }
    if token.keyword == .interval, let unit = intervalUnit(peek) {
      _ = unit
      advance()
      if accept(.to) { advance() }
    }
    name.span = span(from: start)
    return .named(name, arguments: arguments)
  }

  /// The rest of a type of several words; nil where there is only the one.
  private mutating func longTypeName(_ first: Token) -> String? {
    let word = lexer.text(first.start, first.end).uppercased()
    switch word {
    case "DOUBLE":
      return accept(.precision) ? "DOUBLE PRECISION" : nil
    case "CHARACTER", "CHAR", "NCHAR":
      return accept(.varying) ? word + " VARYING" : nil
    case "BIT":
      return accept(.varying) ? "BIT VARYING" : nil
    default:
      return nil
    }
  }

  private mutating func zoneSuffix() throws -> String? {
    if at(.with, .time) {
      try expect(.with, .time, .zone)
      return " WITH TIME ZONE"
    }
    if accept(.without) {
      try expect(.time, .zone)
      return ""
    }
    return nil
  }

  /// The interval unit that the token spells, singular or plural.
  func intervalUnit(_ token: Token) -> IntervalUnit? {
    guard token.kind == .word else { return nil }
    return switch token.keyword {
    case .year, .years: .year
    case .month, .months: .month
    case .day, .days: .day
    case .hour, .hours: .hour
    case .minute, .minutes: .minute
    case .second, .seconds: .second
    case .millisecond, .milliseconds: .millisecond
    case .microsecond, .microseconds: .microsecond
    case .week, .weeks: .week
    case .quarter, .quarters: .quarter
    case .decade, .decades: .decade
    case .century, .centuries: .century
    case .millennium, .millennia: .millennium
    default: nil
    }
  }
}
