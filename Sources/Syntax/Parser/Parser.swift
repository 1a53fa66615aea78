import Diagnostics

/// Reads SQL text as statements, one at a time: an error in a later statement does not keep the
/// earlier ones from running.
package struct Parser: Sendable {
  /// How deep expressions, queries, joins and statements may nest, together; a subquery counts two
  /// or three levels. Measured in an optimized build, a level costs 4 kB (parentheses) to 9 kB (FROM)
  /// of stack: 8 MB reach the limit, also in debug; on a smaller stack `StackGuard` stops sooner,
  /// with the same error.
  package static let nestingLimit = 300
  /// Levels that need no look at the stack.
  private static let freeLevels = 8
  /// How high a tree may get: long chains such as `1 + 1 + …` parse in a loop but make a tree as
  /// high as the chain is long, which later passes walk by recursion. AND and OR are flat.
  package static let heightLimit = 1_000

  var lexer: Lexer
  var tokens: [Token] = []
  var index = 0
  /// The current depth of nesting.
  var depth = 0
  /// The height of the highest tree parsed since the innermost `scoped` began.
  var height = 0
  /// The highest number of a parameter so far: `?` takes the next.
  var parameterCount = 0
  /// The statement's distinct parameters so far.
  var parameters: [Parameter] = []
  private var stack: StackGuard?
  /// Where the last alias without AS stands: a misspelt keyword is often taken for one.
  var bareAliasIndex = -1

  /// A parser at the start of `text`.
  package init(_ text: String) throws {
    self.lexer = try Lexer(text)
  }

  /// The next statement, nil at the end. After an error the next call goes on behind the semicolon
  /// that ends the wrong statement.
  package mutating func nextStatement() throws -> ParsedStatement? {
    while true {
      try load()
      if peek.kind == .endOfInput { return nil }
      if peek.kind != .semicolon { break }
    }
    let start = peek.start
    let statement = try parseStatement()
    let end = previousEnd
    guard atEnd else { throw unexpected("the end of the statement", Self.clauseKeywords) }
    return ParsedStatement(
      statement: statement, span: SourceSpan(start, end), parameters: parameters)
  }

  /// All statements of a script; throws the first error.
  package static func parseScript(_ text: String) throws -> [ParsedStatement] {
    var parser = try Parser(text)
    var statements: [ParsedStatement] = []
    while let statement = try parser.nextStatement() { statements.append(statement) }
    return statements
  }

  /// The one statement in `text`; a semicolon may follow it.
  package static func parseStatement(_ text: String) throws -> ParsedStatement {
    var parser = try Parser(text)
    guard let statement = try parser.nextStatement() else {
      throw SQLError(.syntax, "\(SQLError.endOfInputPrefix): expected a statement", at: nil)
    }
    try parser.load()
    while parser.peek.kind == .semicolon { try parser.load() }
    guard parser.peek.kind == .endOfInput else { throw parser.unexpected("one statement only") }
    return statement
  }

  /// The one expression in `text`.
  package static func parseExpression(_ text: String) throws -> SyntaxExpression {
    var parser = try Parser(text)
    try parser.load()
    let expression = try parser.expression()
    guard parser.atEnd else { throw parser.unexpected("the end of the expression") }
    return expression
  }

  private mutating func load() throws {
    tokens = []
    index = 0
    depth = 0
    height = 0
    parameterCount = 0
    parameters = []
    bareAliasIndex = -1
    tokens = try lexer.statementTokens()
  }
}

// MARK: - Tokens

extension Parser {
  /// The token `offset` places ahead; the last one again and again past the end.
  @inline(__always)
  func token(at offset: Int) -> Token {
    let wanted = index + offset
    if wanted < tokens.count { return tokens[wanted] }
    return tokens.last ?? Token(.endOfInput, lexer.position, lexer.position)
  }

  @inline(__always) var peek: Token { token(at: 0) }
  @inline(__always) var next: Token { token(at: 1) }

  var atEnd: Bool { peek.kind == .semicolon || peek.kind == .endOfInput }

  /// The end of the token before this one.
  var previousEnd: Int { index > 0 && index <= tokens.count ? tokens[index - 1].end : peek.start }

  /// From `start` to the end of the last token read.
  func span(from start: Int) -> SourceSpan { SourceSpan(start, max(start, previousEnd)) }

  @inline(__always)
  mutating func advance() { index += 1 }

  @inline(__always)
  func at(_ kind: TokenKind) -> Bool { peek.kind == kind }

  @inline(__always)
  func at(_ keyword: Keyword) -> Bool { peek.keyword == keyword }

  func at(_ first: Keyword, _ second: Keyword) -> Bool {
    peek.keyword == first && next.keyword == second
  }

  @inline(__always)
  mutating func accept(_ kind: TokenKind) -> Bool {
    guard peek.kind == kind else { return false }
    index += 1
    return true
  }

  @inline(__always)
  mutating func accept(_ keyword: Keyword) -> Bool {
    guard peek.keyword == keyword else { return false }
    index += 1
    return true
  }

  mutating func accept(_ words: Keyword...) -> Bool {
    for (offset, word) in words.enumerated() where token(at: offset).keyword != word {
      return false
    }
    index += words.count
    return true
  }

  mutating func expect(_ kind: TokenKind, _ what: String) throws {
    guard accept(kind) else { throw unexpected(what) }
  }

  mutating func expect(_ keyword: Keyword) throws {
    guard accept(keyword) else { throw unexpected(keyword.spelling, [keyword]) }
  }

  mutating func expect(_ words: Keyword...) throws {
    for word in words { try expect(word) }
  }

  /// One level deeper; the caller takes it back. Throws where the limit or the stack's end is near.
  @inline(__always)
  mutating func enter() throws {
    if depth >= Self.freeLevels { try checkDepth() }
    depth += 1
  }

  @inline(never)
  private mutating func checkDepth() throws {
    // Looked up again in each statement's first descent: the parser may have changed threads.
    if depth == Self.freeLevels { stack = StackGuard() }
    guard depth < Self.nestingLimit, stack?.hasRoom ?? true else { throw nestingTooDeep() }
  }

  /// Runs `body` one level deeper.
  @inline(__always)
  mutating func nested<T>(_ body: (inout Parser) throws -> T) throws -> T {
    try enter()
    let result = try body(&self)
    depth -= 1
    return result
  }

  /// Notes that a node was put on trees of the height seen so far.
  mutating func grow() throws {
    height += 1
    guard height <= Self.heightLimit else { throw chainTooLong() }
  }

  /// A list in which a comma may also stand before the end (`DuckDB` allows `SELECT a, b, FROM t`).
  mutating func list<T>(
    until isEnd: (Parser) -> Bool, _ item: (inout Parser) throws -> T
  ) throws -> [T] {
    var items = [try item(&self)]
    while accept(.comma) {
      if isEnd(self) { break }
      items.append(try item(&self))
    }
    return items
  }

  /// `(item, item, …)`, at least one.
  mutating func parenthesized<T>(_ item: (inout Parser) throws -> T) throws -> [T] {
    try expect(.leftParenthesis, "\"(\"")
    let items = try list(until: { $0.at(.rightParenthesis) }, item)
    try expect(.rightParenthesis, "\",\" or \")\"")
    return items
  }
}

// MARK: - Errors

extension Parser {
  /// What may follow a complete statement part: candidates for a misspelt word.
  static let clauseKeywords: [Keyword] = [
    .from, .where, .group, .having, .order, .limit, .offset, .union, .intersect, .except, .join,
    .left, .inner, .cross, .on, .using, .window, .qualify, .returning, .set, .values, .select,
    .options, .output, .input, .sequential, .graph, .transform, .validation, .label, .metrics,
    .as, .fetch,
  ]

  /// The error for the token at hand. `keywords` are those that could stand here; the hint names
  /// the nearest.
  func unexpected(_ expected: String, _ keywords: [Keyword] = []) -> SQLError {
    let token = peek
    guard token.kind != .endOfInput else {
      return SQLError(
        .syntax, "\(SQLError.endOfInputPrefix): expected \(expected)", at: token.span)
    }
    if bareAliasIndex >= 0, bareAliasIndex == index - 1, bareAliasIndex < tokens.count {
      let alias = tokens[bareAliasIndex]
      if let hint = hint(for: alias, Self.clauseKeywords) {
        return nearError(alias, "expected a clause or \",\"", hint)
      }
    }
    return nearError(token, "expected \(expected)", hint(for: token, keywords))
  }

  private func hint(for token: Token, _ keywords: [Keyword]) -> String? {
    guard token.kind == .word else { return nil }
    // A word of one or two letters is near to everything.
    guard token.end - token.start > 2 else { return nil }
    let word = lexer.text(token.start, token.end)
    return didYouMean(word, among: keywords.lazy.map(\.spelling))
  }

  private func nearError(_ token: Token, _ what: String, _ hint: String?) -> SQLError {
    let text = lexer.text(token.start, min(token.end, token.start + 60))
    return SQLError(
      .syntax, "syntax error at or near \"\(text)\": \(what)", at: token.span, hint: hint)
  }

  func nestingTooDeep() -> SQLError {
    SQLError(
      .syntax, "nesting too deep: the limit is \(Self.nestingLimit) levels", at: peek.span,
      hint: "move inner queries into WITH")
  }

  func chainTooLong() -> SQLError {
    SQLError(
      .syntax, "a chain of operators, joins or set operations longer than \(Self.heightLimit)",
      at: peek.span)
  }

  func mistake(_ message: String, at span: SourceSpan) -> SQLError {
    SQLError(.syntax, message, at: span)
  }
}
