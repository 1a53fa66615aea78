import Columnar
import Diagnostics

/// Upper bounds of bins of equal width, from the least to the greatest: what histograms ask for.
enum BinningFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "equi_width_bins", category: "list",
      summary:
        "Upper bounds of so many bins between min and max; when the last argument is true, of "
        + "about so many, at round numbers.",
      examples: [
        ("equi_width_bins(0, 10, 5, true)", "[2, 4, 6, 8, 10]"),
        ("equi_width_bins(0, 10, 3, false)", "[3, 6, 10]"),
        ("equi_width_bins(0.0::DOUBLE, 9.7::DOUBLE, 4, true)", "[2.0, 4.0, 6.0, 8.0, 10.0]"),
      ],
      forms: [
        FunctionForm("T", "T", "BIGINT", "BOOLEAN", gives: "T[]; of DECIMALs DOUBLE[]")
      ],
      signature: { arguments in
        guard arguments.count == 4 else { return nil }
        let types = arguments.map(\.type)
        let place = types[0] == .timestamp || types[1] == .timestamp || types[1] == .date
        let isWhole = types[0].isInteger && types[1].isInteger
        let found = overloads[isWhole ? 0 : place ? 2 : 1]
        let kind: LogicalType = isWhole ? .bigint : place ? .timestamp : .double
        // The bounds are of the greatest value's type.
        let element = types[1].isDecimal || types[1] == .null ? kind : types[1]
        guard isWhole || place || (types[0].isNumeric && types[1].isNumeric) else {
          // Not before a row asks for them: one branch of a macro that looks at the type.
          return (refusing(element), [types[0], types[0], .bigint, .boolean])
        }
        let kernel = found.kernel
        return (
          ScalarOverload([.any, .any, .any, .any], returns: .list(element)) { a, n, t in
            try Cast.column(kernel(a, n, .list(kind)), to: t)
          }, [kind, kind, .bigint, .boolean]
        )
      })
  ]

  private static let overloads: [ScalarOverload] = [
    bins(.bigint) { a, row, count, nice in
      let (low, high) = (ColumnReader<Int64>(a[0]), ColumnReader<Int64>(a[1]))
      return whole(low[row], high[row], count, nice).map { .integer(Int128($0)) }
    },
    bins(.double) { a, row, count, nice in
      let (low, high) = (ColumnReader<Double>(a[0]), ColumnReader<Double>(a[1]))
      return try floating(low[row], high[row], count, nice).map { .double($0) }
    },
    bins(.timestamp) { a, row, count, _ in
      let (low, high) = (ColumnReader<Int64>(a[0]), ColumnReader<Int64>(a[1]))
      return whole(low[row], high[row], count, false).map { .timestamp($0) }
    },
  ]

  private static func refusing(_ element: LogicalType) -> ScalarOverload {
    ScalarOverload([.any, .any, .any, .any], returns: .list(element)) { a, n, t in
      try Kernels.rows(a, n, t, ListEntry.self) { _ in
        throw SQLError(.invalidInput, "equi_width_bins takes numbers or timestamps")
      }
    }
  }

  private static let most = 1_000_000

  private static func bins(
    _ type: LogicalType,
    _ make: @escaping @Sendable ([Column], Int, Int, Bool) throws -> [Value]
  ) -> ScalarOverload {
    .taking([type, type, .bigint, .boolean], returns: .list(type)) { a, n, t in
      let counts = ColumnReader<Int64>(a[2])
      let nice = ColumnReader<UInt8>(a[3])
      let least = a[0]
      var builder = ColumnBuilder(t, capacity: n)
      for row in 0..<n {
        if a.contains(where: { $0.isNull(row) }) {
          builder.appendNull()
          continue
        }
        guard counts[row] > 0, counts[row] <= most else {
          throw SQLError(
            .invalidInput, "equi_width_bins makes 1 to \(most) bins, not \(counts[row])")
        }
        guard NestedComparison.compare(least, row, a[1], row) <= 0 else {
          throw SQLError(.invalidInput, "the least value of equi_width_bins exceeds the greatest")
        }
        try builder.append(.list(try make(a, row, Int(counts[row]), nice[row] != 0)))
      }
      return builder.finish()
    }
  }

  // MARK: Whole numbers

  /// By thousandths, so that no bound is moved by whole-number division.
  private static func whole(_ low: Int64, _ high: Int64, _ count: Int, _ nice: Bool) -> [Int64] {
    if low == high { return [high] }
    let (least, factor) = (Int128(low) * 1000, Int128(1000))
    var greatest = Int128(high) * 1000
    var step = max(1, (greatest - least) / Int128(count))
    var limit = count
    if nice {
      let round = roundStep(step)
      let top = (greatest + round - 1) / round * round
      if top != least, round > 0, Int64(exactly: top / factor) != nil {
        (greatest, step) = (top, round)
      }
      limit *= 2
    }
    var bounds: [Int64] = []
    var bound = greatest
    while bound > least, bounds.count < limit {
      let value = Int64(clamping: bound / factor)
      if !bounds.isEmpty, value < low { break }
      if bounds.last != value { bounds.append(value) }
      bound -= step
    }
    return bounds.reversed()
  }

  /// The nearest multiple of 2 or 5 (20 or 50 …) times the power of ten below.
  private static func roundStep(_ step: Int128) -> Int128 {
    var power: Int128 = 1
    while power < step { power *= 10 }
    power = max(1, power / 10)
    let two = power * 3 <= step ? power * 10 : power * 2
    let five = power * 2 <= step ? power * 5 : power
    let byTwo = (step + two / 2) / two * two
    let byFive = (step + five / 2) / five * five
    let found = (step - byTwo).magnitude < (step - byFive).magnitude ? byTwo : byFive
    return max(1, found)
  }

  // MARK: Floating point

  private static func floating(
    _ low: Double, _ high: Double, _ count: Int, _ nice: Bool
  ) throws -> [Double] {
    guard low.isFinite, high.isFinite else {
      throw SQLError(.invalidInput, "equi_width_bins takes finite numbers")
    }
    if low == high { return [high] }
    let span = high - low
    var step = span.isFinite ? span / Double(count) : high / Double(count) - low / Double(count)
    let power = powerBelow(step)
    guard step > 0, power > 0 else { return [high] }
    var (greatest, limit) = (high, count)
    if nice {
      let two = power * 3 <= step ? power * 10 : power * 2
      let five = power * 2 <= step ? power * 5 : power
      let byTwo = (step / two).rounded() * two
      let byFive = (step / five).rounded() * five
      let round = abs(step - byTwo) < abs(step - byFive) ? byTwo : byFive
      if round > 0, round.isFinite { step = round }
      let top = (high / step).rounded(.up) * step
      if top.isFinite { greatest = top }
      limit *= 2
    }
    var bounds: [Double] = []
    var bound = greatest
    while bound > low, bounds.count < limit {
      var value = bound
      if nice {
        let scaled = (bound * (10 / power)).rounded() / (10 / power)
        if scaled.isFinite { value = scaled }
      }
      if bounds.last != value {
        if value <= low { break }
        bounds.append(value)
      }
      let next = bound - step
      if next == bound { break }
      bound = next
    }
    return bounds.reversed()
  }

  private static func powerBelow(_ value: Double) -> Double {
    var power = 1.0
    if value < 1 {
      while power > value, power > 0 { power /= 10 }
      return power
    }
    while power < value { power *= 10 }
    return power / 10
  }
}
