import Columnar

/// Guesses of row counts, for choosing sides. Rough on purpose: from the sources' counts and fixed
/// selectivities; statistics refine it later.
package enum Cardinality {
  package static func estimate(_ plan: Plan) -> Double {
    switch plan {
    case .scan(let node): return Double(node.source.estimatedRowCount ?? 100_000)
    case .values(let node): return Double(node.rows.count)
    case .filter(let node):
      return node.condition.conjuncts.reduce(estimate(node.input)) { $0 * selectivity($1) }
    case .project(let node): return estimate(node.input)
    case .aggregate(let node):
      if node.keys.isEmpty { return 1 }
      return max(1, estimate(node.input) / 4)
    case .join(let node):
      let left = estimate(node.left)
      let right = estimate(node.right)
      switch node.kind {
      case .inner, .left, .right, .full:
        if node.keys.isEmpty { return left * right }
        let base = max(left, right)
        // A filtered key side passes on what it filtered: scale by how much smaller it became.
        let kept = min(
          1, min(left / max(unfiltered(node.left), 1), right / max(unfiltered(node.right), 1)))
        return max(1, node.kind == .inner ? base * max(kept, 0.001) : base)
      case .semi, .anti: return max(1, left / 2)
      case .mark, .single: return left
      }
    case .sort(let node): return min(estimate(node.input), node.limit.map(Double.init) ?? .infinity)
    case .distinctOn(let node): return max(1, estimate(node.input) / 4)
    case .limit(let node):
      let rows = estimate(node.input)
      if let percent = node.percent { return rows * percent / 100 }
      return min(rows, node.limit.map(Double.init) ?? .infinity)
    case .union(let node): return node.inputs.reduce(0) { $0 + estimate($1) }
    case .predict(let node): return estimate(node.input)
    case .rows(let node): return node.input.map(estimate) ?? 100
    case .exchange(let node): return estimate(node.input)
    case .window(let node): return estimate(node.input)
    case .unnest(let node): return estimate(node.input) * 4
    case .sample(let node):
      let rows = estimate(node.input)
      switch node.amount {
      case .rows(let count): return min(rows, Double(count))
      case .fraction(let fraction): return rows * fraction
      }
    case .positionalJoin(let node): return max(estimate(node.left), estimate(node.right))
    case .with(let node): return estimate(node.body)
    case .sharedScan: return 1000
    case .recursive(let node): return estimate(node.anchor) * 10
    case .dependentJoin(let node): return estimate(.join(node.join))
    }
  }

  /// The rows before any filter: those of the largest scan below.
  private static func unfiltered(_ plan: Plan) -> Double {
    if case .scan = plan { return estimate(plan) }
    return plan.children.map(unfiltered).max() ?? 1
  }

  private static func selectivity(_ condition: Expression) -> Double {
    switch condition {
    case .call(let call):
      switch call.resolved.function.name {
      case "=": return 0.1
      case "<>", "is distinct from": return 0.9
      case "<", "<=", ">", ">=": return 0.4
      case "like", "ilike": return 0.1
      default: return 0.3
      }
    case .inList(let list): return min(0.5, 0.05 * Double(list.values.count))
    case .or(let terms): return min(1, terms.reduce(0) { $0 + selectivity($1) })
    case .and(let terms): return terms.reduce(1) { $0 * selectivity($1) }
    case .not(let operand): return 1 - selectivity(operand)
    case .isNull(_, let isNegated): return isNegated ? 0.95 : 0.05
    case .column, .constant, .cast, .caseWhen, .predict: return 0.5
    }
  }
}
