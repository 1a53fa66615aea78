import Diagnostics

extension Parser {
  /// Whether the token `offset` places ahead begins a query.
  func startsQuery(at offset: Int = 0) -> Bool {
    let following = token(at: offset + 1)
    switch token(at: offset).keyword {
    case .select, .with, .from, .describe, .show, .summarize, .pivot, .unpivot, .pivotWider,
      .pivotLonger:
      return true
    case .values: return following.kind == .leftParenthesis
    case .table: return isName(at: offset + 1)
    case .train, .evaluate, .validate, .verify:
      // Without the word MODEL only what no table with an alias could be followed by.
      let next = token(at: offset + 2).keyword
      return following.keyword == .model
        || isName(at: offset + 1) && (next == .from || next == .warm || next == .resume)
    default: return false
    }
  }

  /// Whether what stands here goes on with a query that has just been read.
  func continuesQuery() -> Bool {
    switch peek.keyword {
    case .union, .intersect, .except, .order, .limit, .offset, .fetch: true
    default: false
    }
  }

  /// A whole query: WITH, body, ORDER BY, LIMIT.
  mutating func query() throws -> Query {
    try nested { parser in
      let outer = parser.height
      parser.height = 0
      let start = parser.peek.start
      let with = try parser.withClause()
      let body = try parser.queryBody(.union)
      var query = Query(with: with, body: body, span: SourceSpan(start, start))
      try parser.queryEnd(&query, from: start)
      try parser.grow()
      parser.height = max(outer, parser.height)
      return query
    }
  }

  /// The rest of a query whose first operand, in parentheses, has been read.
  mutating func query(startingWith inner: Query) throws -> Query {
    let start = inner.span.start
    let body = try setOperations(on: .nested(inner), .union, from: start)
    var query = Query(body: body, span: inner.span)
    try queryEnd(&query, from: start)
    return query
  }

  private mutating func queryEnd(_ query: inout Query, from start: Int) throws {
    if at(.order) { query.orderBy = try orderBy() }
    while true {
      if query.limit == nil, accept(.limit) {
        if accept(.all) { continue }
        query.limit = try limit()
      } else if query.limit == nil, at(.fetch) {
        query.limit = try fetchLimit()
      } else if query.offset == nil, accept(.offset) {
        query.offset = try expression()
        if at(.row) || at(.rows) { advance() }
      } else {
        break
      }
    }
    query.span = span(from: start)
  }

  private mutating func limit() throws -> Limit {
    // `10%` is read here, for an expression would go on looking for the divisor.
    let isNumber = peek.kind == .integer || peek.kind == .decimal || peek.kind == .double
    if isNumber, next.kind == .percent, !startsOperand(at: 2) {
      let count = try primary()
      advance()
      return Limit(count: count, isPercent: true)
    }
    if at(TokenKind.leftParenthesis) {
      let start = index
      let count = try primary()
      if at(TokenKind.percent), !startsOperand(at: 1) {
        advance()
        return Limit(count: count, isPercent: true)
      }
      index = start
    }
    let count = try expression()
    return Limit(count: count, isPercent: accept(Keyword.percent) || accept(TokenKind.percent))
  }

  private func startsOperand(at offset: Int) -> Bool {
    let token = token(at: offset)
    switch token.kind {
    case .integer, .decimal, .double, .leftParenthesis, .quotedIdentifier, .questionMark,
      .numberedParameter, .namedParameter, .minus:
      return true
    case .word: return token.keyword.canNameColumn
    default: return false
    }
  }

  private mutating func fetchLimit() throws -> Limit {
    let start = peek.span
    advance()
    guard accept(.first) || accept(.next) else {
      throw unexpected("FIRST or NEXT", [.first, .next])
    }
    var count = SyntaxExpression(.literal(.integer("1")), span: start)
    if !at(.row), !at(.rows) { count = try expression(.postfix) }
    guard accept(.row) || accept(.rows) else { throw unexpected("ROWS", [.rows]) }
    try expect(.only)
    return Limit(count: count, isPercent: false)
  }

  private mutating func withClause() throws -> WithClause? {
    let start = peek.start
    guard accept(.with) else { return nil }
    let isRecursive = accept(.recursive)
    let tables = try list(until: { $0.startsQuery() }) { try $0.commonTable() }
    return WithClause(isRecursive: isRecursive, tables: tables, span: span(from: start))
  }

  private mutating func commonTable() throws -> CommonTable {
    let start = peek.start
    let name = try identifier("a name for the query")
    var table = CommonTable(
      name: name, columns: [], usingKey: [], isMaterialized: nil,
      query: Query(body: .table(QualifiedName(name)), span: name.span), span: name.span)
    if at(.leftParenthesis) { table.columns = try identifierList() }
    if accept(.using) {
      try expect(.key)
      table.usingKey = try identifierList()
    }
    try expect(.as)
    if accept(.materialized) {
      table.isMaterialized = true
    } else if accept(.not) {
      try expect(.materialized)
      table.isMaterialized = false
    }
    try expect(.leftParenthesis, "\"(\"")
    table.query = try rowsQuery()
    try expect(.rightParenthesis, "\")\"")
    table.span = span(from: start)
    return table
  }

  /// A query, or a statement that gives rows.
  private mutating func rowsQuery() throws -> Query {
    switch peek.keyword {
    case .replace where next.keyword != .into: return try query()
    case .insert, .replace, .update, .delete, .merge, .train, .evaluate, .validate, .verify:
      let start = peek.start
      let statement = try parseStatement()
      return Query(body: .statement(statement), span: span(from: start))
    default:
      return try query()
    }
  }

  /// A WITH clause has been seen at the start of INSERT, UPDATE or DELETE, or a query follows it.
  mutating func withStatement() throws -> Statement {
    let start = peek.start
    let with = try withClause()
    switch peek.keyword {
    case .insert: return .insert(try insert(with: with))
    case .replace where next.keyword == .into: return .insert(try insert(with: with))
    case .update: return .update(try update(with: with))
    case .delete: return .delete(try delete(with: with))
    case .merge: return .merge(try merge(with: with))
    default:
      let body = try queryBody(.union)
      var query = Query(with: with, body: body, span: SourceSpan(start, start))
      try queryEnd(&query, from: start)
      return .query(query)
    }
  }

  private enum SetLevel { case union, intersect }

  private mutating func queryBody(_ level: SetLevel) throws -> QueryBody {
    let start = peek.start
    let first = try queryOperand()
    return try setOperations(on: first, level, from: start)
  }

  /// UNION and EXCEPT bind equally, INTERSECT more tightly.
  private mutating func setOperations(
    on first: QueryBody, _ level: SetLevel, from start: Int
  ) throws -> QueryBody {
    var left = first
    var operations = 0
    while true {
      let kind: SetOperation.Kind
      switch peek.keyword {
      case .union where level == .union: kind = .union
      case .except where level == .union: kind = .except
      case .intersect: kind = .intersect
      default: return left
      }
      advance()
      var isAll = false
      if accept(.all) { isAll = true } else { _ = accept(.distinct) }
      let isByName = accept(.by, .name)
      let right =
        kind == .intersect ? try queryOperand() : try queryBody(.intersect)
      // Chains of set operations are mostly walked in loops: they may be twice as long.
      operations += 1
      if operations & 1 == 0 { try grow() }
      left = .setOperation(
        SetOperation(
          kind: kind, isAll: isAll, isByName: isByName, left: left, right: right,
          span: span(from: start)))
    }
  }

  private mutating func queryOperand() throws -> QueryBody {
    let start = peek.start
    switch peek.keyword {
    case .select, .from: return .select(try select())
    case .with: return .nested(try query())
    case .values: return .values(try valuesList())
    case .table:
      advance()
      return .table(try qualifiedName("a table"))
    case .describe, .show, .summarize, .train, .evaluate, .validate, .verify:
      return .statement(try parseStatement())
    case .pivot, .unpivot, .pivotWider, .pivotLonger: return .select(try pivotStatement())
    default:
      guard at(.leftParenthesis) else {
        throw unexpected("a query", [.select, .values, .from, .with, .table])
      }
      advance()
      var inner = try query()
      try expect(.rightParenthesis, "\")\"")
      inner.span = span(from: start)
      return .nested(inner)
    }
  }

  private mutating func valuesList() throws -> ValuesList {
    let start = peek.start
    advance()
    let rows = try list(until: { !$0.at(.leftParenthesis) }) { parser in
      try parser.parenthesized { try $0.expression() }
    }
    return ValuesList(rows: rows, span: span(from: start))
  }
}
