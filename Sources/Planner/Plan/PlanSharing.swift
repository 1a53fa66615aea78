import Columnar

// What placing shared queries asks of a plan.

extension Plan {
  /// Every node, from the top.
  package func forEachNode(_ body: (Plan) -> Void) {
    body(self)
    for child in children { child.forEachNode(body) }
  }

  package var nodeCount: Int { children.reduce(1) { $0 + $1.nodeCount } }

  /// Whether it has a `.sharedScan` of one of these.
  package func reads(_ shared: Set<ObjectIdentifier>) -> Bool {
    if case .sharedScan(let node) = self { return shared.contains(ObjectIdentifier(node.shared)) }
    return children.contains { $0.reads(shared) }
  }

  /// How often it reads the query; the step of a recursion counts twice, for it reads in each round.
  func useCount(of shared: SharedQuery) -> Int {
    switch self {
    case .sharedScan(let node): return node.shared === shared ? 1 : 0
    case .recursive(let node):
      return node.anchor.useCount(of: shared) + 2 * node.step.useCount(of: shared)
    default: return children.reduce(0) { $0 + $1.useCount(of: shared) }
    }
  }

  func replacingScans(of shared: SharedQuery, _ make: (SharedScanNode) -> Plan) -> Plan {
    if case .sharedScan(let node) = self { return node.shared === shared ? make(node) : self }
    return mapChildren { $0.replacingScans(of: shared, make) }
  }

  /// Rows that cost about as much to make again as to keep.
  var isCheapToRepeat: Bool {
    switch self {
    case .values(let node): return node.rows.count <= 100
    case .scan: return true
    case .project(let node):
      return node.input.isCheapToRepeat
        && node.items.allSatisfy {
          switch $0.expression {
          case .column, .constant: true
          default: false
          }
        }
    default: return false
    }
  }

  /// Whether it runs something that must not run twice.
  var runsStatements: Bool {
    if case .rows = self { return true }
    return children.contains(where: \.runsStatements)
  }
}

extension Plan {
  /// Whether it has a `.sharedScan` of a query that is made neither inside nor among `known`.
  func readsSharedOutside(_ known: Set<ObjectIdentifier>) -> Bool {
    switch self {
    case .sharedScan(let node): return !known.contains(ObjectIdentifier(node.shared))
    case .with(let node):
      return node.definition.readsSharedOutside(known)
        || node.body.readsSharedOutside(known.union([ObjectIdentifier(node.shared)]))
    case .recursive(let node):
      var own = known.union([ObjectIdentifier(node.working)])
      if let accumulated = node.accumulated { own.insert(ObjectIdentifier(accumulated)) }
      return node.anchor.readsSharedOutside(known) || node.step.readsSharedOutside(own)
    default: return children.contains { $0.readsSharedOutside(known) }
    }
  }
}
