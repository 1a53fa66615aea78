import Functions

// Which calls of windows are the same as those of a grouping.
extension BoundWindow {
  /// Whether it gives all rows of a partition the same, which no order of the rows changes. With
  /// `keepsBits` not even in the last bits of a sum.
  func isTotal(keepsBits: Bool) -> Bool {
    guard case .aggregate(let resolved) = function, order.isEmpty, !ignoresNulls, seesPartition
    else { return false }
    let name = resolved.function.name
    if Self.exact.contains(name) { return true }
    if Self.exactOfIntegers.contains(name) {
      return !keepsBits || !resolved.argumentTypes.contains(where: \.isFloatingPoint)
    }
    return !keepsBits && Self.rounding.contains(name)
  }

  /// Whether every row sees its whole partition.
  private var seesPartition: Bool {
    if frame.exclusion != .noOthers { return false }
    // Without an order all rows are peers of the current one.
    let reachesAll = frame.unit != .rows && orderCount == 0
    let (startsFirst, endsLast): (Bool, Bool)
    switch frame.start {
    case .unboundedPreceding: startsFirst = true
    case .currentRow: startsFirst = reachesAll
    case .preceding, .following, .unboundedFollowing: startsFirst = false
    }
    switch frame.end {
    case .unboundedFollowing: endsLast = true
    case .currentRow: endsLast = reachesAll
    case .preceding, .following, .unboundedPreceding: endsLast = false
    }
    return startsFirst && endsLast
  }

  private static let exact: Set<String> = [
    "approx_count_distinct", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "count",
    "count_if", "count_star", "decimal_average", "max", "median", "min", "quantile_cont",
    "quantile_disc", "regr_count",
  ]

  private static let exactOfIntegers: Set<String> = ["avg", "sum"]

  /// Rows in another order may change the last bits.
  private static let rounding: Set<String> = [
    "corr", "covar_pop", "covar_samp", "favg", "fsum", "geomean", "kurtosis", "kurtosis_pop",
    "product",
    "regr_avgx", "regr_avgy", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx",
    "regr_sxy", "regr_syy", "sem", "skewness", "stddev", "stddev_pop", "var_pop", "variance",
    "weighted_avg",
  ]
}
