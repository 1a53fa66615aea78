import Diagnostics

extension Parser {
  /// A call whose name has been read; the parenthesis is at hand.
  mutating func functionCall(
    _ name: QualifiedName, receiver: SyntaxExpression?, from start: Int
  ) throws -> SyntaxExpression {
    let call = try functionCall(name, receiver: receiver)
    return SyntaxExpression(.function(call), span: span(from: start))
  }

  mutating func functionCall(
    _ name: QualifiedName, receiver: SyntaxExpression?
  ) throws -> FunctionCall {
    var call = FunctionCall(name: name, receiver: receiver, arguments: [])
    try expect(.leftParenthesis, "\"(\"")
    if accept(.distinct) { call.isDistinct = true } else { _ = accept(.all) }
    if !at(.rightParenthesis), !at(.order, .by) {
      call.arguments = try list(until: { $0.at(.rightParenthesis) }) { try $0.argument() }
    }
    if at(.order) { call.orderBy = try orderBy() }
    call.nullTreatment = nullTreatment()
    try expect(.rightParenthesis, "\",\" or \")\"")
    try callSuffixes(&call)
    return call
  }

  /// WITHIN GROUP, FILTER, IGNORE NULLS, OVER.
  private mutating func callSuffixes(_ call: inout FunctionCall) throws {
    if at(.within, .group) {
      advance()
      advance()
      try expect(.leftParenthesis, "\"(\"")
      call.withinGroup = try orderBy()
      try expect(.rightParenthesis, "\")\"")
    }
    if at(.filter), next.kind == .leftParenthesis {
      advance()
      advance()
      _ = accept(.where)
      call.filter = try expression()
      try expect(.rightParenthesis, "\")\"")
    }
    if let treatment = nullTreatment() { call.nullTreatment = treatment }
    guard at(.over) else { return }
    if next.kind == .leftParenthesis {
      advance()
      call.over = .specification(try windowSpecification())
    } else if isName(at: 1) {
      advance()
      call.over = .named(try identifier())
    }
  }

  private mutating func nullTreatment() -> NullTreatment? {
    if accept(.ignore, .nulls) { return .ignore }
    if accept(.respect, .nulls) { return .respect }
    return nil
  }

  /// `value`, `name => value`, `name := value`, `MODEL m`, `TABLE t`.
  mutating func argument() throws -> Argument {
    let start = peek.start
    if next.kind == .fatArrow || next.kind == .colonEquals {
      let name = try label("an argument's name")
      advance()
      let value = try argumentValue()
      return Argument(name: name, value: value, span: span(from: start))
    }
    let value = try argumentValue()
    return Argument(value: value, span: span(from: start))
  }

  private mutating func argumentValue() throws -> Argument.Value {
    if atModelReference {
      advance()
      return .model(try modelReference())
    }
    if at(.table), isName(at: 1) {
      advance()
      return .table(try qualifiedName("a table"))
    }
    if startsQuery(), !at(.from) || next.kind == .word || next.kind == .string {
      // A query without parentheses of its own, as DuckDB takes it in `query(SELECT 1)`.
      let start = peek.start
      let query = try query()
      return .expression(SyntaxExpression(.subquery(query), span: span(from: start)))
    }
    return .expression(try expression())
  }

  mutating func orderBy() throws -> [OrderItem] {
    try expect(.order, .by)
    return try list(until: { $0.atEnd || $0.at(.rightParenthesis) }) { parser in
      let start = parser.peek.start
      var item = OrderItem(span: SourceSpan(start, start))
      if parser.at(.all), parser.next.kind != .leftParenthesis {
        parser.advance()
      } else {
        item.expression = try parser.expression()
      }
      if parser.accept(.asc) {
        item.direction = .ascending
      } else if parser.accept(.desc) {
        item.direction = .descending
      }
      if parser.accept(.nulls) {
        if parser.accept(.first) {
          item.nulls = .first
        } else if parser.accept(.last) {
          item.nulls = .last
        } else {
          throw parser.unexpected("FIRST or LAST", [.first, .last])
        }
      }
      item.span = parser.span(from: start)
      return item
    }
  }

  /// `([base] PARTITION BY … ORDER BY … frame)`.
  mutating func windowSpecification() throws -> WindowSpecification {
    let start = peek.start
    try expect(.leftParenthesis, "\"(\"")
    var window = WindowSpecification(span: SourceSpan(start, start))
    let startsClause =
      at(.partition, .by) || at(.order, .by)
      || ((at(.rows) || at(.range) || at(.groups)) && !(next.kind == .rightParenthesis))
    if isName(), !startsClause { window.base = try identifier() }
    if accept(.partition, .by) {
      window.partitionBy = try list(until: { $0.at(.rightParenthesis) }) { try $0.expression() }
    }
    if at(.order) { window.orderBy = try orderBy() }
    window.frame = try windowFrame()
    guard accept(.rightParenthesis) else {
      throw unexpected(
        "PARTITION BY, ORDER BY, a frame or \")\"",
        [.partition, .order, .rows, .range, .groups, .by])
    }
    window.span = span(from: start)
    return window
  }

  private mutating func windowFrame() throws -> WindowFrame? {
    let unit: WindowFrame.Unit
    switch peek.keyword {
    case .rows: unit = .rows
    case .range: unit = .range
    case .groups: unit = .groups
    default: return nil
    }
    advance()
    var start = WindowFrame.Bound.currentRow
    var end = WindowFrame.Bound.currentRow
    if accept(.between) {
      start = try frameBound()
      try expect(.and)
      end = try frameBound()
    } else {
      start = try frameBound()
    }
    return WindowFrame(unit: unit, start: start, end: end, exclusion: try frameExclusion())
  }

  private mutating func frameExclusion() throws -> WindowFrame.Exclusion {
    guard accept(.exclude) else { return .noOthers }
    if accept(.no, .others) { return .noOthers }
    if accept(.current, .row) { return .currentRow }
    if accept(.group) { return .group }
    if accept(.ties) { return .ties }
    throw unexpected("NO OTHERS, CURRENT ROW, GROUP or TIES", [.no, .current, .group, .ties])
  }

  private mutating func frameBound() throws -> WindowFrame.Bound {
    if accept(.unbounded, .preceding) { return .unboundedPreceding }
    if accept(.unbounded, .following) { return .unboundedFollowing }
    if accept(.current, .row) { return .currentRow }
    // AND ends the bound, so it is read above the level of AND.
    let distance = try expression(.comparison)
    if accept(.preceding) { return .preceding(distance) }
    if accept(.following) { return .following(distance) }
    throw unexpected("PRECEDING or FOLLOWING", [.preceding, .following])
  }
}

// MARK: - Stars

extension Parser {
  /// `*` or `t.*` with EXCLUDE, REPLACE, RENAME; the star is at hand. Also `*COLUMNS(…)`.
  mutating func starPrimary(qualifier: QualifiedName?, from start: Int) throws -> SyntaxExpression {
    guard accept(.star) else { throw unexpected("an expression") }
    if qualifier == nil, at(.columns), next.kind == .leftParenthesis {
      return try columnsPrimary(nil, isUnpacked: true, start)
    }
    var star = Star(qualifier: qualifier)
    if atExclude {
      advance()
      star.exclude = try oneOrMore { try $0.excludedColumn() }
    }
    if at(.replace), next.kind == .leftParenthesis || isName(at: 1) {
      advance()
      star.replace = try oneOrMore { parser in
        let expression = try parser.expression()
        try parser.expect(.as)
        var name = try parser.label()
        // `5 AS t.a`: DuckDB too replaces all columns of the name, whatever table is before it.
        while parser.accept(.dot) { name = try parser.label() }
        return StarReplacement(expression: expression, name: name)
      }
    }
    if at(.rename), next.kind == .leftParenthesis || isName(at: 1) {
      advance()
      star.rename = try oneOrMore { parser in
        let column = try parser.qualifiedName("a column")
        try parser.expect(.as)
        return StarRename(column: column, name: try parser.label())
      }
    }
    return SyntaxExpression(.star(star), span: span(from: start))
  }

  /// EXCLUDE, or BigQuery's EXCEPT where it does not begin the other side of a set operation.
  private var atExclude: Bool {
    if at(.exclude) {
      return next.kind == .leftParenthesis || isName(at: 1) || next.kind == .string
    }
    guard at(.except), !startsQuery(at: 1) else { return false }
    if next.kind == .leftParenthesis {
      return !startsQuery(at: 2) && token(at: 2).kind != .leftParenthesis
    }
    return isName(at: 1)
  }

  private mutating func excludedColumn() throws -> QualifiedName {
    guard peek.kind == .string else { return try qualifiedName("a column") }
    let token = peek
    return QualifiedName(Identifier(name: try stringLiteral(), quoted: true, span: token.span))
  }

  private mutating func oneOrMore<T>(_ item: (inout Parser) throws -> T) throws -> [T] {
    at(.leftParenthesis) ? try parenthesized(item) : [try item(&self)]
  }

  mutating func columnsPrimary(
    _ qualifier: QualifiedName?, isUnpacked: Bool, _ start: Int
  ) throws -> SyntaxExpression {
    advance()
    return try columnsArgument(qualifier, isUnpacked: isUnpacked, start)
  }

  mutating func columnsArgument(
    _ qualifier: QualifiedName?, isUnpacked: Bool, _ start: Int
  ) throws -> SyntaxExpression {
    try expect(.leftParenthesis, "\"(\"")
    let selector = try expression()
    try expect(.rightParenthesis, "\")\"")
    return SyntaxExpression(
      .columns(
        ColumnsExpression(qualifier: qualifier, selector: selector, isUnpacked: isUnpacked)),
      span: span(from: start))
  }
}
