import Columnar

/// What the states of sum and avg hold: sum, mean and number of the values.
package enum SummedResult: Sendable {
  /// The result of the states' own aggregate.
  case own
  case average, count
}

extension ResolvedAggregate {
  /// As what the states of `other` over the same values give this aggregate's results, bit for bit; nil
  /// when it needs its own.
  package func result(ofStatesOf other: ResolvedAggregate) -> SummedResult? {
    guard other.argumentTypes.count == 1, argumentTypes == other.argumentTypes else { return nil }
    let isAverage = other.function.name == "avg" && other.resultType == .double
    switch function.name {
    case "avg" where resultType == .double: return other.function.name == "sum" ? .average : nil
    case "count": return other.function.name == "sum" || isAverage ? .count : nil
    default: return nil
    }
  }
}
