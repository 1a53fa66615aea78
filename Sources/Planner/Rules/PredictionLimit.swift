/// Takes a small LIMIT below predictions, so that the network sees only the rows that are wanted and
/// OFFSET's are not predicted. A large one stays above: below it the work is shared among workers.
enum PredictionLimit {
  static let most = 10_000

  static func apply(_ plan: Plan) -> Plan {
    let below = plan.mapChildren(apply)
    guard case .limit(let limit) = below, limit.isConstant, let count = limit.limit,
      count <= most, limit.offset <= most
    else { return below }
    return lowered(limit, below: limit.input, hasPassed: false) ?? below
  }

  /// The plan with the limit under its predictions; nil where it has none.
  private static func lowered(_ limit: LimitNode, below plan: Plan, hasPassed: Bool) -> Plan? {
    switch plan {
    case .project(var node) where !node.items.contains(where: { $0.expression.isVolatile }):
      guard let input = lowered(limit, below: node.input, hasPassed: hasPassed) else { return nil }
      node.input = input
      return .project(node)
    case .predict(var node) where !node.arguments.contains(where: \.isVolatile):
      guard let input = lowered(limit, below: node.input, hasPassed: true) else { return nil }
      node.input = input
      return .predict(node)
    default:
      if !hasPassed { return nil }
      var node = limit
      node.input = plan
      return .limit(node)
    }
  }
}
