import Columnar

/// The subexpressions of a forest that are to be computed beforehand, with the columns that are to have
/// their values.
struct SharedColumns {
  private let forest: SubexpressionForest
  /// By entry of the forest.
  private let references: [Int: ColumnReference]
  /// The entries, larger ones first: parts come behind what they are part of.
  private let order: [Int]

  /// `reference` makes a column for an expression; it is asked in an order that hangs on the
  /// expressions alone.
  init(
    _ forest: SubexpressionForest, _ picked: Set<Int>,
    reference: (Expression) -> ColumnReference
  ) {
    self.forest = forest
    // Entries are numbered as they are met, parts first.
    order = picked.sorted(by: >)
    references = Dictionary(
      firstOf: order.map { ($0, reference(forest.entries[$0].expression)) })
  }

  /// An expression of the forest with columns in place of the shared parts, the largest that fits.
  func replacing(_ root: SubexpressionForest.Root) -> Expression {
    forest.rewritten(root, references)
  }

  /// The input with the columns, and of its own those that `readers` or the columns read. What is part
  /// of another is computed in a projection below that one's.
  func computed(above input: Plan, for readers: [Expression]) -> Plan {
    var definitions: [(expression: Expression, reference: ColumnReference, height: Int)] = []
    var heights: [Int: Int] = [:]
    for entry in order.reversed() {
      guard let reference = references[entry] else { continue }
      let expression = forest.definition(entry, references)
      let height = 1 + (expression.columnIDs.compactMap { heights[$0] }.max() ?? 0)
      heights[reference.id] = height
      definitions.append((expression, reference, height))
    }
    var needed = Set(readers.flatMap(\.columnIDs))
    var levels: [(height: Int, needed: Set<Int>)] = []
    for height in stride(from: heights.values.max() ?? 0, to: 0, by: -1) {
      levels.append((height, needed))
      for definition in definitions where definition.height == height {
        needed.formUnion(definition.expression.columnIDs)
      }
    }
    var plan = input
    for level in levels.reversed() {
      var items = plan.output.filter { level.needed.contains($0.id) }
        .map { (expression: Expression.column($0), reference: $0) }
      for definition in definitions where definition.height == level.height {
        items.append((definition.expression, definition.reference))
      }
      plan = .project(ProjectNode(input: plan, items: items))
    }
    return plan
  }
}
