import Columnar

/// The classes of equal expressions of a region. What follows from them is used: a join on any two
/// members, constants that reach all members, and equalities within one relation.
struct JoinEquivalences {
  private struct Member {
    var relation: Int
    var expression: Expression
  }

  private var groups: [[Member]] = []
  private var constants: [Bool] = []
  private let region: JoinRegion

  /// Takes the region's equalities between single relations out of its conditions; conditions of one
  /// relation go into that relation.
  init(_ region: inout JoinRegion) {
    let collected = Self.collect(&region)
    groups = collected.groups
    constants = Array(repeating: false, count: groups.count)
    var additions: [Int: [Expression]] = collected.local
    var rest: [JoinRegion.Condition] = []
    for condition in region.conditions {
      if condition.relations.count <= 1 {
        additions[condition.relations.first ?? 0, default: []].append(condition.expression)
      } else {
        rest.append(condition)
      }
    }
    region.conditions = rest
    for (number, members) in groups.enumerated() {
      var expressions: [(relation: Int, condition: Expression)] = []
      for member in members {
        for condition in Self.constantConditions(
          region.relations[member.relation], member.expression)
        {
          if condition.isEquality { constants[number] = true }
          for other in members where other.expression != member.expression {
            guard case .column(let reference) = member.expression else { continue }
            expressions.append(
              (
                other.relation,
                condition.expression.substituting([reference.id: other.expression])
              ))
          }
        }
      }
      for (relation, condition) in expressions {
        if additions[relation, default: []].contains(condition) { continue }
        if Self.topConditions(region.relations[relation]).contains(condition) { continue }
        additions[relation, default: []].append(condition)
      }
    }
    for (relation, conditions) in additions {
      guard let condition = Expression.conjunction(conditions) else { continue }
      region.relations[relation] = FilterPushdown.apply(
        .filter(FilterNode(input: region.relations[relation], condition: condition)))
    }
    self.region = region
  }

  /// Groups of members in different relations, and the equalities that they imply within one.
  private static func collect(_ region: inout JoinRegion) -> (
    groups: [[Member]], local: [Int: [Expression]]
  ) {
    var members: [Member] = []
    var columns: [Int: Int] = [:]
    var others: [Int] = []
    func number(_ expression: Expression, _ relation: Int) -> Int {
      if case .column(let reference) = expression {
        if let known = columns[reference.id] { return known }
        columns[reference.id] = members.count
      } else {
        if let known = others.first(where: { members[$0].expression == expression }) {
          return known
        }
        others.append(members.count)
      }
      members.append(Member(relation: relation, expression: expression))
      return members.count - 1
    }
    var pairs: [(Int, Int)] = []
    var rest: [JoinRegion.Condition] = []
    for condition in region.conditions {
      if case .equality(let a, let b, false) = condition.form, a.type == b.type {
        let x = region.relations(of: a.columnIDs)
        let y = region.relations(of: b.columnIDs)
        if x.count == 1, y.count == 1, x != y {
          pairs.append((number(a, x[0]), number(b, y[0])))
          continue
        }
      }
      rest.append(condition)
    }
    region.conditions = rest
    var sets = DisjointSets(count: members.count)
    for (a, b) in pairs { sets.unite(a, b) }
    var places: [Int: Int] = [:]
    var groups: [[Member]] = []
    var equals: [(Expression, Expression, Int)] = []
    for (position, member) in members.enumerated() {
      let root = sets.find(position)
      guard let place = places[root] else {
        places[root] = groups.count
        groups.append([member])
        continue
      }
      if let twin = groups[place].first(where: { $0.relation == member.relation }) {
        equals.append((twin.expression, member.expression, member.relation))
      } else {
        groups[place].append(member)
      }
    }
    var local: [Int: [Expression]] = [:]
    for (a, b, relation) in equals {
      if let condition = Expression.equality(a, b) {
        local[relation, default: []].append(condition)
      }
    }
    return (groups, local)
  }

  // MARK: Constants

  private static func topConditions(_ plan: Plan) -> [Expression] {
    if case .filter(let node) = plan { node.condition.conjuncts } else { [] }
  }

  /// Comparisons with constants that the relation's own filter makes of a column.
  private static func constantConditions(_ plan: Plan, _ expression: Expression) -> [(
    expression: Expression, isEquality: Bool
  )] {
    guard case .column(let reference) = expression else { return [] }
    return topConditions(plan).compactMap { condition in
      switch condition {
      case .call(let call)
      where call.arguments.count == 2
        && ["=", "<", "<=", ">", ">="].contains(call.resolved.function.name):
        let isEquality = call.resolved.function.name == "="
        switch (call.arguments[0], call.arguments[1]) {
        case (.column(let column), .constant) where column == reference,
          (.constant, .column(let column)) where column == reference:
          return (condition, isEquality)
        default: return nil
        }
      case .inList(let list) where !list.isNegated:
        guard case .column(let column) = list.operand, column == reference else { return nil }
        return (condition, false)
      case .column, .constant, .call, .cast, .and, .or, .not, .isNull, .caseWhen, .inList, .predict,
        .listLambda:
        return nil
      }
    }
  }

  // MARK: Use

  func relations(of expression: Expression) -> [Int] { region.relations(of: expression.columnIDs) }

  /// One key for each class that has members on both sides.
  func keys(_ left: RelationSet, _ right: RelationSet) -> [(
    left: Expression, right: Expression, nullSafe: Bool
  )] {
    groups.compactMap { members in
      guard let a = members.first(where: { left.contains($0.relation) }),
        let b = members.first(where: { right.contains($0.relation) })
      else { return nil }
      return (a.expression, b.expression, false)
    }
  }

  func graph(
    rows: [Double], conditions: [JoinRegion.Condition], _ cardinality: Cardinality
  ) -> JoinGraph {
    var graph = JoinGraph(rows: rows.map { max($0, 1e-3) })
    /// Values per class and relation, for relations that share several classes.
    var shared: [[(group: Int, guess: Cardinality.ColumnGuess)]] = rows.map { _ in [] }
    for (number, members) in groups.enumerated() {
      let guesses = members.map { cardinality.guess($0.expression, rows: rows[$0.relation]) }
      let known = guesses.filter { !$0.isBound }.map(\.distinct).max()
      let least = guesses.map(\.distinct).min() ?? 1
      var group = JoinGraph.EquivalenceClass(members: [])
      group.isConstant = constants[number]
      for (member, guess) in zip(members, guesses) {
        let distinct = guess.isBound ? min(guess.distinct, known ?? least) : guess.distinct
        group.members.append((member.relation, distinct))
        if !group.isConstant {
          var settled = guess
          settled.distinct = distinct
          shared[member.relation].append((number, settled))
        }
      }
      graph.classes.append(group)
    }
    addCorrections(shared, &graph)
    for condition in conditions {
      var predicate = JoinGraph.Predicate(relations: condition.relations, selectivity: 1)
      switch condition.form {
      case .equality(let a, let b, _):
        let all = condition.relations.map { rows[$0] }.max() ?? 1
        predicate.selectivity = cardinality.joinSelectivity([(a, b)], all, all)
        predicate.isEquality = true
      case .other(let expression):
        predicate.selectivity = cardinality.selectivity(of: expression.conjuncts, rows: 1)
      }
      graph.predicates.append(predicate)
    }
    return graph
  }

  /// Two relations joined on several columns: those together have at most a value per row, so that
  /// their selectivities must not be multiplied beyond that.
  private func addCorrections(
    _ shared: [[(group: Int, guess: Cardinality.ColumnGuess)]], _ graph: inout JoinGraph
  ) {
    let several = shared.indices.filter { shared[$0].count > 1 }
    if several.count > 64 { return }
    for (position, a) in several.enumerated() {
      for b in several.dropFirst(position + 1) {
        var product = 1.0
        var cap = Double.infinity
        var count = 0
        for (group, x) in shared[a] {
          guard let y = shared[b].first(where: { $0.group == group })?.guess else { continue }
          count += 1
          product *= max(1, x.distinct, y.distinct)
          cap = min(cap, max(1, min(x.rows, y.rows)))
        }
        if count > 1 && product > cap {
          graph.predicates.append(
            JoinGraph.Predicate(relations: [a, b], selectivity: product / cap))
        }
      }
    }
  }
}

extension JoinRegion.Condition {
  /// The condition as one expression again.
  var expression: Expression {
    switch form {
    case .other(let expression): return expression
    case .equality(let a, let b, let nullSafe):
      return Expression.equality(a, b, nullSafe: nullSafe) ?? .trueConstant
    }
  }
}
