import Columnar

/// What the search for a join order knows: relations with their rows, and what joins them.
struct JoinGraph {
  /// Expressions that an inner join makes equal to each other: `a.x = b.x and b.x = c.x` is one
  /// class of three, so a and c may be joined on it too.
  struct EquivalenceClass {
    /// Relation and, for guesses, how many values its member has there.
    var members: [(relation: Int, distinct: Double)]
    /// A constant fixes the value everywhere: joining on it selects nothing more.
    var isConstant = false
  }

  /// Any other condition, decided once all its relations are there.
  struct Predicate {
    var relations: [Int]
    /// The share of combinations that pass. Above 1 for corrections: keys that are not independent.
    var selectivity: Double
    /// Whether a hash join can use it where it separates the relations.
    var isEquality = false
  }

  var rows: [Double]
  var classes: [EquivalenceClass] = []
  var predicates: [Predicate] = []

  /// Pairs of relations that something joins, each once.
  func edges() -> [(Int, Int)] {
    var found: Set<Int> = []
    var result: [(Int, Int)] = []
    let count = rows.count
    func add(_ a: Int, _ b: Int) {
      let (low, high) = (min(a, b), max(a, b))
      if low != high, found.insert(low * count + high).inserted { result.append((low, high)) }
    }
    for group in classes {
      let relations = group.members.map(\.relation)
      if relations.count <= 16 {
        for (position, a) in relations.enumerated() {
          for b in relations.dropFirst(position + 1) { add(a, b) }
        }
      } else {
        // All pairs of a large class would be too many: the smallest with each, and neighbours.
        let sorted = relations.sorted { (rows[$0], $0) < (rows[$1], $1) }
        for (a, b) in zip(sorted, sorted.dropFirst()) {
          add(a, b)
          add(sorted[0], b)
        }
      }
    }
    for predicate in predicates where predicate.relations.count == 2 {
      add(predicate.relations[0], predicate.relations[1])
    }
    return result
  }

  /// The sets of relations that edges connect, each ascending.
  func components(_ edges: [(Int, Int)]) -> [[Int]] {
    var sets = DisjointSets(count: rows.count)
    for (a, b) in edges { sets.unite(a, b) }
    var result: [Int: [Int]] = [:]
    for relation in rows.indices { result[sets.find(relation), default: []].append(relation) }
    return result.values.sorted { $0[0] < $1[0] }
  }

  /// The costs of joining two inputs into `rows` rows: what comes out, what the smaller side takes to
  /// build, and all pairs where no equality finds them.
  static func cost(_ left: Double, _ right: Double, rows: Double, isHashable: Bool) -> Double {
    rows + min(left, right) + (isHashable ? 0 : min(left * right * 0.1, 1e200))
  }

  static func clamp(_ rows: Double) -> Double { min(max(rows, 1e-6), 1e200) }
}

/// A tree of binary joins over relations.
indirect enum JoinTree: Equatable {
  case leaf(Int)
  case join(JoinTree, JoinTree)
}

/// Union-find with path halving.
struct DisjointSets {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  mutating func find(_ element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  /// The root of the united set is that of `b`.
  mutating func unite(_ a: Int, _ b: Int) { parents[find(a)] = find(b) }

  /// One more set of one element.
  mutating func add() -> Int {
    parents.append(parents.count)
    return parents.count - 1
  }
}
