import Columnar
import Functions

/// Moves conditions to where they first can be decided: below projections and joins, into join
/// keys, and as skip hints into scans.
///
///     filter(a.x = b.x and a.y > 3)            join(a.x = b.x)
///       join(cross)                      ->      filter(a.y > 3)
///         scan a                                   scan a
///         scan b                                 scan b
enum FilterPushdown {
  static func apply(_ plan: Plan) -> Plan { push(plan, []) }

  /// The plan with `conditions` (over its output) applied somewhere inside it.
  private static func push(_ plan: Plan, _ conditions: [Expression]) -> Plan {
    switch plan {
    case .filter(let node):
      return push(node.input, conditions + split(node.condition))
    case .project(var node):
      var below: [Expression] = []
      var above: [Expression] = []
      let replacements = Dictionary(
        firstOf: node.items.map { ($0.reference.id, $0.expression) })
      for condition in conditions {
        let rewritten = condition.substituting(replacements)
        if rewritten.isVolatile || rewritten.containsPredict {
          above.append(condition)
        } else {
          below.append(rewritten)
        }
      }
      node.input = push(node.input, below)
      return wrap(.project(node), above)
    case .aggregate(var node):
      // Only what depends on keys alone may go below, and never below an ungrouped aggregation;
      // a key that is drawn anew (random()) would be drawn twice.
      let keys = Dictionary(
        firstOf: node.keys.map { ($0.reference.id, $0.expression) })
      var below: [Expression] = []
      var above: [Expression] = []
      for condition in conditions {
        let ids = condition.columnIDs
        if !ids.isEmpty, ids.isSubset(of: keys.keys), isInEverySet(ids, node),
          !condition.substituting(keys).isVolatile,
          !condition.containsPredict
        {
          below.append(condition.substituting(keys))
        } else {
          above.append(condition)
        }
      }
      node.input = push(node.input, below)
      return wrap(.aggregate(node), above)
    case .join(let node): return push(node, conditions)
    case .union(var node):
      let inputs = node.inputs.map { input -> Plan in
        let replacements = Dictionary(
          firstOf: zip(node.columns, input.output).map {
            ($0.id, Expression.column($1))
          })
        let movable = conditions.filter { !$0.isVolatile && !$0.containsPredict }
        return push(input, movable.map { $0.substituting(replacements) })
      }
      node.inputs = inputs
      return wrap(.union(node), conditions.filter { $0.isVolatile || $0.containsPredict })
    case .sort(var node) where node.limit == nil:
      node.input = push(node.input, conditions)
      return .sort(node)
    case .scan(var node):
      node.filters += conditions.compactMap { scanFilter($0, node) }
      return wrap(.scan(node), conditions)
    case .window(var node):
      // A condition that knows only the partition's keys drops whole partitions.
      let keys = Set(
        node.partition.flatMap { expression -> [Int] in
          if case .column(let reference) = expression { [reference.id] } else { [] }
        })
      let isBelow = { (condition: Expression) in
        let ids = condition.columnIDs
        return !ids.isEmpty && ids.isSubset(of: keys) && !condition.isVolatile
          && !condition.containsPredict
      }
      node.input = push(node.input, conditions.filter(isBelow))
      return wrap(.window(node), conditions.filter { !isBelow($0) })
    case .unnest(var node):
      // What no element decides is decided once per row.
      let ids = Set(node.input.output.map(\.id))
      let movable = conditions.filter {
        !$0.isVolatile && !$0.containsPredict && $0.columnIDs.isSubset(of: ids)
      }
      node.input = push(node.input, movable)
      return wrap(
        .unnest(node),
        conditions.filter {
          $0.isVolatile || $0.containsPredict || !$0.columnIDs.isSubset(of: ids)
        })
    case .sort, .distinctOn, .limit, .values, .predict, .rows, .exchange, .sample,
      .positionalJoin, .with, .sharedScan, .recursive, .dependentJoin:
      return wrap(plan.mapChildren { push($0, []) }, conditions)
    }
  }

  private static func push(_ join: JoinNode, _ conditions: [Expression]) -> Plan {
    if join.isAsof { return pushAsof(join, conditions) }
    var node = join
    let leftIDs = Set(node.left.output.map(\.id))
    let rightIDs = Set(node.right.output.map(\.id))
    node.kind = OuterJoins.simplified(node.kind, conditions, left: leftIDs, right: rightIDs)
    var above: [Expression] = []
    var toLeft: [Expression] = []
    var toRight: [Expression] = []
    var on = node.residual.map(split) ?? []
    node.residual = nil

    switch node.kind {
    case .inner:
      on += conditions.filter { !$0.isVolatile && !$0.containsPredict }
      above = conditions.filter { $0.isVolatile || $0.containsPredict }
    case .left, .single, .mark, .semi, .anti:
      for condition in conditions {
        if condition.columnIDs.isSubset(of: leftIDs), !condition.isVolatile,
          !condition.containsPredict
        {
          toLeft.append(condition)
        } else {
          above.append(condition)
        }
      }
    case .right:
      for condition in conditions {
        if condition.columnIDs.isSubset(of: rightIDs), !condition.isVolatile,
          !condition.containsPredict
        {
          toRight.append(condition)
        } else {
          above.append(condition)
        }
      }
    case .full:
      above = conditions
    }

    // A mark that the filter above asks for becomes a semi or anti join.
    if case .mark(let mark) = node.kind {
      let uses = above.filter { $0.columnIDs.contains(mark.id) }
      if uses.count == 1, case .column(let used) = uses[0], used.id == mark.id {
        node.kind = .semi
        node.residual = join.residual
        node.keys = withoutNulls(node)
        above.removeAll { $0 == uses[0] }
        return restoreMark(push(node, conditions.filter { $0 != uses[0] }), mark, true)
      }
      if uses.count == 1, case .not(.column(let used)) = uses[0], used.id == mark.id,
        node.keys.allSatisfy(\.nullSafe)
      {
        // NOT EXISTS; NOT IN keeps its mark, for NULL is neither in nor not in.
        node.kind = .anti
        node.residual = join.residual
        node.keys = withoutNulls(node)
        above.removeAll { $0 == uses[0] }
        return restoreMark(push(node, conditions.filter { $0 != uses[0] }), mark, false)
      }
    }

    var residual: [Expression] = []
    for condition in on {
      let ids = condition.columnIDs
      let canSplit = !condition.isVolatile && !condition.containsPredict && !ids.isEmpty
      if canSplit, ids.isSubset(of: leftIDs), [.inner, .right, .semi].contains(node.kind) {
        toLeft.append(condition)
      } else if canSplit, ids.isSubset(of: rightIDs),
        [.inner, .left, .semi, .anti].contains(node.kind)
      {
        toRight.append(condition)
      } else if let key = JoinNode.equality(condition, leftIDs, rightIDs) {
        node.keys.append(key)
      } else {
        residual.append(condition)
      }
    }
    node.residual = Expression.conjunction(residual)
    node.left = push(node.left, toLeft)
    node.right = push(node.right, toRight)
    return wrap(.join(node), above)
  }

  /// Whether these keys are what the rows say in every grouping set, and not NULL for being left out.
  private static func isInEverySet(_ ids: Set<Int>, _ node: AggregateNode) -> Bool {
    node.sets.allSatisfy { set in ids.isSubset(of: set.map { node.keys[$0].reference.id }) }
  }

  /// Keys that never are NULL on the right compare by plain equality, which hashes faster.
  private static func withoutNulls(_ node: JoinNode) -> [(
    left: Expression, right: Expression, nullSafe: Bool
  )] {
    var required: [Expression] = []
    if case .filter(let filter) = node.right { required = filter.condition.conjuncts }
    return node.keys.map { key in
      (key.left, key.right, key.nullSafe && !required.contains(.isNull(key.right, isNegated: true)))
    }
  }

  /// An ASOF join keeps its conditions: they decide which row is the nearest. What is above may go
  /// to the left, whose rows never become more, but not to the right.
  private static func pushAsof(_ join: JoinNode, _ conditions: [Expression]) -> Plan {
    var node = join
    let leftIDs = Set(node.left.output.map(\.id))
    var above: [Expression] = []
    var toLeft: [Expression] = []
    for condition in conditions {
      let canMove =
        condition.columnIDs.isSubset(of: leftIDs) && !condition.isVolatile
        && !condition.containsPredict && node.kind != .right && node.kind != .full
      if canMove { toLeft.append(condition) } else { above.append(condition) }
    }
    node.left = push(node.left, toLeft)
    node.right = push(node.right, [])
    return wrap(.join(node), above)
  }

  /// Above a semi or anti join the mark is known.
  private static func restoreMark(_ plan: Plan, _ mark: ColumnReference, _ value: Bool) -> Plan {
    var items: [(expression: Expression, reference: ColumnReference)] = plan.output.map {
      (.column($0), $0)
    }
    items.append((.constant(.boolean(value), .boolean), mark))
    return .project(ProjectNode(input: plan, items: items))
  }

  private static func wrap(_ plan: Plan, _ conditions: [Expression]) -> Plan {
    guard let condition = Expression.conjunction(conditions) else { return plan }
    let folded = ConstantFolding.fold(condition)
    if case .constant(.boolean(true), _) = folded { return plan }
    return .filter(FilterNode(input: plan, condition: folded))
  }

  /// Conjuncts, with what all arms of an OR share taken out of it:
  /// `(a and b) or (a and c)` is `a and (b or c)`.
  static func split(_ condition: Expression) -> [Expression] {
    ConstantFolding.foldAll(condition).conjuncts.flatMap { term -> [Expression] in
      guard case .or(let arms) = term else { return [term] }
      let parts = arms.map(\.conjuncts)
      let shared = parts[0].filter { candidate in
        parts.dropFirst().allSatisfy { $0.contains(candidate) }
      }
      if shared.isEmpty { return [term] }
      let rests = parts.map { part in part.filter { !shared.contains($0) } }
      if rests.contains(where: \.isEmpty) { return shared }
      return shared + [.or(rests.map { Expression.conjunction($0) ?? .trueConstant })]
    }
  }

  static func scanFilter(_ condition: Expression, _ node: ScanNode) -> ScanFilter? {
    func position(_ expression: Expression) -> Int? {
      guard case .column(let reference) = expression else { return nil }
      return node.columns.first { $0.reference.id == reference.id }?.position
    }
    switch condition {
    case .isNull(let operand, let isNegated):
      return position(operand).map {
        ScanFilter(column: $0, operator: isNegated ? .isNotNull : .isNull, value: .null)
      }
    case .call(let call) where call.arguments.count == 2:
      let operators: [String: (ScanFilter.Operator, ScanFilter.Operator)] = [
        "=": (.equal, .equal), "<": (.less, .greater), "<=": (.lessOrEqual, .greaterOrEqual),
        ">": (.greater, .less), ">=": (.greaterOrEqual, .lessOrEqual),
      ]
      guard let pair = operators[call.resolved.function.name] else { return nil }
      if let column = position(call.arguments[0]), case .constant(let value, _) = call.arguments[1],
        !value.isNull
      {
        return ScanFilter(column: column, operator: pair.0, value: value)
      }
      if let column = position(call.arguments[1]), case .constant(let value, _) = call.arguments[0],
        !value.isNull
      {
        return ScanFilter(column: column, operator: pair.1, value: value)
      }
      return nil
    default: return nil
    }
  }
}
