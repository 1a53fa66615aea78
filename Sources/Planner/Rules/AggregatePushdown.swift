import Columnar
import Functions

/// Aggregates rows before they are joined, where far fewer groups than rows then go into the join:
///
///     Aggregate: keys name; sum(price)
///     └─ Join: item = id
///        ├─ Scan sales
///        └─ Scan items
///
///     Aggregate: keys name; sum("sum(price)")
///     └─ Join: item = id
///        ├─ Aggregate: keys item; sum(price)
///        │  └─ Scan sales
///        └─ Scan items
///
/// Rows that agree in all columns that are read above meet the same rows of other tables, so their
/// aggregates may meet them in their place (Yan and Larson 1995). Only for aggregates that are made of
/// those of parts (`AggregateFunction.parts`), and for arguments that cannot fail on a row that the
/// join would have dropped.
final class AggregatePushdown {
  // Beyond all references of binders, and those of other rules.
  private var nextReferenceID = 1 << 46
  private let cardinality = Cardinality()

  static func apply(_ plan: Plan) -> Plan {
    plan.aggregatesJoin ? AggregatePushdown().visit(plan) : plan
  }

  private func visit(_ plan: Plan) -> Plan {
    if case .with(var node) = plan {
      node.definition = visit(node.definition)
      cardinality.define(node)
      node.body = visit(node.body)
      return .with(node)
    }
    let below = plan.mapChildren(visit)
    guard case .aggregate(let node) = below, let pushed = pushed(node) else { return below }
    return .aggregate(pushed)
  }

  private func pushed(_ original: AggregateNode) -> AggregateNode? {
    guard original.calls.allSatisfy({ $0.call.isMadeOfParts }),
      let node = original.withoutProjections,
      let place = AggregatePlaces(node, cardinality).best
    else { return nil }
    var result = node
    var partial = AggregateNode(
      input: place.input, keys: place.keys.map { (.column($0), $0) }, calls: [])
    for position in result.calls.indices {
      guard
        let (steps, combination) = AggregateStep.of(
          node.calls[position].call,
          makeReference: { type in
            nextReferenceID += 1
            return ColumnReference(
              id: nextReferenceID, name: node.calls[position].reference.name, type: type)
          })
      else { return nil }
      partial.calls += steps
      result.calls[position].call = combination
    }
    result.input = node.input.replacing(place.path[...], by: .aggregate(partial))
    return result
  }
}

/// What is done with an aggregate over parts of the rows, and then over the parts.
enum AggregateStep {
  /// nil where the types do not fit each other.
  static func of(
    _ call: BoundAggregate, makeReference: (LogicalType) -> ColumnReference
  ) -> (steps: [(call: BoundAggregate, reference: ColumnReference)], combination: BoundAggregate)? {
    guard let parts = call.resolved.function.parts, let function = parts.combination() else {
      return nil
    }
    var steps: [(call: BoundAggregate, reference: ColumnReference)] = []
    for name in parts.steps {
      guard
        let resolved = try? Aggregates.resolve(name: name, arguments: call.arguments.map(\.type)),
        resolved.argumentTypes == call.arguments.map(\.type)
      else { return nil }
      var step = call
      step.resolved = resolved
      steps.append((step, makeReference(resolved.resultType)))
    }
    let types = steps.map(\.reference.type)
    guard let combined = try? Aggregates.resolve(function, arguments: types),
      combined.argumentTypes == types, combined.resultType == call.resolved.resultType
    else { return nil }
    let combination = BoundAggregate(
      resolved: combined, arguments: steps.map { .column($0.reference) }, isDistinct: false,
      filter: nil, order: [])
    return (steps, combination)
  }
}

extension BoundAggregate {
  /// Whether aggregates over parts of the rows make it, and no row can make it fail. Sums of 128 bits
  /// could leave their range before the join drops rows.
  fileprivate var isMadeOfParts: Bool {
    guard resolved.function.parts != nil, !isDistinct, order.isEmpty, arguments.count <= 1 else {
      return false
    }
    let read = arguments + (filter.map { [$0] } ?? [])
    if read.contains(where: { $0.canFail || $0.isVolatile }) { return false }
    guard resolved.function.name == "sum" || resolved.function.name == "avg" else { return true }
    switch resolved.argumentTypes.first?.physical {
    case .int128, .uint128, nil: return false
    default: return true
    }
  }
}

extension AggregateNode {
  /// The same over the input of the projections below it; nil where they hold what differs from call
  /// to call.
  fileprivate var withoutProjections: AggregateNode? {
    var node = self
    while case .project(let projection) = node.input {
      if projection.items.contains(where: { $0.expression.isVolatile }) { return nil }
      let replacements = Dictionary(
        projection.items.map { ($0.reference.id, $0.expression) },
        uniquingKeysWith: { first, _ in first })
      guard
        case .aggregate(let below) = Plan.aggregate(node).mapExpressions({
          $0.substituting(replacements)
        })
      else { return nil }
      node = below
      node.input = projection.input
      if !node.calls.allSatisfy({ $0.call.isMadeOfParts }) { return nil }
    }
    return node
  }
}

extension Plan {
  /// Whether an aggregation stands somewhere above a join.
  fileprivate var aggregatesJoin: Bool {
    if case .aggregate = self { return hasJoin }
    return children.contains(where: \.aggregatesJoin)
  }

  /// The plan with another one at the end of a path of children's positions.
  fileprivate func replacing(_ path: ArraySlice<Int>, by plan: Plan) -> Plan {
    guard let first = path.first else { return plan }
    var position = -1
    return mapChildren { child in
      position += 1
      return position == first ? child.replacing(path.dropFirst(), by: plan) : child
    }
  }
}
