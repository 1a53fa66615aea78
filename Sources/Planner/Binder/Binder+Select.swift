import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  /// One SELECT block with the ORDER BY and LIMIT that follow it.
  ///
  ///     from -> where -> (aggregate -> having) -> (windows -> qualify) -> project -> (distinct) -> sort -> limit
  func bind(
    _ select: Select, orderBy: [OrderItem], limit: Limit?, offset: SyntaxExpression?
  ) throws -> BoundQuery {
    var (plan, scope) = try bindFrom(select.from)
    plan = try sampled(plan, select.sample)
    let items = try expandStars(select.items, scope)
    var aliases: [String: SyntaxExpression] = [:]
    for item in items {
      if let alias = item.alias, aliases[alias.lowercased()] == nil,
        let expression = item.written(scope)
      {
        aliases[alias.lowercased()] = expression
      }
    }

    let inner = SubqueryCollector()
    var whereContext = ExpressionContext(scope: scope, clause: "WHERE", subqueries: inner)
    whereContext.aliases = aliases
    if let filter = select.filter { plan = try filtered(plan, by: filter, whereContext) }

    let aggregates = AggregateCollector()
    let outer = SubqueryCollector()
    var context = ExpressionContext(scope: scope, clause: "SELECT", subqueries: outer)
    context.aggregates = aggregates
    aggregates.subqueries = outer
    let windows = try WindowCollector(select.windows)
    context.windows = windows
    context.innerSubqueries = inner
    let unnests = UnnestCollector()
    let groupUnnests = UnnestCollector()
    context.unnests = unnests
    // An alias may be used by the items after it; a column of that name wins.
    var selected: [(expression: Expression, name: String)] = []
    for item in items {
      context.aliases = aliases
      // The item's own alias means the column of that name; marked, so that the dictionary need not
      // be copied for every item.
      context.ownAlias = item.alias?.lowercased()
      selected += try bindSelected(item, context)
    }
    context.ownAlias = nil
    if selected.isEmpty {
      throw SQLError(
        .binder, "the SELECT list is empty: the stars in it leave no column", at: select.span)
    }

    // GROUP BY
    var groupContext = ExpressionContext(scope: scope, clause: "GROUP BY", subqueries: inner)
    groupContext.aliases = aliases
    groupContext.unnests = unnests
    let groups = try bindGroups(
      select.groupBy, selected: selected, aggregates: aggregates, groupContext)
    try windows.refuseGrouping(by: groups.keys, at: select.span)
    for key in groups.keys {
      if case .all = select.groupBy, !key.columnIDs.isDisjoint(with: unnests.references) {
        throw SQLError(.binder, "GROUP BY ALL cannot group by an unnest", at: select.span)
      }
      groupUnnests.take(key.columnIDs, from: unnests)
    }

    context.clause = "HAVING"
    context.aliases = aliases
    context.windows = nil
    context.unnests = nil
    let having = try select.having.map {
      try bindConditionEach($0, havingContext(context, keys: groups.keys))
    }
    context.windows = windows
    let qualify = try bindQualify(select.qualify, context)
    context.clause = "ORDER BY"
    context.unnests = unnests
    let order = try bindOrder(orderBy, selected, aliases, context)
    var distinctOn: [Expression] = []
    if case .on(let expressions) = select.distinct {
      context.clause = "DISTINCT ON"
      distinctOn = try expressions.map { expression in
        // As in ORDER BY, an alias alone wins over a column.
        let place =
          try ordinal(expression, count: selected.count, clause: "DISTINCT ON")
          ?? alias(expression, among: selected, aliases)
        return try place.map { selected[$0].expression } ?? bind(expression, context)
      }
    }

    var block = SelectBlock(
      selected: selected, order: order, distinctOn: distinctOn, having: having, qualify: qualify,
      inner: inner, outer: outer, aggregates: aggregates, windows: windows, unnests: unnests,
      groupUnnests: groupUnnests)
    if groups.isGrouped || !aggregates.isEmpty || having != nil {
      plan = try grouped(plan, groups, &block, select)
    } else {
      let late = windows.takeReaders(from: outer)
      plan = outer.attach(to: inner.attach(to: plan))
      plan = late.attach(to: try attach(windows, to: plan) { $0 })
      if let qualify { plan = .filter(FilterNode(input: plan, condition: qualify)) }
    }
    plan = unnests.attach(to: plan)
    return try finish(select, plan, block, limit: limit, offset: offset)
  }

  private func filtered(
    _ input: Plan, by filter: SyntaxExpression, _ context: ExpressionContext
  ) throws -> Plan {
    var plan = input
    let condition = try bindConditionEach(filter, context)
    // What needs no subquery is decided before them: they run for fewer rows.
    let known = Set(plan.output.map(\.id))
    let early = condition.conjuncts.filter {
      !context.subqueries.entries.isEmpty && $0.columnIDs.isSubset(of: known)
    }
    if let first = Expression.conjunction(early) {
      plan = .filter(FilterNode(input: plan, condition: first))
    }
    let late = condition.conjuncts.filter { !early.contains($0) }
    return .filter(
      FilterNode(
        input: context.subqueries.attach(to: plan),
        condition: Expression.conjunction(late) ?? .trueConstant))
  }

  /// ORDER BY; of what is selected also its position.
  private func bindOrder(
    _ items: [OrderItem], _ selected: [(expression: Expression, name: String)],
    _ aliases: [String: SyntaxExpression], _ context: ExpressionContext
  ) throws -> [(item: SortItem, position: Int?)] {
    var context = context
    var order: [(item: SortItem, position: Int?)] = []
    for item in items {
      guard let expression = item.expression else {
        for (position, entry) in selected.enumerated() {
          order.append((sortItem(entry.expression, item), position))
        }
        continue
      }
      if let position = try ordinal(expression, count: selected.count, clause: "ORDER BY") {
        order.append((sortItem(selected[position].expression, item), position))
        continue
      }
      if let position = alias(expression, among: selected, aliases) {
        order.append((sortItem(selected[position].expression, item), position))
        continue
      }
      // An alias alone wins over a column; inside an expression the column does.
      if case .column = expression.kind { context.prefersAliases = true }
      for (bound, _) in try bindColumnsEach(expression, context) {
        order.append((sortItem(bound, item), selected.firstIndex { $0.expression == bound }))
      }
      context.prefersAliases = false
    }
    return order
  }

  /// The aggregation, then HAVING, windows and QUALIFY over its groups. What `block` has read of rows
  /// reads groups afterwards.
  private func grouped(
    _ rows: Plan, _ groups: BoundGroups, _ block: inout SelectBlock, _ select: Select
  ) throws -> Plan {
    let keyed = groups.keys.map { key -> (expression: Expression, reference: ColumnReference) in
      if case .column(let reference) = key {
        return (key, makeReference(reference.name, reference.type))
      }
      return (key, makeReference("group", key.type))
    }
    let input = block.groupUnnests.attach(to: block.inner.attach(to: rows))
    let below = Set(input.output.map(\.id))
    var plan = Plan.aggregate(
      AggregateNode(
        input: input, keys: keyed, calls: block.aggregates.calls, sets: groups.sets,
        groupings: try groupingKeys(block.aggregates, groups)))
    func lift(_ expression: Expression) throws -> Expression {
      if let key = keyed.first(where: { $0.expression == expression }) {
        return .column(key.reference)
      }
      if let constant = Binder.leadingConstant(of: expression) { return constant }
      if case .column(let reference) = expression, below.contains(reference.id) {
        throw Binder.notGrouped(reference.name, select.span(of: reference.name))
      }
      return try expression.mapChildren(lift)
    }
    for index in block.selected.indices {
      block.selected[index].expression = try lift(block.selected[index].expression)
    }
    for index in block.order.indices {
      block.order[index].item.expression = try lift(block.order[index].item.expression)
    }
    block.distinctOn = try block.distinctOn.map(lift)
    // Subqueries too see the groups, not the rows below.
    let outer = block.outer
    for index in outer.entries.indices {
      outer.entries[index].keys = try outer.entries[index].keys.map {
        (try lift($0.left), $0.right)
      }
      outer.entries[index].plan = try outer.entries[index].plan.mapAllExpressions(lift)
    }
    let late = block.windows.takeReaders(from: outer)
    for index in block.unnests.chains.indices {
      block.unnests.chains[index].list = try lift(block.unnests.chains[index].list)
    }
    plan = outer.attach(to: plan)
    if let having = block.having {
      plan = .filter(FilterNode(input: plan, condition: try lift(having)))
    }
    plan = late.attach(to: try attach(block.windows, to: plan, lift))
    if let qualify = block.qualify {
      plan = .filter(FilterNode(input: plan, condition: try lift(qualify)))
    }
    return plan
  }

  /// In HAVING a name is a key of the groups, else an alias, and only then a column.
  private func havingContext(_ context: ExpressionContext, keys: [Expression])
    -> ExpressionContext
  {
    var context = context
    context.prefersAliases = true
    context.aliases = context.aliases.filter { alias in
      let columns = context.scope.matches(table: nil, name: alias.key)
      // USING of an outer join means both copies by the bare name.
      let columnKeys: [Expression] = columns.map { .column($0.reference) }
      let meant = columnKeys + [context.scope.merged[alias.key]].compactMap(\.self)
      return !meant.contains(where: keys.contains)
    }
    return context
  }

  /// Projection, DISTINCT, ORDER BY and LIMIT over what the block selects.
  private func finish(
    _ select: Select, _ input: Plan, _ block: SelectBlock, limit: Limit?,
    offset: SyntaxExpression?
  ) throws -> BoundQuery {
    var plan = input
    var items = block.selected.map {
      (expression: $0.expression, reference: makeReference($0.name, $0.expression.type))
    }
    let visible = items.map(\.reference)
    var sortItems: [SortItem] = []
    for (item, position) in block.order {
      var item = item
      if let position {
        item.expression = .column(visible[position])
      } else if case .constant = item.expression {
        continue
      } else {
        let hidden = makeReference("order", item.expression.type)
        items.append((item.expression, hidden))
        item.expression = .column(hidden)
      }
      sortItems.append(item)
    }
    let uniqueKeys = block.distinctOn.map { key -> Expression in
      if let known = items.first(where: { $0.expression == key }) {
        return .column(known.reference)
      }
      let hidden = makeReference("on", key.type)
      items.append((key, hidden))
      return .column(hidden)
    }
    plan = .project(ProjectNode(input: plan, items: items))
    switch select.distinct {
    case .all: break
    case .distinct where items.count == visible.count:
      plan = distinct(plan)
      let renamed = Dictionary(
        firstOf: zip(visible, plan.output).map { ($0.id, Expression.column($1)) })
      sortItems = sortItems.map { item in item.map { $0.substituting(renamed) } }
    case .distinct:
      // Ordered by what is not selected: of equal rows the first one counts.
      plan = .distinctOn(
        DistinctOnNode(input: plan, keys: visible.map { .column($0) }, order: sortItems))
    case .on:
      plan = .distinctOn(DistinctOnNode(input: plan, keys: uniqueKeys, order: sortItems))
    }
    if !sortItems.isEmpty { plan = .sort(SortNode(input: plan, items: sortItems)) }
    plan = try applyLimit(limit, offset, to: plan)
    if items.count > visible.count {
      let kept = visible.map {
        (expression: Expression.column($0), reference: makeReference($0.name, $0.type))
      }
      plan = .project(ProjectNode(input: plan, items: kept))
    }
    return BoundQuery(plan: plan, names: block.selected.map(\.name))
  }

  /// What COALESCE gives whatever comes behind its first argument: that is never computed and need
  /// not be grouped by.
  private static func leadingConstant(of expression: Expression) -> Expression? {
    guard case .call(let call) = expression, call.resolved.function.name == "coalesce",
      case .constant(let value, _) = call.arguments.first, !value.isNull
    else { return nil }
    return call.arguments.first
  }

  static func notGrouped(_ name: String, _ span: SourceSpan?) -> SQLError {
    SQLError(
      .binder,
      "column \"\(name)\" must appear in the GROUP BY clause or be used in an aggregate function",
      at: span, hint: "GROUP BY it, or use any_value(\(quotedIdentifier(name)))")
  }
}

/// The bound parts of one SELECT block, and what its expressions have asked for on the way.
private struct SelectBlock {
  var selected: [(expression: Expression, name: String)]
  /// The position of what is also selected.
  var order: [(item: SortItem, position: Int?)]
  var distinctOn: [Expression]
  let having: Expression?
  let qualify: Expression?
  /// Subqueries over the rows, and those over the groups where there are groups.
  let inner: SubqueryCollector
  let outer: SubqueryCollector
  let aggregates: AggregateCollector
  let windows: WindowCollector
  /// UNNESTs of the SELECT list, and those that GROUP BY has taken over.
  let unnests: UnnestCollector
  let groupUnnests: UnnestCollector
}

extension Select {
  /// Where a column of that name stands in the SELECT list; the block itself when it is nowhere.
  func span(of name: String) -> SourceSpan {
    func find(_ expression: SyntaxExpression) -> SourceSpan? {
      switch expression.kind {
      case .column(let column):
        return column.last.name.lowercased() == name.lowercased() ? column.span : nil
      case .binary(_, let left, let right): return find(left) ?? find(right)
      case .unary(_, let operand), .not(let operand): return find(operand)
      case .and(let terms), .or(let terms): return terms.lazy.compactMap(find).first
      case .cast(let cast): return find(cast.operand)
      case .function(let call):
        return call.arguments.lazy.compactMap(\.expression).compactMap(find).first
      default: return nil
      }
    }
    return items.lazy.map(\.expression).compactMap(find).first ?? span
  }
}
