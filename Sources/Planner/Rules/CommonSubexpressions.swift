import Columnar

/// Computes a subexpression once that several expressions of a node have, as a column of a projection
/// below:
///
///     Aggregate: sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax))
///     └─ Scan lineitem
///
///     Aggregate: sum(common_1), sum(common_1 * (1 + l_tax))
///     └─ Project: l_tax, l_extendedprice * (1 - l_discount) AS common_1
///        └─ Scan lineitem
///
/// Only what is evaluated for every row anyway: what stands in nothing but later operands of AND, OR,
/// CASE and COALESCE, or inside TRY, may fail for rows that never get there. Volatile calls are equal
/// to nothing. See `SharedConditions` for filters.
struct CommonSubexpressions {
  /// A projection costs about a nanosecond a row (two microseconds a batch): what saves less than twice
  /// as much, one more addition or multiplication of integers, stays where it is.
  static let leastSaving = 2.0

  private var nextID = 1 << 44
  private var count = 0

  static func apply(_ plan: Plan) -> Plan {
    var rule = CommonSubexpressions()
    return rule.visit(plan)
  }

  private mutating func visit(_ plan: Plan) -> Plan {
    switch plan {
    case .project(let node): return share(plan, above: node.input)
    case .aggregate(let node): return share(plan, above: node.input)
    case .filter(let node):
      let input = visit(node.input)
      guard let conditions = SharedConditions(node.condition, above: []) else {
        return .filter(FilterNode(input: input, condition: node.condition))
      }
      let output = input.output.map { (expression: Expression.column($0), reference: $0) }
      let shared = named(conditions.forest, conditions.shared)
      let filter = filtered(conditions, shared, input, for: output.map(\.expression))
      // Others may count on the columns and their order.
      return .project(ProjectNode(input: filter, items: output))
    default: return plan.mapChildren { visit($0) }
    }
  }

  /// A projection or aggregation, with the filter below it.
  private mutating func share(_ plan: Plan, above input: Plan) -> Plan {
    var node = plan
    let below: Plan
    if case .filter(let filter) = input {
      let lowest = visit(filter.input)
      if let conditions = SharedConditions(filter.condition, above: node.ownExpressions) {
        let shared = named(conditions.forest, conditions.shared)
        let rewritten = conditions.above.map { shared.replacing($0) }
        node = node.withOwnExpressions(rewritten)
        below = filtered(conditions, shared, lowest, for: rewritten)
      } else {
        below = .filter(FilterNode(input: lowest, condition: filter.condition))
      }
    } else {
      below = visit(input)
    }
    return shareOwn(node, below)
  }

  /// A projection or aggregation above that input, with what its expressions share computed between.
  private mutating func shareOwn(_ plan: Plan, _ below: Plan) -> Plan {
    let expressions = plan.ownExpressions
    if expressions.allSatisfy(\.children.isEmpty) { return plan.mapChildren { _ in below } }
    var forest = SubexpressionForest()
    let roots = expressions.map { forest.add($0) }
    var counted = roots
    if case .aggregate = plan {
      // What its calls have as a whole it evaluates once already.
      var known: Set<Int> = []
      counted = roots.filter { known.insert(forest.entry(of: $0)).inserted }
    }
    let picked = forest.worthSharing(counted, least: Self.leastSaving)
    if picked.isEmpty { return plan.mapChildren { _ in below } }
    let shared = named(forest, picked)
    let rewritten = roots.map { shared.replacing($0) }
    let computed = shared.computed(above: below, for: rewritten)
    return plan.withOwnExpressions(rewritten).mapChildren { _ in computed }
  }

  /// The filter with its shared subexpressions computed below it, and what else the readers want.
  private func filtered(
    _ conditions: SharedConditions, _ shared: SharedColumns, _ input: Plan,
    for readers: [Expression]
  ) -> Plan {
    var below = input
    if let lower = Expression.conjunction(conditions.lower) {
      below = .filter(FilterNode(input: below, condition: lower))
    }
    let upper = conditions.upper.map { shared.replacing($0) }
    below = shared.computed(above: below, for: upper + readers)
    guard let condition = Expression.conjunction(upper) else { return below }
    return .filter(FilterNode(input: below, condition: condition))
  }

  /// New columns for these.
  private mutating func named(_ forest: SubexpressionForest, _ picked: Set<Int>) -> SharedColumns {
    SharedColumns(forest, picked) { expression in
      nextID += 1
      count += 1
      return ColumnReference(id: nextID, name: "common_\(count)", type: expression.type)
    }
  }
}

extension Plan {
  /// The expressions of a projection or aggregation.
  fileprivate var ownExpressions: [Expression] {
    var found: [Expression] = []
    _ = mapExpressions {
      found.append($0)
      return $0
    }
    return found
  }

  /// With others in their places.
  fileprivate func withOwnExpressions(_ expressions: [Expression]) -> Plan {
    var rest = expressions[...]
    return mapExpressions { rest.popFirst() ?? $0 }
  }
}
