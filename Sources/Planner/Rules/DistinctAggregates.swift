import Columnar

/// An aggregation without groups whose calls are all over the same distinct values aggregates the
/// groups of those values instead:
///
///     Aggregate: count(DISTINCT a), sum(DISTINCT a)
///     └─ input
///
///     Aggregate: count(a), sum(a)
///     └─ Aggregate: by a
///        └─ input
///
/// So the workers find the values together, and write to disk what memory cannot hold. Only for
/// functions whose result does not depend on the order of the rows.
enum DistinctAggregates {
  private static let functions: Set<String> = ["avg", "count", "max", "min", "sum"]

  static func apply(_ plan: Plan) -> Plan {
    // Beyond all references of binders, and those of unnesting.
    var nextReferenceID = 1 << 43
    return apply(plan, &nextReferenceID)
  }

  private static func apply(_ plan: Plan, _ nextReferenceID: inout Int) -> Plan {
    let below = plan.mapChildren { apply($0, &nextReferenceID) }
    guard case .aggregate(var node) = below, node.keys.isEmpty, node.sets.isEmpty,
      node.groupings.isEmpty, let arguments = node.calls.first?.call.arguments,
      !arguments.isEmpty, node.calls.allSatisfy({ mayAggregateGroups($0.call, arguments) })
    else { return below }
    let keys = arguments.map { argument in
      nextReferenceID += 1
      return (
        expression: argument,
        reference: ColumnReference(id: nextReferenceID, name: "value", type: argument.type)
      )
    }
    node.input = .aggregate(AggregateNode(input: node.input, keys: keys, calls: []))
    for position in node.calls.indices {
      node.calls[position].call.isDistinct = false
      node.calls[position].call.arguments = keys.map { .column($0.reference) }
    }
    return .aggregate(node)
  }

  private static func mayAggregateGroups(
    _ call: BoundAggregate, _ arguments: [Expression]
  ) -> Bool {
    call.isDistinct && call.filter == nil && call.order.isEmpty && call.arguments == arguments
      && functions.contains(call.resolved.function.name)
  }
}
