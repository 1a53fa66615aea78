import Testing

@testable import Planner

/// The search for join orders against all bushy trees, on random graphs.
struct JoinOrderTests {
  /// SplitMix64: the same graphs on every run.
  private struct Draw: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// A connected graph: a random tree, further edges, classes of several members, corrections.
  private func graph(_ count: Int, _ draw: inout Draw) -> JoinGraph {
    var graph = JoinGraph(
      rows: (0..<count).map { _ in Double(Int.random(in: 1...5000, using: &draw)) })
    func member(_ relation: Int) -> (relation: Int, distinct: Double) {
      (relation, Double(Int.random(in: 1...Int(graph.rows[relation]), using: &draw)))
    }
    for relation in 1..<max(count, 2) where count > 1 {
      let other = Int.random(in: 0..<relation, using: &draw)
      switch Int.random(in: 0..<4, using: &draw) {
      case 0:
        graph.predicates.append(
          JoinGraph.Predicate(
            relations: [other, relation], selectivity: Double.random(in: 0.001...1, using: &draw),
            isEquality: Bool.random(using: &draw)))
      case 1 where !graph.classes.isEmpty:
        let place = Int.random(in: 0..<graph.classes.count, using: &draw)
        graph.classes[place].members.append(member(relation))
      default:
        graph.classes.append(
          JoinGraph.EquivalenceClass(members: [member(other), member(relation)]))
      }
    }
    for _ in 0..<Int.random(in: 0...2, using: &draw) where count > 2 {
      let three = Array((0..<count).shuffled(using: &draw).prefix(3))
      graph.predicates.append(JoinGraph.Predicate(relations: three.sorted(), selectivity: 0.1))
    }
    return graph
  }

  /// Rows of a set of relations, by the definition.
  private func rows(_ graph: JoinGraph, _ set: Set<Int>) -> Double {
    var result = set.reduce(1.0) { $0 * graph.rows[$1] }
    for group in graph.classes where !group.isConstant {
      let distinct = group.members.filter { set.contains($0.relation) }.map(\.distinct).sorted()
      for value in distinct.dropFirst() { result /= max(1, value) }
    }
    for predicate in graph.predicates where set.isSuperset(of: predicate.relations) {
      result *= predicate.selectivity
    }
    return JoinGraph.clamp(result)
  }

  private func isHashable(_ graph: JoinGraph, _ a: Set<Int>, _ b: Set<Int>) -> Bool {
    for group in graph.classes {
      let relations = group.members.map(\.relation)
      if relations.contains(where: a.contains) && relations.contains(where: b.contains) {
        return true
      }
    }
    return graph.predicates.contains {
      $0.isEquality && a.union(b).isSuperset(of: $0.relations)
        && $0.relations.contains(where: a.contains) && $0.relations.contains(where: b.contains)
    }
  }

  /// The least cost over all trees without cross products, and the pairs that make them up.
  private func bruteForce(_ graph: JoinGraph) -> (cost: Double, pairs: Int) {
    let count = graph.rows.count
    let edges = graph.edges()
    func members(_ mask: Int) -> Set<Int> { Set((0..<count).filter { mask >> $0 & 1 != 0 }) }
    var costs: [Int: Double] = [:]
    var pairs = 0
    for relation in 0..<count { costs[1 << relation] = 0 }
    for mask in 1..<(1 << count) where mask.nonzeroBitCount > 1 {
      var part = (mask - 1) & mask
      while part > 0 {
        let rest = mask & ~part
        if part < rest, let x = costs[part], let y = costs[rest] {
          let (a, b) = (members(part), members(rest))
          if edges.contains(where: {
            a.contains($0.0) != a.contains($0.1) && a.union(b).isSuperset(of: [$0.0, $0.1])
          }) {
            pairs += 1
            let cost =
              x + y
              + JoinGraph.cost(
                rows(graph, a), rows(graph, b), rows: rows(graph, a.union(b)),
                isHashable: isHashable(graph, a, b))
            costs[mask] = min(costs[mask] ?? .infinity, cost)
          }
        }
        part = (part - 1) & mask
      }
    }
    return (costs[(1 << count) - 1] ?? .infinity, pairs)
  }

  private func relations(_ tree: JoinTree) -> [Int] {
    switch tree {
    case .leaf(let relation): [relation]
    case .join(let a, let b): relations(a) + relations(b)
    }
  }

  @Test("the best tree costs what the best of all trees costs", arguments: 0..<60)
  func enumerationIsOptimal(_ seed: Int) {
    var draw = Draw(state: UInt64(seed))
    let count = Int.random(in: 2...8, using: &draw)
    let graph = graph(count, &draw)
    var enumeration = JoinEnumeration(graph, Array(0..<count), edges: graph.edges())
    let found = enumeration.best()
    let expected = bruteForce(graph)
    #expect(abs(found.cost - expected.cost) <= expected.cost * 1e-9)
    #expect(relations(found.tree).sorted() == Array(0..<count))
    #expect(enumeration.pairCount == expected.pairs, "each pair is met exactly once")
  }

  @Test("known numbers of pairs: chains, cycles, stars and cliques")
  func pairCounts() {
    func pairs(_ count: Int, _ edges: [(Int, Int)]) -> Int {
      var graph = JoinGraph(rows: Array(repeating: 10, count: count))
      for (a, b) in edges {
        graph.classes.append(JoinGraph.EquivalenceClass(members: [(a, 10), (b, 10)]))
      }
      var enumeration = JoinEnumeration(graph, Array(0..<count), edges: graph.edges())
      _ = enumeration.best()
      return enumeration.pairCount
    }
    // Moerkotte and Neumann 2006, table 1, for ten relations.
    let chain = (0..<9).map { ($0, $0 + 1) }
    #expect(pairs(10, chain) == 165)
    #expect(pairs(10, chain + [(9, 0)]) == 405)
    #expect(pairs(10, (1..<10).map { (0, $0) }) == 2304)
    #expect(pairs(10, (0..<10).flatMap { a in (a + 1..<10).map { (a, $0) } }) == 28501)
  }

  @Test("greedy joins every relation once and never crosses what is connected", arguments: 0..<20)
  func greedyIsComplete(_ seed: Int) {
    var draw = Draw(state: UInt64(seed) &+ 1000)
    let count = Int.random(in: 2...40, using: &draw)
    let graph = graph(count, &draw)
    let edges = graph.edges()
    var greedy = GreedyJoinOrder(
      graph, parts: (0..<count).map { (.leaf($0), graph.rows[$0], [$0]) })
    let tree = greedy.order(edges: edges)
    #expect(relations(tree).sorted() == Array(0..<count))
    func check(_ tree: JoinTree) {
      guard case .join(let a, let b) = tree else { return }
      let (x, y) = (Set(relations(a)), Set(relations(b)))
      #expect(
        edges.contains {
          (x.contains($0.0) && y.contains($0.1)) || (x.contains($0.1) && y.contains($0.0))
        })
      check(a)
      check(b)
    }
    check(tree)
  }

  @Test("a thousand relations are ordered in a moment, whatever the shape")
  func greedyIsFast() {
    let count = 1000
    let shapes: [(String, [(Int, Int)])] = [
      ("chain", (1..<count).map { ($0 - 1, $0) }), ("star", (1..<count).map { (0, $0) }),
    ]
    for (name, pairs) in shapes {
      var graph = JoinGraph(rows: (0..<count).map { Double($0 % 17 + 1) * 100 })
      for (a, b) in pairs {
        graph.classes.append(JoinGraph.EquivalenceClass(members: [(a, 100), (b, 100)]))
      }
      var greedy = GreedyJoinOrder(
        graph, parts: (0..<count).map { (.leaf($0), graph.rows[$0], [$0]) })
      let clock = ContinuousClock()
      var tree = JoinTree.leaf(0)
      let time = clock.measure { tree = greedy.order(edges: graph.edges()) }
      #expect(relations(tree).count == count, "\(name)")
      #expect(time < .seconds(20), "\(name)")
    }
  }
}
