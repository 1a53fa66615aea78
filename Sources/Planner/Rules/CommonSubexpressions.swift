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
      guard let shared = SharedConditions(node.condition, above: []),
        let below = filtered(shared, input, for: input.output.map { .column($0) })
      else { return .filter(FilterNode(input: input, condition: node.condition)) }
      // Others may count on the columns and their order.
      return .project(
        ProjectNode(input: below.plan, items: input.output.map { (.column($0), $0) }))
    default: return plan.mapChildren { visit($0) }
    }
  }

  /// A projection or aggregation, with the filter below it.
  private mutating func share(_ plan: Plan, above input: Plan) -> Plan {
    var node = plan
    var below: Plan
    if case .filter(let filter) = input {
      below = visit(filter.input)
      if let shared = SharedConditions(filter.condition, above: node.ownExpressions),
        let made = filtered(shared, below, for: node.ownExpressions)
      {
        below = made.plan
        node = node.mapExpressions { made.shared.replacing($0) }
      } else {
        below = .filter(FilterNode(input: below, condition: filter.condition))
      }
    } else {
      below = visit(input)
    }
    var forest = SubexpressionForest()
    var roots: [SubexpressionForest.Root] = []
    var known: Set<Int> = []
    let evaluatesAll = if case .project = plan { true } else { false }
    for expression in node.ownExpressions {
      let root = forest.add(expression)
      // An aggregation evaluates what its calls have as a whole once already.
      if known.insert(forest.entry(of: root)).inserted || evaluatesAll { roots.append(root) }
    }
    let picked = forest.worthSharing(roots, least: Self.leastSaving)
    if !picked.isEmpty {
      let shared = named(picked.map { forest.entries[$0].expression })
      node = node.mapExpressions { shared.replacing($0) }
      below = shared.computed(above: below, for: node.ownExpressions)
    }
    return node.mapChildren { _ in below }
  }

  /// The filter with its shared subexpressions computed below it, and what else the readers want.
  private mutating func filtered(
    _ conditions: SharedConditions, _ input: Plan, for readers: [Expression]
  ) -> (plan: Plan, shared: SharedColumns)? {
    let shared = named(conditions.shared)
    guard let condition = Expression.conjunction(conditions.upper.map { shared.replacing($0) })
    else { return nil }
    var below = input
    if let lower = Expression.conjunction(conditions.lower) {
      below = .filter(FilterNode(input: below, condition: lower))
    }
    below = shared.computed(
      above: below, for: [condition] + readers.map { shared.replacing($0) })
    return (.filter(FilterNode(input: below, condition: condition)), shared)
  }

  /// New columns for these, the largest first.
  private mutating func named(_ expressions: [Expression]) -> SharedColumns {
    let sized = expressions.map {
      (expression: $0, size: $0.nodeCount, text: ExpressionText.text($0))
    }
    // Texts only make the order, and with it the names, the same each time.
    let sorted = sized.sorted { ($1.size, $0.text) < ($0.size, $1.text) }
    return SharedColumns(
      sorted.map { entry in
        nextID += 1
        count += 1
        return (
          entry.expression,
          ColumnReference(id: nextID, name: "common_\(count)", type: entry.expression.type)
        )
      })
  }
}

extension Expression {
  fileprivate var nodeCount: Int { children.reduce(1) { $0 + $1.nodeCount } }
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
}
