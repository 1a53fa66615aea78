/// How many different values a column has, guessed from a part of it.
package enum DistinctEstimate {
  /// From a random sample of rows: `distinct` values in `rows` of `total` rows, `single` of which
  /// came once. Haas and Stokes (1998), estimator Duj1; what came often in a sample is nearly all
  /// there is, what came once stands for many.
  package static func fromSample(
    rows: Double, distinct: Double, single: Double, total: Double
  ) -> Double {
    if rows >= total || distinct <= 0 { return distinct }
    let estimate = rows * distinct / (rows - single + single * rows / total)
    return min(max(estimate, distinct), total)
  }

  /// From `distinct` values among `rows` rows that are like any others of the `total`: the number
  /// of values of which so many draws find so many.
  package static func fromDraws(rows: Double, distinct: Double, total: Double) -> Double {
    if rows >= total || distinct >= rows * 0.995 {
      return distinct >= rows * 0.995 ? total : distinct
    }
    var low = distinct
    var high = total
    for _ in 0..<40 {
      let middle = (low + high) / 2
      let found = middle * (1 - exponential(-rows / middle))
      if found < distinct { low = middle } else { high = middle }
    }
    return low
  }

  /// e^x for x <= 0, by (e^(x/2^k))^(2^k): Columnar links no mathematics library for one guess.
  private static func exponential(_ x: Double) -> Double {
    if x < -40 { return 0 }
    let part = x / 1024
    var result = 1 + part * (1 + part / 2 * (1 + part / 3))
    for _ in 0..<10 { result *= result }
    return result
  }
}
