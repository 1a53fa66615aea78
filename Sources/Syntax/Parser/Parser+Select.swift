import Diagnostics

extension Parser {
  /// A SELECT block, SELECT or FROM first.
  mutating func select() throws -> Select {
    let start = peek.start
    var select = Select(span: SourceSpan(start, start))
    let isFromFirst = at(.from)
    if isFromFirst { select.from = try fromClause() }
    if accept(.select) {
      select.distinct = try distinctClause()
      select.items = try list(until: { $0.endsSelectList }) { try $0.selectItem() }
    } else {
      let here = SourceSpan(previousEnd, previousEnd)
      select.items = [
        SelectItem(expression: SyntaxExpression(.star(Star()), span: here), span: here)
      ]
    }
    if !isFromFirst, at(.from) { select.from = try fromClause() }
    if accept(.where) { select.filter = try expression() }
    if at(.group) { select.groupBy = try groupBy() }
    if accept(.having) { select.having = try expression() }
    while at(.window) || at(.qualify) {
      if accept(.window) {
        select.windows += try list(until: { !$0.isName() }) { try $0.namedWindow() }
      } else if accept(.qualify) {
        select.qualify = try expression()
      }
    }
    if at(.using, .sample) {
      advance()
      advance()
      select.sample = try sample()
    }
    select.span = span(from: start)
    return select
  }

  private var endsSelectList: Bool {
    switch peek.keyword {
    case .from, .where, .group, .having, .order, .limit, .union, .except, .intersect, .window,
      .qualify, .using:
      true
    default: atEnd || at(.rightParenthesis)
    }
  }

  private mutating func fromClause() throws -> [TableReference] {
    try expect(.from)
    return try tableReferences()
  }

  private mutating func distinctClause() throws -> Select.Distinct {
    guard accept(.distinct) else {
      _ = accept(.all)
      return .all
    }
    guard accept(.on) else { return .distinct }
    return .on(try parenthesized { try $0.expression() })
  }

  /// `expression [AS alias]` or `alias: expression`.
  mutating func selectItem() throws -> SelectItem {
    let start = peek.start
    if next.kind == .colon, isName() {
      let alias = try takeIdentifier()
      advance()
      let expression = try expression()
      return SelectItem(expression: expression, alias: alias, span: span(from: start))
    }
    let expression = try expression()
    var item = SelectItem(expression: expression, span: expression.span)
    item.alias = try alias()
    item.span = span(from: start)
    return item
  }

  /// `AS name`, with any word or string, or a bare name.
  mutating func alias() throws -> Identifier? {
    if accept(.as) {
      if peek.kind == .string {
        let token = peek
        return Identifier(name: try stringLiteral(), quoted: true, span: token.span)
      }
      return try label("an alias")
    }
    guard isName() else { return nil }
    bareAliasIndex = peek.kind == .word ? index : -1
    return try takeIdentifier()
  }

  private mutating func namedWindow() throws -> NamedWindow {
    let name = try identifier("a window's name")
    try expect(.as)
    return NamedWindow(name: name, specification: try windowSpecification())
  }

  private mutating func groupBy() throws -> GroupBy {
    try expect(.group, .by)
    if at(.all), next.kind != .leftParenthesis {
      advance()
      return .all
    }
    let elements = try list(until: { $0.endsSelectList }) { try $0.groupingElement() }
    return .elements(elements)
  }

  private mutating func groupingElement() throws -> GroupingElement {
    if at(.leftParenthesis), next.kind == .rightParenthesis {
      advance()
      advance()
      return .empty
    }
    if at(.rollup), next.kind == .leftParenthesis {
      advance()
      return .rollup(try parenthesized { try $0.expression() })
    }
    if at(.cube), next.kind == .leftParenthesis {
      advance()
      return .cube(try parenthesized { try $0.expression() })
    }
    if at(.grouping, .sets) {
      advance()
      advance()
      return try nested { parser in
        .sets(try parser.parenthesized { try $0.groupingElement() })
      }
    }
    return .expression(try expression())
  }

  /// `10%`, `50 ROWS`, `10% (bernoulli, 42)`, `reservoir(50 ROWS) REPEATABLE (7)`.
  mutating func sample() throws -> Sample {
    let start = peek.start
    var sample: Sample
    if peek.kind == .word, next.kind == .leftParenthesis {
      let method = try label().name.lowercased()
      advance()
      sample = try sampleSize(from: start)
      try expect(.rightParenthesis, "\")\"")
      sample.method = method
      if accept(.repeatable) {
        try expect(.leftParenthesis, "\"(\"")
        sample.seed = try integerLiteral("a seed")
        try expect(.rightParenthesis, "\")\"")
      }
    } else {
      if accept(.leftParenthesis) {
        sample = try sampleSize(from: start)
        try expect(.rightParenthesis, "\")\"")
      } else {
        sample = try sampleSize(from: start)
      }
      if accept(.leftParenthesis) {
        sample.method = try label("a sampling method").name.lowercased()
        if accept(.comma) { sample.seed = try integerLiteral("a seed") }
        try expect(.rightParenthesis, "\")\"")
      }
      if accept(.repeatable) {
        try expect(.leftParenthesis, "\"(\"")
        sample.seed = try integerLiteral("a seed")
        try expect(.rightParenthesis, "\")\"")
      }
    }
    sample.span = span(from: start)
    return sample
  }

  private mutating func sampleSize(from start: Int) throws -> Sample {
    let size = try primary()
    let isPercent = accept(TokenKind.percent) || accept(Keyword.percent)
    if !isPercent { _ = accept(.rows) }
    return Sample(size: size, isPercent: isPercent, span: span(from: start))
  }
}
