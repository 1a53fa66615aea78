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

  /// Ids of columns that expressions read and no node gives: those of an outer query.
  package var freeColumns: Set<Int> {
    var used: Set<Int> = []
    var given: Set<Int> = []
    forEachNode { node in
      for reference in node.output { given.insert(reference.id) }
      _ = node.mapExpressions { expression in
        expression.collectColumns(&used)
        return expression
      }
    }
    return used.subtracting(given)
  }

  /// The same plan giving other references, so that both may stand in one statement.
  func copied(_ make: (ColumnReference) -> ColumnReference) -> Plan {
    var copy = PlanCopy()
    return withoutActuallyEscaping(make) { make in copy.copy(self, make) }
  }
}

/// A copy in work: what the new references and shared queries are.
private struct PlanCopy {
  private var references: [Int: ColumnReference] = [:]
  private var queries: [ObjectIdentifier: SharedQuery] = [:]

  private mutating func fresh(
    _ reference: ColumnReference, _ make: (ColumnReference) -> ColumnReference
  ) -> ColumnReference {
    if let known = references[reference.id] { return known }
    let made = make(reference)
    references[reference.id] = made
    return made
  }

  private mutating func fresh(_ query: SharedQuery) -> SharedQuery {
    let made = SharedQuery(name: query.name)
    queries[ObjectIdentifier(query)] = made
    return made
  }

  mutating func copy(_ plan: Plan, _ make: (ColumnReference) -> ColumnReference) -> Plan {
    // Definitions inside get an identity of their own before anybody reads them.
    var plan = plan
    switch plan {
    case .with(var node):
      node.shared = fresh(node.shared)
      plan = .with(node)
    case .recursive(var node):
      node.working = fresh(node.working)
      node.accumulated = node.accumulated.map { fresh($0) }
      plan = .recursive(node)
    default: break
    }
    let below = plan.mapChildren { copy($0, make) }.mapExpressions { expression in
      expression.rewritten {
        guard case .column(let reference) = $0, let new = references[reference.id] else {
          return $0
        }
        return .column(new)
      }
    }
    return renamed(below, make)
  }

  private mutating func renamed(_ plan: Plan, _ make: (ColumnReference) -> ColumnReference) -> Plan
  {
    switch plan {
    case .filter, .sort, .limit, .exchange, .sample, .positionalJoin, .with: return plan
    case .scan(var node):
      node.columns = node.columns.map { ($0.position, fresh($0.reference, make)) }
      return .scan(node)
    case .values(var node):
      node.columns = node.columns.map { fresh($0, make) }
      return .values(node)
    case .project(var node):
      node.items = node.items.map { ($0.expression, fresh($0.reference, make)) }
      return .project(node)
    case .aggregate(var node):
      node.keys = node.keys.map { ($0.expression, fresh($0.reference, make)) }
      node.calls = node.calls.map { ($0.call, fresh($0.reference, make)) }
      node.groupings = node.groupings.map { ($0.keys, fresh($0.reference, make)) }
      return .aggregate(node)
    case .join(var node):
      if case .mark(let mark) = node.kind { node.kind = .mark(fresh(mark, make)) }
      return .join(node)
    case .dependentJoin(var node):
      if case .mark(let mark) = node.kind { node.kind = .mark(fresh(mark, make)) }
      return .dependentJoin(node)
    case .union(var node):
      node.columns = node.columns.map { fresh($0, make) }
      return .union(node)
    case .predict(var node):
      node.outputs = node.outputs.map { ($0.form, fresh($0.reference, make)) }
      return .predict(node)
    case .rows(var node):
      node.columns = node.columns.map { fresh($0, make) }
      return .rows(node)
    case .window(var node):
      node.calls = node.calls.map { ($0.call, fresh($0.reference, make)) }
      return .window(node)
    case .unnest(var node):
      node.lists = node.lists.map { ($0.expression, fresh($0.reference, make)) }
      node.ordinality = node.ordinality.map { fresh($0, make) }
      return .unnest(node)
    case .sharedScan(var node):
      node.shared = queries[ObjectIdentifier(node.shared)] ?? node.shared
      node.columns = node.columns.map { ($0.position, fresh($0.reference, make)) }
      return .sharedScan(node)
    case .recursive(var node):
      node.columns = node.columns.map { fresh($0, make) }
      return .recursive(node)
    }
  }
}
