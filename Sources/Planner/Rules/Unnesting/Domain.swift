import Columnar
import Diagnostics
import Functions

/// The distinct values of the outer columns that a subquery reads, as a plan that can be made any
/// number of times.
struct Domain {
  /// The outer columns.
  let columns: [ColumnReference]
  /// The left side of the dependent join; volatile ones are shared by the caller before.
  let source: Plan
}

/// A plan that runs for a whole domain: where each outer column is in its output.
struct Flattened {
  var plan: Plan
  var columns: [Int: ColumnReference]

  /// Outer columns replaced in an expression of the plan above.
  func apply(_ expression: Expression) -> Expression {
    expression.substituting(columns.mapValues { .column($0) })
  }
}

extension Unnesting {
  // MARK: 4. Over the domain

  /// The right side for each distinct combination of outer values, joined to the left rows that
  /// have it.
  mutating func joinDomain(_ node: DependentJoinNode, _ free: Set<Int>) throws -> Plan {
    var join = node.join
    let columns = node.left.output.filter { free.contains($0.id) }
    // The left rows are read twice: for the domain's values and for the join.
    var shared: SharedQuery?
    if isVolatile(node.left) || !node.left.isCheapToRepeat, node.left.freeColumns.isEmpty {
      let query = SharedQuery(name: "outer rows")
      join.left = .sharedScan(
        SharedScanNode(
          shared: query, columns: node.left.output.enumerated().map { ($0, $1) }))
      shared = query
    } else if isVolatile(node.left) {
      throw SQLError(
        .notSupported, "this correlated subquery beside volatile functions is not supported",
        hint: "compute them in a table first")
    }
    let domain = Domain(columns: columns, source: join.left)
    let flat = try flatten(node.right, domain)
    join.right = flat.plan
    join.keys = join.keys.map { ($0.left, flat.apply($0.right), $0.nullSafe) }
    for column in columns {
      guard let inner = flat.columns[column.id] else { continue }
      join.keys.append((.column(column), .column(inner), true))
    }
    guard let shared else { return .join(join) }
    return .with(WithNode(shared: shared, definition: node.left, body: .join(join)))
  }

  private func isVolatile(_ plan: Plan) -> Bool {
    var found = false
    _ = plan.mapAllExpressions { expression -> Expression in
      if expression.isVolatile { found = true }
      return expression
    }
    return found || hasStatement(plan)
  }

  private func hasStatement(_ plan: Plan) -> Bool {
    switch plan {
    case .rows, .sample: true
    default: plan.children.contains(where: hasStatement)
    }
  }

  /// The domain's rows under new references.
  private mutating func rows(of domain: Domain) -> Flattened {
    let copy = cloned(domain.source)
    var columns: [Int: ColumnReference] = [:]
    var keys: [(expression: Expression, reference: ColumnReference)] = []
    for column in domain.columns {
      let inner = copy.renamed[column.id] ?? column
      let reference = makeReference(column.name, column.type)
      keys.append((.column(inner), reference))
      columns[column.id] = reference
    }
    return Flattened(
      plan: .aggregate(AggregateNode(input: copy.plan, keys: keys, calls: [])), columns: columns)
  }

  /// The plan for all rows of the domain: its output and the domain's columns.
  mutating func flatten(_ plan: Plan, _ domain: Domain) throws -> Flattened {
    let free = Set(domain.columns.map(\.id))
    func reads(_ plan: Plan) -> Bool { !plan.freeColumns.isDisjoint(with: free) }
    if !reads(plan) {
      let rows = rows(of: domain)
      return Flattened(
        plan: .join(
          JoinNode(kind: .inner, left: rows.plan, right: plan, keys: [], residual: nil)),
        columns: rows.columns)
    }
    switch plan {
    case .values(let node): return flatten(node, domain)
    case .filter(var node):
      let input = try flatten(node.input, domain)
      node.input = input.plan
      node.condition = input.apply(node.condition)
      return Flattened(plan: .filter(node), columns: input.columns)
    case .project(var node):
      let input = try flatten(node.input, domain)
      node.input = input.plan
      node.items = node.items.map { (input.apply($0.expression), $0.reference) }
      for column in domain.columns {
        if let reference = input.columns[column.id] {
          node.items.append((.column(reference), reference))
        }
      }
      return Flattened(plan: .project(node), columns: input.columns)
    case .aggregate(let node): return try flatten(node, domain)
    case .join(let node): return try flatten(node, domain)
    case .sort(let node): return try flatten(node, domain)
    case .distinctOn(var node):
      let input = try flatten(node.input, domain)
      node.input = input.plan
      node.keys =
        node.keys.map(input.apply)
        + domain.columns.compactMap { input.columns[$0.id].map { .column($0) } }
      node.order = node.order.map { $0.map(input.apply) }
      return Flattened(plan: .distinctOn(node), columns: input.columns)
    case .limit(let node):
      if !node.isConstant {
        throw Unnesting.cannot("LIMIT with a share or a subquery")
      }
      let input = try flatten(node.input, domain)
      return firstRows(of: input, domain, order: [], limit: node.limit, offset: node.offset)
    case .union(let node): return try flatten(node, domain)
    case .window(var node):
      let input = try flatten(node.input, domain)
      node = try window(node, over: input)
      node.partition += domain.columns.compactMap { input.columns[$0.id].map { .column($0) } }
      return Flattened(plan: .window(node), columns: input.columns)
    case .unnest(var node):
      let input = try flatten(node.input, domain)
      node.input = input.plan
      node.lists = node.lists.map { (input.apply($0.expression), $0.reference) }
      return Flattened(plan: .unnest(node), columns: input.columns)
    case .predict(var node):
      let input = try flatten(node.input, domain)
      node.input = input.plan
      node.arguments = node.arguments.map(input.apply)
      return Flattened(plan: .predict(node), columns: input.columns)
    case .with(var node):
      guard !reads(node.definition) else { throw Unnesting.cannot("a common table") }
      let body = try flatten(node.body, domain)
      node.body = body.plan
      return Flattened(plan: .with(node), columns: body.columns)
    case .recursive: throw Unnesting.cannot("a recursive query")
    case .rows(let node): throw Unnesting.cannot(node.provider.title)
    case .sample: throw Unnesting.cannot("a sample")
    case .positionalJoin: throw Unnesting.cannot("a POSITIONAL JOIN")
    case .scan, .sharedScan, .exchange, .dependentJoin:
      throw SQLError(.internal, "a dependent plan was not unnested")
    }
  }

  private mutating func flatten(_ node: ValuesNode, _ domain: Domain) -> Flattened {
    let rows = rows(of: domain)
    let keys = domain.columns.compactMap { rows.columns[$0.id] }
    func arm(_ row: [Expression], _ references: [ColumnReference]) -> Plan {
      let items = zip(row, references).map { (expression: rows.apply($0), reference: $1) }
      return .project(
        ProjectNode(input: rows.plan, items: items + keys.map { (.column($0), $0) }))
    }
    if node.rows.count == 1 {
      return Flattened(plan: arm(node.rows[0], node.columns), columns: rows.columns)
    }
    let arms = node.rows.map { row in
      cloned(arm(row, node.columns.map { makeReference($0.name, $0.type) })).plan
    }
    let outer = keys.map { makeReference($0.name, $0.type) }
    return Flattened(
      plan: .union(UnionNode(inputs: arms, columns: node.columns + outer)),
      columns: Dictionary(firstOf: zip(domain.columns, outer).map { ($0.id, $1) }))
  }

  private mutating func flatten(_ node: AggregateNode, _ domain: Domain) throws -> Flattened {
    if node.sets.contains([]) { return try flatten(splittingEmptySets(node), domain) }
    let input = try flatten(node.input, domain)
    var aggregate = node
    aggregate.input = input.plan
    if case .aggregate(let mapped) = Plan.aggregate(aggregate).mapExpressions(input.apply) {
      aggregate = mapped
    }
    let inner = domain.columns.compactMap { input.columns[$0.id] }
    let keys = inner.map { makeReference($0.name, $0.type) }
    let added = Array(aggregate.keys.count..<aggregate.keys.count + keys.count)
    aggregate.keys += zip(inner, keys).map { (.column($0), $1) }
    aggregate.sets = aggregate.sets.map { $0 + added }
    let columns = Dictionary(
      firstOf: zip(domain.columns, keys).map { ($0.id, $1) })
    if !node.keys.isEmpty { return Flattened(plan: .aggregate(aggregate), columns: columns) }
    // Without GROUP BY there is a row also for outer values that have no rows.
    let rows = rows(of: domain)
    let found = makeReference("found", .boolean)
    let groups = Plan.aggregate(aggregate).adding([(.trueConstant, found)])
    let joined = Plan.join(
      JoinNode(
        kind: .left, left: rows.plan, right: groups,
        keys: domain.columns.compactMap { column in
          guard let outer = rows.columns[column.id], let own = columns[column.id] else {
            return nil
          }
          return (.column(outer), .column(own), true)
        }, residual: nil))
    let filled = try Unnesting.fillingEmpty(aggregate.calls, found: found, in: joined) {
      makeReference($0, $1)
    }
    return Flattened(plan: filled, columns: rows.columns)
  }

  /// GROUPING SETS as a union: an empty set has a row also where there are no rows, as an
  /// aggregation without GROUP BY has.
  ///
  ///     group by (a), ()      ->      group by (a)  union all  null, no group by
  private mutating func splittingEmptySets(_ node: AggregateNode) -> UnionNode {
    var arms: [Plan] = []
    var keyed = node
    keyed.sets.removeAll(where: \.isEmpty)
    if !keyed.sets.isEmpty { arms.append(cloned(.aggregate(keyed)).plan) }
    let single = AggregateNode(input: node.input, keys: [], calls: node.calls)
    var items = node.keys.map { (expression: Expression.constant(.null, $1.type), reference: $1) }
    items += node.calls.map { (.column($1), $1) }
    items += node.groupings.map { keys, reference in
      (.constant(.integer(Int128(1) << keys.count - 1), reference.type), reference)
    }
    let row = Plan.project(ProjectNode(input: .aggregate(single), items: items))
    for set in node.sets where set.isEmpty { arms.append(cloned(row).plan) }
    return UnionNode(inputs: arms, columns: Plan.aggregate(node).output)
  }

  /// The plan once more, its columns under new references, and what each was renamed to.
  private mutating func cloned(_ plan: Plan) -> (plan: Plan, renamed: [Int: ColumnReference]) {
    plan.cloned { makeReference($0, $1) }
  }

  private mutating func flatten(_ node: JoinNode, _ domain: Domain) throws -> Flattened {
    let free = Set(domain.columns.map(\.id))
    let readsLeft = !node.left.freeColumns.isDisjoint(with: free)
    let readsRight = !node.right.freeColumns.isDisjoint(with: free)
    var join = node
    // One side is enough where the other's rows do not depend on outer values, nor does which of
    // them remain alone.
    let onlyLeft: Bool
    let onlyRight: Bool
    switch node.kind {
    case .inner:
      onlyLeft = !readsRight
      onlyRight = !onlyLeft && !readsLeft
    case .left, .semi, .anti, .single:
      onlyLeft = !readsRight
      onlyRight = false
    case .mark:
      // What the mark compares stays on its side.
      onlyLeft =
        !readsRight && node.keys.allSatisfy { $0.right.columnIDs.isDisjoint(with: free) }
      onlyRight = false
    case .right:
      onlyLeft = false
      onlyRight = !readsLeft
    case .full:
      onlyLeft = false
      onlyRight = false
    }
    if onlyLeft {
      let left = try flatten(node.left, domain)
      join.left = left.plan
      return Flattened(
        plan: conditions(of: join, over: left, nil, free), columns: left.columns)
    }
    if onlyRight {
      let right = try flatten(node.right, domain)
      join.right = right.plan
      return Flattened(
        plan: conditions(of: join, over: nil, right, free), columns: right.columns)
    }
    let left = try flatten(node.left, domain)
    let right = try flatten(node.right, domain)
    join.left = left.plan
    join.right = right.plan
    let kept = node.kind == .right ? right : left
    guard case .join(var joined) = conditions(of: join, over: left, right, free) else {
      throw SQLError(.internal, "a join stays a join")
    }
    for column in domain.columns {
      guard let a = left.columns[column.id], let b = right.columns[column.id] else { continue }
      joined.keys.append((.column(a), .column(b), true))
    }
    if node.kind != .full { return Flattened(plan: .join(joined), columns: kept.columns) }
    // Either side may be missing: the domain's value is on the other.
    var items: [(expression: Expression, reference: ColumnReference)] = []
    var columns: [Int: ColumnReference] = [:]
    for column in domain.columns {
      guard let a = left.columns[column.id], let b = right.columns[column.id] else { continue }
      let reference = makeReference(column.name, column.type)
      items.append(
        (
          .caseWhen(
            CaseWhen(
              branches: [(.isNull(.column(a), isNegated: true), .column(a))],
              otherwise: .column(b), type: column.type)), reference
        ))
      columns[column.id] = reference
    }
    return Flattened(plan: Plan.join(joined).adding(items), columns: columns)
  }

  /// The join with outer columns taken from the sides that have them now; a key that reads one on
  /// the side that has none becomes a condition of both.
  private func conditions(
    of join: JoinNode, over left: Flattened?, _ right: Flattened?, _ free: Set<Int>
  ) -> Plan {
    var node = join
    node.keys = []
    var terms: [Expression] = []
    for key in join.keys {
      let isMisplaced =
        (left == nil && !key.left.columnIDs.isDisjoint(with: free))
        || (right == nil && !key.right.columnIDs.isDisjoint(with: free))
      if isMisplaced {
        terms.append(Unnesting.equal(key.left, key.right, nullSafe: key.nullSafe))
      } else {
        node.keys.append(
          (left?.apply(key.left) ?? key.left, right?.apply(key.right) ?? key.right, key.nullSafe))
      }
    }
    let kept = node.kind == .right ? right ?? left : left ?? right
    terms += join.residual.map { [$0] } ?? []
    node.residual = Expression.conjunction(terms.map { kept?.apply($0) ?? $0 })
    return .join(node)
  }

  private mutating func flatten(_ node: SortNode, _ domain: Domain) throws -> Flattened {
    let input = try flatten(node.input, domain)
    let order = node.items.map { item in item.map(input.apply) }
    if node.limit != nil || node.offset > 0 {
      return firstRows(of: input, domain, order: order, limit: node.limit, offset: node.offset)
    }
    return Flattened(
      plan: .sort(SortNode(input: input.plan, items: order)), columns: input.columns)
  }

  private mutating func flatten(_ node: UnionNode, _ domain: Domain) throws -> Flattened {
    let outer = domain.columns.map { makeReference($0.name, $0.type) }
    let inputs = try node.inputs.map { input -> Plan in
      let own = input.output
      let flat = try flatten(input, domain)
      return flat.plan.keeping(own + domain.columns.compactMap { flat.columns[$0.id] })
    }
    return Flattened(
      plan: .union(UnionNode(inputs: inputs, columns: node.columns + outer)),
      columns: Dictionary(firstOf: zip(domain.columns, outer).map { ($0.id, $1) }))
  }

  /// LIMIT for each outer value: rows by their number among those of the value.
  private mutating func firstRows(
    of input: Flattened, _ domain: Domain, order: [SortItem], limit: Int?, offset: Int
  ) -> Flattened {
    // A sort below decides which rows come first.
    var input = input
    var order = order
    if order.isEmpty, case .sort(let sort) = input.plan, sort.limit == nil {
      order = sort.items
      input.plan = sort.input
    }
    let number = makeReference("row_number", .bigint)
    let partition = domain.columns.compactMap { column in
      input.columns[column.id].map { Expression.column($0) }
    }
    let kept = input.plan.output
    let numbered = Plan.window(
      WindowNode(
        input: input.plan, partition: partition, order: order,
        calls: [
          (
            BoundWindow(
              function: .builtin(.rowNumber), arguments: [], type: .bigint,
              frame: BoundFrame(unit: .rows)), number
          )
        ]))
    func bound(_ name: String, _ count: Int) -> Expression {
      let constant = Expression.constant(.integer(Int128(count)), .bigint)
      guard let resolved = try? ScalarFunctions.resolve(name: name, arguments: [.bigint, .bigint])
      else { preconditionFailure("BIGINT values compare") }
      return .call(
        CallExpression(resolved: resolved, arguments: [.column(number), constant], span: nil))
    }
    var conditions: [Expression] = []
    if offset > 0 { conditions.append(bound(">", offset)) }
    if let limit {
      conditions.append(
        bound("<=", limit.addingReportingOverflow(offset).overflow ? .max : limit + offset))
    }
    guard let condition = Expression.conjunction(conditions) else { return input }
    return Flattened(
      plan: Plan.filter(FilterNode(input: numbered, condition: condition)).keeping(kept),
      columns: input.columns)
  }

  private func window(_ node: WindowNode, over input: Flattened) throws -> WindowNode {
    var node = node
    node.input = input.plan
    guard case .window(let mapped) = Plan.window(node).mapExpressions(input.apply) else {
      throw SQLError(.internal, "a window stays a window")
    }
    return mapped
  }

  private static func cannot(_ what: String) -> SQLError {
    SQLError(
      .notSupported, "\(what) cannot read columns of the query around it")
  }
}
