extension TransformDefinition {
  static let quantileBucketize = TransformDefinition(
    "quantile_bucketize", parameters: [TransformParameter("n", .number(10))],
    summary: "an id from 0 to n - 1: buckets with about as many training rows each",
    example: "quantile_bucketize(income, 10)",
    fit: .aggregates { arguments, x in
      let count = try arguments.integer("n", 2...10_000)
      return (1..<count).map { "quantile_cont(\(x)::DOUBLE, \(Double($0) / Double(count)))" }
    }
  ) { arguments, state in
    let count = try arguments.integer("n", 2...10_000)
    var fitted = FittedTransform.buckets(
      try FittedTransform.numbers(state, count - 1).map { $0 ?? 0 })
    fitted.cardinality = count
    return fitted
  }
}
