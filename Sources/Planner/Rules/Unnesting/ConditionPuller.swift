import Columnar
import Functions

/// Takes the conditions that read outer columns out of a plan, to be decided by the join above it.
///
///     project(s.a)                          project(s.a, s.k)          + condition s.k = t.k
///       filter(s.k = t.k and s.b > 1)  ->     filter(s.b > 1)
///         scan s                                scan s
struct ConditionPuller {
  let free: Set<Int>
  var nextID: Int

  init(free: Set<Int>, nextID: Int) {
    self.free = free
    self.nextID = nextID
  }

  mutating func makeReference(_ name: String, _ type: LogicalType) -> ColumnReference {
    nextID += 1
    return ColumnReference(id: nextID, name: name, type: type)
  }

  /// The plan without those conditions (its columns, perhaps more) and the conditions over its
  /// output; nil when outer columns are read where no condition can be taken from.
  mutating func pull(_ plan: Plan) -> (plan: Plan, conditions: [Expression])? {
    if plan.freeColumns.isDisjoint(with: free) { return (plan, []) }
    switch plan {
    case .filter(let node):
      guard let (input, pulled) = pull(node.input) else { return nil }
      let terms = FilterPushdown.split(node.condition)
      let own = terms.filter { !reads($0) }
      let taken = terms.filter(reads)
      if taken.contains(where: { $0.isVolatile || $0.containsPredict }) { return nil }
      var below = input
      if let condition = Expression.conjunction(own) {
        below = .filter(FilterNode(input: below, condition: condition))
      }
      return (below, pulled + taken)
    case .project(var node):
      guard !node.items.contains(where: { reads($0.expression) }),
        let (input, pulled) = pull(node.input)
      else { return nil }
      node.input = input
      var known = Set(node.items.map(\.reference.id))
      let available = Dictionary(firstOf: input.output.map { ($0.id, $0) })
      for id in pulled.reduce(into: Set<Int>(), { $1.collectColumns(&$0) }).sorted()
      where !free.contains(id) && known.insert(id).inserted {
        guard let reference = available[id] else { return nil }
        node.items.append((.column(reference), reference))
      }
      return (.project(node), pulled)
    case .join(let node): return pull(node)
    case .aggregate(let node): return pull(node)
    case .window(var node):
      // Outer values stay apart as partitions.
      guard !node.partition.contains(where: reads),
        !node.order.contains(where: { reads($0.expression) }),
        !node.calls.flatMap(\.call.expressions).contains(where: reads),
        let (input, pulled) = pull(node.input)
      else { return nil }
      for condition in pulled {
        guard let key = Unnesting.correlation(condition, free), key.isPlain else { return nil }
        if !node.partition.contains(key.inner) { node.partition.append(key.inner) }
      }
      node.input = input
      return (.window(node), pulled)
    case .sort(let node) where node.limit == nil:
      return pull(node.input)
    case .unnest(var node):
      guard !node.lists.contains(where: { reads($0.expression) }), node.ordinality == nil,
        let (input, pulled) = pull(node.input)
      else { return nil }
      node.input = input
      return (.unnest(node), pulled)
    case .scan, .values, .sort, .distinctOn, .limit, .union, .predict, .rows, .exchange, .sample,
      .positionalJoin, .with, .sharedScan, .recursive, .dependentJoin:
      return nil
    }
  }

  private func reads(_ expression: Expression) -> Bool {
    !expression.columnIDs.isDisjoint(with: free)
  }

  private mutating func pull(_ join: JoinNode) -> (plan: Plan, conditions: [Expression])? {
    var node = join
    var conditions: [Expression] = []
    switch node.kind {
    case .inner:
      guard let left = pull(node.left), let right = pull(node.right) else { return nil }
      node.left = left.plan
      node.right = right.plan
      conditions = left.conditions + right.conditions
      let readKeys = node.keys.filter { reads($0.left) || reads($0.right) }
      node.keys.removeAll { reads($0.left) || reads($0.right) }
      conditions += readKeys.map { Unnesting.equal($0.left, $0.right, nullSafe: $0.nullSafe) }
      let terms = node.residual.map(FilterPushdown.split) ?? []
      if terms.contains(where: { reads($0) && $0.isVolatile }) { return nil }
      conditions += terms.filter(reads)
      node.residual = Expression.conjunction(terms.filter { !reads($0) })
    case .left, .semi, .anti, .mark, .single:
      guard !node.keys.contains(where: { reads($0.left) || reads($0.right) }),
        node.residual.map(reads) != true, node.right.freeColumns.isDisjoint(with: free),
        let left = pull(node.left)
      else { return nil }
      node.left = left.plan
      conditions = left.conditions
    case .right, .full: return nil
    }
    return (.join(node), conditions)
  }

  /// Groups of one outer value are the groups with its key: the key joins the GROUP BY.
  private mutating func pull(_ aggregate: AggregateNode) -> (plan: Plan, conditions: [Expression])?
  {
    var node = aggregate
    guard !node.keys.isEmpty, node.sets.isEmpty,
      !node.keys.contains(where: { reads($0.expression) }),
      !node.calls.flatMap(\.call.expressions).contains(where: reads),
      let (input, pulled) = pull(node.input)
    else { return nil }
    node.input = input
    var conditions: [Expression] = []
    for condition in pulled {
      guard let key = Unnesting.correlation(condition, free), key.isPlain else { return nil }
      let reference: ColumnReference
      if let known = node.keys.first(where: { $0.expression == key.inner }) {
        reference = known.reference
      } else {
        reference = makeReference("key", key.inner.type)
        node.keys.append((key.inner, reference))
      }
      conditions.append(
        Unnesting.equal(.column(reference), key.outer, nullSafe: key.nullSafe))
    }
    return (.aggregate(node), conditions)
  }
}
