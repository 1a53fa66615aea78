/// The cheapest bushy join tree without cross products of one connected component, by dynamic
/// programming over connected subgraphs and their connected complements: DPccp (Moerkotte and
/// Neumann 2006). Each pair is met exactly once, so the work is what the graph's shape demands: n³
/// for a chain, 3ⁿ for a clique.
struct JoinEnumeration {
  /// More relations are left to `GreedyJoinOrder`.
  static let limit = 12

  private let graph: JoinGraph
  /// Local numbers to relations of the graph.
  private let relations: [Int]
  private let neighbours: [UInt64]
  private let corrections: [(mask: UInt64, selectivity: Double, isEquality: Bool)]
  private let classes: [(members: [(mask: UInt64, distinct: Double)], mask: UInt64, free: Bool)]
  /// By set of local numbers; 0 rows is "not computed".
  private var rows: [Double]
  private(set) var costs: [Double]
  private var split: [UInt64]
  /// How many pairs were considered, for tests.
  private(set) var pairCount = 0

  init(_ graph: JoinGraph, _ relations: [Int], edges: [(Int, Int)]) {
    self.graph = graph
    self.relations = relations
    var local: [Int: Int] = [:]
    for (number, relation) in relations.enumerated() { local[relation] = number }
    var neighbours = Array(repeating: UInt64(0), count: relations.count)
    for (a, b) in edges {
      guard let a = local[a], let b = local[b] else { continue }
      neighbours[a] |= 1 << UInt64(b)
      neighbours[b] |= 1 << UInt64(a)
    }
    self.neighbours = neighbours
    corrections = graph.predicates.compactMap { predicate in
      var mask: UInt64 = 0
      for relation in predicate.relations {
        guard let number = local[relation] else { return nil }
        mask |= 1 << UInt64(number)
      }
      return (mask, predicate.selectivity, predicate.isEquality)
    }
    classes = graph.classes.compactMap { group in
      let members = group.members.compactMap { member in
        local[member.relation].map { (mask: UInt64(1) << UInt64($0), distinct: member.distinct) }
      }
      if members.count < 2 { return nil }
      return (
        members.sorted { $0.distinct < $1.distinct }, members.reduce(0) { $0 | $1.mask },
        group.isConstant
      )
    }
    let sets = 1 << relations.count
    rows = Array(repeating: 0, count: sets)
    costs = Array(repeating: .infinity, count: sets)
    split = Array(repeating: 0, count: sets)
  }

  /// The best tree, its cost and rows.
  mutating func best() -> (tree: JoinTree, cost: Double, rows: Double) {
    for number in relations.indices { costs[1 << number] = 0 }
    for number in relations.indices.reversed() {
      let start = UInt64(1) << UInt64(number)
      emitComplements(start)
      grow(start, excluding: (start << 1) &- 1) { $0.emitComplements($1) }
    }
    let all = UInt64(1) << UInt64(relations.count) &- 1
    return (tree(all), costs[Int(all)], cardinality(all))
  }

  /// Calls `visit` with every connected set that grows out of `set` through nodes not in `excluded`.
  private mutating func grow(
    _ set: UInt64, excluding excluded: UInt64, _ visit: (inout JoinEnumeration, UInt64) -> Void
  ) {
    let frontier = neighbourhood(set) & ~excluded
    if frontier == 0 { return }
    var part: UInt64 = 0
    repeat {
      part = (part &- frontier) & frontier  // the next subset
      if part != 0 { visit(&self, set | part) }
    } while part != 0
    repeat {
      part = (part &- frontier) & frontier
      if part != 0 { grow(set | part, excluding: excluded | frontier, visit) }
    } while part != 0
  }

  /// Pairs a connected set with every connected complement of which it is the older part.
  private mutating func emitComplements(_ set: UInt64) {
    let lowest = set.trailingZeroBitCount
    let excluded = ((UInt64(2) << UInt64(lowest)) &- 1) | set
    let frontier = neighbourhood(set) & ~excluded
    var left = frontier
    while left != 0 {
      let number = 63 - left.leadingZeroBitCount
      let start = UInt64(1) << UInt64(number)
      left &= ~start
      consider(set, start)
      // The frontier's members below this one start complements of their own.
      let below = frontier & ((start << 1) &- 1)
      grow(start, excluding: excluded | below) { $0.consider(set, $1) }
    }
  }

  private mutating func consider(_ a: UInt64, _ b: UInt64) {
    pairCount += 1
    let both = a | b
    let result = cardinality(both)
    let cost =
      costs[Int(a)] + costs[Int(b)]
      + JoinGraph.cost(
        cardinality(a), cardinality(b), rows: result, isHashable: isHashable(a, b))
    if cost < costs[Int(both)] {
      costs[Int(both)] = cost
      split[Int(both)] = a
    }
  }

  private func isHashable(_ a: UInt64, _ b: UInt64) -> Bool {
    for group in classes where group.mask & a != 0 && group.mask & b != 0 { return true }
    for predicate in corrections where predicate.isEquality {
      if predicate.mask & a != 0, predicate.mask & b != 0, predicate.mask & ~(a | b) == 0 {
        return true
      }
    }
    return false
  }

  private func neighbourhood(_ set: UInt64) -> UInt64 {
    var result: UInt64 = 0
    var left = set
    while left != 0 {
      result |= neighbours[left.trailingZeroBitCount]
      left &= left &- 1
    }
    return result & ~set
  }

  /// Rows of the join of a set: the same whatever the order.
  private mutating func cardinality(_ set: UInt64) -> Double {
    if rows[Int(set)] > 0 { return rows[Int(set)] }
    var result = 1.0
    var left = set
    while left != 0 {
      result *= graph.rows[relations[left.trailingZeroBitCount]]
      left &= left &- 1
    }
    for group in classes where !group.free && group.mask & set != 0 {
      // All members but the one with the fewest values select.
      var isFirst = true
      for member in group.members where member.mask & set != 0 {
        if !isFirst { result /= max(1, member.distinct) }
        isFirst = false
      }
    }
    for predicate in corrections where predicate.mask & ~set == 0 {
      result *= predicate.selectivity
    }
    let clamped = JoinGraph.clamp(result)
    rows[Int(set)] = clamped
    return clamped
  }

  private func tree(_ set: UInt64) -> JoinTree {
    if set.nonzeroBitCount == 1 { return .leaf(relations[set.trailingZeroBitCount]) }
    let part = split[Int(set)]
    return .join(tree(part), tree(set & ~part))
  }
}
