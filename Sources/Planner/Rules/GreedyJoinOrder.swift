/// Greedy operator ordering (Fegaras 1998): joins again and again the two components whose result is
/// smallest, first those that something joins, then, in cross products, what is left.
struct GreedyJoinOrder {
  private struct Component {
    var tree: JoinTree
    var rows: Double
    /// Per class the fewest values of a member here.
    var classes: [Int: Double]
    /// Predicates of which some relations are here and others are not.
    var predicates: [Int]
    var neighbours: Set<Int> = []
  }

  private struct Candidate {
    var rows: Double
    var a: Int
    var b: Int
  }

  /// Up to so many relations every neighbour is looked at anew after each join.
  private static let eagerLimit = 200

  private let graph: JoinGraph
  private var sets: DisjointSets
  private var components: [Component?]
  private var heap: [Candidate] = []
  private(set) var cost = 0.0
  /// Rows of the last join.
  private(set) var rows = 0.0

  /// Begins with `parts`: trees found already, with their rows and relations.
  init(_ graph: JoinGraph, parts: [(tree: JoinTree, rows: Double, relations: [Int])]) {
    self.graph = graph
    sets = DisjointSets(count: graph.rows.count)
    components = Array(repeating: nil, count: graph.rows.count)
    for part in parts {
      let root = part.relations[0]
      for relation in part.relations { sets.unite(relation, root) }
      components[root] = Component(
        tree: part.tree, rows: max(part.rows, 1e-6), classes: [:], predicates: [])
    }
    for (number, group) in graph.classes.enumerated() where !group.isConstant {
      for member in group.members {
        let root = sets.find(member.relation)
        let fewest = components[root]?.classes[number] ?? .infinity
        components[root]?.classes[number] = min(fewest, max(1, member.distinct))
      }
    }
    for (number, predicate) in graph.predicates.enumerated() {
      let roots = Set(predicate.relations.map { sets.find($0) })
      if roots.count < 2 { continue }
      for root in roots { components[root]?.predicates.append(number) }
    }
  }

  mutating func order(edges: [(Int, Int)]) -> JoinTree {
    for (a, b) in edges {
      let (x, y) = (sets.find(a), sets.find(b))
      if x == y || components[x]?.neighbours.insert(y).inserted != true { continue }
      components[y]?.neighbours.insert(x)
      push(x, y)
    }
    while let candidate = pop() {
      let (a, b) = (sets.find(candidate.a), sets.find(candidate.b))
      if a == b { continue }
      if a != candidate.a || b != candidate.b {
        // Of components that have grown since: back into the queue with today's rows.
        if graph.rows.count > Self.eagerLimit { push(a, b) }
        continue
      }
      join(a, b)
    }
    return crossProducts()
  }

  private mutating func join(_ a: Int, _ b: Int) {
    guard var first = components[a], var second = components[b] else { return }
    rows = joinedRows(a, b)
    let isHashable = first.classes.keys.contains { second.classes[$0] != nil }
    cost += JoinGraph.cost(first.rows, second.rows, rows: rows, isHashable: isHashable)
    let tree = JoinTree.join(first.tree, second.tree)
    let joined = sets.add()
    sets.unite(a, joined)
    sets.unite(b, joined)
    if first.classes.count < second.classes.count { swap(&first, &second) }
    var component = first
    component.tree = tree
    component.rows = rows
    for (number, distinct) in second.classes {
      component.classes[number] = min(component.classes[number] ?? .infinity, distinct)
    }
    component.predicates = []
    for number in Set(first.predicates + second.predicates).sorted() {
      let relations = graph.predicates[number].relations
      if relations.contains(where: { sets.find($0) != joined }) {
        component.predicates.append(number)
      }
    }
    component.neighbours = []
    for old in first.neighbours.union(second.neighbours) {
      let neighbour = sets.find(old)
      if neighbour != joined { component.neighbours.insert(neighbour) }
    }
    components[a] = nil
    components[b] = nil
    components.append(component)
    if graph.rows.count <= Self.eagerLimit {
      for neighbour in component.neighbours.sorted() {
        components[neighbour]?.neighbours.insert(joined)
        push(joined, neighbour)
      }
    }
  }

  private mutating func joinedRows(_ a: Int, _ b: Int) -> Double {
    guard let first = components[a], let second = components[b] else { return 0 }
    var rows = first.rows * second.rows
    let (few, many) =
      first.classes.count < second.classes.count ? (first, second) : (second, first)
    for (number, distinct) in few.classes {
      if let other = many.classes[number] { rows /= max(distinct, other) }
    }
    let (less, _) =
      first.predicates.count < second.predicates.count ? (first, second) : (second, first)
    for number in less.predicates {
      let predicate = graph.predicates[number]
      var isComplete = true
      for relation in predicate.relations {
        let root = sets.find(relation)
        if root != a && root != b { isComplete = false }
      }
      if isComplete { rows *= predicate.selectivity }
    }
    return JoinGraph.clamp(rows)
  }

  /// What no edge joins, the smallest first.
  private mutating func crossProducts() -> JoinTree {
    heap = []
    var left = components.indices.filter { components[$0] != nil }
    left.sort { ((components[$0]?.rows ?? 0), $0) < ((components[$1]?.rows ?? 0), $1) }
    var position = 0
    while left.count - position > 1 {
      let (a, b) = (left[position], left[position + 1])
      position += 2
      join(a, b)
      let made = components.count - 1
      let rows = components[made]?.rows ?? 0
      // Insert where it belongs; sorted by rows.
      var (low, high) = (position, left.count)
      while low < high {
        let middle = (low + high) / 2
        if (components[left[middle]]?.rows ?? 0) < rows { low = middle + 1 } else { high = middle }
      }
      left.insert(made, at: low)
    }
    guard position < left.count, let last = components[left[position]] else { return .leaf(0) }
    return last.tree
  }

  // MARK: A binary heap, smallest result first

  private mutating func push(_ a: Int, _ b: Int) {
    heap.append(Candidate(rows: joinedRows(a, b), a: min(a, b), b: max(a, b)))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if !isBefore(heap[child], heap[parent]) { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func pop() -> Candidate? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if heap.isEmpty { return first }
    heap[0] = last
    var parent = 0
    while true {
      var child = parent * 2 + 1
      if child >= heap.count { break }
      if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
      if !isBefore(heap[child], heap[parent]) { break }
      heap.swapAt(child, parent)
      parent = child
    }
    return first
  }

  private func isBefore(_ x: Candidate, _ y: Candidate) -> Bool {
    (x.rows, x.a, x.b) < (y.rows, y.a, y.b)
  }
}
