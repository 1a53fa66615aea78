import Columnar

/// What all rows of a partition share is a group's result: a window whose calls see whole partitions, in
/// whatever order, becomes a grouping of its input, joined to the input's rows. Nothing is sorted.
///
///     Window: partition by k; sum(x)
///     └─ input
///
///     Join (single, hash, build right): k = k
///     ├─ input
///     └─ Aggregate: keys k; sum(x)
///        └─ input
///
/// An input that is cheaply read is read twice, of the second copy only what keys and calls need, and
/// without the windows in between that they do not read. Any other is run once, and its rows are shared.
///
/// A window that has few rows, or not many more rows than partitions, is left as it is: there sorting is
/// as fast.
struct PartitionTotals {
  private static let leastRows = 10_000.0
  /// With more partitions than one in so many rows, a sort beats tables that do not fit into caches.
  private static let leastRowsOfPartition = 5.0
  /// Nanoseconds a row, as `ExpressionCost` counts: keeping a row costs about as much.
  private static let mostRepeatedCost = 12.0
  /// Keys are evaluated twice.
  private static let mostKeyCost = 90.0

  // Beyond the references of binders, and those of other rules.
  private var nextReferenceID = 1 << 45
  private let cardinality = Cardinality()

  static func apply(_ plan: Plan) -> Plan {
    var rule = PartitionTotals()
    return plan.hasWindow ? rule.visit(plan, keepsBits: false) : plan
  }

  /// `keepsBits`: sums of floats must not hang on which worker has which rows.
  private mutating func visit(_ plan: Plan, keepsBits: Bool) -> Plan {
    switch plan {
    case .window(let node):
      if let totals = totals(node, keepsBits: keepsBits) { return totals }
      return plan.mapChildren { visit($0, keepsBits: keepsBits) }
    case .with(let node):
      cardinality.define(node)
      return plan.mapChildren { visit($0, keepsBits: keepsBits) }
    case .recursive(var node):
      // Rounds are short, and a step's operators are used again.
      node.anchor = visit(node.anchor, keepsBits: keepsBits)
      return .recursive(node)
    case .rows(let node):
      return plan.mapChildren {
        visit($0, keepsBits: keepsBits || node.provider.needsSameFloats)
      }
    default: return plan.mapChildren { visit($0, keepsBits: keepsBits) }
    }
  }

  private mutating func totals(_ node: WindowNode, keepsBits: Bool) -> Plan? {
    guard node.calls.allSatisfy({ $0.call.isTotal(keepsBits: keepsBits) }),
      node.partition.reduce(0, { $0 + ExpressionCost.total($1) }) <= Self.mostKeyCost
    else { return nil }
    let rows = cardinality.rows(node.input)
    if rows < Self.leastRows { return nil }
    let partitions = node.partition.isEmpty ? 1 : cardinality.keyValues(node.partition, rows)
    if partitions * Self.leastRowsOfPartition > rows { return nil }
    let (base, windows) = node.input.belowWindows(notReading: node.readColumns)
    guard let groups = grouped(node, base) else { return nil }
    if mayRepeat(groups.input) {
      let left = visit(node.input, keepsBits: keepsBits)
      return joined(node, left, copied(groups))
    }
    return sharing(base, below: windows, of: node, groups, keepsBits: keepsBits)
  }

  // MARK: The grouping

  /// The calls over groups of `base`, which is pruned to what they read.
  private mutating func grouped(_ node: WindowNode, _ base: Plan) -> AggregateNode? {
    var calls: [(call: BoundAggregate, reference: ColumnReference)] = []
    for (call, reference) in node.calls {
      guard case .aggregate(let resolved) = call.function, resolved.resultType == call.type else {
        return nil
      }
      let aggregate = BoundAggregate(
        resolved: resolved, arguments: call.arguments, isDistinct: call.isDistinct,
        filter: call.filter, order: [])
      calls.append((aggregate, reference))
    }
    let keys = node.partition.map { key in
      (expression: key, reference: makeReference(key.keyName, key.type))
    }
    let plan = Plan.aggregate(AggregateNode(input: base, keys: keys, calls: calls))
    guard case .aggregate(let pruned) = ColumnPruning.apply(plan) else { return nil }
    return pruned
  }

  /// Whether rows cost less to make again than to keep: a scan, perhaps filtered and projected. A filter
  /// that leaves few leaves few to keep.
  private func mayRepeat(_ plan: Plan) -> Bool {
    guard let cost = plan.repeatedCost, cost <= Self.mostRepeatedCost else { return false }
    return cardinality.rows(plan) * 4 >= cardinality.rows(plan.lowest)
  }

  private mutating func copied(_ node: AggregateNode) -> AggregateNode {
    let (input, renamed) = cloned(node.input)
    let replacements = renamed.mapValues { Expression.column($0) }
    var copy = node
    copy.input = input
    let plan = Plan.aggregate(copy).mapExpressions { $0.substituting(replacements) }
    guard case .aggregate(let result) = plan else { return node }
    return result
  }

  private func joined(_ node: WindowNode, _ left: Plan, _ groups: AggregateNode) -> Plan {
    let keys = zip(node.partition, groups.keys).map { key, group in
      (left: key, right: Expression.column(group.reference), nullSafe: true)
    }
    let join = JoinNode(kind: .single, left: left, right: .aggregate(groups), keys: keys)
    return Plan.join(join).keeping(node.input.output + node.calls.map(\.reference))
  }

  // MARK: Sharing

  /// The same with `base` run once. `windows` stand between it and the node, the highest first.
  private mutating func sharing(
    _ base: Plan, below windows: [WindowNode], of node: WindowNode, _ groups: AggregateNode,
    keepsBits: Bool
  ) -> Plan? {
    let output = Array(base.output.enumerated())
    guard Set(output.map(\.element.id)).count == output.count else { return nil }
    let definition = cloned(visit(base, keepsBits: keepsBits)).plan
    let shared = SharedQuery(name: "window_input")
    // The rows of the left side have the references that nodes above know.
    let rows = Plan.sharedScan(SharedScanNode(shared: shared, columns: output.map { ($0, $1) }))
    cardinality.define(WithNode(shared: shared, definition: definition, body: rows))
    let read = Set(groups.input.output.map(\.id))
    var groups = groups
    groups.input = .sharedScan(
      SharedScanNode(
        shared: shared,
        columns: output.filter { read.contains($0.element.id) }.map { ($0.offset, $0.element) }))
    let left = windows.reversed().reduce(rows) { below, window in
      var window = window
      window.input = below
      return .window(window)
    }
    let body = joined(node, visit(left, keepsBits: keepsBits), copied(groups))
    return .with(WithNode(shared: shared, definition: definition, body: body))
  }

  private mutating func cloned(_ plan: Plan) -> (plan: Plan, renamed: [Int: ColumnReference]) {
    var next = nextReferenceID
    defer { nextReferenceID = next }
    return plan.cloned { name, type in
      next += 1
      return ColumnReference(id: next, name: name, type: type)
    }
  }

  private mutating func makeReference(_ name: String, _ type: LogicalType) -> ColumnReference {
    nextReferenceID += 1
    return ColumnReference(id: nextReferenceID, name: name, type: type)
  }
}

extension Plan {
  fileprivate var hasWindow: Bool {
    if case .window = self { return true }
    return children.contains(where: \.hasWindow)
  }

  /// The plan below the windows on top whose results are not read, and these windows, the highest first.
  fileprivate func belowWindows(notReading read: Set<Int>) -> (base: Plan, windows: [WindowNode]) {
    guard case .window(let node) = self,
      read.isDisjoint(with: node.calls.map(\.reference.id))
    else { return (self, []) }
    let (base, windows) = node.input.belowWindows(notReading: read)
    return (base, [node] + windows)
  }

  /// Nanoseconds a row that its expressions take; nil of what is no plain scan, or gives other rows when
  /// it runs again.
  fileprivate var repeatedCost: Double? {
    switch self {
    case .scan(let node): return node.source.isCheapToReadAgain ? 0 : nil
    case .sharedScan: return 0
    case .filter(let node):
      if node.condition.isVolatile { return nil }
      return node.input.repeatedCost.map { $0 + ExpressionCost.total(node.condition) }
    case .project(let node):
      if node.items.contains(where: { $0.expression.isVolatile }) { return nil }
      return node.input.repeatedCost.map {
        node.items.reduce($0) { $0 + ExpressionCost.total($1.expression) }
      }
    case .values, .aggregate, .join, .sort, .distinctOn, .limit, .union, .predict, .rows, .exchange,
      .window, .unnest, .sample, .positionalJoin, .with, .recursive, .dependentJoin:
      return nil
    }
  }

  /// What a chain of filters and projections stands on.
  fileprivate var lowest: Plan {
    switch self {
    case .filter(let node): node.input.lowest
    case .project(let node): node.input.lowest
    default: self
    }
  }
}

extension WindowNode {
  /// What its partitions and calls read of the input.
  fileprivate var readColumns: Set<Int> {
    var read: Set<Int> = []
    for expression in partition + calls.flatMap(\.call.expressions) {
      expression.collectColumns(&read)
    }
    return read
  }
}

extension Expression {
  fileprivate var keyName: String {
    if case .column(let reference) = self { return reference.name }
    return "key"
  }
}
