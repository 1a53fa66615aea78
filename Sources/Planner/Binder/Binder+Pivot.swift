import Columnar
import Diagnostics
import Functions
import Syntax

/// PIVOT: an aggregation whose calls come once for each value of some columns, under a filter for
/// that value.
///
///     project    the pivoted columns as text
///     aggregate  keys: the other columns; sum(x) FILTER (year = '2000'), …
///     project    named '2000', …
extension Binder {
  /// More columns than this are a mistake.
  private static let largestPivot = 100_000

  /// One pivoted column: its text in the rows, and the values that become columns.
  private struct PivotKey {
    var parts: [(expression: Expression, reference: ColumnReference)]
    var values: [PivotValue] = []
  }

  private struct PivotValue {
    var name: String
    /// A text for each part; nil for NULL.
    var texts: [String?]
  }

  func bind(_ pivot: Pivot, span: SourceSpan) throws -> BoundQuery {
    let (source, scope) = try bind(pivot.source)
    var used: Set<Int> = []
    var keys: [PivotKey] = []
    for column in pivot.columns {
      let key = try pivotKey(column, scope)
      for part in key.parts { used.formUnion(part.expression.columnIDs) }
      keys.append(key)
    }
    let input = source.adding(keys.flatMap(\.parts))
    for index in keys.indices {
      keys[index].values = try pivotValues(pivot.columns[index], keys[index], input)
    }

    let collector = AggregateCollector()
    let columns = try pivotColumns(pivot, keys, scope, collector, span: span)
    for call in collector.calls.map(\.call) {
      used.formUnion(call.usedColumns)
    }
    let groups = try pivotGroups(pivot, scope, used)
    let keyed = groups.map { group in
      (expression: group.expression, reference: makeReference(group.name, group.expression.type))
    }
    let aggregate = Plan.aggregate(
      AggregateNode(input: input, keys: keyed, calls: collector.calls))
    let result =
      keyed.map { (expression: Expression.column($0.reference), name: $0.reference.name) } + columns
    if result.isEmpty {
      throw SQLError(.binder, "PIVOT needs ON, USING or GROUP BY", at: span)
    }
    return BoundQuery(
      plan: .project(
        ProjectNode(
          input: aggregate,
          items: result.map { ($0.expression, makeReference($0.name, $0.expression.type)) })),
      names: result.map(\.name))
  }

  private func pivotContext(_ scope: Scope) -> ExpressionContext {
    ExpressionContext(scope: scope, clause: "PIVOT", subqueries: SubqueryCollector())
  }

  private func pivotKey(_ column: PivotColumn, _ scope: Scope) throws -> PivotKey {
    let context = pivotContext(scope)
    var expressions = [column.expression]
    // Several columns at once: their values are rows of as many.
    if case .row(let parts) = column.expression.kind, case .listed(let values) = column.values,
      values.allSatisfy({
        if case .row(let items) = $0.expression.kind { items.count == parts.count } else { false }
      })
    {
      expressions = parts
    }
    let parts = try expressions.map {
      part -> (expression: Expression, reference: ColumnReference) in
      let bound = try bind(part, context)
      let text = try foldedCast(bound, to: .varchar, isTry: false, span: part.span)
      return (text, makeReference("pivot", .varchar))
    }
    if !context.subqueries.entries.isEmpty {
      throw Binder.notYet("subqueries in PIVOT … ON", column.expression.span)
    }
    return PivotKey(parts: parts)
  }

  // MARK: Values

  private func pivotValues(_ column: PivotColumn, _ key: PivotKey, _ input: Plan) throws
    -> [PivotValue]
  {
    switch column.values {
    case .found:
      let reference = key.parts[0].reference
      let texts = Plan.project(
        ProjectNode(
          input: .filter(
            FilterNode(
              input: input, condition: .isNull(.column(reference), isNegated: true))),
          items: [(.column(reference), reference)]))
      let values = distinct(texts)
      let sorted = Plan.sort(
        SortNode(
          input: values,
          items: values.output.map {
            SortItem(expression: .column($0), descending: false, nullsFirst: false)
          }))
      return try pivotValues(of: BoundQuery(plan: sorted, names: ["value"]), column)
    case .query(let query):
      let bound = try bind(query)
      guard bound.names.count == 1 else {
        throw SQLError(
          .binder, "the query of PIVOT … IN needs one column, not \(bound.names.count)",
          at: query.span)
      }
      return try pivotValues(of: bound, column)
    case .enumeration(let name):
      guard case .enumeration(let labels)? = try catalog.type(named: name) else {
        throw SQLError(
          .catalog, "there is no ENUM type \"\(name.last.name)\"", at: name.span,
          hint: didYouMean(name.last.name, among: catalog.typeNames)
            ?? "values stand in parentheses")
      }
      return labels.labels.map { PivotValue(name: $0, texts: [$0]) }
    case .listed(let items):
      var values: [PivotValue] = []
      for item in items {
        let value = try pivotValue(item, key)
        if values.contains(where: { $0.name == value.name }) {
          throw SQLError(
            .binder, "the value \"\(value.name)\" is twice in PIVOT … IN", at: item.span)
        }
        values.append(value)
      }
      return values
    }
  }

  private func pivotValues(of query: BoundQuery, _ column: PivotColumn) throws -> [PivotValue] {
    guard query.plan.freeColumns.isEmpty else {
      throw SQLError(
        .binder, "PIVOT cannot find its values in rows of an outer query",
        at: column.expression.span, hint: "list them with IN (…)")
    }
    let text = query.plan.output[0]
    let made = makeReference("value", .varchar)
    var plan = Plan.project(
      ProjectNode(
        input: query.plan, items: [(.cast(.column(text), to: .varchar, isTry: false), made)]))
    // Common tables are made anew for it; a statement must not run twice.
    plan = placeSharedQueries(plan, sharedQueries.filter { !$0.mustRun })
    if plan.readsSharedOutside([]) || plan.runsStatements {
      throw SQLError(
        .binder, "PIVOT cannot find its values in the rows of a statement or a recursion",
        at: column.expression.span, hint: "list them with IN (…)")
    }
    var seen: Set<String> = []
    return try catalog.rows(of: BoundQuery(plan: plan, names: ["value"])).compactMap { row in
      guard case .varchar(let text)? = row.first, seen.insert(text).inserted else { return nil }
      return PivotValue(name: text, texts: [text])
    }
  }

  private func pivotValue(_ item: SelectItem, _ key: PivotKey) throws -> PivotValue {
    var expressions = [item.expression]
    if key.parts.count > 1, case .row(let items) = item.expression.kind { expressions = items }
    var names: [String] = []
    var texts: [String?] = []
    for (expression, part) in zip(expressions, key.parts) {
      // A bare word is a value too.
      if case .column(let name) = expression.kind, name.parts.count == 1 {
        names.append(name.last.name)
        texts.append(name.last.name)
        continue
      }
      let bound = ConstantFolding.foldAll(try bind(expression, pivotContext(Scope())))
      guard case .constant(let value, let type) = bound else {
        throw SQLError(.binder, "the values of PIVOT … IN must be constants", at: expression.span)
      }
      if value.isNull {
        names.append("NULL")
        texts.append(nil)
        continue
      }
      names.append(try pivotText(.constant(value, type), expression.span))
      // A value reads as the column's type where it can: '2024-1-5' finds a date.
      var wanted = Expression.constant(value, type)
      if case .cast(let inner, _, _) = part.expression,
        let cast = try? foldedCast(wanted, to: inner.type, isTry: false, span: expression.span)
      {
        wanted = cast
      }
      texts.append(try pivotText(wanted, expression.span))
    }
    return PivotValue(name: item.alias?.name ?? names.joined(separator: "_"), texts: texts)
  }

  private func pivotText(_ constant: Expression, _ span: SourceSpan) throws -> String {
    if case .constant(.varchar(let text), _) = try foldedCast(
      constant, to: .varchar, isTry: false, span: span)
    {
      return text
    }
    return "NULL"
  }

  // MARK: Columns

  private func pivotColumns(
    _ pivot: Pivot, _ keys: [PivotKey], _ scope: Scope, _ collector: AggregateCollector,
    span: SourceSpan
  ) throws -> [(expression: Expression, name: String)] {
    var context = pivotContext(scope)
    context.aggregates = collector
    var aggregates = pivot.aggregates
    if aggregates.isEmpty && !keys.isEmpty {
      let count = FunctionCall(name: QualifiedName(Identifier(name: "count", span: span)))
      aggregates = [
        SelectItem(expression: SyntaxExpression(.function(count), span: span), span: span)
      ]
    }
    var combinations: [(names: [String], filters: [Expression])] = [([], [])]
    for key in keys {
      guard combinations.count * max(1, key.values.count) <= Binder.largestPivot else {
        throw SQLError(
          .binder, "PIVOT would make more than \(Binder.largestPivot) columns", at: span)
      }
      combinations = try combinations.flatMap { combination in
        try key.values.map { value in
          let filters = try zip(key.parts, value.texts).map { part, text in
            try comparison(
              text == nil ? "is not distinct from" : "=", .column(part.reference),
              .constant(text.map { .varchar($0) } ?? .null, .varchar), span: span)
          }
          return (combination.names + [value.name], combination.filters + filters)
        }
      }
    }
    return try combinations.flatMap { combination in
      context.aggregateFilter = Expression.conjunction(combination.filters)
      return try aggregates.map { item in
        let known = keys.isEmpty ? 0 : collector.calls.count
        let bound = try bind(item.expression, context)
        if bound.columnIDs.isEmpty {
          throw SQLError(
            .binder, "PIVOT … USING needs an aggregate", at: item.expression.span)
        }
        if !bound.columnIDs.isSubset(of: collector.calls[known...].map(\.reference.id)) {
          throw SQLError(
            .binder, "PIVOT takes columns only inside aggregates", at: item.expression.span)
        }
        var names = combination.names
        if item.alias != nil || aggregates.count > 1 || names.isEmpty {
          names.append(item.alias?.name ?? outputName(item.expression, scope))
        }
        return (bound, names.joined(separator: "_"))
      }
    }
  }

  private func pivotGroups(_ pivot: Pivot, _ scope: Scope, _ used: Set<Int>) throws
    -> [(expression: Expression, name: String)]
  {
    if pivot.groupBy.isEmpty {
      if pivot.columns.isEmpty { return [] }
      return scope.entries.filter { !$0.isShadowed && !used.contains($0.reference.id) }.map {
        (.column($0.reference), $0.name)
      }
    }
    return try pivot.groupBy.map { name in
      let column = SyntaxExpression(.column(QualifiedName(name)), span: name.span)
      return (try bind(column, pivotContext(scope)), name.name)
    }
  }
}

extension BoundAggregate {
  /// Columns of its arguments, filter and order.
  var usedColumns: Set<Int> {
    var found: Set<Int> = []
    for expression in arguments + (filter.map { [$0] } ?? []) + order.map(\.expression) {
      expression.collectColumns(&found)
    }
    return found
  }
}
