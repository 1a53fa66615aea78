import Columnar
import Diagnostics
import Functions

/// Turns dependent joins into plain ones, so that no subquery runs once a row. Innermost first; the
/// columns of queries further out stay free until their own dependent join is reached.
///
/// Four ways, the cheapest that fits:
/// 1. a right side of projections and UNNESTs over a single row is computed over the left rows;
/// 2. conditions on outer columns are pulled up and become the join's own (`pullUp`);
/// 3. an ungrouped aggregation is grouped by what it is compared with and left joined, what it
///    gives for no rows filled in (`joinScalarAggregate`);
/// 4. else the right side runs for the set of distinct outer values, the domain, at once
///    (`flatten`; Neumann & Kemper, "Unnesting Arbitrary Queries", BTW 2015).
struct Unnesting {
  /// Beyond all references of binders and other rules.
  var nextReferenceID = 1 << 41

  static func apply(_ plan: Plan) throws -> Plan {
    var rule = Unnesting()
    return try rule.unnest(plan)
  }

  mutating func makeReference(_ name: String, _ type: LogicalType) -> ColumnReference {
    nextReferenceID += 1
    return ColumnReference(id: nextReferenceID, name: name, type: type)
  }

  private mutating func unnest(_ plan: Plan) throws -> Plan {
    let below = try plan.mapChildren { try unnest($0) }
    guard case .dependentJoin(let node) = below else { return below }
    return try eliminate(node).keeping(node.join.output)
  }

  private mutating func eliminate(_ node: DependentJoinNode) throws -> Plan {
    let leftIDs = Set(node.left.output.map(\.id))
    let free = node.right.freeColumns.intersection(leftIDs)
    if free.isEmpty { return .join(node.join) }
    if let plan = overLeftRows(node) { return plan }
    if let plan = try pulledUp(node, free) { return plan }
    if let plan = try joinScalarAggregate(node, free) { return plan }
    return try joinDomain(node, free)
  }

  // MARK: 1. Over the left rows

  /// `right` as steps over a single row, lowest first; nil when it is something else.
  private func steps(_ right: Plan) -> [Plan]? {
    var steps: [Plan] = []
    var plan = right
    while true {
      switch plan {
      case .project(let node):
        steps.append(plan)
        plan = node.input
      case .filter(let node):
        steps.append(plan)
        plan = node.input
      case .unnest(let node):
        steps.append(plan)
        plan = node.input
      case .values(let node):
        guard node.rows.count == 1 else { return nil }
        steps.append(
          .project(
            ProjectNode(
              input: plan,
              items: zip(node.rows[0], node.columns).map { (expression: $0, reference: $1) })))
        return steps.reversed()
      default: return nil
      }
    }
  }

  private mutating func overLeftRows(_ node: DependentJoinNode) -> Plan? {
    guard let steps = steps(node.right) else { return nil }
    let isPlain = steps.allSatisfy { if case .project = $0 { true } else { false } }
    let unnests = steps.count { if case .unnest = $0 { true } else { false } }
    var plan = node.left
    let left = plan.output
    let keepsEmpty: Bool
    switch node.kind {
    case .inner: keepsEmpty = false
    case .single:
      guard isPlain else { return nil }
      keepsEmpty = false
    case .left:
      // One UNNEST may pad a row without elements itself, if nothing behind it drops or makes rows.
      let isTrue = node.condition.map { $0 == .trueConstant } ?? true
      guard node.keys.isEmpty, isTrue, isPlain || (unnests == 1 && isPadded(steps)) else {
        return nil
      }
      keepsEmpty = unnests == 1
    case .right, .full, .semi, .anti, .mark: return nil
    }
    for step in steps {
      switch step {
      case .project(let project):
        plan = plan.adding(project.items)
      case .filter(let filter):
        plan = .filter(FilterNode(input: plan, condition: filter.condition))
      case .unnest(var unnest):
        unnest.input = plan
        unnest.keepsEmpty = keepsEmpty
        plan = .unnest(unnest)
      default: return nil
      }
    }
    let conditions =
      node.keys.map { Unnesting.equal($0.left, $0.right, nullSafe: $0.nullSafe) }
      + (node.condition.map { [$0] } ?? [])
    if let condition = Expression.conjunction(conditions) {
      plan = .filter(FilterNode(input: plan, condition: condition))
    }
    return plan.keeping(left + node.right.output)
  }

  /// Whether above the UNNEST there are only projections of plain columns.
  private func isPadded(_ steps: [Plan]) -> Bool {
    var isAbove = false
    for step in steps {
      switch step {
      case .unnest: isAbove = true
      case .project(let node):
        let isPlain = node.items.allSatisfy {
          if case .column = $0.expression { true } else { false }
        }
        if isAbove && !isPlain { return false }
      default: return false
      }
    }
    return true
  }

  // MARK: 2. Pulled up conditions

  private mutating func pulledUp(_ node: DependentJoinNode, _ free: Set<Int>) throws -> Plan? {
    var node = node
    var items: [(expression: Expression, reference: ColumnReference)] = []
    stripTop(&node)
    if node.keys.contains(where: { !$0.right.columnIDs.isDisjoint(with: free) }) { return nil }
    if node.kind == .inner, case .project(let project) = node.right {
      // What the projection computes of outer columns is computed above the join.
      items = project.items
      node.readRight(through: items, to: project.input)
    }
    var puller = ConditionPuller(free: free, nextID: nextReferenceID)
    guard let pulled = puller.pull(node.right) else {
      nextReferenceID = puller.nextID
      return nil
    }
    nextReferenceID = puller.nextID
    guard pulled.plan.freeColumns.isDisjoint(with: free) else { return nil }
    var join = node.join
    join.right = pulled.plan
    let isMark = if case .mark = node.kind { true } else { false }
    var residual: [Expression] = join.residual.map { [$0] } ?? []
    var required: [Expression] = []
    for condition in pulled.conditions {
      guard let key = Unnesting.correlation(condition, free), key.isPlain else {
        residual.append(condition)
        continue
      }
      // A mark is NULL only by what IN compares: conditions must be true or not. IS NOT DISTINCT
      // FROM is, and without NULLs on the right it says the same as =.
      if isMark && !key.nullSafe {
        required.append(.isNull(key.inner, isNegated: true))
        join.keys.append((key.outer, key.inner, true))
      } else {
        join.keys.append((key.outer, key.inner, key.nullSafe))
      }
    }
    if let condition = Expression.conjunction(required) {
      join.right = .filter(FilterNode(input: join.right, condition: condition))
    }
    join.residual = Expression.conjunction(residual)
    return items.isEmpty ? .join(join) : Plan.join(join).adding(items)
  }

  /// Below a mark, a semi or an anti join only the compared columns count: projections are read
  /// through, the number of equal rows and their order do not matter.
  private func stripTop(_ node: inout DependentJoinNode) {
    switch node.kind {
    case .mark, .semi, .anti: break
    case .inner, .left, .right, .full, .single: return
    }
    while true {
      switch node.right {
      case .project(let project):
        node.readRight(through: project.items, to: project.input)
      case .sort(let sort) where sort.limit == nil: node.right = sort.input
      case .aggregate(let aggregate)
      where aggregate.calls.isEmpty && !aggregate.keys.isEmpty && aggregate.sets.isEmpty:
        node.readRight(through: aggregate.keys, to: aggregate.input)
      case .limit(let limit)
      where node.keys.isEmpty && node.condition == nil && limit.offset == 0
        && (limit.limit ?? 1) > 0 && limit.isConstant:
        node.right = limit.input
      default: return
      }
    }
  }

  // MARK: 3. Ungrouped aggregations

  /// `(SELECT f(count(*)) FROM s WHERE s.k = t.k)`: group s by k, left join, and where there is no
  /// group put what the aggregates give for no rows.
  private mutating func joinScalarAggregate(_ node: DependentJoinNode, _ free: Set<Int>) throws
    -> Plan?
  {
    var above: [Plan] = []
    var plan = node.right
    search: while true {
      switch plan {
      case .project(let project):
        above.append(plan)
        plan = project.input
      case .filter(let filter):
        above.append(plan)
        plan = filter.input
      case .sort(let sort) where sort.limit == nil: plan = sort.input
      case .limit(let limit)
      where limit.offset == 0 && (limit.limit ?? 1) > 0 && limit.isConstant:
        plan = limit.input  // of one row
      default: break search
      }
    }
    guard case .aggregate(var aggregate) = plan, aggregate.keys.isEmpty, aggregate.sets.isEmpty
    else { return nil }
    switch node.kind {
    case .single, .inner, .left, .mark: break
    case .right, .full, .semi, .anti: return nil
    }
    let reads = aggregate.calls.flatMap(\.call.expressions)
    if reads.contains(where: { !$0.columnIDs.isDisjoint(with: free) }) { return nil }
    var puller = ConditionPuller(free: free, nextID: nextReferenceID)
    defer { nextReferenceID = puller.nextID }
    guard let pulled = puller.pull(aggregate.input),
      pulled.plan.freeColumns.isDisjoint(with: free), !pulled.conditions.isEmpty
    else { return nil }
    var keys: [(left: Expression, right: Expression, nullSafe: Bool)] = []
    for condition in pulled.conditions {
      guard let key = Unnesting.correlation(condition, free), key.isPlain else { return nil }
      let reference = puller.makeReference("key", key.inner.type)
      aggregate.keys.append((key.inner, reference))
      keys.append((key.outer, .column(reference), key.nullSafe))
    }
    aggregate.input = pulled.plan
    // Whether there was a group at all.
    let found = puller.makeReference("found", .boolean)
    let groups = Plan.aggregate(aggregate).adding([(.trueConstant, found)])
    var joined = Plan.join(
      JoinNode(kind: .left, left: node.left, right: groups, keys: keys, residual: nil))
    joined = try Unnesting.fillingEmpty(aggregate.calls, found: found, in: joined) {
      puller.makeReference($0, $1)
    }
    return finish(node, above: above, over: joined)
  }

  /// The steps above an aggregation that gives one row, over the joined rows, then what the kind of
  /// join asks for.
  private func finish(_ node: DependentJoinNode, above: [Plan], over joined: Plan) -> Plan {
    var plan = joined
    var passes: [Expression] = []
    for step in above.reversed() {
      switch step {
      case .project(let project):
        plan = plan.adding(project.items)
      case .filter(let filter): passes.append(filter.condition)
      default: break
      }
    }
    let conditions =
      passes + node.keys.map { Unnesting.equal($0.left, $0.right, nullSafe: $0.nullSafe) }
      + (node.condition.map { [$0] } ?? [])
    switch node.kind {
    case .inner:
      if let condition = Expression.conjunction(conditions) {
        plan = .filter(FilterNode(input: plan, condition: condition))
      }
    case .mark(let mark):
      var value = Expression.conjunction(
        node.keys.map { Unnesting.equal($0.left, $0.right, nullSafe: $0.nullSafe) })
      if let gate = Expression.conjunction(passes + (node.condition.map { [$0] } ?? [])) {
        value = .caseWhen(
          CaseWhen(
            branches: [(gate, value ?? .trueConstant)],
            otherwise: .constant(.boolean(false), .boolean), type: .boolean))
      }
      let kept = node.left.output.map { (expression: Expression.column($0), reference: $0) }
      plan = .project(
        ProjectNode(input: plan, items: kept + [(value ?? .trueConstant, mark)]))
    default:
      // A row that does not pass is no row: NULLs in its place.
      if let gate = Expression.conjunction(conditions) {
        let results = Set(node.right.output.map(\.id))
        let items = plan.output.map { reference -> (Expression, ColumnReference) in
          guard results.contains(reference.id) else { return (.column(reference), reference) }
          return (
            .caseWhen(
              CaseWhen(
                branches: [(gate, .column(reference))], otherwise: nil, type: reference.type)),
            reference
          )
        }
        plan = .project(
          ProjectNode(input: plan, items: items.map { (expression: $0.0, reference: $0.1) }))
      }
    }
    return plan
  }

  /// Replaces aggregates' NULLs of unmatched rows by what the aggregates give for no rows, where
  /// that is not NULL.
  static func fillingEmpty(
    _ calls: [(call: BoundAggregate, reference: ColumnReference)], found: ColumnReference,
    in plan: Plan, _ makeReference: (String, LogicalType) -> ColumnReference
  ) throws -> Plan {
    var empty: [Int: Value] = [:]
    for (call, reference) in calls {
      let value = try emptyValue(of: call.resolved)
      if !value.isNull { empty[reference.id] = value }
    }
    if empty.isEmpty { return plan }
    let items = plan.output.map {
      reference -> (expression: Expression, reference: ColumnReference) in
      guard let value = empty[reference.id] else { return (.column(reference), reference) }
      let filled = Expression.caseWhen(
        CaseWhen(
          branches: [
            (.isNull(.column(found), isNegated: false), .constant(value, reference.type))
          ], otherwise: .column(reference), type: reference.type))
      return (filled, reference)
    }
    return .project(ProjectNode(input: plan, items: items))
  }

  /// What an aggregate gives when there are no rows.
  private static func emptyValue(of resolved: ResolvedAggregate) throws -> Value {
    let state = try resolved.overload.makeState(resolved.argumentTypes, resolved.resultType)
    state.resize(groups: 1)
    return try state.finish(first: 0, count: 1).value(0)
  }

  // MARK: Conditions

  /// A condition `inner = outer` between a side without and a side of only outer columns.
  struct Correlation {
    var inner: Expression
    var outer: Expression
    var nullSafe: Bool
    /// Whether both sides can be computed on their own.
    var isPlain: Bool { !inner.isVolatile && !outer.isVolatile && !inner.columnIDs.isEmpty }
  }

  static func correlation(_ condition: Expression, _ free: Set<Int>) -> Correlation? {
    guard let (left, right, nullSafe) = condition.asEquality else { return nil }
    for (a, b) in [(left, right), (right, left)] {
      let read = b.columnIDs
      if a.columnIDs.isDisjoint(with: free), !read.isEmpty, read.isSubset(of: free) {
        return Correlation(inner: a, outer: b, nullSafe: nullSafe)
      }
    }
    return nil
  }

  /// `a = b` of operands that already have one type.
  static func equal(_ a: Expression, _ b: Expression, nullSafe: Bool) -> Expression {
    let name = nullSafe ? "is not distinct from" : "="
    guard let resolved = try? ScalarFunctions.resolve(name: name, arguments: [a.type, b.type])
    else { preconditionFailure("join keys are of one comparable type") }
    return .call(CallExpression(resolved: resolved, arguments: [a, b], span: nil))
  }
}

extension DependentJoinNode {
  /// Takes a step off the right side: what read its columns reads what they were computed from.
  fileprivate mutating func readRight(
    through items: [(expression: Expression, reference: ColumnReference)], to input: Plan
  ) {
    let replacements = Dictionary(firstOf: items.map { ($0.reference.id, $0.expression) })
    keys = keys.map { ($0.left, $0.right.substituting(replacements), $0.nullSafe) }
    condition = condition?.substituting(replacements)
    right = input
  }
}

extension JoinNode {
  var output: [ColumnReference] { Plan.join(self).output }
}

extension BoundAggregate {
  /// All expressions that it reads.
  package var expressions: [Expression] {
    arguments + (filter.map { [$0] } ?? []) + order.map(\.expression)
  }
}
