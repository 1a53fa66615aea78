import Columnar

/// Takes the structures of predictions apart: `model_output` becomes a column for each of its fields,
/// so that what nobody reads is neither carried nor computed, and is put together again only where
/// somebody reads the whole.
struct PredictFields {
  private var nextID = 1 << 41

  static func apply(_ plan: Plan) -> Plan {
    var rule = PredictFields()
    let made = rule.split(plan)
    return made.whole
  }

  /// A plan some of whose columns are in parts.
  private struct Parts {
    var plan: Plan
    /// The columns that it had.
    var columns: [ColumnReference]
    /// By the id of such a column: how it is made of its parts.
    var made: [Int: Expression] = [:]

    var whole: Plan {
      if made.isEmpty { return plan }
      return .project(
        ProjectNode(
          input: plan, items: columns.map { (made[$0.id] ?? .column($0), $0) }))
    }
  }

  private mutating func split(_ plan: Plan) -> Parts {
    switch plan {
    case .project(let node):
      let input = split(node.input)
      var result = Parts(plan: input.plan, columns: node.items.map(\.reference))
      var items: [(expression: Expression, reference: ColumnReference)] = []
      for item in node.items {
        let expression = Self.read(item.expression, input.made)
        guard case .call(let call) = expression, Self.isPack(call),
          call.arguments.contains(where: { $0.containsPredict })
            || Self.passes(item.expression, input.made)
        else {
          items.append((expression, item.reference))
          continue
        }
        var whole = call
        for (position, argument) in call.arguments.enumerated() {
          nextID += 1
          let part = ColumnReference(id: nextID, name: item.reference.name, type: argument.type)
          items.append((argument, part))
          whole.arguments[position] = .column(part)
        }
        result.made[item.reference.id] = .call(whole)
      }
      result.plan = .project(ProjectNode(input: input.plan, items: items))
      return result
    case .filter(let node):
      var parts = split(node.input)
      parts.plan = .filter(
        FilterNode(input: parts.plan, condition: Self.read(node.condition, parts.made)))
      return parts
    case .limit(var node):
      var parts = split(node.input)
      node.input = parts.plan
      parts.plan = .limit(node)
      return parts
    case .sort(var node):
      var parts = split(node.input)
      node.input = parts.plan
      node.items = node.items.map {
        SortItem(
          expression: Self.read($0.expression, parts.made), descending: $0.descending,
          nullsFirst: $0.nullsFirst)
      }
      parts.plan = .sort(node)
      return parts
    case .aggregate(let node):
      let parts = split(node.input)
      var changed = Plan.aggregate(node).mapExpressions { Self.read($0, parts.made) }
      if case .aggregate(var inner) = changed {
        inner.input = parts.plan
        changed = .aggregate(inner)
      }
      return Parts(plan: changed, columns: plan.output)
    default:
      return Parts(plan: plan.mapChildren { split($0).whole }, columns: plan.output)
    }
  }

  /// Whether an expression is nothing but a column in parts.
  private static func passes(_ expression: Expression, _ made: [Int: Expression]) -> Bool {
    if case .column(let reference) = expression { made[reference.id] != nil } else { false }
  }

  /// The expression over the parts; a field of a structure that is made here is the part itself.
  private static func read(_ expression: Expression, _ made: [Int: Expression]) -> Expression {
    let inner = expression.substituting(made)
    return simplified(inner)
  }

  private static func simplified(_ expression: Expression) -> Expression {
    let inner = expression.mapChildren(simplified)
    guard case .call(let call) = inner, call.resolved.function.name.hasPrefix("struct_extract("),
      case .call(let pack)? = call.arguments.first, isPack(pack),
      case .structure(let fields) = pack.resolved.resultType
    else { return inner }
    let name = call.resolved.function.name.dropFirst("struct_extract(".count).dropLast()
    guard let position = fields.firstIndex(where: { $0.name == name }) else { return inner }
    return pack.arguments[position]
  }

  private static func isPack(_ call: CallExpression) -> Bool {
    call.resolved.function.name.hasPrefix("struct_pack(")
  }
}
