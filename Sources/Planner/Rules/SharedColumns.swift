import Columnar

/// Subexpressions with the columns that are to have their values.
struct SharedColumns {
  private let columns: [(expression: Expression, reference: ColumnReference)]

  /// Larger expressions first.
  init(_ columns: [(expression: Expression, reference: ColumnReference)]) { self.columns = columns }

  /// With columns in place of the shared parts, the largest that fits.
  func replacing(_ expression: Expression) -> Expression {
    if case .column = expression { return expression }
    if let known = columns.first(where: { $0.expression == expression }) {
      return .column(known.reference)
    }
    return expression.mapChildren(replacing)
  }

  /// The input with the columns, and of its own those that `readers` or the columns read. What is part
  /// of another is computed in a projection below that one's.
  func computed(above input: Plan, for readers: [Expression]) -> Plan {
    let definitions = columns.map {
      (expression: $0.expression.mapChildren(replacing), reference: $0.reference)
    }
    var heights: [Int: Int] = [:]
    // Parts come behind what they are part of.
    for definition in definitions.reversed() {
      let below = definition.expression.columnIDs.compactMap { heights[$0] }.max() ?? 0
      heights[definition.reference.id] = below + 1
    }
    let top = heights.values.max() ?? 0
    var needed = Set(readers.flatMap(\.columnIDs))
    var levels: [(computed: [Int], needed: Set<Int>)] = []
    for height in stride(from: top, to: 0, by: -1) {
      let here = definitions.indices.filter { heights[definitions[$0].reference.id] == height }
      levels.append((here, needed))
      for position in here { needed.formUnion(definitions[position].expression.columnIDs) }
    }
    var plan = input
    for level in levels.reversed() {
      let own = Set(level.computed.map { definitions[$0].reference.id })
      var items = plan.output.filter { level.needed.contains($0.id) && !own.contains($0.id) }
        .map { (expression: Expression.column($0), reference: $0) }
      for position in level.computed { items.append(definitions[position]) }
      plan = .project(ProjectNode(input: plan, items: items))
    }
    return plan
  }
}
