import Columnar

// What a plan makes, reads and lacks, and copies of it under new references.
extension Plan {
  /// The references that this node itself makes, whether or not they are in its output.
  package var made: [ColumnReference] {
    switch self {
    case .scan(let node): return node.columns.map(\.reference)
    case .values(let node): return node.columns
    case .project(let node): return node.items.map(\.reference)
    case .aggregate(let node):
      return node.keys.map(\.reference) + node.calls.map(\.reference)
        + node.groupings.map(\.reference)
    case .join(let node):
      if case .mark(let mark) = node.kind { return [mark] }
      return []
    case .dependentJoin(let node):
      if case .mark(let mark) = node.kind { return [mark] }
      return []
    case .union(let node): return node.columns
    case .predict(let node): return node.outputs.map(\.reference)
    case .rows(let node): return node.columns
    case .window(let node): return node.calls.map(\.reference)
    case .unnest(let node):
      return node.lists.map(\.reference) + (node.ordinality.map { [$0] } ?? [])
    case .sharedScan(let node): return node.columns.map(\.reference)
    case .recursive(let node): return node.columns
    case .filter, .sort, .distinctOn, .limit, .exchange, .sample, .positionalJoin, .with: return []
    }
  }

  /// Ids of columns that expressions of this plan read but nothing in it makes: an outer query's.
  package var freeColumns: Set<Int> {
    var used: Set<Int> = []
    var made: Set<Int> = []
    collect(&used, &made)
    return used.subtracting(made)
  }

  private func collect(_ used: inout Set<Int>, _ known: inout Set<Int>) {
    for reference in made { known.insert(reference.id) }
    var ids: Set<Int> = []
    _ = mapExpressions { expression -> Expression in
      expression.collectColumns(&ids)
      return expression
    }
    used.formUnion(ids)
    for child in children { child.collect(&used, &known) }
  }

  /// Every expression of the whole plan replaced.
  package func mapAllExpressions(_ transform: (Expression) throws -> Expression) rethrows -> Plan {
    try mapChildren { try $0.mapAllExpressions(transform) }.mapExpressions(transform)
  }

  package func substituting(_ replacements: [Int: Expression]) -> Plan {
    replacements.isEmpty ? self : mapAllExpressions { $0.substituting(replacements) }
  }

  /// The plan with exactly these columns, in this order.
  func keeping(_ columns: [ColumnReference]) -> Plan {
    if output == columns { return self }
    return .project(ProjectNode(input: self, items: columns.map { (.column($0), $0) }))
  }

  /// The plan with computed columns behind its own; what passes a column on is not a second one.
  func adding(_ items: [(expression: Expression, reference: ColumnReference)]) -> Plan {
    let made = Set(items.map(\.reference.id))
    let kept = output.filter { !made.contains($0.id) }.map {
      (expression: Expression.column($0), reference: $0)
    }
    return .project(ProjectNode(input: self, items: kept + items))
  }

  /// A copy whose columns all have references of their own, and what each was renamed to.
  package func cloned(_ makeReference: (String, LogicalType) -> ColumnReference) -> (
    plan: Plan, renamed: [Int: ColumnReference]
  ) {
    var renamed: [Int: ColumnReference] = [:]
    // Shared queries that the plan itself makes are made again by the copy.
    var queries: [ObjectIdentifier: SharedQuery] = [:]
    func prepare(_ plan: Plan) {
      switch plan {
      case .with(let node):
        queries[ObjectIdentifier(node.shared)] = SharedQuery(name: node.shared.name)
      case .recursive(let node):
        for query in [node.working, node.accumulated].compactMap({ $0 }) {
          queries[ObjectIdentifier(query)] = SharedQuery(name: query.name)
        }
      default: break
      }
      for reference in plan.made where renamed[reference.id] == nil {
        renamed[reference.id] = makeReference(reference.name, reference.type)
      }
      for child in plan.children { prepare(child) }
    }
    prepare(self)
    let replacements = renamed.mapValues { Expression.column($0) }
    func copy(_ plan: Plan) -> Plan {
      plan.mapChildren(copy).mapExpressions { $0.substituting(replacements) }
        .renamingMade { renamed[$0.id] ?? $0 }
        .replacingShared { queries[ObjectIdentifier($0)] ?? $0 }
    }
    return (copy(self), renamed)
  }

  private func replacingShared(_ new: (SharedQuery) -> SharedQuery) -> Plan {
    switch self {
    case .with(var node):
      node.shared = new(node.shared)
      return .with(node)
    case .recursive(var node):
      node.working = new(node.working)
      node.accumulated = node.accumulated.map(new)
      return .recursive(node)
    case .sharedScan(var node):
      node.shared = new(node.shared)
      return .sharedScan(node)
    default: return self
    }
  }

  private func renamingMade(_ new: (ColumnReference) -> ColumnReference) -> Plan {
    switch self {
    case .scan(var node):
      node.columns = node.columns.map { ($0.position, new($0.reference)) }
      return .scan(node)
    case .values(var node):
      node.columns = node.columns.map(new)
      return .values(node)
    case .project(var node):
      node.items = node.items.map { ($0.expression, new($0.reference)) }
      return .project(node)
    case .aggregate(var node):
      node.keys = node.keys.map { ($0.expression, new($0.reference)) }
      node.calls = node.calls.map { ($0.call, new($0.reference)) }
      node.groupings = node.groupings.map { ($0.keys, new($0.reference)) }
      return .aggregate(node)
    case .join(var node):
      if case .mark(let mark) = node.kind { node.kind = .mark(new(mark)) }
      return .join(node)
    case .dependentJoin(var node):
      if case .mark(let mark) = node.kind { node.kind = .mark(new(mark)) }
      return .dependentJoin(node)
    case .union(var node):
      node.columns = node.columns.map(new)
      return .union(node)
    case .predict(var node):
      node.outputs = node.outputs.map { ($0.form, new($0.reference)) }
      return .predict(node)
    case .rows(var node):
      node.columns = node.columns.map(new)
      return .rows(node)
    case .window(var node):
      node.calls = node.calls.map { ($0.call, new($0.reference)) }
      return .window(node)
    case .unnest(var node):
      node.lists = node.lists.map { ($0.expression, new($0.reference)) }
      node.ordinality = node.ordinality.map(new)
      return .unnest(node)
    case .sharedScan(var node):
      node.columns = node.columns.map { ($0.position, new($0.reference)) }
      return .sharedScan(node)
    case .recursive(var node):
      node.columns = node.columns.map(new)
      return .recursive(node)
    case .filter, .sort, .distinctOn, .limit, .exchange, .sample, .positionalJoin, .with:
      return self
    }
  }
}
