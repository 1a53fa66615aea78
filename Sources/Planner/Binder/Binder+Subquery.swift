import Columnar
import Diagnostics
import Functions
import Syntax

/// Subqueries in expressions: each is planned once, joined to its clause's input by the collector,
/// and stands in the expression as a column. Columns of the queries around it bind to those
/// queries' references; `Unnesting` makes plain joins of what then depends on the other side.
extension Binder {
  /// `(SELECT …)`: one value; NULL without rows, an error with several.
  func bindScalar(_ query: Query, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let bound = try bindInner(query, context)
    guard bound.names.count == 1, let reference = bound.plan.output.first else {
      throw SQLError(
        .binder, "a subquery used as a value needs one column, not \(bound.names.count)", at: span)
    }
    context.subqueries.entries.append(SubqueryCollector.Entry(plan: bound.plan, kind: .single))
    return .column(reference)
  }

  func bindExists(_ query: Query, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let bound = try bindInner(query, context)
    let mark = makeReference("exists", .boolean)
    // One row is enough to know; a correlated one stops at each row's first match instead.
    let plan =
      bound.plan.freeColumns.isEmpty
      ? Plan.limit(LimitNode(input: bound.plan, limit: 1, offset: 0)) : bound.plan
    context.subqueries.entries.append(SubqueryCollector.Entry(plan: plan, kind: .mark(mark)))
    return .column(mark)
  }

  /// `ARRAY(SELECT …)`: the rows' values as a list, in the query's order; empty without rows.
  func bindArray(_ query: Query, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    var bound = try bindInner(query, context)
    guard bound.names.count == 1, let element = bound.plan.output.first else {
      throw SQLError(
        .binder, "ARRAY needs a subquery of one column, not \(bound.names.count)", at: span)
    }
    var order: [SortItem] = []
    if case .sort(let sort) = bound.plan, sort.limit == nil {
      order = sort.items
      bound.plan = sort.input
    }
    let list = try aggregate("list", [.column(element)], order: order, span: span)
    let plan = Plan.aggregate(AggregateNode(input: bound.plan, keys: [], calls: [list]))
    context.subqueries.entries.append(SubqueryCollector.Entry(plan: plan, kind: .single))
    return try call(
      "coalesce", [.column(list.reference), .constant(.list([]), list.reference.type)], span: span)
  }

  /// `a IN (SELECT …)`, with SQL's three-valued answer.
  func bind(_ test: InQuery, _ context: ExpressionContext, span: SourceSpan) throws -> Expression {
    let mark = try markJoin(test.operand, test.query, context, span: span)
    return test.isNegated ? .not(mark) : mark
  }

  /// `a = ANY (…)` is IN, `a <> ALL (…)` is NOT IN; other comparisons look at the extremes. A list
  /// is read as the rows of its elements.
  func bind(_ test: Quantified, _ context: ExpressionContext, span: SourceSpan) throws -> Expression
  {
    switch (test.source, test.comparison, test.quantifier) {
    case (.query(let query), .equal, .any):
      return try markJoin(test.operand, query, context, span: span)
    case (.query(let query), .notEqual, .all):
      return .not(try markJoin(test.operand, query, context, span: span))
    case (.query(let query), _, _) where test.comparison.isComparison:
      return try compareWithExtremes(test, query, context, span: span)
    case (.list(let list), .equal, .any):
      return try isElement(test.operand, of: list, context, span: span)
    case (.list(let list), .notEqual, .all):
      return .not(try isElement(test.operand, of: list, context, span: span))
    case (.list(let list), _, _) where test.comparison.isComparison:
      let unnest = FunctionCall(
        name: QualifiedName(Identifier(name: "unnest", span: list.span)),
        arguments: [Argument(list)])
      var select = Select(span: list.span)
      select.items = [
        SelectItem(
          expression: SyntaxExpression(.function(unnest), span: list.span), span: list.span)
      ]
      let query = Query(body: .select(select), span: list.span)
      return try compareWithExtremes(test, query, context, span: span)
    case (.list(let list), _, _):
      // Patterns: each of the list is asked.
      guard case .list(let items) = list.kind, !items.isEmpty else { break }
      let terms = try items.map {
        try bindBinary(test.comparison, test.operand, $0, context, span: span)
      }
      if terms.count == 1 { return terms[0] }
      return test.quantifier == .any ? .or(terms) : .and(terms)
    case (.query, _, _): break
    }
    throw Binder.notYet(
      "\(test.comparison.rawValue) \(test.quantifier.rawValue) comparisons", span)
  }

  /// `x = ANY (list)`, with IN's three-valued answer; in no list at all is nothing.
  private func isElement(
    _ operand: SyntaxExpression, of list: SyntaxExpression, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> Expression {
    if case .list(let items) = list.kind {
      return try bind(InList(operand: operand, items: items, isNegated: false), context, span: span)
    }
    let value = try bind(operand, context)
    let bound = try bind(list, context)
    let list = try call("coalesce", [bound, .constant(.list([]), bound.type)], span: span)
    let size = try call("len", [list], span: span)
    let known = try call("list_count", [list], span: span)
    let isUnknown = Expression.or([
      try call("<", [known, size], span: span),
      .and([
        .isNull(value, isNegated: false),
        try call(">", [size, .constant(.integer(0), .bigint)], span: span),
      ]),
    ])
    return .caseWhen(
      CaseWhen(
        branches: [
          (try call("contains", [list, value], span: span), .trueConstant),
          (isUnknown, .constant(.null, .boolean)),
        ], otherwise: .constant(.boolean(false), .boolean), type: .boolean))
  }

  /// `x < ANY (…)` and its kin: true, false or unknown follows from the smallest and largest value,
  /// how many rows there are and how many of them are NULL.
  private func compareWithExtremes(
    _ test: Quantified, _ query: Query, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let operand = try bind(test.operand, context)
    let bound = try bindInner(query, context)
    guard bound.names.count == 1, let column = bound.plan.output.first else {
      throw SQLError(
        .binder,
        "the subquery of \(test.quantifier.rawValue) needs one column, not "
          + "\(bound.names.count)", at: query.span)
    }
    let op = test.comparison.rawValue
    let (left, value) = try comparable(operand, .column(column), operator: op, span: span)
    let least = try aggregate("min", [value], span: span)
    let greatest = try aggregate("max", [value], span: span)
    let rows = try aggregate("count", [], span: span)
    let known = try aggregate("count", [value], span: span)
    let plan = Plan.aggregate(
      AggregateNode(input: bound.plan, keys: [], calls: [least, greatest, rows, known]))
    context.subqueries.entries.append(SubqueryCollector.Entry(plan: plan, kind: .single))

    let isAny = test.quantifier == .any
    func compared(with extreme: ColumnReference) throws -> Expression {
      try comparison(op, left, .column(extreme), span: span)
    }
    // What decides at once: for ANY some value that compares true, for ALL some that does not.
    let decided: Expression
    switch test.comparison {
    case .less, .lessOrEqual:
      decided = try compared(with: isAny ? greatest.reference : least.reference)
    case .greater, .greaterOrEqual:
      decided = try compared(with: isAny ? least.reference : greatest.reference)
    default:
      let both = [try compared(with: least.reference), try compared(with: greatest.reference)]
      decided = isAny ? .or(both) : .and(both)
    }
    let zero = Expression.constant(.integer(0), .bigint)
    let isEmpty = try comparison("=", .column(rows.reference), zero, span: span)
    let hasNull = try comparison(
      "<", .column(known.reference), .column(rows.reference), span: span)
    return .caseWhen(
      CaseWhen(
        branches: [
          (isEmpty, .constant(.boolean(!isAny), .boolean)),
          (isAny ? decided : .not(decided), .constant(.boolean(isAny), .boolean)),
          (
            .or([hasNull, .isNull(left, isNegated: false)]),
            .constant(.null, .boolean)
          ),
        ], otherwise: .constant(.boolean(!isAny), .boolean), type: .boolean))
  }

  /// An aggregate over bound arguments, for plans that the binder makes itself.
  func aggregate(
    _ name: String, _ arguments: [Expression], order: [SortItem] = [], span: SourceSpan
  ) throws -> (call: BoundAggregate, reference: ColumnReference) {
    do {
      let resolved = try Aggregates.resolve(name: name, arguments: arguments.map(\.type))
      let cast = try zip(arguments, resolved.argumentTypes).map {
        try foldedCast($0, to: $1, isTry: false, span: span)
      }
      return (
        BoundAggregate(
          resolved: resolved, arguments: cast, isDistinct: false, filter: nil, order: order),
        makeReference(name, resolved.resultType)
      )
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
  }

  /// `operand IN (query)` as a mark; a row of values is compared column by column.
  private func markJoin(
    _ operand: SyntaxExpression, _ query: Query, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let bound = try bindInner(query, context)
    var values: [Expression]
    if case .row(let items) = operand.kind, bound.names.count == items.count, items.count > 1 {
      values = try items.map { try bind($0, context) }
    } else {
      values = [try bind(operand, context)]
    }
    guard bound.names.count == values.count else {
      let wanted = values.count == 1 ? "one column" : "\(values.count) columns"
      throw SQLError(
        .binder, "the subquery of IN needs \(wanted), not \(bound.names.count)", at: query.span)
    }
    let keys = try zip(values, bound.plan.output).map {
      try comparable($0, .column($1), operator: "IN", span: span)
    }
    let mark = makeReference("in", .boolean)
    context.subqueries.entries.append(
      SubqueryCollector.Entry(
        plan: bound.plan, kind: .mark(mark), keys: keys.map { (left: $0.0, right: $0.1) }))
    return .column(mark)
  }

  /// A query inside an expression: names that it does not know may be of the context around it.
  func bindInner(_ query: Query, _ context: ExpressionContext) throws -> BoundQuery {
    outer.append(context)
    defer { outer.removeLast() }
    return try bind(query)
  }
}
