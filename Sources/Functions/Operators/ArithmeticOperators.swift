import Columnar
import Diagnostics
import Glibc

/// `+ - * / // % ** ^` and unary minus, by their symbols.
enum ArithmeticOperators {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "%", aliases: ["mod"], category: "operator",
      summary: "Remainder with the sign of the dividend; by zero gives NULL.",
      examples: [("7 % 3", "1"), ("-7 % 3", "-1"), ("7 % 0", "NULL")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: Arithmetic.coerceCommon,
          kernel: { try Arithmetic.divideIntegers($0[0], $0[1], $1, $2, remainder: true) })
      ]),
    ScalarFunction(
      "*", aliases: ["multiply"], category: "operator",
      summary: "Product. Integers overflow with an error; decimals add their digits and scales.",
      examples: [("6 * 7", "42"), ("1.5 * 2.25", "3.375")], overloads: product),
    ScalarFunction(
      "**", aliases: ["^", "pow", "power"], category: "operator", summary: "x to the power of y.",
      examples: [("2 ** 10", "1024.0"), ("pow(9, 0.5)", "3.0")],
      overloads: [
        ScalarOverload([.exactly(.double), .exactly(.double)], returns: .double) {
          arguments, count, type in
          Kernels.binary(
            arguments[0], arguments[1], count, type, Double.self, Double.self, Double.self
          ) { pow($0, $1) }
        }
      ]),
    ScalarFunction(
      "+", aliases: ["add"], category: "operator",
      summary: "Sum of numbers or intervals; a date or timestamp moved by days or an interval.",
      examples: [("1 + 2", "3"), ("DATE '2024-02-28' + 2", "2024-03-01")], overloads: sum),
    ScalarFunction(
      "-", aliases: ["subtract"], category: "operator",
      summary: "Difference; of one argument, its negation.",
      examples: [("5 - 8", "-3"), ("DATE '2024-03-01' - DATE '2024-02-01'", "29")],
      overloads: difference),
    ScalarFunction(
      "/", category: "operator",
      summary: "Division as floating point, also of integers and decimals; by zero gives NULL.",
      examples: [("7 / 2", "3.5"), ("1 / 0", "NULL")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: Arithmetic.coerceQuotient,
          kernel: { Arithmetic.divide($0[0], $0[1], $1, $2) }),
        ScalarOverload([.exactly(.interval), .exactly(.double)], returns: .interval) { a, n, _ in
          try TemporalArithmetic.intervalTimesDouble(a[0], a[1], n, divide: true)
        },
      ]),
    ScalarFunction(
      "//", aliases: ["divide"], category: "operator",
      summary: "Integer division, towards zero; plain division of floating point; by zero NULL.",
      examples: [("7 // 2", "3"), ("-7 // 2", "-3")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: Arithmetic.coerceIntegerQuotient,
          kernel: { try Arithmetic.divideIntegers($0[0], $0[1], $1, $2, remainder: false) })
      ]),
  ]

  private static func numeric(
    _ operation: Arithmetic.Operation,
    _ coerce: @escaping @Sendable ([LogicalType]) throws -> [LogicalType]
  ) -> ScalarOverload {
    ScalarOverload(
      [.any, .any], resultFrom: { Arithmetic.resultType(operation, $0) }, coerce: coerce,
      kernel: { try Arithmetic.apply(operation, $0[0], $0[1], $1, $2) })
  }

  private static func pair(
    _ a: LogicalType, _ b: LogicalType, _ result: LogicalType,
    _ kernel: @escaping @Sendable (Column, Column, Int) throws -> Column
  ) -> ScalarOverload {
    ScalarOverload([.exactly(a), .exactly(b)], returns: result) { arguments, count, _ in
      try kernel(arguments[0], arguments[1], count)
    }
  }

  private static let sum: [ScalarOverload] = [
    numeric(.add, Arithmetic.coerceSum),
    ScalarOverload([.anyNumeric], resultFrom: { $0[0] }) { arguments, _, _ in arguments[0] },
    pair(.date, .integer, .date) { try TemporalArithmetic.dateAndDays($0, $1, $2, sign: 1) },
    pair(.integer, .date, .date) { try TemporalArithmetic.dateAndDays($1, $0, $2, sign: 1) },
    pair(.date, .interval, .timestamp) {
      try TemporalArithmetic.dateAndInterval($0, $1, $2, negated: false)
    },
    pair(.interval, .date, .timestamp) {
      try TemporalArithmetic.dateAndInterval($1, $0, $2, negated: false)
    },
    pair(.timestamp, .interval, .timestamp) {
      try TemporalArithmetic.timestampAndInterval($0, $1, $2, negated: false)
    },
    pair(.interval, .timestamp, .timestamp) {
      try TemporalArithmetic.timestampAndInterval($1, $0, $2, negated: false)
    },
    pair(.time, .interval, .time) {
      TemporalArithmetic.timeAndInterval($0, $1, $2, negated: false)
    },
    pair(.interval, .time, .time) {
      TemporalArithmetic.timeAndInterval($1, $0, $2, negated: false)
    },
    pair(.timestampTZ, .interval, .timestampTZ) {
      try ZonedArithmetic.instantAndInterval($0, $1, $2, negated: false)
    },
    pair(.interval, .timestampTZ, .timestampTZ) {
      try ZonedArithmetic.instantAndInterval($1, $0, $2, negated: false)
    },
    pair(.timeTZ, .interval, .timeTZ) {
      ZonedArithmetic.timeAndInterval($0, $1, $2, negated: false)
    },
    pair(.interval, .timeTZ, .timeTZ) {
      ZonedArithmetic.timeAndInterval($1, $0, $2, negated: false)
    },
    pair(.date, .timeTZ, .timestampTZ) { try ZonedArithmetic.dateAndTime($0, $1, $2) },
    pair(.timeTZ, .date, .timestampTZ) { try ZonedArithmetic.dateAndTime($1, $0, $2) },
    pair(.date, .time, .timestamp) { try TemporalArithmetic.dateAndTime($0, $1, $2) },
    pair(.time, .date, .timestamp) { try TemporalArithmetic.dateAndTime($1, $0, $2) },
    pair(.interval, .interval, .interval) {
      try TemporalArithmetic.intervals($0, $1, $2, negated: false)
    },
    ScalarOverload(
      [.anyList, .anyList], resultFrom: { $0[0] },
      coerce: { try ListBuildingFunctions.twoLists($0) },
      nulls: .custom, kernel: { a, n, t in ListBuildingFunctions.concatenated(a, n, t) }),
  ]

  private static let difference: [ScalarOverload] = [
    numeric(.subtract, Arithmetic.coerceSum),
    ScalarOverload(
      [.any], resultFrom: { $0[0] }, coerce: { [try Arithmetic.negatedType($0[0])] },
      kernel: { try Arithmetic.negate($0[0], $1, $2) }),
    pair(.date, .date, .bigint) { TemporalArithmetic.dateMinusDate($0, $1, $2) },
    pair(.date, .integer, .date) { try TemporalArithmetic.dateAndDays($0, $1, $2, sign: -1) },
    pair(.date, .interval, .timestamp) {
      try TemporalArithmetic.dateAndInterval($0, $1, $2, negated: true)
    },
    pair(.timestamp, .timestamp, .interval) {
      try TemporalArithmetic.timestampMinusTimestamp($0, $1, $2)
    },
    pair(.timestamp, .interval, .timestamp) {
      try TemporalArithmetic.timestampAndInterval($0, $1, $2, negated: true)
    },
    pair(.timestampTZ, .timestampTZ, .interval) { try ZonedArithmetic.difference($0, $1, $2) },
    pair(.timestampTZ, .interval, .timestampTZ) {
      try ZonedArithmetic.instantAndInterval($0, $1, $2, negated: true)
    },
    pair(.timeTZ, .interval, .timeTZ) {
      ZonedArithmetic.timeAndInterval($0, $1, $2, negated: true)
    },
    pair(.time, .interval, .time) {
      TemporalArithmetic.timeAndInterval($0, $1, $2, negated: true)
    },
    pair(.interval, .interval, .interval) {
      try TemporalArithmetic.intervals($0, $1, $2, negated: true)
    },
  ]

  private static let product: [ScalarOverload] = [
    numeric(.multiply, Arithmetic.coerceProduct),
    pair(.interval, .bigint, .interval) { try TemporalArithmetic.intervalTimesInteger($0, $1, $2) },
    pair(.bigint, .interval, .interval) { try TemporalArithmetic.intervalTimesInteger($1, $0, $2) },
    pair(.interval, .double, .interval) {
      try TemporalArithmetic.intervalTimesDouble($0, $1, $2, divide: false)
    },
    pair(.double, .interval, .interval) {
      try TemporalArithmetic.intervalTimesDouble($1, $0, $2, divide: false)
    },
  ]
}

extension Arithmetic {
  static func resultType(_ operation: Operation, _ types: [LogicalType]) -> LogicalType {
    switch operation {
    case .add, .subtract: types[0]
    case .multiply: productType(types)
    }
  }
}
