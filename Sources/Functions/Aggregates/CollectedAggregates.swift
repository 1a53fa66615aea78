import Columnar
import Diagnostics
import Glibc

/// Aggregates over kept values: the n best, quantiles by other names, entropy, deviations.
let collectedAggregates: [AggregateFunction] = [
  AggregateFunction(
    "approx_quantile",
    summary: "The value at fraction q of the sorted values (here exact, of the values' own type).",
    examples: [("approx_quantile(x, 0.5)", "2")], overloads: [quantile()]),
  AggregateFunction(
    "approx_top_k", summary: "The k values that come most often (here exact), as a LIST.",
    examples: [("approx_top_k(x // 2, 1)", "[1]")],
    overloads: [
      frequency(.top, asCount, result: { .list($0[0]) })
    ]),
  nullsLast(
    "arg_max_nulls_last", "As arg_max; a NULL comes into play when nothing else does.", 1, "3"),
  nullsLast(
    "arg_min_nulls_last", "As arg_min; a NULL comes into play when nothing else does.", -1, "1"),
  AggregateFunction(
    "entropy", summary: "Shannon's entropy of the values in bits; 0 without values.",
    examples: [("entropy(x)", "1.584962500721156")],
    overloads: [
      frequency(.entropy, result: { _ in .double })
    ]),
  AggregateFunction(
    "mad", summary: "The median of the absolute deviations from the median.",
    examples: [("mad(x)", "1.0")],
    overloads: [
      signature(asMeasured, result: { $0[0].isNumeric ? $0[0] : .interval }) { types, result in
        CollectedState(keeping: types, required: [0], result: result) { columns, n, _ in
          try deviation(columns[0], n, result)
        }
      }
    ]),
  AggregateFunction(
    "reservoir_quantile",
    summary: "The least value that fraction q of the values do not exceed (here of all values).",
    examples: [("reservoir_quantile(x, 0.5)", "2")],
    overloads: [quantile(), quantile(sampled: true)]),
]

/// The forms of min, max, arg_min and arg_max that give the n best as a list.
func best(largest: Bool, byAnother: Bool, nullsLast: Bool = false) -> AggregateOverload {
  let make: @Sendable ([LogicalType], LogicalType) -> any AggregateState = { types, result in
    keepingBytes(types, result, resultElement: true) { types, result in
      let kept = byAnother ? 2 : 1
      return CollectedState(
        keeping: Array(types.prefix(kept)), required: nullsLast ? [] : Array(0..<kept),
        result: result
      ) { columns, n, more in
        let wanted = try listedCount(more, largest ? "max" : "min")
        let key = columns[kept - 1]
        let comparator = ColumnComparator(key, key)
        let rows = firstPlaces(wanted, of: n) { a, b in
          if nullsLast, key.isNull(a) || key.isNull(b) {
            return key.isNull(a) == key.isNull(b) ? a < b : key.isNull(b)
          }
          let found = comparator.compare(a, b)
          return found == 0 ? a < b : largest ? found > 0 : found < 0
        }
        return .list(rows.map { columns[0].value($0) })
      }
    }
  }
  return byAnother
    ? signature(asItIs, asItIs, asCount, result: { .list($0[0]) }, state: make)
    : signature(asItIs, asCount, result: { .list($0[0]) }, state: make)
}

/// The first `wanted` of 0..<count in the order that `precedes` tells. For few of many, which is
/// what is asked for, each place is compared with the last of those found so far.
private func firstPlaces(
  _ wanted: Int, of count: Int, _ precedes: (Int, Int) -> Bool
) -> [Int] {
  if wanted > count / 8 { return Array((0..<count).sorted(by: precedes).prefix(wanted)) }
  var found = Array((0..<wanted).sorted(by: precedes))
  for place in wanted..<count {
    guard let last = found.last, precedes(place, last) else { continue }
    found.removeLast()
    var (low, high) = (0, found.count)
    while low < high {
      let middle = (low + high) / 2
      if precedes(found[middle], place) { low = middle + 1 } else { high = middle }
    }
    found.insert(place, at: low)
  }
  return found
}

private let asCount: ArgumentRule = { $0.isInteger || $0 == .null ? .bigint : nil }

/// What has differences: numbers as they are interpolated, moments and times.
private let asMeasured: ArgumentRule = { type in
  type == .date || type == .timestampNanoseconds ? .timestamp : asInterpolated(type)
}

/// How many values an aggregate that lists them is asked for.
func listedCount(_ constants: [Value], _ name: String) throws -> Int {
  guard case .integer(let value)? = constants.first else {
    throw SQLError(.invalidInput, "\(name) needs to know how many values, not NULL")
  }
  guard value > 0, value < 1_000_000 else {
    throw SQLError(.invalidInput, "\(name) gives 1 to 999999 values, not \(value)")
  }
  return Int(value)
}

private func nullsLast(
  _ name: String, _ summary: String, _ sign: Int, _ example: String
) -> AggregateFunction {
  AggregateFunction(
    name, summary: summary, examples: [("\(name)(x, x)", example)],
    overloads: [
      signature(asItIs, asItIs, result: { $0[0] }) { types, result in
        keepingBytes(types, result) { types, result in
          CollectedState(keeping: types, required: [], result: result) { columns, n, _ in
            let key = columns[1]
            let best = (0..<n).min { a, b in
              if key.isNull(a) != key.isNull(b) { return key.isNull(b) }
              let found = NestedComparison.compare(key, a, key, b) * sign
              return found == 0 ? a < b : found > 0
            }
            return best.map { columns[0].value($0) } ?? .null
          }
        }
      },
      best(largest: sign > 0, byAnother: true, nullsLast: true),
    ])
}

private func quantile(sampled: Bool = false) -> AggregateOverload {
  let result: @Sendable ([LogicalType]) -> LogicalType = { types in
    if case .list = types[1] { .list(types[0]) } else { types[0] }
  }
  let make: @Sendable ([LogicalType], LogicalType) -> any AggregateState = { types, _ in
    orderState(.discrete, Array(types.prefix(2)), fractions: [])
  }
  return sampled
    ? signature(asQuantified, asFraction, asCount, result: result, state: make)
    : signature(asQuantified, asFraction, result: result, state: make)
}

private let asQuantified: ArgumentRule = { type in
  switch type {
  case .null: .double
  default: type.isNumeric || type.isTemporal ? type : nil
  }
}

private func deviation(_ column: Column, _ count: Int, _ result: LogicalType) throws -> Value {
  func doubles() -> [Double] {
    column.type == .float
      ? (0..<count).map { Double(column.values(as: Float.self)[$0]) }
      : (0..<count).map { column.values(as: Double.self)[$0] }
  }
  switch column.type {
  case .float: return .float(Float(medianDeviation(doubles())))
  case .double: return .double(medianDeviation(doubles()))
  default:
    let found = medianDeviation(wholeNumbers(column, count))
    if result != .interval { return .decimal(found) }
    let day = Int128(Calendar.microsecondsPerDay)
    return .interval(
      Interval(days: Int32(clamping: found / day), microseconds: Int64(clamping: found % day)))
  }
}

/// Unscaled decimals, microseconds.
private func wholeNumbers(_ column: Column, _ count: Int) -> [Int128] {
  func all<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [Int128] {
    UnsafeBufferPointer(start: column.values(as: T.self), count: count).map { Int128($0) }
  }
  if column.type == .timeTZ {
    let bits = column.values(as: UInt64.self)
    return (0..<count).map { Int128(ZonedTime.instant(bits[$0])) }
  }
  switch column.type.physical {
  case .int16: return all(Int16.self)
  case .int32: return all(Int32.self)
  case .int64: return all(Int64.self)
  default: return all(Int128.self)
  }
}

private func medianDeviation(_ values: [Double]) -> Double {
  func median(_ values: [Double]) -> Double {
    let (low, high) = middleValues(values)
    return between(low, high, 0.5)
  }
  let middle = median(values)
  return median(values.map { abs($0 - middle) })
}

private func medianDeviation(_ values: [Int128]) -> Int128 {
  func median(_ values: [Int128]) -> Int128 {
    let (low, high) = middleValues(values)
    // Cut towards 0. Where the sum overflows both have one sign, and so have their remainders.
    let (sum, overflows) = low.addingReportingOverflow(high)
    return overflows ? low / 2 + high / 2 + (low % 2 + high % 2) / 2 : sum / 2
  }
  let middle = median(values)
  return median(values.map { $0 > middle ? $0 &- middle : middle &- $0 })
}

/// The two values in the middle of the sorted ones, or the one twice.
private func middleValues<T: StateValue>(_ values: [T]) -> (T, T) {
  var values = values
  return values.withUnsafeMutableBufferPointer { values in
    var selection = OrderSelection(values)
    let low = selection.value((values.count - 1) / 2)
    return (low, selection.value(values.count / 2))
  }
}
