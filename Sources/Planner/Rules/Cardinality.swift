import Columnar

/// Guesses of row counts, for choosing join orders and sides. Made bottom-up, and what is learned of
/// a column stays known by its id, so that a plan of n nodes costs n steps.
///
/// The usual assumptions: values are spread evenly, conditions are independent, and of two joined
/// columns the one with fewer values has none that the other lacks (Selinger et al. 1979).
package final class Cardinality {
  /// What is known of a column's values where they come from, before any filter.
  struct ColumnGuess {
    /// Different values.
    var distinct: Double
    /// `distinct` is only the most there can be.
    var isBound: Bool
    var minimum: Double?
    var maximum: Double?
    var nullFraction: Double = 0
    /// Rows of the relation that the values come from.
    var rows: Double

    /// Different values among so many of the rows: each value has as many rows as any other (Yao
    /// 1977).
    func distinct(among picked: Double) -> Double {
      if picked >= rows || distinct < 1 || rows < 1 { return distinct }
      let kept = Self.power(1 - picked / rows, max(1, rows / distinct))
      return min(distinct * (1 - kept), max(picked, 0))
    }

    /// x^y for x from 0 to 1, by squares of whole exponents: the planner links no mathematics
    /// library for a guess.
    private static func power(_ base: Double, _ exponent: Double) -> Double {
      if exponent >= 1e6 { return base >= 1 ? 1 : 0 }
      var (result, square, left) = (1.0, base, Int(exponent))
      while left > 0 {
        if left & 1 == 1 { result *= square }
        square *= square
        left >>= 1
      }
      // Between two whole exponents the line is near enough.
      return result * (1 - (exponent - exponent.rounded(.down)) * (1 - base))
    }

    /// Whether each value seems to come once.
    var isKey: Bool { !isBound && distinct >= rows * 0.9 }
  }

  private enum Origin {
    case source(any TableSource, position: Int)
    case column(Int)
    case computed(rows: Double)
    /// A key of an aggregation: as below, but at most so many values.
    case grouped(Int?, groups: Double, isOnly: Bool)
  }

  private var origins: [Int: Origin] = [:]
  /// Columns as tables have them.
  var places: [Int: Place] = [:]
  /// Results of aggregates.
  var spreads: [Int: AggregateSpread] = [:]
  /// What columns of projections are computed by.
  var computed: [Int: Expression] = [:]
  private var known: [Int: ColumnGuess] = [:]
  /// Rows and columns of shared queries.
  private var shared: [ObjectIdentifier: (rows: Double, columns: [ColumnReference])] = [:]

  package init() {}

  package static func estimate(_ plan: Plan) -> Double { Cardinality().rows(plan) }

  /// Rows that the plan gives. Never negative; below 1 means "probably none".
  package func rows(_ plan: Plan) -> Double {
    if case .with(let node) = plan { define(node) }
    return rows(plan, inputs: plan.children.map { rows($0) })
  }

  /// Rows of each node of the plan, in preorder.
  package func estimates(_ plan: Plan) -> [Double] {
    if case .with(let node) = plan { define(node) }
    let below = plan.children.map { estimates($0) }
    return [rows(plan, inputs: below.map { $0[0] })] + below.flatMap { $0 }
  }

  /// Learns what a shared query gives, before its body is looked at.
  func define(_ node: WithNode) {
    shared[ObjectIdentifier(node.shared)] = (rows(node.definition), node.definition.output)
  }

  /// The same when the children's rows (in the order of `children`) are known.
  func rows(_ plan: Plan, inputs: [Double]) -> Double {
    let input = inputs.first ?? 0
    switch plan {
    case .scan(let node):
      for (position, reference) in node.columns {
        origins[reference.id] = .source(node.source, position: position)
        places[reference.id] = Place(
          scan: node.columns[0].reference.id, source: node.source, position: position)
      }
      return Double(node.source.estimatedRowCount ?? 100_000)
    case .values(let node):
      let rows = Double(node.rows.count)
      for reference in node.columns { origins[reference.id] = .computed(rows: rows) }
      return rows
    case .filter(let node): return input * selectivity(of: node.condition.conjuncts, rows: input)
    case .project(let node):
      for (expression, reference) in node.items {
        if let id = Self.column(of: expression) {
          if id != reference.id { origins[reference.id] = .column(id) }
          if case .column = expression, id != reference.id { places[reference.id] = places[id] }
        } else {
          origins[reference.id] = .computed(rows: input)
          computed[reference.id] = expression
        }
      }
      return input
    case .aggregate(let node): return groups(node, input)
    case .join(let node): return join(node, input, inputs[1])
    case .sort(let node): return min(input, node.limit.map(Double.init) ?? .infinity)
    case .distinctOn: return max(min(input, 1), input / 4)
    case .limit(let node):
      if let percent = node.percent { return input * percent / 100 }
      return min(input, node.limit.map(Double.init) ?? .infinity)
    case .union(let node):
      let rows = inputs.reduce(0, +)
      for reference in node.columns { origins[reference.id] = .computed(rows: rows) }
      return rows
    case .predict, .exchange, .window, .with, .recursive, .sample, .unnest, .rows, .sharedScan,
      .positionalJoin, .dependentJoin:
      return others(plan, inputs)
    }
  }

  private func others(_ plan: Plan, _ inputs: [Double]) -> Double {
    let input = inputs.first ?? 0
    switch plan {
    case .sample(let node):
      switch node.amount {
      case .rows(let count): return min(input, Double(count))
      case .fraction(let fraction): return input * fraction
      }
    case .unnest: return input * 4
    case .rows: return inputs.first ?? 100
    case .sharedScan(let node):
      guard let known = shared[ObjectIdentifier(node.shared)] else { return 1000 }
      for (position, reference) in node.columns where position < known.columns.count {
        if known.columns[position].id != reference.id {
          origins[reference.id] = .column(known.columns[position].id)
        }
      }
      return known.rows
    case .recursive: return input * 10
    case .with: return inputs[1]
    case .positionalJoin: return max(input, inputs[1])
    case .dependentJoin(let node): return join(node.join, input, inputs[1])
    case .predict, .exchange, .window, .scan, .values, .filter, .project, .aggregate, .join, .sort,
      .distinctOn, .limit, .union:
      return input
    }
  }

  // MARK: Columns

  /// The column that an expression is, perhaps as another type.
  static func column(of expression: Expression) -> Int? {
    switch expression {
    case .column(let reference): reference.id
    case .cast(let operand, _, _): column(of: operand)
    case .constant, .call, .and, .or, .not, .isNull, .caseWhen, .inList, .predict, .listLambda: nil
    }
  }

  func guess(_ id: Int) -> ColumnGuess? {
    if let guess = known[id] { return guess }
    var made: ColumnGuess?
    // Taken out, so that a column that leads back to itself ends here.
    switch origins.removeValue(forKey: id) {
    case nil: return nil
    case .source(let source, let position):
      let rows = Double(source.estimatedRowCount ?? 100_000)
      let statistics = source.columnStatistics(position)
      made = ColumnGuess(
        distinct: statistics?.distinctCount ?? rows, isBound: statistics?.distinctCount == nil,
        minimum: statistics?.minimum, maximum: statistics?.maximum,
        nullFraction: statistics?.nullFraction ?? 0, rows: rows)
    case .column(let other): made = guess(other)
    case .computed(let rows): made = ColumnGuess(distinct: rows, isBound: true, rows: rows)
    case .grouped(let other, let groups, let isOnly):
      var guess = other.flatMap(guess) ?? ColumnGuess(distinct: groups, isBound: true, rows: groups)
      guess.distinct = isOnly ? groups : min(groups, guess.distinct)
      guess.isBound = isOnly ? false : guess.isBound
      guess.rows = groups
      made = guess
    }
    known[id] = made
    return made
  }

  /// As for a column; an expression has as many values as there are rows, at most.
  func guess(_ expression: Expression, rows: Double) -> ColumnGuess {
    if let id = Self.column(of: expression), let guess = guess(id) { return guess }
    return ColumnGuess(distinct: rows, isBound: true, rows: rows)
  }

  // MARK: Nodes

  private func groups(_ node: AggregateNode, _ input: Double) -> Double {
    let keys = node.keys.map(\.expression)
    var groups = keys.isEmpty ? 1.0 : 0
    for set in node.sets.isEmpty ? [Array(keys.indices)] : node.sets where !keys.isEmpty {
      groups += set.isEmpty ? 1 : keyValues(set.map { keys[$0] }, input)
    }
    groups = min(groups, max(input, 1) * Double(max(node.sets.count, 1)))
    for (expression, reference) in node.keys {
      // DISTINCT keeps its columns: they are as they were known.
      let column = Self.column(of: expression)
      if column == reference.id { continue }
      origins[reference.id] = .grouped(
        column, groups: groups, isOnly: node.keys.count == 1)
    }
    for (call, reference) in node.calls {
      origins[reference.id] = .computed(rows: groups)
      spreads[reference.id] = spread(of: call, rows: input, groups: groups)
    }
    return groups
  }

  private func join(_ node: JoinNode, _ left: Double, _ right: Double) -> Double {
    var selectivity = node.residual.map { self.selectivity(of: $0.conjuncts, rows: left) } ?? 1
    switch node.kind {
    case .inner, .left, .right, .full:
      selectivity *= joinSelectivity(node.keys.map { ($0.left, $0.right) }, left, right)
      let inner = left * right * selectivity
      let lone = { (match: Double, rows: Double) in rows * (1 - min(1, max(0, match))) }
      switch node.kind {
      case .left: return max(inner + lone(matchFraction(node, left, right), left), left)
      case .right: return max(inner, right)
      case .full: return max(inner, left, right)
      case .inner, .semi, .anti, .mark, .single: return inner
      }
    case .semi, .anti:
      let kept = matchFraction(node, left, right)
      return left * (node.kind == .semi ? kept : max(1 - kept, 0.05))
    case .mark, .single: return left
    }
  }

  /// The share of left rows that find a match.
  func matchFraction(_ node: JoinNode, _ left: Double, _ right: Double) -> Double {
    if right <= 0 { return 0 }
    var kept = node.residual == nil ? 1 : 0.8
    if node.keys.isEmpty { return min(1, kept) }
    for key in node.keys {
      let a = guess(key.left, rows: left)
      let b = guess(key.right, rows: right)
      let values = min(b.isBound ? b.distinct : b.distinct(among: right), right)
      kept = min(
        kept,
        a.isBound ? values / max(min(a.distinct, left), values) : values / max(a.distinct, values))
    }
    return min(1, max(kept, 0.000_001))
  }

  /// The share of pairs that agree in all keys.
  func joinSelectivity(
    _ keys: [(left: Expression, right: Expression)], _ left: Double, _ right: Double
  ) -> Double {
    if keys.isEmpty { return 1 }
    var product = 1.0
    for (a, b) in keys {
      product *= max(1, Self.domain(guess(a, rows: left), guess(b, rows: right)))
    }
    if keys.count == 1 { return 1 / product }
    return 1 / combinations(keys.map(\.left), keys.map(\.right), (left, right), product)
  }

  /// The values that two joined columns are drawn from.
  static func domain(_ a: ColumnGuess, _ b: ColumnGuess) -> Double {
    switch (a.isBound, b.isBound) {
    case (false, false): max(a.distinct, b.distinct)
    case (true, true): min(a.distinct, b.distinct)
    case (false, true): a.isKey ? a.distinct : max(a.distinct, min(b.distinct, a.rows))
    case (true, false): b.isKey ? b.distinct : max(b.distinct, min(a.distinct, b.rows))
    }
  }
}
