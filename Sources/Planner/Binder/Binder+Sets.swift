import Columnar
import Diagnostics
import Functions
import Syntax

/// UNION, INTERSECT and EXCEPT.
extension Binder {
  /// A chain of set operations leans left and is walked without recursion; a run of UNIONs is one
  /// node however long it is.
  func bind(_ operation: SetOperation) throws -> BoundQuery {
    var steps: [SetOperation] = []
    var body: QueryBody = .setOperation(operation)
    while case .setOperation(let next) = body {
      steps.append(next)
      body = next.left
    }
    var chain = SetChain(first: try bind(body))
    steps.reverse()
    var levels = 0
    var index = 0
    while index < steps.count {
      let step = steps[index]
      if step.isByName && step.kind != .union {
        throw SQLError(.syntax, "\(step.kind.rawValue) takes no BY NAME", at: step.span)
      }
      let right = try bind(step.right)
      index += 1
      if step.kind == .union {
        try append(right, to: &chain, step)
        continue
      }
      levels += 1
      if levels > Binder.maximumLevels { throw Binder.tooDeep(operation.span) }
      // A run of one operation is one level of the plan, or a few.
      var rights = [right]
      while index < steps.count, steps[index].kind == step.kind, steps[index].isAll == step.isAll,
        !steps[index].isByName
      {
        rights.append(try bind(steps[index].right))
        try checkWidths(right.names.count, rights[rights.count - 1].names.count, steps[index])
        index += 1
      }
      chain =
        step.kind == .except
        ? try subtract(rights, from: chain, step) : try intersect(chain, rights, step)
    }
    return try finish(chain)
  }

  /// Levels of INTERSECT and EXCEPT above each other: each is one more of the plan's.
  private static var maximumLevels: Int { 100 }

  /// `a EXCEPT b EXCEPT c` is `a EXCEPT (b UNION ALL c)`, with and without ALL.
  private func subtract(
    _ rights: [BoundQuery], from chain: SetChain, _ step: SetOperation
  ) throws -> SetChain {
    try checkWidths(chain.width, rights[0].names.count, step)
    var union = step
    union.kind = .union
    union.isAll = true
    var others = SetChain(first: rights[0])
    for right in rights.dropFirst() { try append(right, to: &others, union) }
    let right = try finish(others)
    return try step.isAll ? countedMatch(chain, right, step) : match(chain, right, step, .anti)
  }

  /// Pairs, pairs of pairs and so on: the order of INTERSECTs does not matter.
  private func intersect(
    _ chain: SetChain, _ rights: [BoundQuery], _ step: SetOperation
  ) throws -> SetChain {
    var arms = [chain] + rights.map { SetChain(first: $0) }
    while arms.count > 1 {
      arms = try stride(from: 0, to: arms.count, by: 2).map { index in
        if index + 1 == arms.count { return arms[index] }
        let right = try finish(arms[index + 1])
        return try step.isAll
          ? countedMatch(arms[index], right, step) : match(arms[index], right, step, .semi)
      }
    }
    return arms[0]
  }

  // MARK: UNION

  private func append(_ right: BoundQuery, to chain: inout SetChain, _ step: SetOperation) throws {
    if step.isByName {
      if !chain.isByName && !chain.isSingle { chain = SetChain(first: try finish(chain)) }
      if chain.isSingle { try checkUniqueNames(chain.arms[0].names, step) }
      try checkUniqueNames(right.names, step)
      chain.isByName = true
    } else {
      if chain.isByName { chain = SetChain(first: try finish(chain)) }
      try checkWidths(chain.width, right.names.count, step)
    }
    if step.isAll && chain.isDistinct {
      // Distinct rows are one arm of a UNION ALL that follows, until another UNION makes all of
      // it distinct.
      var next = SetChain(after: chain)
      next.isByName = step.isByName
      chain = next
    } else if !step.isAll {
      if let inner = chain.prefix.first {
        chain.arms = inner.arms + chain.arms
        chain.spans = inner.spans + chain.spans
        chain.prefix = []
      }
      chain.isDistinct = true
    }
    chain.arms.append(right)
    chain.spans.append(step.span)
  }

  /// The chain as one query.
  private func finish(_ chain: SetChain) throws -> BoundQuery {
    var chain = chain
    if let inner = chain.prefix.first { chain.arms.insert(try finish(inner), at: 0) }
    if chain.arms.count == 1 { return chain.arms[0] }
    var names = chain.arms[0].names
    // Of each arm, where it has each result column.
    var positions: [[Int?]] = []
    if chain.isByName {
      for arm in chain.arms.dropFirst() {
        for name in arm.names where !names.contains(where: { sameName($0, name) }) {
          names.append(name)
        }
      }
      positions = chain.arms.map { arm in
        names.map { name in arm.names.firstIndex { sameName($0, name) } }
      }
    } else {
      positions = chain.arms.map { _ in names.indices.map { $0 } }
    }
    var types: [LogicalType] = []
    for column in names.indices {
      var type = LogicalType.null
      for (index, arm) in chain.arms.enumerated() {
        guard let position = positions[index][column] else { continue }
        type = try unified(
          type, arm.plan.output[position].type, column, chain.spans[max(0, index - 1)])
      }
      types.append(type)
    }
    let inputs = zip(chain.arms, positions).map { arm, positions in
      laidOut(arm.plan, positions, types)
    }
    let columns = zip(names, types).map { makeReference($0, $1) }
    var plan = Plan.union(UnionNode(inputs: inputs, columns: columns))
    if chain.isDistinct { plan = distinct(plan) }
    return BoundQuery(plan: plan, names: names)
  }

  private func sameName(_ a: String, _ b: String) -> Bool { a.lowercased() == b.lowercased() }

  private func checkUniqueNames(_ names: [String], _ step: SetOperation) throws {
    var seen: Set<String> = []
    for name in names where !seen.insert(name.lowercased()).inserted {
      throw SQLError(
        .binder, "UNION BY NAME needs different column names, but \"\(name)\" comes twice",
        at: step.span)
    }
  }

  func checkWidths(_ left: Int, _ right: Int, _ step: SetOperation) throws {
    if left != right {
      throw SQLError(
        .binder,
        "\(step.kind.rawValue) needs the same number of columns on both sides: "
          + "\(left) and \(right)", at: step.span)
    }
  }

  /// Beside text everything becomes text, but for UUID.
  private func unified(
    _ a: LogicalType, _ b: LogicalType, _ column: Int, _ span: SourceSpan
  ) throws -> LogicalType {
    if a == b || b == .null { return a }
    if a == .null { return b }
    if a == .uuid && b == .varchar || a == .varchar && b == .uuid { return .uuid }
    let text: LogicalType? = a == .varchar || b == .varchar ? .varchar : nil
    if a == .boolean && b.isNumeric { return b }
    if b == .boolean && a.isNumeric { return a }
    guard let common = TypeResolution.common(a, b) ?? text else {
      throw SQLError(
        .binder, "a set operation cannot combine \(a) and \(b) in column \(column + 1)", at: span,
        hint: "cast one side explicitly")
    }
    return common
  }

  /// The plan's columns at `positions`, cast to `types`; NULL where there is none.
  private func laidOut(_ plan: Plan, _ positions: [Int?], _ types: [LogicalType]) -> Plan {
    let output = plan.output
    let isPlain =
      output.count == types.count
      && positions.enumerated().allSatisfy { $0 == $1 && output[$0].type == types[$0] }
    if isPlain { return plan }
    return .project(
      ProjectNode(
        input: plan,
        items: zip(positions, types).map { position, type in
          guard let position else { return (.constant(.null, type), makeReference("null", type)) }
          let column = output[position]
          let value = Expression.column(column)
          return (
            column.type == type ? value : .cast(value, to: type, isTry: false),
            makeReference(column.name, type)
          )
        }))
  }

  // MARK: INTERSECT and EXCEPT

  /// Both sides with common types, the left one under the names of the first.
  private func aligned(_ chain: SetChain, _ right: BoundQuery, _ step: SetOperation) throws -> (
    left: BoundQuery, right: Plan
  ) {
    let left = try finish(chain)
    try checkWidths(left.names.count, right.names.count, step)
    let (a, b) = (left.plan.output, right.plan.output)
    let types = try a.indices.map { try unified(a[$0].type, b[$0].type, $0, step.span) }
    let positions: [Int?] = Array(a.indices)
    return (
      BoundQuery(plan: laidOut(left.plan, positions, types), names: left.names),
      laidOut(right.plan, positions, types)
    )
  }

  /// The distinct left rows that the right side has (semi) or has not (anti).
  private func match(
    _ chain: SetChain, _ right: BoundQuery, _ step: SetOperation, _ kind: JoinNode.Kind
  ) throws -> SetChain {
    var (left, other) = try aligned(chain, right, step)
    let rows = distinct(left.plan)
    let keys = zip(rows.output, other.output).map {
      (left: Expression.column($0), right: Expression.column($1), nullSafe: true)
    }
    left.plan = .join(
      JoinNode(kind: kind, left: rows, right: other, keys: keys, residual: nil))
    return SetChain(first: left)
  }

  /// INTERSECT ALL and EXCEPT ALL: every row as often as it is on both sides, or as it is more
  /// often on the left than on the right.
  ///
  ///     unnest(a list of that many elements)
  ///       aggregate by all columns: lefts, rights
  ///         union all of (left, 1, 0) and (right, 0, 1)
  private func countedMatch(
    _ chain: SetChain, _ right: BoundQuery, _ step: SetOperation
  ) throws -> SetChain {
    let (left, other) = try aligned(chain, right, step)
    func marked(_ plan: Plan, isLeft: Bool) -> Plan {
      var items = plan.output.map { (Expression.column($0), makeReference($0.name, $0.type)) }
      for flag in [isLeft, !isLeft] {
        items.append(
          (
            .constant(.integer(flag ? 1 : 0), .bigint), makeReference("side", .bigint)
          ))
      }
      return .project(ProjectNode(input: plan, items: items.map { ($0.0, $0.1) }))
    }
    let inputs = [marked(left.plan, isLeft: true), marked(other, isLeft: false)]
    let columns = inputs[0].output.map { makeReference($0.name, $0.type) }
    let values = columns.dropLast(2)
    let keys = values.map { (Expression.column($0), makeReference($0.name, $0.type)) }
    let sums = try columns.suffix(2).map { side in
      let resolved = try Aggregates.resolve(name: "sum", arguments: [.bigint])
      let call = BoundAggregate(
        resolved: resolved, arguments: [.column(side)], isDistinct: false, filter: nil, order: [])
      return (call: call, reference: makeReference("count", resolved.resultType))
    }
    let counted = Plan.aggregate(
      AggregateNode(
        input: .union(UnionNode(inputs: inputs, columns: columns)),
        keys: keys.map { ($0.0, $0.1) }, calls: sums.map { ($0.call, $0.reference) }))
    let (lefts, rights) = (
      Expression.column(sums[0].reference), Expression.column(sums[1].reference)
    )
    let times = try foldedCast(
      step.kind == .intersect
        ? try call("least", [lefts, rights], span: step.span)
        : try call("-", [lefts, rights], span: step.span),
      to: .bigint, isTry: false, span: step.span)
    let copies = makeReference("copies", .tinyint)
    let repeated = Plan.unnest(
      UnnestNode(
        input: counted,
        lists: [
          (
            expression: .call(
              CallExpression(resolved: ListCopies.resolved, arguments: [times], span: step.span)),
            reference: copies
          )
        ]))
    let items = keys.map { (Expression.column($0.1), makeReference($0.1.name, $0.1.type)) }
    return SetChain(
      first: BoundQuery(
        plan: .project(ProjectNode(input: repeated, items: items.map { ($0.0, $0.1) })),
        names: left.names))
  }

  /// The distinct rows of a plan: the same columns, by position, under new references.
  func distinct(_ plan: Plan) -> Plan {
    .aggregate(
      AggregateNode(
        input: plan,
        keys: plan.output.map { (.column($0), makeReference($0.name, $0.type)) }, calls: []))
  }

  // MARK: Order

  /// ORDER BY over a finished query: ordinals, names of its columns (of any arm), what an arm
  /// selects, or expressions of the columns.
  func ordered(_ bound: BoundQuery, by items: [OrderItem], of body: QueryBody) throws -> Plan {
    let output = bound.plan.output
    let subqueries = SubqueryCollector()
    var scope = Scope()
    for (name, reference) in zip(bound.names, output) {
      scope.entries.append(Scope.Entry(table: nil, name: name, reference: reference))
    }
    let arms = selectedArms(body, width: output.count)
    for arm in arms {
      for (item, reference) in zip(arm, output) {
        let name = item.alias?.name ?? item.expression.columnName
        if let name, scope.matches(table: nil, name: name).isEmpty {
          scope.entries.append(Scope.Entry(table: nil, name: name, reference: reference))
        }
      }
    }
    let context = ExpressionContext(scope: scope, clause: "ORDER BY", subqueries: subqueries)
    var sortItems: [SortItem] = []
    for item in items {
      guard let expression = item.expression else {
        sortItems += output.map { sortItem(.column($0), item) }
        continue
      }
      if let position = try ordinal(expression, count: output.count, clause: "ORDER BY") {
        sortItems.append(sortItem(.column(output[position]), item))
        continue
      }
      let text = Printer.sql(expression)
      let position = arms.lazy.compactMap { arm in
        arm.firstIndex {
          Printer.sql($0.expression) == text
            || expression.columnName != nil && $0.expression.columnName == expression.columnName
        }
      }.first
      if let position, !expression.isPlainName {
        sortItems.append(sortItem(.column(output[position]), item))
        continue
      }
      sortItems.append(sortItem(try bind(expression, context), item))
    }
    let input = subqueries.attach(to: bound.plan)
    let sorted = Plan.sort(SortNode(input: input, items: sortItems))
    if sorted.output.count == output.count { return sorted }
    return .project(
      ProjectNode(
        input: sorted, items: output.map { (.column($0), makeReference($0.name, $0.type)) }))
  }

  /// The select lists of a set operation's arms, where they name every column.
  private func selectedArms(_ body: QueryBody, width: Int) -> [[SelectItem]] {
    var arms: [[SelectItem]] = []
    var body = body
    var rest: [QueryBody] = []
    while true {
      switch body {
      case .setOperation(let operation):
        if operation.isByName { return [] }
        rest.append(operation.right)
        body = operation.left
        continue
      case .select(let select):
        let isPlain = !select.items.contains {
          if case .star = $0.expression.kind { true } else { false }
        }
        if isPlain, select.items.count == width { arms.append(select.items) }
      case .nested, .values, .table, .statement: break
      }
      guard let next = rest.popLast() else { return arms }
      body = next
    }
  }
}

extension SyntaxExpression {
  /// The name of a column reference.
  fileprivate var columnName: String? {
    if case .column(let name) = kind { return name.last.name }
    return nil
  }

  fileprivate var isPlainName: Bool {
    if case .column(let name) = kind { return name.parts.count == 1 }
    return false
  }
}

/// UNION [ALL] arms that become one node.
private struct SetChain {
  var arms: [BoundQuery]
  /// Of the operation before each arm but the first.
  var spans: [SourceSpan] = []
  var isDistinct = false
  var isByName = false

  /// A distinct chain that comes before the arms; none or one.
  var prefix: [SetChain] = []

  init(first: BoundQuery) { arms = [first] }

  init(after distinct: SetChain) {
    arms = []
    prefix = [distinct]
  }

  /// One query and no operation yet.
  var isSingle: Bool { arms.count == 1 && prefix.isEmpty }

  var width: Int { arms.first?.names.count ?? prefix.first?.width ?? 0 }
}
