import Columnar

/// Drops columns nobody reads: from scans, projections, aggregations, unions.
enum ColumnPruning {
  static func apply(_ plan: Plan) -> Plan {
    prune(plan, Set(plan.output.map(\.id)))
  }

  /// The plan with at least the columns `needed`, which are some of its output.
  private static func prune(_ plan: Plan, _ needed: Set<Int>) -> Plan {
    switch plan {
    case .scan(var node):
      node.columns.removeAll { !needed.contains($0.reference.id) }
      return .scan(node)
    case .values, .rows, .recursive, .dependentJoin: return keepAll(plan)
    case .positionalJoin(var node):
      node.left = prune(node.left, needed)
      node.right = prune(node.right, needed)
      return .positionalJoin(node)
    case .with(var node):
      node.body = prune(node.body, needed)
      return .with(prunedDefinition(node))
    case .filter(var node):
      node.input = prune(node.input, needed.union(node.condition.columnIDs))
      return .filter(node)
    case .project(var node):
      node.items.removeAll { !needed.contains($0.reference.id) }
      node.input = prune(node.input, ids(node.items.map(\.expression)))
      return .project(node)
    case .aggregate(var node):
      // Keys decide the groups and stay.
      node.calls.removeAll { !needed.contains($0.reference.id) }
      node.groupings.removeAll { !needed.contains($0.reference.id) }
      var below = ids(node.keys.map(\.expression))
      for (call, _) in node.calls {
        below.formUnion(ids(call.arguments + (call.filter.map { [$0] } ?? [])))
        below.formUnion(ids(call.order.map(\.expression)))
      }
      node.input = prune(node.input, below)
      return .aggregate(node)
    case .join(var node):
      var below = needed.union(ids(node.keys.flatMap { [$0.left, $0.right] }))
      below.formUnion(ids(node.inequalities.flatMap { [$0.left, $0.right] }))
      if let residual = node.residual { below.formUnion(residual.columnIDs) }
      // Columns of the other side do no harm here, and telling them apart in deep trees costs.
      node.left = prune(node.left, below)
      node.right = prune(node.right, below)
      return dropped(.join(node), needed)
    case .sort(var node):
      node.input = prune(node.input, needed.union(ids(node.items.map(\.expression))))
      return .sort(node)
    case .distinctOn(var node):
      let own = ids(node.keys + node.order.map(\.expression))
      node.input = prune(node.input, needed.union(own))
      return .distinctOn(node)
    case .limit(var node):
      node.input = prune(node.input, needed)
      if let bounds = node.bounds {
        node.bounds?.plan = prune(bounds.plan, Set(bounds.plan.output.map(\.id)))
      }
      return .limit(node)
    case .union(var node):
      let kept = node.columns.indices.filter { needed.contains(node.columns[$0].id) }
      node.inputs = node.inputs.map { input in
        let output = input.output
        let wanted = kept.map { output[$0] }
        let pruned = prune(input, Set(wanted.map(\.id)))
        if pruned.output == wanted { return pruned }
        return .project(ProjectNode(input: pruned, items: wanted.map { (.column($0), $0) }))
      }
      node.columns = kept.map { node.columns[$0] }
      return .union(node)
    case .predict(var node):
      node.outputs.removeAll { !needed.contains($0.reference.id) }
      if node.outputs.isEmpty { return prune(node.input, needed) }
      // A gradient is taken at all of the inputs.
      if !node.outputs.contains(where: \.form.isGradient) {
        node.arguments = zip(
          node.arguments, node.model.readsFeatures(node.outputs.map(\.form.output))
        ).map { $1 ? $0 : .constant(.null, $0.type) }
      }
      let outputs = Set(node.outputs.map(\.reference.id))
      node.input = prune(node.input, needed.subtracting(outputs).union(ids(node.arguments)))
      return .predict(node)
    case .exchange(var node):
      node.input = prune(node.input, needed)
      return .exchange(node)
    case .window(var node):
      node.calls.removeAll { !needed.contains($0.reference.id) }
      if node.calls.isEmpty { return prune(node.input, needed) }
      var below = needed.subtracting(node.calls.map(\.reference.id))
      below.formUnion(ids(node.partition + node.order.map(\.expression)))
      below.formUnion(ids(node.calls.flatMap(\.call.expressions)))
      node.input = prune(node.input, below)
      return .window(node)
    case .unnest(var node):
      // Every list counts: the longest decides how many rows there are.
      if let ordinality = node.ordinality, !needed.contains(ordinality.id) { node.ordinality = nil }
      let own = Set(node.lists.map(\.reference.id) + (node.ordinality.map { [$0.id] } ?? []))
      node.input = prune(
        node.input, needed.subtracting(own).union(ids(node.lists.map(\.expression))))
      return .unnest(node)
    case .sample(var node):
      node.input = prune(node.input, needed)
      return .sample(node)
    case .sharedScan(var node):
      node.columns.removeAll { !needed.contains($0.reference.id) }
      return .sharedScan(node)
    }
  }

  /// A definition gives what its scans read, all of them together.
  private static func prunedDefinition(_ with: WithNode) -> WithNode {
    var node = with
    var read: Set<Int> = []
    node.body.forEachNode { plan in
      if case .sharedScan(let scan) = plan, scan.shared === node.shared {
        read.formUnion(scan.columns.map(\.position))
      }
    }
    let output = node.definition.output
    let kept = output.indices.filter { read.contains($0) }
    let pruned = prune(node.definition, Set(kept.map { output[$0].id }))
    let places = Dictionary(
      pruned.output.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    // An output with one reference twice stays as it is.
    guard Set(output.map(\.id)).count == output.count else {
      node.definition = prune(node.definition, Set(output.map(\.id)))
      return node
    }
    node.definition = pruned
    node.body = node.body.replacingScans(of: node.shared) { scan in
      var scan = scan
      scan.columns = scan.columns.compactMap { column in
        places[output[column.position].id].map { (position: $0, reference: column.reference) }
      }
      return .sharedScan(scan)
    }
    return node
  }

  /// Long chains of joins would carry the keys of all of them: a projection lets go of those that
  /// nobody above reads, when they are many.
  private static func dropped(_ plan: Plan, _ needed: Set<Int>) -> Plan {
    let output = plan.output
    if output.count < 12 { return plan }
    let kept = output.filter { needed.contains($0.id) }
    if output.count - kept.count < 8 || kept.isEmpty { return plan }
    return .project(ProjectNode(input: plan, items: kept.map { (.column($0), $0) }))
  }

  private static func keepAll(_ plan: Plan) -> Plan {
    plan.mapChildren { prune($0, Set($0.output.map(\.id))) }
  }

  private static func ids(_ expressions: [Expression]) -> Set<Int> {
    var found: Set<Int> = []
    for expression in expressions { expression.collectColumns(&found) }
    return found
  }
}
