import Columnar

/// Reorders inner joins by guesses of their results' sizes: optimal up to twelve relations, greedily
/// beyond. The cost of a tree is the rows of all its results and of all its build sides.
enum JoinOrder {
  static func apply(_ plan: Plan) -> Plan {
    let rule = JoinOrdering()
    return rule.order(plan, keepsOrder: true)
  }
}

private final class JoinOrdering {
  private let cardinality = Cardinality()

  /// With `keepsOrder` the columns come out in the same order as before: somebody reads them by
  /// position.
  func order(_ plan: Plan, keepsOrder: Bool) -> Plan {
    if JoinRegion.begins(at: plan) {
      let made = reorder(JoinRegion(plan) { order($0, keepsOrder: false) }, plan)
      return restore(made, as: plan.output, keepsOrder: keepsOrder)
    }
    if case .with(let node) = plan { cardinality.define(node) }
    switch plan {
    case .project, .aggregate: return plan.mapChildren { order($0, keepsOrder: false) }
    case .filter, .sort, .distinctOn, .limit, .join, .predict, .exchange, .sample:
      return plan.mapChildren { order($0, keepsOrder: keepsOrder) }
    case .scan, .values, .union, .rows, .window, .unnest, .positionalJoin, .with, .sharedScan,
      .recursive, .dependentJoin:
      return plan.mapChildren { order($0, keepsOrder: true) }
    }
  }

  /// The plan with the columns that nodes above know.
  private func restore(
    _ made: (plan: Plan, region: JoinRegion), as output: [ColumnReference], keepsOrder: Bool
  ) -> Plan {
    let now = made.plan.output
    if now == output { return made.plan }
    if !keepsOrder && Set(now.map(\.id)).isSuperset(of: output.map(\.id)) { return made.plan }
    return .project(
      ProjectNode(input: made.plan, items: output.map { (made.region.resolved($0), $0) }))
  }

  private func reorder(_ region: JoinRegion, _ original: Plan) -> (plan: Plan, region: JoinRegion) {
    var region = region
    let builder = JoinTreeBuilder(region: &region, cardinality: cardinality)
    return (builder.plan(), region)
  }
}

/// Finds the order of one region and makes its joins.
private struct JoinTreeBuilder {
  private let cardinality: Cardinality
  private var relations: [Plan]
  private var rows: [Double]
  private var graph: JoinGraph
  private let edges: [(Int, Int)]
  private let classes: JoinEquivalences
  private let conditions: [JoinRegion.Condition]
  private let filters: [JoinRegion.RowFilter]
  private let late: [Expression]

  init(region: inout JoinRegion, cardinality: Cardinality) {
    self.cardinality = cardinality
    classes = JoinEquivalences(&region)
    conditions = region.conditions
    filters = region.filters
    late = region.late
    relations = region.relations
    rows = relations.map { cardinality.rows($0) }
    graph = classes.graph(rows: rows, conditions: conditions, cardinality)
    edges = graph.edges()
  }

  func plan() -> Plan {
    var builder = self
    var above = builder.placeFilters()
    let tree = builder.search().tree
    var plan = builder.build(tree).plan
    above.reverse()
    while var filter = above.popLast() {
      filter.node.left = plan
      plan = .join(filter.node)
    }
    if let condition = Expression.conjunction(late) {
      plan = .filter(FilterNode(input: plan, condition: condition))
    }
    return plan
  }

  // MARK: Semi and anti joins

  /// Puts each of the joins taken along on its relation where that makes the whole cheaper; the others
  /// go above all joins, in their order.
  private mutating func placeFilters() -> [JoinRegion.RowFilter] {
    var above: [JoinRegion.RowFilter] = []
    for filter in filters {
      // A single join fails on rows that others might have dropped: not earlier than it was.
      guard filter.relations.count == 1, let relation = filter.relations.first,
        filter.node.kind != .single
      else {
        above.append(filter)
        continue
      }
      var node = filter.node
      let before = search()
      let built = cardinality.rows(node.right)
      node.left = relations[relation]
      let kept = cardinality.rows(.join(node), inputs: [rows[relation], built])
      var pushed = self
      pushed.rows[relation] = kept
      pushed.graph.rows[relation] = max(kept, 1e-3)
      pushed.relations[relation] = .join(node)
      // The filter's own work: a look for each row that reaches it.
      let late = before.cost + before.rows
      let early = pushed.search().cost + rows[relation]
      if early < late || relations.count == 1 {
        self = pushed
      } else {
        above.append(filter)
      }
    }
    return above
  }

  // MARK: Search

  private func search() -> (tree: JoinTree, cost: Double, rows: Double) {
    var cost = 0.0
    var parts: [(tree: JoinTree, rows: Double, relations: [Int])] = []
    var isGreedy = false
    for component in graph.components(edges) {
      if component.count == 1 {
        parts.append((.leaf(component[0]), graph.rows[component[0]], component))
      } else if component.count <= JoinEnumeration.limit {
        var enumeration = JoinEnumeration(graph, component, edges: edges)
        let best = enumeration.best()
        cost += best.cost
        parts.append((best.tree, best.rows, component))
      } else {
        isGreedy = true
        for relation in component {
          parts.append((.leaf(relation), graph.rows[relation], [relation]))
        }
      }
    }
    if parts.count == 1 { return (parts[0].tree, cost, parts[0].rows) }
    var greedy = GreedyJoinOrder(graph, parts: parts)
    let tree = greedy.order(edges: isGreedy ? edges : [])
    return (tree, cost + greedy.cost, greedy.rows)
  }

  // MARK: Building

  private struct Built {
    var plan: Plan
    var relations: RelationSet
    var first: Int
  }

  private func build(_ tree: JoinTree) -> Built {
    var done = Array(repeating: false, count: conditions.count)
    return build(tree, &done)
  }

  private func build(_ tree: JoinTree, _ done: inout [Bool]) -> Built {
    switch tree {
    case .leaf(let relation):
      var set = RelationSet(count: relations.count)
      set.insert(relation)
      return Built(plan: relations[relation], relations: set, first: relation)
    case .join(let a, let b):
      var left = build(a, &done)
      var right = build(b, &done)
      if right.first < left.first { swap(&left, &right) }
      var node = JoinNode(
        kind: .inner, left: left.plan, right: right.plan,
        keys: classes.keys(left.relations, right.relations), residual: nil)
      let both = left.relations.union(right.relations)
      var residual: [Expression] = []
      for (number, condition) in conditions.enumerated()
      where !done[number] && condition.relations.allSatisfy(both.contains) {
        done[number] = true
        if let key = split(condition, left.relations, right.relations) {
          node.keys.append(key)
        } else {
          residual.append(condition.expression)
        }
      }
      node.residual = Expression.conjunction(residual)
      return Built(plan: .join(node), relations: both, first: left.first)
    }
  }

  /// An equality whose sides are on the two sides of a join.
  private func split(
    _ condition: JoinRegion.Condition, _ left: RelationSet, _ right: RelationSet
  ) -> (left: Expression, right: Expression, nullSafe: Bool)? {
    guard case .equality(let a, let b, let nullSafe) = condition.form else { return nil }
    let (x, y) = (classes.relations(of: a), classes.relations(of: b))
    if x.isEmpty || y.isEmpty { return nil }
    if x.allSatisfy(left.contains) && y.allSatisfy(right.contains) { return (a, b, nullSafe) }
    if x.allSatisfy(right.contains) && y.allSatisfy(left.contains) { return (b, a, nullSafe) }
    return nil
  }
}

/// A set of relations of any number.
struct RelationSet {
  private var words: [UInt64]

  init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

  mutating func insert(_ relation: Int) { words[relation >> 6] |= 1 << UInt64(relation & 63) }

  func contains(_ relation: Int) -> Bool { words[relation >> 6] >> UInt64(relation & 63) & 1 != 0 }

  func union(_ other: RelationSet) -> RelationSet {
    var result = self
    for word in words.indices { result.words[word] |= other.words[word] }
    return result
  }
}
