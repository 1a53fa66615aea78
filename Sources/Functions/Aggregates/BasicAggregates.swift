import Columnar

/// count, sum, min and their like.
let basicAggregates: [AggregateFunction] = [
  AggregateFunction(
    "avg", aliases: ["mean"], summary: "The mean of the values that are not NULL.",
    examples: [("avg(x)", "2.0")],
    overloads: [
      signature(asAveraged, result: { _ in .double }) { types, result in
        sumState(types[0], result, isAverage: true)
      },
      signature(asMoment, result: { $0[0] }) { _, result in AverageState(result: result) },
    ], parts: AggregateParts(steps: ["sum", "count"]) { averageOfParts }),
  AggregateFunction(
    "count", summary: "The number of rows, or of values that are not NULL.",
    examples: [("count(*)", "4"), ("count(x)", "3")],
    overloads: [
      signature(result: { _ in .bigint }) { _, _ in CountState(.rows) },
      signature(asItIs, result: { _ in .bigint }) { _, _ in CountState(.valid) },
    ], parts: AggregateParts(steps: ["count"]) { countOfParts }),
  AggregateFunction(
    "count_if", aliases: ["countif"], summary: "The number of rows where the condition is true.",
    examples: [("count_if(x > 1)", "2")],
    overloads: [
      signature(asBoolean, result: { _ in .hugeint }) { _, _ in
        CountState(.whereTrue, result: .hugeint)
      }
    ],
    parts: AggregateParts(steps: ["count_if"]) { countOfParts }),
  AggregateFunction(
    "count_star", summary: "The number of rows.", examples: [("count_star()", "4")],
    overloads: [signature(result: { _ in .bigint }) { _, _ in CountState(.rows) }],
    parts: AggregateParts(steps: ["count_star"]) { countOfParts }),
  AggregateFunction(
    "decimal_average", summary: "The mean as a DECIMAL of the values' own type, rounded.",
    examples: [("decimal_average(x::DECIMAL(4, 1))", "2.0")],
    overloads: [
      signature(asDecimal, result: { $0[0] }) { _, result in AverageState(result: result) }
    ]),
  AggregateFunction(
    "max", summary: "The greatest value, or the n greatest; NaN is greater than any number.",
    examples: [("max(x)", "3")],
    overloads: [
      signature(asItIs, result: { $0[0] }) { types, result in
        keepingBytes(types, result) { makeState($0[0], ExtremeMaker<Greatest>(result: $1)) }
      },
      best(largest: true, byAnother: false),
    ], parts: .each("max")),
  AggregateFunction(
    "min", summary: "The least value, or the n least.",
    examples: [("min(x)", "1"), ("min(x, 2)", "[1, 2]")],
    overloads: [
      signature(asItIs, result: { $0[0] }) { types, result in
        keepingBytes(types, result) { makeState($0[0], ExtremeMaker<Least>(result: $1)) }
      },
      best(largest: false, byAnother: false),
    ], parts: .each("min")),
  AggregateFunction(
    "sum", aliases: ["sum_no_overflow"],
    summary: "The sum of the values that are not NULL; NULL when there are none.",
    examples: [("sum(x)", "6")],
    overloads: [
      signature(asSummand, result: { sumType($0[0]) }) { types, result in
        sumState(types[0], result, isAverage: false)
      }
    ], parts: .each("sum")),
]

private struct ExtremeMaker<End: Extreme>: StateMaking {
  let result: LogicalType
  @inline(__always)
  func make<T: StateValue>(_ type: T.Type) -> any AggregateState {
    SpecialisedState(ExtremeState<T, End>(result: result))
  }
}

private func sumType(_ type: LogicalType) -> LogicalType {
  if case .decimal(_, let scale) = type { return .decimal(precision: 38, scale: scale) }
  return type.isFloatingPoint ? .double : .hugeint
}

private func sumState(
  _ type: LogicalType, _ result: LogicalType, isAverage: Bool
) -> any AggregateState {
  let divisor = isAverage ? powerOfTen(scaleOf: type) : nil
  switch type.physical {
  case .bool, .uint8:
    return SpecialisedState(IntegerSumState<UInt8, NarrowSum>(result: result, divisor: divisor))
  case .int8:
    return SpecialisedState(IntegerSumState<Int8, NarrowSum>(result: result, divisor: divisor))
  case .int16:
    return SpecialisedState(IntegerSumState<Int16, NarrowSum>(result: result, divisor: divisor))
  case .int32:
    return SpecialisedState(IntegerSumState<Int32, NarrowSum>(result: result, divisor: divisor))
  case .int64:
    return SpecialisedState(IntegerSumState<Int64, WideSum>(result: result, divisor: divisor))
  case .int128:
    return SpecialisedState(IntegerSumState<Int128, HugeSum>(result: result, divisor: divisor))
  case .uint16:
    return SpecialisedState(IntegerSumState<UInt16, NarrowSum>(result: result, divisor: divisor))
  case .uint32:
    return SpecialisedState(IntegerSumState<UInt32, NarrowSum>(result: result, divisor: divisor))
  case .uint64:
    return SpecialisedState(IntegerSumState<UInt64, WideSum>(result: result, divisor: divisor))
  case .float: return SpecialisedState(FloatSumState<Float>(isAverage: isAverage))
  case .double: return SpecialisedState(FloatSumState<Double>(isAverage: isAverage))
  case .uint128, .string, .interval, .list, .array, .structure:
    preconditionFailure("\(type) is cast before it is summed")
  }
}
