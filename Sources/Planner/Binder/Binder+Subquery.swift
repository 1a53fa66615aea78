import Columnar
import Diagnostics
import Functions
import Syntax

/// Subqueries in expressions: each is planned once, joined to its clause's input by the collector,
/// and stands in the expression as a column.
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
    context.subqueries.entries.append(
      SubqueryCollector.Entry(plan: bound.plan, kind: .single, key: nil))
    return .column(reference)
  }

  func bindExists(_ query: Query, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let bound = try bindInner(query, context)
    let mark = makeReference("exists", .boolean)
    // One row is enough to know.
    let first = Plan.limit(LimitNode(input: bound.plan, limit: 1, offset: 0))
    context.subqueries.entries.append(
      SubqueryCollector.Entry(plan: first, kind: .mark(mark), key: nil))
    return .column(mark)
  }

  /// `a IN (SELECT …)`, with SQL's three-valued answer.
  func bind(_ test: InQuery, _ context: ExpressionContext, span: SourceSpan) throws -> Expression {
    let operand = try bind(test.operand, context)
    let mark = try markJoin(operand, test.query, context, span: span)
    return test.isNegated ? .not(mark) : mark
  }

  /// `a = ANY (…)` is IN, `a <> ALL (…)` is NOT IN; lists unfold to their elements.
  func bind(_ test: Quantified, _ context: ExpressionContext, span: SourceSpan) throws -> Expression
  {
    let operand = try bind(test.operand, context)
    switch (test.source, test.comparison, test.quantifier) {
    case (.query(let query), .equal, .any):
      return try markJoin(operand, query, context, span: span)
    case (.query(let query), .notEqual, .all):
      return .not(try markJoin(operand, query, context, span: span))
    case (.list(let list), .equal, .any):
      return try call("contains", [try bind(list, context), operand], span: span)
    default:
      throw Binder.notYet(
        "\(test.comparison.rawValue) \(test.quantifier.rawValue) comparisons", span)
    }
  }

  private func markJoin(
    _ operand: Expression, _ query: Query, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let bound = try bindInner(query, context)
    guard bound.names.count == 1, let reference = bound.plan.output.first else {
      throw SQLError(
        .binder, "the subquery of IN needs one column, not \(bound.names.count)", at: query.span)
    }
    let (left, right) = try comparable(operand, .column(reference), operator: "IN", span: span)
    let mark = makeReference("in", .boolean)
    context.subqueries.entries.append(
      SubqueryCollector.Entry(plan: bound.plan, kind: .mark(mark), key: (left, right)))
    return .column(mark)
  }

  /// A subquery that turns out to need a column from outside gets the error that says so.
  private func bindInner(_ query: Query, _ context: ExpressionContext) throws -> BoundQuery {
    do {
      return try bind(query)
    } catch let error as SQLError where error.code == .binder {
      if let span = error.span, span.start >= query.span.start,
        error.message.contains("not exist")
          || error.message.contains("is not in FROM")
      {
        let quoted = error.message.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
        let isOutside = context.scope.entries.contains {
          $0.name.lowercased() == quoted.lowercased()
            || $0.table?.lowercased() == quoted.lowercased()
        }
        if isOutside { throw Binder.notYet("correlated subqueries", span) }
      }
      throw error
    }
  }
}
