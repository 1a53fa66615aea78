import Columnar
import Diagnostics
import Functions
import Syntax

/// UNPIVOT: columns become rows, each with the column's name and its value.
///
///     project   the other columns, ['jan', 'feb'], [jan, feb]
///     unnest    both lists in step
///     filter    values that are not NULL
extension Binder {
  /// What one row of each input row has: a name and a value per value column.
  private struct UnpivotEntry {
    var name: String
    var values: [Expression]
    var span: SourceSpan
  }

  func bind(_ unpivot: Unpivot, span: SourceSpan) throws -> BoundQuery {
    let (source, scope) = try bind(unpivot.source)
    let entries = try unpivotEntries(unpivot, scope)
    var used: Set<Int> = []
    for entry in entries {
      for value in entry.values { used.formUnion(value.columnIDs) }
    }
    let kept = scope.entries.filter { !$0.isShadowed && !used.contains($0.reference.id) }

    var lists = [
      try call(
        "list_value", entries.map { .constant(.varchar($0.name), .varchar) }, span: span)
    ]
    for position in unpivot.valueColumns.indices {
      lists.append(try call("list_value", try aligned(entries, position), span: span))
    }
    let listed = lists.map { ($0, makeReference("list", $0.type)) }
    let input = Plan.project(
      ProjectNode(
        input: source,
        items: kept.map { (.column($0.reference), $0.reference) } + listed))
    let elements = listed.map { list, reference in
      (
        expression: Expression.column(reference),
        reference: makeReference("element", list.type.elementType ?? .null)
      )
    }
    var plan = Plan.unnest(UnnestNode(input: input, lists: elements))
    if !unpivot.includesNulls {
      let known = elements.dropFirst().map {
        Expression.isNull(.column($0.reference), isNegated: true)
      }
      if let condition = Expression.conjunction(known) {
        plan = .filter(FilterNode(input: plan, condition: condition))
      }
    }
    let names =
      kept.map(\.name) + [unpivot.nameColumn.name] + unpivot.valueColumns.map(\.name)
    let columns = kept.map(\.reference) + elements.map(\.reference)
    return BoundQuery(
      plan: .project(
        ProjectNode(
          input: plan,
          items: zip(columns, names).map { (.column($0), makeReference($1, $0.type)) })),
      names: names)
  }

  private func unpivotEntries(_ unpivot: Unpivot, _ scope: Scope) throws -> [UnpivotEntry] {
    let context = ExpressionContext(
      scope: scope, clause: "UNPIVOT", subqueries: SubqueryCollector())
    let width = unpivot.valueColumns.count
    var entries: [UnpivotEntry] = []
    for item in unpivot.columns {
      let span = item.expression.span
      if case .row(let parts) = item.expression.kind {
        let expanded = try parts.flatMap { try unpivotColumns($0, context) }
        entries.append(
          UnpivotEntry(
            name: item.alias?.name ?? expanded.map(\.name).joined(separator: "_"),
            values: expanded.map(\.expression), span: span))
        continue
      }
      for (expression, name) in try unpivotColumns(item.expression, context) {
        entries.append(
          UnpivotEntry(name: item.alias?.name ?? name, values: [expression], span: span))
      }
    }
    if let wrong = entries.first(where: { $0.values.count != width }) {
      throw SQLError(
        .binder,
        "UNPIVOT has \(width) value \(width == 1 ? "column" : "columns"), but "
          + "\(wrong.values.count) columns are given", at: wrong.span)
    }
    if !context.subqueries.entries.isEmpty {
      throw Binder.notYet("subqueries in UNPIVOT", unpivot.columns.first?.span)
    }
    return entries
  }

  private func unpivotColumns(_ expression: SyntaxExpression, _ context: ExpressionContext) throws
    -> [(expression: Expression, name: String)]
  {
    let item = SelectItem(expression: expression, span: expression.span)
    return try expandStars([item], context.scope).flatMap { item in
      guard case .syntax(let syntax) = item.content else {
        return [(expression: try bind(item, context), name: item.name)]
      }
      return try bindColumnsEach(syntax, context).map { bound, match in
        // A cast column keeps its name.
        var name = item.name
        if case .cast(let cast) = syntax.kind, case .column(let column) = cast.operand.kind {
          name = column.last.name
        }
        if case .column(let reference) = bound { name = reference.name }
        return (bound, match?.name ?? name)
      }
    }
  }

  /// The values of one column, as their common type; text and numbers have none.
  private func aligned(_ entries: [UnpivotEntry], _ position: Int) throws -> [Expression] {
    var type: LogicalType = .null
    for entry in entries {
      let next = entry.values[position].type
      let textMeetsOther =
        (type == .varchar) != (next == .varchar) && type != .null && next != .null
      guard !textMeetsOther, let common = TypeResolution.common(type, next) else {
        throw SQLError(
          .binder, "UNPIVOT cannot combine columns of \(type) and \(next)", at: entry.span,
          hint: "cast one of them explicitly")
      }
      type = common
    }
    return try entries.map {
      try foldedCast($0.values[position], to: type, isTry: false, span: $0.span)
    }
  }
}
