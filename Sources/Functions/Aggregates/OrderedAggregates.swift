import Columnar

/// Aggregates that keep values: by place, by order, or all of them.
let orderedAggregates: [AggregateFunction] = [
  AggregateFunction(
    "any_value", summary: "Some value that is not NULL (the first to come).",
    examples: [("any_value(x)", "1")], overloads: [pick(.firstValid)]),
  argumentExtreme(
    "arg_max", aliases: ["argmax", "max_by"],
    "The first argument in the row where the second is greatest.", example: "3", Greatest.self),
  argumentExtreme(
    "arg_max_null", aliases: [], "As arg_max, also when the first argument is NULL there.",
    example: "3", Greatest.self, keepsNull: true),
  argumentExtreme(
    "arg_min", aliases: ["argmin", "min_by"],
    "The first argument in the row where the second is least.", example: "1", Least.self),
  argumentExtreme(
    "arg_min_null", aliases: [], "As arg_min, also when the first argument is NULL there.",
    example: "1", Least.self, keepsNull: true),
  AggregateFunction(
    "first", aliases: ["arbitrary"], summary: "The first value, NULL or not.",
    examples: [("first(x ORDER BY x DESC NULLS LAST)", "3")], overloads: [pick(.first)]),
  AggregateFunction(
    "last", summary: "The last value, NULL or not.",
    examples: [("last(x ORDER BY x NULLS FIRST)", "3")], overloads: [pick(.last)]),
  AggregateFunction(
    "list", aliases: ["array_agg", "collect_list"],
    summary: "All values as a LIST, NULLs too, in the order they come.",
    examples: [("list(x ORDER BY x NULLS LAST)", "[1, 2, 3, NULL]")],
    overloads: [
      signature(asItIs, result: { .list($0[0]) }) { types, result in
        keepingBytes(types, result, resultElement: true) {
          ListState(element: $0[0], result: $1, isText: false)
        }
      }
    ]),
  AggregateFunction(
    "median", summary: "The middle value; between two, their mean.",
    examples: [("median(x)", "2.0")],
    overloads: [
      signature(asInterpolated, result: { $0[0] }) { types, _ in
        orderState(.continuous, types, fractions: [0.5])
      },
      signature(asItIs, result: { $0[0] }) { types, _ in
        orderState(.discrete, types, fractions: [0.5])
      },
    ]),
  AggregateFunction(
    "mode", summary: "The value that comes most often; of several the first to come.",
    examples: [("mode(x // 2)", "1")],
    overloads: [frequency(.mode, result: { $0[0] })]),
  AggregateFunction(
    "quantile_cont", summary: "The value at fraction q of the sorted values, interpolated.",
    examples: [("quantile_cont(x, 0.25)", "1.5")],
    overloads: [
      signature(asInterpolated, asFraction, result: quantileType) { types, _ in
        orderState(.continuous, types, fractions: [])
      }
    ]),
  AggregateFunction(
    "quantile_disc", aliases: ["quantile"],
    summary: "The least value that fraction q of the values do not exceed.",
    examples: [("quantile_disc(x, 0.5)", "2")],
    overloads: [
      signature(asItIs, asFraction, result: quantileType) { types, _ in
        orderState(.discrete, types, fractions: [])
      }
    ]),
  AggregateFunction(
    "string_agg", aliases: ["group_concat", "listagg"],
    summary: "The texts that are not NULL, with a separator (a comma) between them.",
    examples: [("string_agg(x, '-' ORDER BY x)", "1-2-3")],
    overloads: [
      signature(asText, result: { _ in .varchar }) { types, result in
        ListState(element: .varchar, result: result, isText: true)
      },
      signature(asText, asText, result: { _ in .varchar }) { types, result in
        ListState(element: .varchar, result: result, isText: true)
      },
    ]),
]

private func pick(_ rule: PickState.Rule) -> AggregateOverload {
  signature(asItIs, result: { $0[0] }) { types, result in
    keepingBytes(types, result) { PickState(rule, $1) }
  }
}

private func argumentExtreme<End: Extreme>(
  _ name: String, aliases: [String], _ summary: String, example: String, _ end: End.Type,
  keepsNull: Bool = false
) -> AggregateFunction {
  AggregateFunction(
    name, aliases: aliases, summary: summary, examples: [("\(name)(x, x)", example)],
    overloads: [
      signature(asItIs, asItIs, result: { $0[0] }) { types, result in
        keepingBytes(types, result) { types, _ in
          makeState(types[1], ArgumentExtremeMaker<End>(value: types[0], keepsNull: keepsNull))
        }
      }
    ] + (keepsNull ? [] : [best(largest: End.self == Greatest.self, byAnother: true)]))
}

private struct ArgumentExtremeMaker<End: Extreme>: StateMaking {
  let value: LogicalType
  let keepsNull: Bool
  @inline(__always)
  func make<T: StateValue>(_ type: T.Type) -> any AggregateState {
    SpecialisedState(ArgumentExtremeState<T, End>(value: value, keepsNull: keepsNull))
  }
}

@Sendable
private func quantileType(_ types: [LogicalType]) -> LogicalType {
  if case .list = types[1] { .list(types[0]) } else { types[0] }
}

/// The state over values of `types[0]`; a second type is that of the fractions.
func orderState(
  _ statistic: OrderStatistic, _ types: [LogicalType], fractions: [Double]
) -> any AggregateState {
  let value = types[0]
  var isList = false
  if types.count > 1, case .list = types[1] { isList = true }
  let item = value.isNested ? LogicalType.blob : value
  let state: any AggregateState
  if statistic == .continuous {
    state = continuousState(item, isList: isList, fractions: fractions)
  } else {
    state = makeState(
      item,
      OrderStatisticMaker(
        statistic: statistic, item: item, isList: isList, fractions: fractions))
  }
  if !value.isNested { return state }
  // Only the values are kept as bytes, not the list of fractions.
  return BytesState(
    state, types: [value] + types.dropFirst().map { _ in .double },
    result: isList ? .list(value) : value)
}

private struct OrderStatisticMaker: StateMaking {
  let statistic: OrderStatistic
  let item: LogicalType
  let isList: Bool
  let fractions: [Double]
  @inline(__always)
  func make<T: StateValue>(_ type: T.Type) -> any AggregateState {
    SpecialisedState(
      OrderStatisticState<T>(
        statistic, item: item, isList: isList, fractions: fractions, between: { low, _, _ in low }))
  }
}

private func continuousState(
  _ type: LogicalType, isList: Bool, fractions: [Double]
) -> any AggregateState {
  switch type.physical {
  case .float:
    SpecialisedState(
      OrderStatisticState<Float>(
        .continuous, item: type, isList: isList, fractions: fractions,
        between: { between($0, $1, Float($2)) }))
  case .double:
    SpecialisedState(
      OrderStatisticState<Double>(
        .continuous, item: type, isList: isList, fractions: fractions,
        between: { between($0, $1, $2) }))
  case .int16: interpolatingIntegers(Int16.self, type, isList, fractions)
  case .int32: interpolatingIntegers(Int32.self, type, isList, fractions)
  case .int64: interpolatingIntegers(Int64.self, type, isList, fractions)
  case .uint64:
    // TIMETZ: between instants, shown at UTC.
    SpecialisedState(
      OrderStatisticState<UInt64>(
        .continuous, item: type, isList: isList, fractions: fractions,
        between: { low, high, fraction in
          let (a, b) = (Double(ZonedTime.instant(low)), Double(ZonedTime.instant(high)))
          return ZonedTime.pack(instantOfDay: Int64(a + (b - a) * fraction))
        }))
  default:
    // Of wide decimals the distance from the lower value is cut, as DuckDB does: a sum as a DOUBLE
    // would lose digits.
    SpecialisedState(
      OrderStatisticState<Int128>(
        .continuous, item: type, isList: isList, fractions: fractions,
        between: { low, high, fraction in
          let (whole, isTooFar) = high.subtractingReportingOverflow(low)
          let distance = isTooFar ? Double(high) - Double(low) : Double(whole)
          return Int128(exactly: (distance * fraction).rounded(.towardZero)).map { low &+ $0 }
            ?? low
        }))
  }
}

/// Part of the way from one number to another; on the way to infinity it is there at once.
@inlinable @inline(__always)
package func between<T: BinaryFloatingPoint>(_ low: T, _ high: T, _ fraction: T) -> T {
  if low.isInfinite || high.isInfinite { return low * (1 - fraction) + high * fraction }
  return low + (high - low) * fraction
}

/// Decimals and times: the interpolated value is cut, not rounded, as DuckDB does.
@inline(__always)
private func interpolatingIntegers<T: StateValue & FixedWidthInteger>(
  _: T.Type, _ type: LogicalType, _ isList: Bool, _ fractions: [Double]
) -> any AggregateState {
  SpecialisedState(
    OrderStatisticState<T>(
      .continuous, item: type, isList: isList, fractions: fractions,
      between: { low, high, fraction in
        let value = Double(low) + (Double(high) - Double(low)) * fraction
        return T(exactly: value.rounded(.towardZero)) ?? low
      }))
}
