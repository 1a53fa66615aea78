import Diagnostics

extension Parser {
  /// The comma-separated sources of FROM and USING.
  mutating func tableReferences() throws -> [TableReference] {
    try list(until: { !$0.startsTable }) { try $0.tableReference() }
  }

  private var startsTable: Bool {
    switch peek.kind {
    case .leftParenthesis, .string, .quotedIdentifier: return true
    case .word:
      return peek.keyword.canNameColumn || at(.lateral)
        || (peek.keyword.canNameFunction && next.kind == .leftParenthesis)
    default: return false
    }
  }

  /// One source with its joins.
  mutating func tableReference() throws -> TableReference {
    try nested { parser in
      let outer = parser.height
      parser.height = 0
      let start = parser.peek.start
      var left = try parser.tablePrimary()
      try parser.grow()
      while let (kind, isAsof, isNatural) = try parser.joinKind() {
        let right = try parser.tablePrimary()
        let condition = try parser.joinCondition(kind, isNatural)
        let join = Join(
          kind: kind, isAsof: isAsof, left: left, right: right, condition: condition)
        left = TableReference(.join(join), span: parser.span(from: start))
        try parser.grow()
      }
      parser.height = max(outer, parser.height)
      return left
    }
  }

  /// Reads `[NATURAL | ASOF] [LEFT [OUTER] | …] JOIN`; nil where no join follows.
  private mutating func joinKind() throws -> (Join.Kind, isAsof: Bool, isNatural: Bool)? {
    var offset = 0
    let isNatural = at(.natural)
    let isAsof = at(.asof)
    if isNatural || isAsof { offset = 1 }
    var kind = Join.Kind.inner
    switch token(at: offset).keyword {
    case .join: break
    case .inner: offset += 1
    case .left, .right, .full:
      switch token(at: offset).keyword {
      case .left: kind = .left
      case .right: kind = .right
      default: kind = .full
      }
      offset += 1
      switch token(at: offset).keyword {
      case .outer: offset += 1
      case .semi where kind == .left:
        kind = .semi
        offset += 1
      case .anti where kind == .left:
        kind = .anti
        offset += 1
      default: break
      }
    case .cross: (kind, offset) = (.cross, offset + 1)
    case .semi: (kind, offset) = (.semi, offset + 1)
    case .anti: (kind, offset) = (.anti, offset + 1)
    case .positional: (kind, offset) = (.positional, offset + 1)
    default:
      if offset == 0 { return nil }
    }
    index += offset
    try expect(.join)
    return (kind, isAsof, isNatural)
  }

  private mutating func joinCondition(
    _ kind: Join.Kind, _ isNatural: Bool
  ) throws -> Join.Condition {
    if isNatural { return .natural }
    if kind == .cross || kind == .positional { return .none }
    if accept(.on) { return .on(try expression()) }
    if at(.using), next.keyword != .sample {
      advance()
      return .using(try identifierList())
    }
    throw unexpected("ON or USING", [.on, .using])
  }

  private mutating func tablePrimary() throws -> TableReference {
    let start = peek.start
    var prefixAlias: Identifier?
    if next.kind == .colon, isName() {
      prefixAlias = try takeIdentifier()
      advance()
    }
    var table = try tableSource()
    if let alias = prefixAlias { table.alias = TableAlias(name: alias, columns: []) }
    if table.alias == nil { table.alias = try tableAlias() }
    if at(.tablesample) {
      advance()
      table.sample = try sample()
    }
    table.span = span(from: start)
    while atPivot || atUnpivot {
      table = try pivotSuffix(table, from: start)
      try grow()
    }
    return table
  }

  private mutating func tableSource() throws -> TableReference {
    let start = peek.start
    let isLateral = accept(.lateral)
    let here = SourceSpan(start, start)
    switch peek.kind {
    case .leftParenthesis:
      return try parenthesizedTable(isLateral)
    case .string where !isLateral:
      return TableReference(.file(try stringLiteral()), span: here)
    case .word, .quotedIdentifier:
      if at(.values), next.kind == .leftParenthesis {
        let query = try query()
        return TableReference(
          .derived(DerivedTable(query: query, isLateral: isLateral)), span: here)
      }
      let opens = next.kind == .leftParenthesis && peek.kind == .word
      guard isName() || (opens && peek.keyword.canNameFunction) else { break }
      let name = try qualifiedName(after: try takeIdentifier())
      guard at(.leftParenthesis) else {
        if isLateral { throw unexpected("a query or a table function") }
        return TableReference(.table(name), span: here)
      }
      var call = try functionCall(name, receiver: nil)
      bindModelArgument(&call)
      let hasOrdinality = accept(.with, .ordinality)
      return TableReference(
        .function(
          TableFunction(call: call, isLateral: isLateral, hasOrdinality: hasOrdinality)),
        span: here)
    default: break
    }
    throw unexpected("a table")
  }

  /// `(query)` or `(a JOIN b …)`; see `parenthesizedContent` for how the two are told apart.
  private mutating func parenthesizedTable(_ isLateral: Bool) throws -> TableReference {
    let start = peek.start
    if startsQuery(at: 1) || isLateral {
      advance()
      let isPivot = atPivot
      let query = try query()
      try expect(.rightParenthesis, "\")\"")
      if isPivot, !continues(query), case .select(let select) = query.body,
        let only = select.from.first
      {
        // `(PIVOT …)` is the pivot itself, not a query over it.
        return TableReference(only.kind, span: span(from: start))
      }
      return TableReference(
        .derived(DerivedTable(query: query, isLateral: isLateral)), span: span(from: start))
    }
    advance()
    var inner = try tableReference()
    if case .derived(let derived) = inner.kind, inner.alias == nil, inner.sample == nil,
      continuesQuery()
    {
      let query = try query(startingWith: derived.query)
      inner = TableReference(
        .derived(DerivedTable(query: query, isLateral: false)), span: query.span)
    } else if at(.comma) {
      // `(a, b)` is their cross product.
      while accept(.comma) {
        let right = try tableReference()
        let join = Join(kind: .cross, isAsof: false, left: inner, right: right, condition: .none)
        inner = TableReference(.join(join), span: span(from: start))
        try grow()
      }
    }
    try expect(.rightParenthesis, "\")\"")
    if inner.alias != nil, at(.as) || isName() {
      // `(t AS a) AS b`: the outer name hides the inner.
      let star = SyntaxExpression(.star(Star()), span: inner.span)
      let select = Select(
        items: [SelectItem(expression: star, span: inner.span)], from: [inner], span: inner.span)
      let query = Query(body: .select(select), span: inner.span)
      return TableReference(
        .derived(DerivedTable(query: query, isLateral: false)), span: span(from: start))
    }
    return inner
  }

  /// Whether ORDER BY, LIMIT or OFFSET follow the query's body.
  private func continues(_ query: Query) -> Bool {
    !query.orderBy.isEmpty || query.limit != nil || query.offset != nil
  }

  /// `[AS] name [(columns)]`.
  private mutating func tableAlias() throws -> TableAlias? {
    if at(.as), next.kind == .leftParenthesis { return nil }
    guard let name = try alias() else { return nil }
    let columns = at(.leftParenthesis) ? try identifierList() : []
    return TableAlias(name: name, columns: columns)
  }
}

// MARK: - PIVOT

extension Parser {
  /// `PIVOT t ON … USING … GROUP BY …` and `UNPIVOT t ON … INTO NAME n VALUE v`.
  mutating func pivotStatement() throws -> Select {
    let start = peek.start
    let isPivot = atPivot
    advance()
    let source = try tableReference()
    let kind: TableReference.Kind
    if isPivot {
      var pivot = Pivot(source: source, aggregates: [], columns: [], groupBy: [])
      if accept(.on) { pivot.columns = try list(until: { $0.at(.using) }) { try $0.pivotColumn() } }
      if accept(.using) {
        pivot.aggregates = try list(until: { $0.at(.group) }) { try $0.selectItem() }
      }
      if accept(.group, .by) {
        pivot.groupBy = try list(until: { !$0.isName() }) { try $0.identifier("a column") }
      }
      kind = .pivot(pivot)
    } else {
      let includesNulls = try nullsClause()
      try expect(.on)
      let columns = try list(until: { $0.at(.into) }) { try $0.selectItem() }
      var unpivot = Unpivot(
        source: source, includesNulls: includesNulls,
        nameColumn: Identifier(name: "name"), valueColumns: [Identifier(name: "value")],
        columns: columns)
      if accept(.into) {
        try expect(.name)
        unpivot.nameColumn = try identifier("a column")
        if !accept(.values) { try expect(.value) }
        unpivot.valueColumns = try list(until: { !$0.isName() }) { try $0.identifier("a column") }
      }
      kind = .unpivot(unpivot)
    }
    let span = span(from: start)
    let star = SyntaxExpression(.star(Star()), span: span)
    return Select(
      items: [SelectItem(expression: star, span: span)], from: [TableReference(kind, span: span)],
      span: span)
  }

  /// `PIVOT (… FOR … IN (…))` behind a table.
  private mutating func pivotSuffix(
    _ source: TableReference, from start: Int
  ) throws -> TableReference {
    let isPivot = atPivot
    advance()
    let kind: TableReference.Kind
    if isPivot {
      try expect(.leftParenthesis, "\"(\"")
      var pivot = Pivot(source: source, aggregates: [], columns: [], groupBy: [])
      pivot.aggregates = try list(until: { $0.at(.for) }) { try $0.selectItem() }
      try expect(.for)
      repeat { pivot.columns.append(try pivotColumn()) } while isName()
      if accept(.group, .by) {
        pivot.groupBy = try list(until: { !$0.isName() }) { try $0.identifier("a column") }
      }
      kind = .pivot(pivot)
    } else {
      let includesNulls = try nullsClause()
      try expect(.leftParenthesis, "\"(\"")
      let values =
        at(.leftParenthesis) ? try identifierList() : [try identifier("the values' column")]
      try expect(.for)
      let name = try identifier("the names' column")
      try expect(.in)
      let columns = try parenthesized { try $0.selectItem() }
      kind = .unpivot(
        Unpivot(
          source: source, includesNulls: includesNulls, nameColumn: name, valueColumns: values,
          columns: columns))
    }
    try expect(.rightParenthesis, "\")\"")
    var table = TableReference(kind, span: span(from: start))
    table.alias = try tableAlias()
    table.span = span(from: start)
    return table
  }

  private mutating func pivotColumn() throws -> PivotColumn {
    let expression = try expressionBeforeIn()
    guard accept(.in) else { return PivotColumn(expression: expression) }
    guard at(.leftParenthesis) else {
      return PivotColumn(
        expression: expression, values: .enumeration(try qualifiedName("an ENUM type")))
    }
    if startsQuery(at: 1) {
      advance()
      let query = try query()
      try expect(.rightParenthesis, "\")\"")
      return PivotColumn(expression: expression, values: .query(query))
    }
    let values = try parenthesized { try $0.selectItem() }
    return PivotColumn(expression: expression, values: .listed(values))
  }

  private var atPivot: Bool { at(.pivot) || at(.pivotWider) }
  private var atUnpivot: Bool { at(.unpivot) || at(.pivotLonger) }

  /// INCLUDE NULLS or EXCLUDE NULLS, which is what happens without.
  private mutating func nullsClause() throws -> Bool {
    if accept(.include, .nulls) { return true }
    _ = accept(.exclude, .nulls)
    return false
  }
}
