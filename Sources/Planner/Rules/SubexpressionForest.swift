import Columnar

/// The subexpressions of some expressions: which stand in several places, and which of them are
/// evaluated for every row whatever the others give.
struct SubexpressionForest {
  /// A subexpression, wherever it stands.
  struct Entry {
    let expression: Expression
    /// Nanoseconds a row; 0 of what may not be shared.
    let cost: Double
  }

  /// How often an entry is evaluated, over the trees that were asked about.
  struct Use {
    var places = 0
    /// Places by their weight, and the heaviest of them.
    var weight = 0.0
    var heaviest = 0.0
    var isCertain = false
  }

  /// One place in an expression.
  private struct Node {
    let entry: Int
    var children: [Int] = []
    /// Whether it is evaluated for all rows that its parent is evaluated for.
    var isCertain = true
  }

  /// The trees that `uses` counts.
  struct Root {
    fileprivate let node: Int
    /// The share of the rows that gets there.
    let weight: Double
  }

  /// What a place counts that only some rows reach.
  private static let guardedWeight = 0.5

  private(set) var entries: [Entry] = []
  private var nodes: [Node] = []
  private var entriesByHash: [Int: [Int]] = [:]

  /// Adds an expression; it counts only where the root is asked about.
  mutating func add(_ expression: Expression, weight: Double = 1) -> Root {
    Root(node: grow(expression).node, weight: weight)
  }

  /// The entry that a whole expression is.
  func entry(of root: Root) -> Int { nodes[root.node].entry }

  private struct Growth {
    let node: Int
    let hash: Int
    let cost: Double
    let readsColumns: Bool
    let isShareable: Bool
  }

  private mutating func grow(_ expression: Expression) -> Growth {
    var node: [Int] = []
    var hasher = Hasher()
    hasher.combine(expression.shapeHash)
    var cost = ExpressionCost.own(expression)
    var readsColumns = false
    var isShareable = true
    if case .column = expression { readsColumns = true }
    if case .call(let call) = expression { isShareable = !call.resolved.overload.isVolatile }
    // What is inside a lambda is not reached by rules.
    if case .listLambda = expression { isShareable = !expression.isVolatile }
    if case .predict = expression { isShareable = false }
    for (position, child) in expression.children.enumerated() {
      let grown = grow(child)
      nodes[grown.node].isCertain = expression.isCertain(child: position)
      node.append(grown.node)
      hasher.combine(grown.hash)
      cost += grown.cost
      readsColumns = readsColumns || grown.readsColumns
      isShareable = isShareable && grown.isShareable
    }
    let hash = hasher.finalize()
    let mayShare = isShareable && readsColumns
    nodes.append(Node(entry: entry(expression, hash, mayShare ? cost : 0), children: node))
    return Growth(
      node: nodes.count - 1, hash: hash, cost: readsColumns ? cost : 0, readsColumns: readsColumns,
      isShareable: isShareable)
  }

  private mutating func entry(_ expression: Expression, _ hash: Int, _ cost: Double) -> Int {
    if cost > 0 {
      for known in entriesByHash[hash, default: []] where entries[known].expression == expression {
        return known
      }
      entriesByHash[hash, default: []].append(entries.count)
    }
    entries.append(Entry(expression: expression, cost: cost))
    return entries.count - 1
  }

  /// The uses of all entries over these trees. Places below one of `picked` are its own: they count
  /// once, however often it stands.
  func uses(_ roots: [Root], picked: Set<Int> = []) -> [Use] {
    var uses = [Use](repeating: Use(), count: entries.count)
    func visit(_ place: Int, _ weight: Double, _ isCertain: Bool) {
      let node = nodes[place]
      uses[node.entry].places += 1
      uses[node.entry].weight += weight
      uses[node.entry].heaviest = max(uses[node.entry].heaviest, weight)
      if isCertain { uses[node.entry].isCertain = true }
      if picked.contains(node.entry) && uses[node.entry].places > 1 { return }
      for child in node.children {
        let stays = nodes[child].isCertain
        visit(child, weight * (stays ? 1 : Self.guardedWeight), isCertain && stays)
      }
    }
    for root in roots { visit(root.node, root.weight, true) }
    return uses
  }

  /// The entries that save at least `least` nanoseconds a row when they are computed beforehand, once;
  /// `may` has the last word on each.
  func worthSharing(
    _ roots: [Root], least: Double, where may: (Int, Use) -> Bool = { $1.isCertain }
  ) -> Set<Int> {
    let all = uses(roots)
    func isWorth(_ entry: Int, _ use: Use) -> Bool {
      use.places > 1 && entries[entry].cost * (use.weight - use.heaviest) >= least
    }
    var picked = Set(
      entries.indices.filter {
        entries[$0].cost > 0 && isWorth($0, all[$0]) && may($0, all[$0])
      })
    // What stands only inside something larger that is shared has one place left.
    while !picked.isEmpty {
      let left = uses(roots, picked: picked)
      let kept = picked.filter { isWorth($0, left[$0]) }
      if kept.count == picked.count { break }
      // The smallest first: it may count again where a larger one goes.
      guard let gone = picked.subtracting(kept).min(by: { entries[$0].cost < entries[$1].cost })
      else { break }
      picked.remove(gone)
    }
    return picked
  }
}

extension Expression {
  /// Whether an operand is evaluated for all rows that the expression is evaluated for.
  fileprivate func isCertain(child position: Int) -> Bool {
    switch self {
    case .and, .or, .caseWhen: position == 0
    case .call(let call): position == 0 || call.resolved.function.name != "coalesce"
    // TRY takes its operand's errors in.
    case .cast(let operand, let type, let isTry): !(isTry && operand.type == type)
    case .column, .constant, .not, .isNull, .inList, .predict, .listLambda: true
    }
  }

  /// Of the expression without its operands: equal for equal ones.
  fileprivate var shapeHash: Int {
    var hasher = Hasher()
    switch self {
    case .column(let reference):
      hasher.combine(0)
      hasher.combine(reference.id)
    case .constant(let value, _):
      hasher.combine(1)
      hasher.combine(value)
    case .call(let call):
      hasher.combine(2)
      hasher.combine(call.resolved.function.name)
    case .cast(_, let type, _):
      hasher.combine(3)
      hasher.combine(type)
    case .and: hasher.combine(4)
    case .or: hasher.combine(5)
    case .not: hasher.combine(6)
    case .isNull(_, let isNegated):
      hasher.combine(7)
      hasher.combine(isNegated)
    case .caseWhen: hasher.combine(8)
    case .inList(let list):
      hasher.combine(9)
      hasher.combine(list.values.count)
    case .predict: hasher.combine(10)
    case .listLambda: hasher.combine(11)
    }
    return hasher.finalize()
  }
}
