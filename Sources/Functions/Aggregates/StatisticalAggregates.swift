import Columnar

/// Moments, regressions, folds and estimates.
let statisticalAggregates: [AggregateFunction] = [
  AggregateFunction(
    "approx_count_distinct",
    summary: "About how many different values there are (HyperLogLog, about 3 % off).",
    examples: [("approx_count_distinct(x)", "3")],
    overloads: [signature(asItIs, result: { _ in .bigint }) { _, _ in DistinctEstimateState() }]),
  bitwise("bit_and", "The bits that are set in every value.", example: "0", .and),
  bitwise("bit_or", "The bits that are set in some value.", example: "3", .or),
  bitwise("bit_xor", "The bits that are set in an odd number of values.", example: "0", .xor),
  AggregateFunction(
    "bool_and", aliases: ["every"], summary: "Whether the condition is true in every row.",
    examples: [("bool_and(x > 0)", "true")],
    overloads: [
      signature(asBoolean, result: { _ in .boolean }) { _, result in
        SpecialisedState(FoldState<BitAnd<UInt8>>(result, zero: 0))
      }
    ], parts: .each("bool_and")),
  AggregateFunction(
    "bool_or", summary: "Whether the condition is true in some row.",
    examples: [("bool_or(x > 2)", "true")],
    overloads: [
      signature(asBoolean, result: { _ in .boolean }) { _, result in
        SpecialisedState(FoldState<BitOr<UInt8>>(result, zero: 0))
      }
    ], parts: .each("bool_or")),
  joint("corr", "Pearson's correlation of two columns.", "corr(x, x)", "1.0", .correlation),
  joint(
    "covar_pop", "The covariance, for a whole population.", "covar_pop(x, 2 * x)",
    "1.3333333333333333", .population),
  joint(
    "covar_samp", "The covariance, estimated from a sample.", "covar_samp(x, 2 * x)", "2.0",
    .sample),
  weighted(
    "favg", aliases: [], "The mean, by a sum that loses no digits on its way.", "2.0", .average),
  weighted(
    "fsum", aliases: ["kahan_sum", "sumkahan"], "The sum, without losing digits on its way.", "6.0",
    .sum),
  weighted(
    "geomean", aliases: ["geometric_mean"], "The geometric mean.", "1.8171205928321397",
    .geometric),
  powers("kurtosis", "The excess kurtosis, estimated from a sample.", "NULL", .kurtosis),
  powers("kurtosis_pop", "The excess kurtosis of a whole population.", "-1.5", .kurtosisPopulation),
  AggregateFunction(
    "product", summary: "The product of the values that are not NULL.",
    examples: [("product(x)", "6.0")],
    overloads: [
      signature(asDouble, result: { _ in .double }) { _, result in
        SpecialisedState(FoldState<Product>(result, zero: 0))
      }
    ]),
  joint("regr_avgx", "The mean of x where neither is NULL.", "regr_avgx(2 * x, x)", "2.0", .meanX),
  joint("regr_avgy", "The mean of y where neither is NULL.", "regr_avgy(2 * x, x)", "4.0", .meanY),
  joint(
    "regr_count", "The rows where neither y nor x is NULL.", "regr_count(x, x)", "3", .pairs,
    type: .uinteger),
  joint(
    "regr_intercept", "Where the line of least squares of y over x meets the y axis.",
    "regr_intercept(2 * x + 1, x)", "1.0", .intercept),
  joint(
    "regr_r2", "The part of y's variance that a line over x explains.",
    "regr_r2(2 * x + 1, x)", "1.0", .rSquared),
  joint(
    "regr_slope", "The slope of the line of least squares of y over x.",
    "regr_slope(2 * x + 1, x)", "2.0", .slope),
  joint(
    "regr_sxx", "The sum of squared differences of x from its mean.", "regr_sxx(2 * x, x)", "2.0",
    .squaresX),
  joint(
    "regr_sxy", "The sum of products of differences from the means.", "regr_sxy(2 * x, x)", "4.0",
    .products),
  joint(
    "regr_syy", "The sum of squared differences of y from its mean.", "regr_syy(2 * x, x)", "8.0",
    .squaresY),
  moment(
    "sem", "The standard error of the mean.", example: "0.47140452079103173", .standardError),
  powers("skewness", "The skewness, estimated from a sample.", "0.0", .skewness),
  moment(
    "stddev", aliases: ["stddev_samp"], "The standard deviation, estimated from a sample.",
    example: "1.0", .deviationSample),
  moment(
    "stddev_pop", "The standard deviation of a whole population.", example: "0.816496580927726",
    .deviationPopulation),
  moment(
    "var_pop", "The variance of a whole population.", example: "0.6666666666666666",
    .variancePopulation),
  moment(
    "variance", aliases: ["var_samp"], "The variance, estimated from a sample.", example: "1.0",
    .varianceSample),
  AggregateFunction(
    "weighted_avg", aliases: ["wavg"], summary: "The mean of values, each counted by its weight.",
    examples: [("weighted_avg(x, x)", "2.3333333333333335")],
    overloads: [
      signature(asDouble, asDouble, result: { _ in .double }) { _, _ in WeightedState(.weighted) }
    ]),
]

private func weighted(
  _ name: String, aliases: [String], _ summary: String, _ value: String,
  _ result: WeightedState.Result
) -> AggregateFunction {
  AggregateFunction(
    name, aliases: aliases, summary: summary, examples: [("\(name)(x)", value)],
    overloads: [signature(asDouble, result: { _ in .double }) { _, _ in WeightedState(result) }])
}

private func powers(
  _ name: String, _ summary: String, _ value: String, _ result: PowerSumState.Result
) -> AggregateFunction {
  AggregateFunction(
    name, summary: summary, examples: [("\(name)(x)", value)],
    overloads: [signature(asDouble, result: { _ in .double }) { _, _ in PowerSumState(result) }])
}

private func moment(
  _ name: String, aliases: [String] = [], _ summary: String, example: String,
  _ result: MomentState.Result
) -> AggregateFunction {
  AggregateFunction(
    name, aliases: aliases, summary: summary, examples: [("\(name)(x)", example)],
    overloads: [signature(asDouble, result: { _ in .double }) { _, _ in MomentState(result) }])
}

private func joint(
  _ name: String, _ summary: String, _ example: String, _ value: String,
  _ result: CovarianceState.Result, type: LogicalType = .double
) -> AggregateFunction {
  AggregateFunction(
    name, summary: summary, examples: [(example, value)],
    overloads: [
      signature(asDouble, asDouble, result: { _ in type }) { _, _ in CovarianceState(result) }
    ])
}

private enum BitOperation { case and, or, xor }

private func bitwise(
  _ name: String, _ summary: String, example: String, _ operation: BitOperation
) -> AggregateFunction {
  AggregateFunction(
    name, summary: summary, examples: [("\(name)(x)", example)],
    overloads: [
      signature(asInteger, result: { $0[0] }) { types, result in bitState(operation, result) }
    ], parts: .each(name))
}

private func bitState(_ operation: BitOperation, _ type: LogicalType) -> any AggregateState {
  // Bits have no sign: one kernel serves both integer types of a width.
  switch type.physical.width {
  case 1: bitState(operation, type, UInt8.self)
  case 2: bitState(operation, type, UInt16.self)
  case 4: bitState(operation, type, UInt32.self)
  case 8: bitState(operation, type, UInt64.self)
  default: bitState(operation, type, UInt128.self)
  }
}

@inline(__always)
private func bitState<T: FixedWidthInteger & BitwiseCopyable>(
  _ operation: BitOperation, _ type: LogicalType, _: T.Type
) -> any AggregateState {
  switch operation {
  case .and: SpecialisedState(FoldState<BitAnd<T>>(type, zero: 0))
  case .or: SpecialisedState(FoldState<BitOr<T>>(type, zero: 0))
  case .xor: SpecialisedState(FoldState<BitXor<T>>(type, zero: 0))
  }
}
