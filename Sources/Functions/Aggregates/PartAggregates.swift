import Columnar

// Aggregates over the results of aggregates over parts of the rows. Planner rules call them; no query
// can name them.

extension AggregateParts {
  /// Each part's own result, combined by the same aggregate.
  static func each(_ name: String) -> AggregateParts {
    AggregateParts(steps: [name]) { Aggregates.named(name) }
  }
}

/// Counts of parts as the count of all: 0 without parts.
let countOfParts = AggregateFunction(
  "count_of_parts", summary: "The sum of counts.", examples: [],
  overloads: [
    signature(asCount, result: { $0[0] }) { _, result in CountState(.summed, result: result) }
  ])

/// Sums of parts and the counts of their values as the mean of all values.
let averageOfParts = AggregateFunction(
  "avg_of_parts", summary: "The mean, from sums and counts.", examples: [],
  overloads: [
    signature(asSummed, asCount, result: { _ in .double }) { types, _ in
      PartAverageState(sums: types[0])
    }
  ])

/// What `count` and `count_if` give.
private let asCount: ArgumentRule = { $0 == .bigint || $0 == .hugeint ? $0 : nil }

/// What `sum` gives.
private let asSummed: ArgumentRule = { type in
  switch type {
  case .double, .hugeint: type
  case .decimal(38, _): type
  default: nil
  }
}
