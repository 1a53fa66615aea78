import Diagnostics

extension Parser {
  /// An expression whose operators all bind at least as tightly as `minimum`: precedence climbing
  /// (Pratt 1973). The rare forms live in functions of their own, which keeps this frame, the one
  /// that nesting repeats, small.
  mutating func expression(_ minimum: Precedence = .lowest) throws -> SyntaxExpression {
    try enter()
    let outer = height
    height = 0
    var left = try primary()
    try grow()
    while try extend(&left, minimum) {}
    depth -= 1
    height = max(outer, height)
    return left
  }

  /// An expression behind which IN is no operator: `i > 2` in `PIVOT t ON i > 2 IN (true)`.
  mutating func expressionBeforeIn() throws -> SyntaxExpression {
    var left = try expression(.other)
    while !at(.in), try extend(&left, .lowest) {}
    return left
  }

  /// Puts the next operator on `left`, where one follows that binds tightly enough.
  private mutating func extend(
    _ left: inout SyntaxExpression, _ minimum: Precedence
  ) throws -> Bool {
    let token = peek
    switch token.kind {
    case .word:
      return try extendByWord(&left, minimum, token.keyword)
    case .doubleColon:
      try castSuffix(&left)
    case .leftBracket:
      try subscriptSuffix(&left)
    case .dot:
      return try fieldSuffix(&left)
    case .exclamation:
      // `5!` is factorial(5).
      advance()
      left = call("factorial", [left], at: token.span, span(from: left.span.start))
    default:
      guard let symbol = BinaryOperator(token.kind), symbol.precedence >= minimum else {
        return false
      }
      try binarySuffix(&left, symbol)
    }
    try grow()
    return true
  }

  private mutating func binarySuffix(
    _ left: inout SyntaxExpression, _ symbol: BinaryOperator
  ) throws {
    let start = left.span.start
    advance()
    if at(.any) || at(.all) || at(.someWord), next.kind == .leftParenthesis {
      left = try quantified(left, symbol)
      return
    }
    let right = try expression(symbol.precedence.tighter)
    left = SyntaxExpression(.binary(symbol, left, right), span: span(from: start))
  }

  private mutating func quantified(
    _ left: SyntaxExpression, _ symbol: BinaryOperator
  ) throws -> SyntaxExpression {
    let quantifier: Quantified.Quantifier = at(.all) ? .all : .any
    advance()
    let source: Quantified.Source
    switch try parenthesizedContent() {
    case .query(let query): source = .query(query)
    case .expressions(let items, _, let span):
      guard let only = items.first, items.count == 1 else {
        throw mistake("\(quantifier.rawValue) takes one list or a query", at: span)
      }
      source = .list(only)
    }
    return SyntaxExpression(
      .quantified(
        Quantified(operand: left, comparison: symbol, quantifier: quantifier, source: source)),
      span: span(from: left.span.start))
  }

  private mutating func castSuffix(_ left: inout SyntaxExpression) throws {
    advance()
    let type = try typeName()
    left = SyntaxExpression(
      .cast(Cast(operand: left, type: type, isTry: false)), span: span(from: left.span.start))
  }

  /// `.name` or `.method(…)` behind an expression that is not a plain name.
  private mutating func fieldSuffix(_ left: inout SyntaxExpression) throws -> Bool {
    guard next.kind == .word || next.kind == .quotedIdentifier else { return false }
    let start = left.span.start
    advance()
    let name = try takeIdentifier()
    if at(.leftParenthesis) {
      left = try functionCall(QualifiedName(name), receiver: left, from: start)
    } else {
      left = SyntaxExpression(.field(left, name), span: span(from: start))
    }
    try grow()
    return true
  }

  /// `[index]` or `[lower:upper:step]`. A lone `-` stands for a missing bound.
  private mutating func subscriptSuffix(_ left: inout SyntaxExpression) throws {
    let start = left.span.start
    advance()
    let lower = try sliceBound()
    if let index = lower, accept(.rightBracket) {
      left = SyntaxExpression(.element(left, index: index), span: span(from: start))
      return
    }
    var slice = Slice(operand: left, lower: lower)
    if accept(.doubleColon) {
      slice.step = try sliceBound()
    } else {
      try expect(.colon, "\"]\" or \":\"")
      slice.upper = try sliceBound()
      if accept(.colon) { slice.step = try sliceBound() }
    }
    try expect(.rightBracket, "\"]\"")
    left = SyntaxExpression(.slice(slice), span: span(from: start))
  }

  private mutating func sliceBound() throws -> SyntaxExpression? {
    switch peek.kind {
    case .colon, .doubleColon, .rightBracket: return nil
    case .minus where next.kind == .colon || next.kind == .rightBracket:
      advance()
      return nil
    default: return try expression()
    }
  }
}

// MARK: - Operators that are words

extension Parser {
  private mutating func extendByWord(
    _ left: inout SyntaxExpression, _ minimum: Precedence, _ keyword: Keyword
  ) throws -> Bool {
    switch keyword {
    case .and where minimum <= .and:
      try chain(&left, .and, at: .not) { .and($0) }
    case .or where minimum <= .or:
      try chain(&left, .or, at: .and) { .or($0) }
    case .is where minimum <= .isTest:
      try isSuffix(&left)
    case .isnull where minimum <= .isTest, .notnull where minimum <= .isTest:
      advance()
      let test = IsTest(operand: left, property: .null, isNegated: keyword == .notnull)
      left = SyntaxExpression(.isTest(test), span: span(from: left.span.start))
    case .not where minimum <= .isTest && next.keyword == .null:
      advance()
      advance()
      let test = IsTest(operand: left, property: .null, isNegated: true)
      left = SyntaxExpression(.isTest(test), span: span(from: left.span.start))
    case .not where minimum <= .membership && Self.isMembershipWord(next.keyword):
      advance()
      try membershipSuffix(&left, isNegated: true)
    case .between, .in, .like, .ilike, .similar, .glob:
      guard minimum <= .membership else { return false }
      try membershipSuffix(&left, isNegated: false)
    case .at where minimum <= .atTimeZone && next.keyword == .time:
      try timeZoneSuffix(&left)
    case .collate where minimum <= .collate:
      advance()
      let name = try qualifiedName("a collation")
      left = SyntaxExpression(.collate(left, name), span: span(from: left.span.start))
    default:
      return false
    }
    try grow()
    return true
  }

  private static func isMembershipWord(_ keyword: Keyword) -> Bool {
    switch keyword {
    case .between, .in, .like, .ilike, .similar, .glob: true
    default: false
    }
  }

  /// A run of the same connective becomes one flat node.
  private mutating func chain(
    _ left: inout SyntaxExpression, _ word: Keyword, at level: Precedence,
    _ make: ([SyntaxExpression]) -> SyntaxExpression.Kind
  ) throws {
    let start = left.span.start
    var terms = [left]
    while accept(word) { terms.append(try expression(level)) }
    left = SyntaxExpression(make(terms), span: span(from: start))
  }

  private mutating func isSuffix(_ left: inout SyntaxExpression) throws {
    let start = left.span.start
    advance()
    let isNegated = accept(.not)
    let property: IsTest.Property
    switch peek.keyword {
    case .null: property = .null
    case .true: property = .true
    case .false: property = .false
    case .unknown: property = .unknown
    case .distinct where next.keyword == .from:
      advance()
      advance()
      let right = try expression(.comparison)
      left = SyntaxExpression(
        .distinctFrom(DistinctFrom(left: left, right: right, isNegated: isNegated)),
        span: span(from: start))
      return
    default:
      // SQLite's `a IS b`, which DuckDB does not have, is not taken either.
      throw unexpected(
        "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM", [.null, .true, .false, .distinct, .not])
    }
    advance()
    left = SyntaxExpression(
      .isTest(IsTest(operand: left, property: property, isNegated: isNegated)),
      span: span(from: start))
  }

  private mutating func membershipSuffix(
    _ left: inout SyntaxExpression, isNegated: Bool
  ) throws {
    let start = left.span.start
    let word = peek.keyword
    advance()
    let kind: SyntaxExpression.Kind
    switch word {
    case .between:
      _ = accept(.symmetric)
      let low = try expression(.other)
      try expect(.and)
      let high = try expression(.other)
      kind = .between(Between(operand: left, low: low, high: high, isNegated: isNegated))
    case .in:
      kind = try inSuffix(left, isNegated)
    case .like:
      kind = try like(left, .like, isNegated)
    case .ilike:
      kind = try like(left, .ilike, isNegated)
    case .glob:
      kind = try like(left, .glob, isNegated)
    default:
      try expect(.to)
      kind = try like(left, .similarTo, isNegated)
    }
    left = SyntaxExpression(kind, span: span(from: start))
  }

  private mutating func inSuffix(
    _ left: SyntaxExpression, _ isNegated: Bool
  ) throws -> SyntaxExpression.Kind {
    guard at(.leftParenthesis) else {
      let collection = try expression(.other)
      return .inCollection(
        InCollection(operand: left, collection: collection, isNegated: isNegated))
    }
    if next.kind == .rightParenthesis {
      // SQLite's empty list: nothing is in it. Its test suite counts on it.
      advance()
      advance()
      return .inList(InList(operand: left, items: [], isNegated: isNegated))
    }
    switch try parenthesizedContent() {
    case .query(let query):
      return .inQuery(InQuery(operand: left, query: query, isNegated: isNegated))
    case .expressions(let items, _, _):
      return .inList(InList(operand: left, items: items, isNegated: isNegated))
    }
  }

  private mutating func like(
    _ left: SyntaxExpression, _ style: Like.Style, _ isNegated: Bool
  ) throws -> SyntaxExpression.Kind {
    let pattern = try expression(.other)
    let escape = accept(.escape) ? try expression(.other) : nil
    return .like(
      Like(operand: left, pattern: pattern, style: style, escape: escape, isNegated: isNegated))
  }

  /// `e AT TIME ZONE z` is `timezone(z, e)`.
  private mutating func timeZoneSuffix(_ left: inout SyntaxExpression) throws {
    let start = left.span.start
    let word = peek.span
    try expect(.at, .time, .zone)
    let zone = try expression(.collate)
    left = call("timezone", [zone, left], at: word, span(from: start))
  }

  /// A call that a keyword form stands for.
  func call(
    _ name: String, _ arguments: [SyntaxExpression], at nameSpan: SourceSpan, _ span: SourceSpan
  ) -> SyntaxExpression {
    let name = QualifiedName(Identifier(name: name, span: nameSpan))
    let arguments = arguments.map { Argument(value: .expression($0), span: $0.span) }
    return SyntaxExpression(.function(FunctionCall(name: name, arguments: arguments)), span: span)
  }
}
