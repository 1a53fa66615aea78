import Columnar

/// Writes each join's strategy and build side into it: the side estimated smaller is built.
enum JoinStrategy {
  static func apply(_ plan: Plan) -> Plan { choose(plan, Cardinality()).plan }

  /// The plan with its rows.
  private static func choose(_ plan: Plan, _ cardinality: Cardinality) -> (plan: Plan, rows: Double)
  {
    var inputs: [Double] = []
    let below = plan.mapChildren { child in
      let (chosen, rows) = choose(child, cardinality)
      inputs.append(rows)
      return chosen
    }
    let rows = cardinality.rows(below, inputs: inputs)
    guard case .join(var node) = below else { return (below, rows) }
    node.strategy = node.keys.isEmpty ? .nestedLoop : .hash
    switch node.kind {
    case .inner, .full, .left, .right:
      node.buildSide = inputs[0] < inputs[1] ? .left : .right
    case .semi, .anti, .mark, .single:
      node.buildSide = .right
    }
    return (.join(node), rows)
  }
}

/// `limit(sort)` becomes a sort that keeps only what the limit lets through; a projection in
/// between does not matter.
enum TopN {
  static func apply(_ plan: Plan) -> Plan {
    let below = plan.mapChildren(apply)
    guard case .limit(let limit) = below, let count = limit.limit else { return below }
    switch limit.input {
    case .sort(var sort) where sort.limit == nil:
      sort.limit = count
      sort.offset = limit.offset
      return .sort(sort)
    case .project(var project):
      guard case .sort(var sort) = project.input, sort.limit == nil else { return below }
      sort.limit = count
      sort.offset = limit.offset
      project.input = .sort(sort)
      return .project(project)
    default: return below
    }
  }
}

/// Places exchanges: one gather on top of a plan that has enough to do for several workers, and one
/// below each LIMIT and each sample, which run on one worker; a LIMIT stops those below it.
enum ExchangePlacement {
  /// Fewer rows than this are not worth waking other threads for.
  static let smallestParallelInput = 60_000.0

  static func apply(_ plan: Plan, workers: Int) -> Plan {
    if workers <= 1 { return plan }
    return gather(belowLimits(plan, workers), workers)
  }

  private static func belowLimits(_ plan: Plan, _ workers: Int) -> Plan {
    let below = plan.mapChildren { belowLimits($0, workers) }
    switch below {
    case .limit(var node):
      node.input = gather(node.input, workers)
      return .limit(node)
    case .sample(var node):
      node.input = gather(node.input, workers)
      return .sample(node)
    default: return below
    }
  }

  private static func gather(_ plan: Plan, _ workers: Int) -> Plan {
    // A limit on top is serial already; its own input has the exchange.
    if case .limit = plan { return plan }
    if case .project(var node) = plan, case .limit = node.input {
      node.input = gather(node.input, workers)
      return .project(node)
    }
    if case .rows = plan { return plan }
    guard largestScan(plan) >= smallestParallelInput else { return plan }
    return .exchange(ExchangeNode(input: plan, kind: .gather, workers: workers))
  }

  private static func largestScan(_ plan: Plan) -> Double {
    switch plan {
    case .scan(let node): Double(node.source.estimatedRowCount ?? 1_000_000)
    case .exchange, .limit, .sample: 0
    default: plan.children.map(largestScan).max() ?? 0
    }
  }
}
