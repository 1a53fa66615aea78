import Functions

/// Which calls of an aggregation find their results in the states of others: avg(x) and count(x) in those
/// of sum(x), count(x) in those of avg(x), with the same DISTINCT and FILTER.
struct CallSharing {
  /// The calls that have states.
  let kept: [AggregateCall]
  /// Of each call in whose states it is, by position in `kept`, and as what.
  let sources: [(state: Int, result: SummedResult)]

  init(_ calls: [AggregateCall]) {
    // A call takes from the one that holds most: the sum where there is one.
    let owners = calls.map { call -> (call: Int, result: SummedResult)? in
      for name in ["sum", "avg"] {
        for (position, other) in calls.enumerated() where other.resolved.function.name == name {
          if let result = call.result(ofStatesOf: other) { return (position, result) }
        }
      }
      return nil
    }
    let keptCalls = calls.indices.filter { owners[$0] == nil }
    kept = keptCalls.map { calls[$0] }
    sources = calls.indices.map { position in
      let owner = owners[position] ?? (position, .own)
      return (keptCalls.firstIndex(of: owner.call) ?? 0, owner.result)
    }
  }
}

extension AggregateCall {
  /// As `ResolvedAggregate.result(ofStatesOf:)`, where both calls see the same values.
  fileprivate func result(ofStatesOf other: AggregateCall) -> SummedResult? {
    guard arguments == other.arguments, isDistinct == other.isDistinct, filter == other.filter,
      order.isEmpty, other.order.isEmpty
    else { return nil }
    return resolved.result(ofStatesOf: other.resolved)
  }
}
