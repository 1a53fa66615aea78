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
    if let sample = select.sample { throw Binder.notYet("samples", sample.span) }
    var (plan, scope) = try bindFrom(select.from)
    let items = try expandStars(select.items, scope)
    var aliases: [String: SyntaxExpression] = [:]
    for item in items {
      if let alias = item.alias, case .syntax(let expression) = item.content,
        aliases[alias.lowercased()] == nil
      {
        aliases[alias.lowercased()] = expression
      }
    }

    let inner = SubqueryCollector()
    var whereContext = ExpressionContext(scope: scope, clause: "WHERE", subqueries: inner)
    whereContext.aliases = aliases
    if let filter = select.filter {
      let condition = try bindCondition(filter, whereContext)
      plan = .filter(FilterNode(input: inner.attach(to: plan), condition: condition))
    }

    let aggregates = AggregateCollector()
    let outer = SubqueryCollector()
    var context = ExpressionContext(scope: scope, clause: "SELECT", subqueries: outer)
    context.aggregates = aggregates
    let windows = try WindowCollector(select.windows)
    context.windows = windows
    context.innerSubqueries = inner
    // An alias may be used by the items after it; a column of that name wins.
    var selected: [(expression: Expression, name: String)] = []
    for item in items {
      context.aliases = aliases
      // The item's own alias means the column of that name; marked, so that the dictionary need not
      // be copied for every item.
      context.ownAlias = item.alias?.lowercased()
      selected.append((try bind(item, context), item.name))
    }

    // GROUP BY
    var keys: [Expression] = []
    var isGrouped = false
    switch select.groupBy {
    case nil: break
    case .all:
      isGrouped = true
      let calls = Set(aggregates.calls.map(\.reference.id))
      try windows.refuseGrouping(by: selected.map(\.expression), at: select.span)
      for (expression, _) in selected where expression.columnIDs.isDisjoint(with: calls) {
        if case .constant = expression { continue }
        if !keys.contains(expression) { keys.append(expression) }
      }
    case .elements(let elements):
      isGrouped = true
      var groupContext = ExpressionContext(scope: scope, clause: "GROUP BY", subqueries: inner)
      groupContext.aliases = aliases
      for element in elements {
        for expression in try plainGroup(element) {
          let key: Expression
          if let ordinal = try ordinal(expression, count: selected.count, clause: "GROUP BY") {
            key = selected[ordinal].expression
            try windows.refuseGrouping(by: [key], at: expression.span)
            if !key.columnIDs.isDisjoint(with: aggregates.calls.map(\.reference.id)) {
              throw SQLError(
                .binder, "GROUP BY cannot name an aggregate", at: expression.span)
            }
          } else {
            key = try bind(expression, groupContext)
          }
          if !keys.contains(key) { keys.append(key) }
        }
      }
    }

    context.clause = "HAVING"
    context.aliases = aliases
    context.windows = nil
    let having = try select.having.map { try bindCondition($0, context) }
    context.windows = windows
    let qualify = try bindQualify(select.qualify, context)
    context.clause = "ORDER BY"
    context.prefersAliases = true
    var order: [(item: SortItem, position: Int?)] = []
    for item in orderBy {
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
      let bound = try bind(expression, context)
      order.append((sortItem(bound, item), selected.firstIndex { $0.expression == bound }))
    }

    // Aggregation
    if isGrouped || !aggregates.calls.isEmpty || having != nil {
      let keyed = keys.map { key -> (expression: Expression, reference: ColumnReference) in
        if case .column(let reference) = key {
          return (key, makeReference(reference.name, reference.type))
        }
        return (key, makeReference("group", key.type))
      }
      let input = inner.attach(to: plan)
      let below = Set(input.output.map(\.id))
      plan = .aggregate(AggregateNode(input: input, keys: keyed, calls: aggregates.calls))
      func lift(_ expression: Expression) throws -> Expression {
        if let key = keyed.first(where: { $0.expression == expression }) {
          return .column(key.reference)
        }
        if case .column(let reference) = expression, below.contains(reference.id) {
          throw Binder.notGrouped(reference.name, select.span(of: reference.name))
        }
        return try expression.mapChildren(lift)
      }
      for index in selected.indices {
        selected[index].expression = try lift(selected[index].expression)
      }
      for index in order.indices {
        order[index].item.expression = try lift(order[index].item.expression)
      }
      // Subqueries too see the groups, not the rows below.
      for index in outer.entries.indices {
        outer.entries[index].keys = try outer.entries[index].keys.map {
          (try lift($0.left), $0.right)
        }
        outer.entries[index].plan = try outer.entries[index].plan.mapAllExpressions(lift)
      }
      let late = windows.takeReaders(from: outer)
      plan = outer.attach(to: plan)
      if let having {
        plan = .filter(FilterNode(input: plan, condition: try lift(having)))
      }
      plan = late.attach(to: try attach(windows, to: plan, lift))
      if let qualify {
        plan = .filter(FilterNode(input: plan, condition: try lift(qualify)))
      }
    } else {
      let late = windows.takeReaders(from: outer)
      plan = outer.attach(to: inner.attach(to: plan))
      plan = late.attach(to: try attach(windows, to: plan) { $0 })
      if let qualify { plan = .filter(FilterNode(input: plan, condition: qualify)) }
    }

    return try finish(
      select, plan, selected: selected, order: order, limit: limit, offset: offset,
      distinctContext: context)
  }

  /// Projection, DISTINCT, ORDER BY and LIMIT over what the block selects.
  private func finish(
    _ select: Select, _ input: Plan, selected: [(expression: Expression, name: String)],
    order: [(item: SortItem, position: Int?)], limit: Limit?, offset: SyntaxExpression?,
    distinctContext: ExpressionContext
  ) throws -> BoundQuery {
    var plan = input
    var items = selected.map {
      (expression: $0.expression, reference: makeReference($0.name, $0.expression.type))
    }
    let visible = items.map(\.reference)
    var sortItems: [SortItem] = []
    for (item, position) in order {
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
    plan = .project(ProjectNode(input: plan, items: items))
    switch select.distinct {
    case .all: break
    case .distinct:
      if items.count > visible.count {
        throw SQLError(
          .binder, "with SELECT DISTINCT, ORDER BY takes only what is selected", at: select.span)
      }
      plan = distinct(plan)
    case .on: throw Binder.notYet("DISTINCT ON", select.span)
    }
    if !sortItems.isEmpty { plan = .sort(SortNode(input: plan, items: sortItems)) }
    plan = try applyLimit(limit, offset, to: plan)
    if items.count > visible.count {
      let kept = visible.map {
        (expression: Expression.column($0), reference: makeReference($0.name, $0.type))
      }
      plan = .project(ProjectNode(input: plan, items: kept))
    }
    return BoundQuery(plan: plan, names: selected.map(\.name))
  }

  private func plainGroup(_ element: GroupingElement) throws -> [SyntaxExpression] {
    switch element {
    case .expression(let expression):
      if case .row(let parts) = expression.kind { return parts }
      return [expression]
    case .empty: return []
    case .rollup(let parts):
      throw Binder.notYet("ROLLUP, CUBE and GROUPING SETS", parts.first?.span)
    case .cube(let parts):
      throw Binder.notYet("ROLLUP, CUBE and GROUPING SETS", parts.first?.span)
    case .sets: throw Binder.notYet("ROLLUP, CUBE and GROUPING SETS", nil)
    }
  }

  // MARK: Stars

  /// A select item after `*` was spread.
  struct ExpandedItem {
    enum Content {
      case syntax(SyntaxExpression)
      case bound(Expression)
    }
    var content: Content
    var alias: String?
    var name: String
  }

  private func bind(_ item: ExpandedItem, _ context: ExpressionContext) throws -> Expression {
    switch item.content {
    case .syntax(let expression): try bind(expression, context)
    case .bound(let expression): expression
    }
  }

  private func expandStars(_ items: [SelectItem], _ scope: Scope) throws -> [ExpandedItem] {
    var expanded: [ExpandedItem] = []
    for item in items {
      guard case .star(let star) = item.expression.kind else {
        let name = item.alias?.name ?? outputName(item.expression)
        expanded.append(
          ExpandedItem(content: .syntax(item.expression), alias: item.alias?.name, name: name))
        continue
      }
      expanded += try expand(star, scope, span: item.expression.span)
    }
    return expanded
  }

  private func expand(_ star: Star, _ scope: Scope, span: SourceSpan) throws -> [ExpandedItem] {
    let table = star.qualifier?.last
    var entries = scope.entries.filter { entry in
      table.map { $0.name.lowercased() == entry.table?.lowercased() } ?? !entry.isShadowed
    }
    if let table, entries.isEmpty {
      throw SQLError(
        .binder, "table \"\(table.name)\" is not in FROM", at: table.span,
        hint: didYouMean(table.name, among: scope.tables))
    }
    if scope.entries.isEmpty {
      throw SQLError(.binder, "* needs a FROM clause", at: span)
    }
    for excluded in star.exclude {
      let before = entries.count
      entries.removeAll { $0.name.lowercased() == excluded.last.name.lowercased() }
      if entries.count == before {
        throw SQLError(
          .binder, "EXCLUDE names the unknown column \"\(excluded.last.name)\"", at: excluded.span,
          hint: didYouMean(excluded.last.name, among: entries.map(\.name)))
      }
    }
    for name in star.replace.map(\.name) + star.rename.map(\.column.last)
    where !entries.contains(where: { $0.name.lowercased() == name.name.lowercased() }) {
      throw SQLError(
        .binder, "column \"\(name.name)\" is not among those of *", at: name.span,
        hint: didYouMean(name.name, among: entries.map(\.name)))
    }
    if entries.isEmpty {
      throw SQLError(.binder, "EXCLUDE leaves no column of *", at: span)
    }
    return entries.map { entry in
      let key = entry.name.lowercased()
      let renamed = star.rename.first { $0.column.last.name.lowercased() == key }
      let name = renamed?.name.name ?? entry.name
      if let replaced = star.replace.first(where: { $0.name.name.lowercased() == key }) {
        return ExpandedItem(content: .syntax(replaced.expression), alias: nil, name: name)
      }
      let merged = table == nil ? scope.merged[key] : nil
      return ExpandedItem(
        content: .bound(merged ?? .column(entry.reference)), alias: nil, name: name)
    }
  }

  /// What a column without alias is called: the column's own name, else the expression's text.
  private func outputName(_ expression: SyntaxExpression) -> String {
    switch expression.kind {
    case .column(let name): name.last.name
    case .field(_, let name): name.name
    case .function(let call) where isBareCount(call): "count_star()"
    default: Printer.sql(expression)
    }
  }

  private func isBareCount(_ call: FunctionCall) -> Bool {
    guard call.name.last.name.lowercased() == "count", call.over == nil, call.filter == nil,
      call.arguments.count == 1, case .expression(let argument) = call.arguments[0].value,
      case .star = argument.kind
    else { return false }
    return true
  }

  static func notGrouped(_ name: String, _ span: SourceSpan?) -> SQLError {
    SQLError(
      .binder,
      "column \"\(name)\" must appear in the GROUP BY clause or be used in an aggregate function",
      at: span, hint: "GROUP BY it, or use any_value(\(quotedIdentifier(name)))")
  }
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
