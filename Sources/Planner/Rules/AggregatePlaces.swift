import Columnar

/// Looks below an aggregation for the input of a join that is best aggregated before.
struct AggregatePlaces {
  struct Place {
    /// From the aggregation's input, as positions among children.
    var path: [Int]
    var input: Plan
    /// The columns of the input that are read above it.
    var keys: [ColumnReference]
    /// Rows of work that it saves, by a guess.
    var gain: Double
  }

  private(set) var best: Place?

  private let node: AggregateNode
  private let cardinality: Cardinality
  private let arguments: Set<Int>
  /// Guesses of rows, in preorder from the aggregation's input.
  private let rows: [Double]

  /// Fewer rows are aggregated as fast as planned for.
  private static let leastRows = 4096.0
  // What it costs to look a row up in a join, beside adding it to a group.
  private static let probe = 0.5
  /// What the rest of the work must come to before it is worth two aggregations.
  private static let mostWork = 0.8

  init(_ node: AggregateNode, _ cardinality: Cardinality) {
    self.node = node
    self.cardinality = cardinality
    var arguments: Set<Int> = []
    var keys: Set<Int> = []
    for (call, _) in node.calls {
      for expression in call.arguments + (call.filter.map { [$0] } ?? []) {
        expression.collectColumns(&arguments)
      }
    }
    for (expression, _) in node.keys { expression.collectColumns(&keys) }
    self.arguments = arguments
    rows = cardinality.estimates(node.input)
    if rows.contains(where: { $0 >= Self.leastRows }) {
      descend(Step(plan: node.input, number: 0, path: [], read: keys, probed: 0, isPadded: false))
    }
  }

  /// Where the search stands.
  private struct Step {
    var plan: Plan
    /// In preorder.
    var number: Int
    var path: [Int]
    /// Columns that expressions above read.
    var read: Set<Int>
    /// Rows that go into joins above.
    var probed: Double
    /// Whether a join above gives NULLs for rows that are not there.
    var isPadded: Bool
  }

  private mutating func descend(_ step: Step) {
    switch step.plan {
    case .filter(let filter):
      if filter.condition.isVolatile { return }
      var below = step
      below.plan = filter.input
      below.number += 1
      below.path.append(0)
      filter.condition.collectColumns(&below.read)
      descend(below)
    case .join(let join): descend(step, join)
    default: return
    }
  }

  private mutating func descend(_ step: Step, _ join: JoinNode) {
    var read = step.read
    let expressions =
      join.keys.flatMap { [$0.left, $0.right] } + (join.residual.map { [$0] } ?? [])
      + join.inequalities.flatMap { [$0.left, $0.right] }
    for expression in expressions {
      if expression.isVolatile { return }
      expression.collectColumns(&read)
    }
    let sides: [(plan: Plan, isPadded: Bool)?] =
      switch join.kind {
      case .inner: [(join.left, false), join.isAsof ? nil : (join.right, false)]
      case .left: [(join.left, false), join.isAsof ? nil : (join.right, true)]
      case .right: join.isAsof ? [] : [(join.left, true), (join.right, false)]
      case .semi, .anti, .mark, .single: [(join.left, false)]
      case .full: []
      }
    for (position, side) in sides.enumerated() {
      guard let side else { continue }
      let own = Set(side.plan.output.map(\.id))
      guard arguments.isSubset(of: own) else { continue }
      let number = step.number + 1 + (position == 0 ? 0 : join.left.nodeCount)
      let below = Step(
        plan: side.plan, number: number, path: step.path + [position], read: read,
        probed: step.probed + rows[number], isPadded: step.isPadded || side.isPadded)
      if below.isPadded && !staysNull(of: own) { continue }
      consider(below, rowsAbove: rows[step.number])
      descend(below)
    }
  }

  /// Whether no call counts a row of NULLs that stands for none.
  private func staysNull(of columns: Set<Int>) -> Bool {
    node.calls.allSatisfy { entry in
      entry.call.filter == nil
        && entry.call.arguments.contains { OuterJoins.isNull($0, of: columns) }
    }
  }

  private mutating func consider(_ step: Step, rowsAbove: Double) {
    // Each column once; without any there would be a group even of no row.
    var seen: Set<Int> = []
    let keys = step.plan.output.filter { step.read.contains($0.id) && seen.insert($0.id).inserted }
    let input = rows[step.number]
    guard !keys.isEmpty, input >= Self.leastRows,
      keys.allSatisfy({ cardinality.guess($0.id)?.isBound == false })
    else { return }
    // Keys that the first join does not find are told to the scan.
    let reaching = min(input, max(rowsAbove, 1))
    let groups = max(1, min(cardinality.keyValues(keys.map { .column($0) }, input), reaching))
    let total = rows[0] * (node.keys.isEmpty ? 0.3 : 1)
    let now = (step.probed - input + reaching) * Self.probe + total
    let kept = groups / reaching
    let then = reaching * Self.cost(of: groups, keys) + groups + now * kept
    let gain = now - then
    if then < now * Self.mostWork, gain > best?.gain ?? 0 {
      best = Place(path: step.path, input: step.plan, keys: keys, gain: gain)
    }
  }

  /// What it costs to add a row to one of so many groups, beside one of a few: tables that leave the
  /// caches, and keys that must be compared.
  private static func cost(of groups: Double, _ keys: [ColumnReference]) -> Double {
    let size = groups <= 32_768 ? 1.1 : groups <= 1_048_576 ? (keys.count == 1 ? 1.5 : 2.5) : 4
    let hasTexts = keys.contains { $0.type.physical == .string || $0.type.isNested }
    return hasTexts ? size * 1.5 : size
  }
}
