import Diagnostics

/// The calls whose arguments are parted by words: each becomes an ordinary call.
extension Parser {
  /// `EXTRACT(part FROM e)` is `date_part('part', e)`.
  mutating func extractPrimary() throws -> SyntaxExpression {
    let word = peek.span
    guard token(at: 3).keyword == .from else { return try plainCall(word) }
    advance()
    advance()
    let part: SyntaxExpression
    if peek.kind == .word {
      let token = peek
      advance()
      let name = lexer.text(token.start, token.end).lowercased()
      part = SyntaxExpression(.literal(.string(name)), span: token.span)
    } else {
      part = try primary()
    }
    try expect(.from)
    let operand = try expression()
    try expect(.rightParenthesis, "\")\"")
    return call("date_part", [part, operand], at: word, span(from: word.start))
  }

  /// `SUBSTRING(e FROM a FOR b)` is `substring(e, a, b)`.
  mutating func substringPrimary() throws -> SyntaxExpression {
    let word = peek.span
    advance()
    advance()
    var arguments = [try expression()]
    if at(.comma) {
      while accept(.comma) { arguments.append(try expression()) }
    } else {
      var length: SyntaxExpression?
      if accept(.for) { length = try expression() }
      if accept(.from) {
        arguments.append(try expression())
      } else {
        arguments.append(SyntaxExpression(.literal(.integer("1")), span: word))
      }
      if length == nil, accept(.for) { length = try expression() }
      if let length { arguments.append(length) }
    }
    try expect(.rightParenthesis, "FROM, FOR, \",\" or \")\"")
    return call("substring", arguments, at: word, span(from: word.start))
  }

  /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM e)` is trim, ltrim or rtrim.
  mutating func trimPrimary() throws -> SyntaxExpression {
    let word = peek.span
    advance()
    advance()
    var name = "trim"
    if accept(.leading) {
      name = "ltrim"
    } else if accept(.trailing) {
      name = "rtrim"
    } else {
      _ = accept(.both)
    }
    var arguments: [SyntaxExpression] = []
    if !accept(.from) {
      arguments.append(try expression())
      if accept(.from) { arguments.insert(try expression(), at: 0) }
    } else {
      arguments.append(try expression())
    }
    while accept(.comma) { arguments.append(try expression()) }
    try expect(.rightParenthesis, "FROM, \",\" or \")\"")
    return call(name, arguments, at: word, span(from: word.start))
  }

  /// `POSITION(a IN b)` is `position(b, a)`: haystack first, as in DuckDB.
  mutating func positionPrimary() throws -> SyntaxExpression {
    let word = peek.span
    advance()
    advance()
    // IN would be taken for the operator.
    let needle = try expression(.other)
    var arguments = [needle]
    if accept(.in) {
      arguments.insert(try expression(), at: 0)
    } else {
      while accept(.comma) { arguments.append(try expression()) }
    }
    try expect(.rightParenthesis, "IN or \")\"")
    return call("position", arguments, at: word, span(from: word.start))
  }

  /// `OVERLAY(e PLACING s FROM a FOR b)` is `overlay(e, s, a, b)`.
  mutating func overlayPrimary() throws -> SyntaxExpression {
    let word = peek.span
    advance()
    advance()
    var arguments = [try expression()]
    if accept(.placing) {
      arguments.append(try expression())
      try expect(.from)
      arguments.append(try expression())
      if accept(.for) { arguments.append(try expression()) }
    } else {
      while accept(.comma) { arguments.append(try expression()) }
    }
    try expect(.rightParenthesis, "PLACING or \")\"")
    return call("overlay", arguments, at: word, span(from: word.start))
  }

  private mutating func plainCall(_ word: SourceSpan) throws -> SyntaxExpression {
    let name = QualifiedName(try takeIdentifier())
    return try functionCall(name, receiver: nil, from: word.start)
  }
}
