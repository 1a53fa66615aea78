import Columnar

/// The subexpressions of some expressions: which stand in several places, and which of them are
/// evaluated for every row whatever the others give.
struct SubexpressionForest {
  /// A subexpression, wherever it stands.
  struct Entry {
    let expression: Expression
    /// Nanoseconds a row; 0 of what may not be shared.
    let cost: Double
    /// Where it stands first.
    fileprivate let node: Int
  }

  /// How often an entry is evaluated, over the trees that were asked about.
  struct Use {
    var places = 0
    /// Places by their weight, and the heaviest of them.
    var weight = 0.0
    var heaviest = 0.0
    var isCertain = false

    fileprivate mutating func add(_ other: Use) {
      // Not more than there are nodes.
      places &+= other.places
      weight += other.weight
      heaviest = max(heaviest, other.heaviest)
      isCertain = isCertain || other.isCertain
    }
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
    let expression: Expression
    /// The share of the rows that gets there.
    let weight: Double
  }

  /// Expressions of more parts together are left as they are: planning them would take too long.
  private static let mostNodes = 100_000
  /// What a place counts that only some rows reach.
  private static let guardedWeight = 0.5

  private(set) var entries: [Entry] = []
  private var nodes: [Node] = []
  private var entriesByHash: [Int: [Int]] = [:]

  /// Adds an expression; it counts only where the root is asked about.
  mutating func add(_ expression: Expression, weight: Double = 1) -> Root {
    Root(node: grow(expression).node, expression: expression, weight: weight)
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
    entries.append(Entry(expression: expression, cost: cost, node: nodes.count))
    return entries.count - 1
  }

  /// An expression with columns in place of entries, the largest that fits.
  func rewritten(_ root: Root, _ columns: [Int: ColumnReference]) -> Expression {
    rewritten(root.node, root.expression, columns)
  }

  /// An entry's expression with columns in place of its parts.
  func definition(_ entry: Int, _ columns: [Int: ColumnReference]) -> Expression {
    rewrittenChildren(entries[entry].node, entries[entry].expression, columns)
  }

  private func rewritten(
    _ node: Int, _ expression: Expression, _ columns: [Int: ColumnReference]
  ) -> Expression {
    columns[nodes[node].entry].map { .column($0) } ?? rewrittenChildren(node, expression, columns)
  }

  private func rewrittenChildren(
    _ node: Int, _ expression: Expression, _ columns: [Int: ColumnReference]
  ) -> Expression {
    var children = nodes[node].children[...]
    return expression.mapChildren { child in
      children.popFirst().map { rewritten($0, child, columns) } ?? child
    }
  }

  /// The uses of all entries over these trees.
  func uses(_ roots: [Root]) -> [Use] { flow(roots) { _, _ in false }.uses }

  /// The entries that save at least `least` nanoseconds a row when they are computed beforehand, once;
  /// `may` has the last word on each.
  func worthSharing(
    _ roots: [Root], least: Double, where may: (Int, Use) -> Bool = { $1.isCertain }
  ) -> Set<Int> {
    if nodes.count > Self.mostNodes { return [] }
    return flow(roots) { entry, use in
      use.places > 1 && entries[entry].cost * (use.weight - use.heaviest) >= least
        && may(entry, use)
    }.picked
  }

  /// From what is largest down to its parts, which have smaller numbers: when an entry's turn comes all
  /// its places are known. One that is picked is evaluated once, and so are its parts.
  private func flow(
    _ roots: [Root], picking: (Int, Use) -> Bool
  ) -> (uses: [Use], picked: Set<Int>) {
    var uses = [Use](repeating: Use(), count: entries.count)
    for root in roots {
      uses[nodes[root.node].entry].add(
        Use(places: 1, weight: root.weight, heaviest: root.weight, isCertain: true))
    }
    var picked: Set<Int> = []
    for entry in entries.indices.reversed() where uses[entry].places > 0 {
      var own = uses[entry]
      if entries[entry].cost > 0 && picking(entry, own) {
        picked.insert(entry)
        own.places = 1
        own.weight = own.heaviest
      }
      for child in nodes[entries[entry].node].children {
        let share = nodes[child].isCertain ? 1 : Self.guardedWeight
        uses[nodes[child].entry].add(
          Use(
            places: own.places, weight: own.weight * share, heaviest: own.heaviest * share,
            isCertain: own.isCertain && nodes[child].isCertain))
      }
    }
    return (uses, picked)
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
