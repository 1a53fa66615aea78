import Diagnostics

extension Parser {
  /// What stands between parentheses.
  enum ParenthesizedContent {
    case query(Query)
    /// `endsInComma`: `(a,)`, a row of one.
    case expressions([SyntaxExpression], endsInComma: Bool, span: SourceSpan)
  }

  /// An operand: a constant, a name, a call, anything in brackets, a prefix operator with its own.
  mutating func primary() throws -> SyntaxExpression {
    let token = peek
    switch token.kind {
    case .word:
      return try wordPrimary(token)
    case .quotedIdentifier:
      return try nameExpression()
    case .leftParenthesis:
      return try parenthesisPrimary()
    case .integer, .hexInteger, .binaryInteger:
      advance()
      return SyntaxExpression(.literal(.integer(try lexer.numberText(token))), span: token.span)
    case .decimal:
      advance()
      return SyntaxExpression(.literal(.decimal(try lexer.numberText(token))), span: token.span)
    case .double:
      advance()
      return SyntaxExpression(.literal(.double(try lexer.numberText(token))), span: token.span)
    case .string, .escapeString, .dollarString:
      advance()
      return SyntaxExpression(.literal(.string(try lexer.stringValue(token))), span: token.span)
    case .blobString:
      advance()
      return SyntaxExpression(.literal(.blob(try lexer.blobValue(token))), span: token.span)
    case .minus: return try prefixed(.minus, .unary)
    case .plus: return try prefixed(.plus, .unary)
    case .tilde: return try prefixed(.bitNot, .additive)
    case .at: return try prefixed(.absolute, .additive)
    case .star, .doubleStar: return try starPrimary(qualifier: nil, from: token.start)
    case .leftBracket: return try listPrimary(from: token.start)
    case .leftBrace: return try structPrimary()
    case .questionMark, .numberedParameter, .namedParameter: return try parameter(token)
    default: throw unexpected("an expression")
    }
  }

  private mutating func prefixed(
    _ symbol: UnaryOperator, _ level: Precedence
  ) throws -> SyntaxExpression {
    let start = peek.start
    advance()
    let operand = try expression(level)
    return SyntaxExpression(.unary(symbol, operand), span: span(from: start))
  }

  private mutating func parameter(_ token: Token) throws -> SyntaxExpression {
    advance()
    let parameter: Parameter
    switch token.kind {
    case .questionMark where peek.kind == .integer && peek.start == token.end:
      // SQLite's `?1`.
      let digits = peek
      advance()
      guard let number = Int(try lexer.numberText(digits)), (1...65_535).contains(number) else {
        throw mistake("parameters are numbered from ?1 to ?65535", at: token.span)
      }
      parameterCount = max(parameterCount, number)
      parameter = .position(number)
    case .questionMark:
      parameterCount += 1
      parameter = .position(parameterCount)
    case .numberedParameter:
      guard let number = Int(lexer.text(token.start + 1, token.end)), (1...65_535).contains(number)
      else { throw mistake("parameters are numbered from $1 to $65535", at: token.span) }
      parameterCount = max(parameterCount, number)
      parameter = .position(number)
    default:
      parameter = .named(lexer.text(token.start + 1, token.end))
    }
    if !parameters.contains(where: { $0.key == parameter.key }) {
      if let first = parameters.first, first.isNamed != parameter.isNamed {
        throw mistake(
          "parameters by name and by position do not go together in one statement",
          at: token.span)
      }
      parameters.append(parameter)
    }
    return SyntaxExpression(.parameter(parameter), span: token.span)
  }

  /// `(e)`, `(a, b)`, `(query)`.
  private mutating func parenthesisPrimary() throws -> SyntaxExpression {
    let start = peek.start
    switch try parenthesizedContent() {
    case .query(let query):
      return SyntaxExpression(.subquery(query), span: span(from: start))
    case .expressions(let items, let endsInComma, _):
      if items.count == 1, !endsInComma, let only = items.first {
        return SyntaxExpression(only.kind, span: span(from: start))
      }
      return SyntaxExpression(.row(items), span: span(from: start))
    }
  }

  /// Expressions or a query. A query may itself begin with parentheses: what reads as an expression
  /// that is only a subquery goes on as a query where UNION, ORDER or LIMIT follows it.
  mutating func parenthesizedContent() throws -> ParenthesizedContent {
    let start = peek.start
    try expect(.leftParenthesis, "\"(\"")
    if startsQuery() {
      let query = try query()
      try expect(.rightParenthesis, "\")\"")
      return .query(query)
    }
    let first = try expression()
    if case .subquery(let inner) = first.kind {
      if continuesQuery() {
        let query = try query(startingWith: inner)
        try expect(.rightParenthesis, "\")\"")
        return .query(query)
      }
      if at(.rightParenthesis) {
        advance()
        return .query(inner)
      }
    }
    var items = [first]
    var endsInComma = false
    while accept(.comma) {
      if at(.rightParenthesis) {
        endsInComma = true
        break
      }
      items.append(try expression())
    }
    try expect(.rightParenthesis, "\",\" or \")\"")
    return .expressions(items, endsInComma: endsInComma, span: span(from: start))
  }

  /// `[a, b]`, also a comprehension; the bracket is at hand.
  mutating func listPrimary(from start: Int) throws -> SyntaxExpression {
    advance()
    if accept(.rightBracket) { return SyntaxExpression(.list([]), span: span(from: start)) }
    let first = try expression()
    if accept(.for) {
      let variables = try list(until: { $0.at(.in) }) { try $0.identifier("a variable") }
      try expect(.in)
      let source = try expression()
      let condition = accept(.if) ? try expression() : nil
      try expect(.rightBracket, "\"]\"")
      let comprehension = ListComprehension(
        result: first, variables: variables, source: source, condition: condition)
      return SyntaxExpression(.listComprehension(comprehension), span: span(from: start))
    }
    var items = [first]
    while accept(.comma) {
      if at(.rightBracket) { break }
      items.append(try expression())
    }
    try expect(.rightBracket, "\",\" or \"]\"")
    return SyntaxExpression(.list(items), span: span(from: start))
  }

  /// `{a: 1, 'b': 2}`.
  private mutating func structPrimary() throws -> SyntaxExpression {
    let start = peek.start
    advance()
    if accept(.rightBrace) { return SyntaxExpression(.structure([]), span: span(from: start)) }
    let fields = try list(until: { $0.at(.rightBrace) }) { parser in
      let name: Identifier
      if parser.peek.kind == .string {
        let token = parser.peek
        name = Identifier(
          name: try parser.stringLiteral(), quoted: true, span: token.span)
      } else {
        name = try parser.label("a field's name")
      }
      try parser.expect(.colon, "\":\" and the field's value")
      return StructField(name: name, value: try parser.expression())
    }
    try expect(.rightBrace, "\",\" or \"}\"")
    return SyntaxExpression(.structure(fields), span: span(from: start))
  }

  /// `MAP {k: v}`; MAP is at hand.
  private mutating func mapPrimary() throws -> SyntaxExpression {
    let start = peek.start
    advance()
    advance()
    if accept(.rightBrace) { return SyntaxExpression(.map([]), span: span(from: start)) }
    let entries = try list(until: { $0.at(.rightBrace) }) { parser in
      let key = try parser.expression()
      try parser.expect(.colon, "\":\" and the key's value")
      return MapEntry(key: key, value: try parser.expression())
    }
    try expect(.rightBrace, "\",\" or \"}\"")
    return SyntaxExpression(.map(entries), span: span(from: start))
  }
}

// MARK: - Words

extension Parser {
  private mutating func wordPrimary(_ token: Token) throws -> SyntaxExpression {
    let opens = next.kind == .leftParenthesis
    switch token.keyword {
    case .notKeyword: return try nameExpression()
    case .null: return constant(.null)
    case .true: return constant(.boolean(true))
    case .false: return constant(.boolean(false))
    case .not:
      advance()
      let operand = try expression(.not)
      return SyntaxExpression(.not(operand), span: span(from: token.start))
    case .default:
      advance()
      return SyntaxExpression(.defaultValue, span: token.span)
    case .case: return try casePrimary()
    case .cast where opens, .tryCast where opens: return try castPrimary()
    case .exists where opens: return try existsPrimary()
    case .interval: return try intervalPrimary()
    case .array: return try arrayPrimary()
    case .row where opens: return try rowPrimary()
    case .map where next.kind == .leftBrace: return try mapPrimary()
    case .lambda: return try lambdaPrimary()
    case .columns where opens: return try columnsPrimary(nil, isUnpacked: false, token.start)
    case .extract where opens: return try extractPrimary()
    case .substring where opens: return try substringPrimary()
    case .trim where opens: return try trimPrimary()
    case .position where opens: return try positionPrimary()
    case .overlay where opens: return try overlayPrimary()
    case .predict where opens, .probability where opens, .predictProba where opens:
      return try predictPrimary()
    case .currentDate, .currentTime, .currentTimestamp, .localtime, .localtimestamp,
      .currentUser, .currentSchema, .currentCatalog, .currentRole, .sessionUser:
      guard !opens, next.kind != .dot else { return try nameExpression() }
      advance()
      let name = lexer.text(token.start, token.end).lowercased()
      return call(name, [], at: token.span, token.span)
    default: return try nameExpression()
    }
  }

  private mutating func constant(_ literal: Literal) -> SyntaxExpression {
    let span = peek.span
    advance()
    return SyntaxExpression(.literal(literal), span: span)
  }

  /// A column, a call, `t.*`, or a typed literal such as DATE '2024-01-01'.
  private mutating func nameExpression() throws -> SyntaxExpression {
    let token = peek
    let start = token.start
    let opens = next.kind == .leftParenthesis
    if token.kind == .word, token.keyword.canNameColumn, let literal = try typedLiteral() {
      return literal
    }
    guard
      token.kind == .quotedIdentifier || token.keyword.canNameColumn
        || (token.keyword.canNameFunction && opens)
    else { throw unexpected("an expression", [.select, .not, .case, .cast, .exists, .null]) }
    let name = try qualifiedName(after: try takeIdentifier())
    switch peek.kind {
    case .leftParenthesis:
      if name.parts.count > 1, name.last.name.lowercased() == "columns", !name.last.quoted {
        let qualifier = QualifiedName(
          parts: Array(name.qualifiers), span: SourceSpan(start, name.last.span.start))
        return try columnsArgument(qualifier, isUnpacked: false, start)
      }
      return try functionCall(name, receiver: nil, from: start)
    case .dot where next.kind == .star:
      advance()
      return try starPrimary(qualifier: name, from: start)
    default:
      return SyntaxExpression(.column(name), span: name.span)
    }
  }

  /// `TYPE 'text'`; nil where the word at hand does not begin one.
  private mutating func typedLiteral() throws -> SyntaxExpression? {
    let start = peek.start
    var offset = 1
    if peek.keyword == .time || peek.keyword == .timestamp, next.keyword == .with,
      token(at: 2).keyword == .time, token(at: 3).keyword == .zone
    {
      offset = 4
    }
    let kind = token(at: offset).kind
    guard kind == .string || kind == .escapeString || kind == .dollarString else { return nil }
    let type = try typeName()
    let text = try stringLiteral()
    return SyntaxExpression(.typedLiteral(type, text), span: span(from: start))
  }

  private mutating func arrayPrimary() throws -> SyntaxExpression {
    let start = peek.start
    if next.kind == .leftBracket {
      advance()
      return try listPrimary(from: start)
    }
    guard next.kind == .leftParenthesis else { throw unexpected("an expression") }
    advance()
    guard case .query(let query) = try parenthesizedContent() else {
      throw mistake("ARRAY(…) takes a query; a list is ARRAY[…]", at: span(from: start))
    }
    return SyntaxExpression(.arraySubquery(query), span: span(from: start))
  }

  private mutating func rowPrimary() throws -> SyntaxExpression {
    let start = peek.start
    advance()
    if next.kind == .rightParenthesis {
      advance()
      advance()
      return SyntaxExpression(.row([]), span: span(from: start))
    }
    let items = try parenthesized { try $0.expression() }
    return SyntaxExpression(.row(items), span: span(from: start))
  }

  private mutating func lambdaPrimary() throws -> SyntaxExpression {
    let start = peek.start
    advance()
    let isEnclosed = accept(.leftParenthesis)
    let parameters = try list(until: { _ in false }) { try $0.identifier("a parameter") }
    if isEnclosed { try expect(.rightParenthesis, "\")\"") }
    try expect(.colon, "\":\" and the lambda's body")
    let body = try expression()
    return SyntaxExpression(
      .lambda(Lambda(parameters: parameters, body: body)), span: span(from: start))
  }

  private mutating func existsPrimary() throws -> SyntaxExpression {
    let start = peek.start
    advance()
    guard case .query(let query) = try parenthesizedContent() else {
      throw mistake("EXISTS takes a query", at: span(from: start))
    }
    return SyntaxExpression(.exists(query), span: span(from: start))
  }

  private mutating func casePrimary() throws -> SyntaxExpression {
    let start = peek.start
    advance()
    let operand = at(.when) ? nil : try expression()
    var branches: [CaseBranch] = []
    while accept(.when) {
      let condition = try expression()
      try expect(.then)
      branches.append(CaseBranch(condition: condition, result: try expression()))
    }
    guard !branches.isEmpty else { throw unexpected("WHEN", [.when]) }
    let otherwise = accept(.else) ? try expression() : nil
    guard accept(.end) else { throw unexpected("WHEN, ELSE or END", [.when, .else, .end]) }
    return SyntaxExpression(
      .caseWhen(CaseExpression(operand: operand, branches: branches, otherwise: otherwise)),
      span: span(from: start))
  }

  private mutating func castPrimary() throws -> SyntaxExpression {
    let start = peek.start
    let isTry = at(.tryCast)
    advance()
    advance()
    let operand = try expression()
    try expect(.as)
    let type = try typeName()
    try expect(.rightParenthesis, "\")\"")
    return SyntaxExpression(
      .cast(Cast(operand: operand, type: type, isTry: isTry)), span: span(from: start))
  }

  /// INTERVAL with its count and unit; a column named interval where neither follows.
  private mutating func intervalPrimary() throws -> SyntaxExpression {
    let start = peek.start
    let value: SyntaxExpression
    switch next.kind {
    case .string, .escapeString, .dollarString:
      advance()
      value = try primary()
      guard let unit = intervalUnit(peek) else {
        return SyntaxExpression(.interval(IntervalLiteral(value: value)), span: span(from: start))
      }
      advance()
      return SyntaxExpression(
        .interval(IntervalLiteral(value: value, unit: unit)), span: span(from: start))
    case .integer, .decimal, .leftParenthesis, .questionMark, .numberedParameter,
      .namedParameter, .minus:
      if next.kind == .minus, token(at: 2).kind != .integer { return try nameExpression() }
      advance()
      value = try expression(.postfix)
    case .word, .quotedIdentifier:
      guard isName(at: 1), intervalUnit(token(at: 2)) != nil else { return try nameExpression() }
      advance()
      value = SyntaxExpression(.column(QualifiedName(try takeIdentifier())), span: peek.span)
    default:
      return try nameExpression()
    }
    guard let unit = intervalUnit(peek) else {
      throw unexpected("a unit such as DAY", [.year, .month, .day, .hour, .minute, .second])
    }
    advance()
    return SyntaxExpression(
      .interval(IntervalLiteral(value: value, unit: unit)), span: span(from: start))
  }
}
