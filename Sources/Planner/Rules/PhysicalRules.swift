import Columnar

/// Writes each join's strategy and build side into it: the side estimated smaller is built.
enum JoinStrategy {
  static func apply(_ plan: Plan) -> Plan {
    // Guesses cost as much as planning a simple query.
    plan.hasJoin ? choose(plan, Cardinality(), rounds: []).plan : plan
  }

  /// The plan with its rows. `rounds`: inside the step of a recursion, what differs from round to
  /// round.
  private static func choose(
    _ plan: Plan, _ cardinality: Cardinality, rounds: Set<ObjectIdentifier>
  ) -> (plan: Plan, rows: Double) {
    var inputs: [Double] = []
    var inner = rounds
    if case .recursive(let node) = plan {
      inner.insert(ObjectIdentifier(node.working))
      if let accumulated = node.accumulated { inner.insert(ObjectIdentifier(accumulated)) }
    }
    if case .with(let node) = plan { cardinality.define(node) }
    let below = plan.mapChildren { child in
      let (chosen, rows) = choose(child, cardinality, rounds: inner)
      inputs.append(rows)
      return chosen
    }
    let rows = cardinality.rows(below, inputs: inputs)
    guard case .join(var node) = below else { return (below, rows) }
    if node.isAsof {
      node.strategy = .asof
      node.buildSide = .right
      return (.join(node), rows)
    }
    node.strategy = node.keys.isEmpty ? .nestedLoop : .hash
    if node.keys.isEmpty { useInequalities(&node) }
    switch node.kind {
    case .inner, .full, .left, .right:
      node.buildSide = inputs[0] < inputs[1] ? .left : .right
      // A side that stays the same is built once for all rounds.
      if !rounds.isEmpty, node.kind != .full {
        let (left, right) = (node.left.reads(rounds), node.right.reads(rounds))
        if left != right { node.buildSide = left ? .right : .left }
      }
    case .semi, .anti:
      // Building the left side costs the streaming of its rows, so it must be clearly smaller.
      node.buildSide = inputs[0] * 2 < inputs[1] ? .left : .right
      if !rounds.isEmpty { node.buildSide = .right }
    case .mark, .single:
      node.buildSide = .right
    }
    return (.join(node), rows)
  }

  /// Without an equality, up to two inequalities of the residual find the pairs.
  private static func useInequalities(_ node: inout JoinNode) {
    guard let residual = node.residual else { return }
    let left = Set(node.left.output.map(\.id))
    let right = Set(node.right.output.map(\.id))
    var rest: [Expression] = []
    for condition in residual.conjuncts {
      if node.inequalities.count < 2,
        let inequality = JoinInequality(condition, left: left, right: right),
        !inequality.left.type.isNested
      {
        node.inequalities.append(inequality)
      } else {
        rest.append(condition)
      }
    }
    if node.inequalities.isEmpty { return }
    node.strategy = .range
    node.residual = Expression.conjunction(rest)
  }
}

/// `limit(sort)` becomes a sort that keeps only what the limit lets through; a projection in
/// between does not matter.
enum TopN {
  static func apply(_ plan: Plan) -> Plan {
    let below = plan.mapChildren(apply)
    if case .filter(let filter) = below { return .filter(keepingFirst(filter)) }
    guard case .limit(let limit) = below, limit.isConstant, let count = limit.limit else {
      return below
    }
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

extension TopN {
  /// More rows a partition than this are sorted with all others.
  private static let mostRanks = 32

  /// The window below a filter by its rank is told how many rows of a partition pass.
  private static func keepingFirst(_ filter: FilterNode) -> FilterNode {
    guard case .window(var window) = filter.input, !window.order.isEmpty,
      window.order.first?.expression.type.isNested == false,
      window.calls.allSatisfy({ $0.call.isRank && $0.call.orderCount > 0 })
    else { return filter }
    let ranks = Set(
      window.calls.filter { $0.call.function != .builtin(.denseRank) }.map(\.reference.id))
    let limits = filter.condition.conjuncts.compactMap { highestRank($0, of: ranks) }
    guard let least = limits.min(), least >= 1, least <= mostRanks else { return filter }
    window.keep = least
    var result = filter
    result.input = .window(window)
    return result
  }

  /// The highest rank that passes `rank <= constant` and the like; nil of other conditions.
  private static func highestRank(_ condition: Expression, of ranks: Set<Int>) -> Int? {
    guard case .call(let call) = condition, call.arguments.count == 2 else { return nil }
    let name = call.resolved.function.name
    let rank: Expression
    let other: Expression
    switch name {
    case "<=", "<", "=": (rank, other) = (call.arguments[0], call.arguments[1])
    case ">=", ">": (other, rank) = (call.arguments[0], call.arguments[1])
    default: return nil
    }
    guard case .column(let reference) = rank, ranks.contains(reference.id),
      case .constant(let value, _) = other, let number = value.orderedNumber,
      let bound = Int(exactly: number.rounded(.up))
    else { return nil }
    return name == "<" || name == ">" ? bound - 1 : bound
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
    if case .recursive(var node) = plan {
      // Rounds follow each other on one worker; what they begin with may be made by all.
      node.anchor = gather(belowLimits(node.anchor, workers), workers)
      return .recursive(node)
    }
    let below = plan.mapChildren { belowLimits($0, workers) }
    switch below {
    case .limit(var node):
      if !node.readsFewRows { node.input = gather(node.input, workers) }
      return .limit(node)
    case .positionalJoin(var node):
      node.left = gather(node.left, workers)
      node.right = gather(node.right, workers)
      return .positionalJoin(node)
    case .rows(var node):
      node.input = node.input.map { gather($0, workers) }
      return .rows(node)
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
    case .exchange, .limit, .rows, .recursive, .positionalJoin, .sample: 0
    default: plan.children.map(largestScan).max() ?? 0
    }
  }
}

extension LimitNode {
  /// Whether one worker is soon done, for each row read is a row given, or left out unread. More of them
  /// would only read ahead what nobody wants.
  fileprivate var readsFewRows: Bool {
    guard isConstant, let limit else { return false }
    var below = input
    while case .project(let node) = below { below = node.input }
    guard case .scan(let scan) = below else { return false }
    let read = Double(limit) + (scan.source.canSkipRows ? 0 : Double(offset))
    return read < ExchangePlacement.smallestParallelInput
  }
}

extension Plan {
  /// Whether there is a join to choose anything for.
  var hasJoin: Bool {
    if case .join = self { return true }
    return children.contains(where: \.hasJoin)
  }
}
