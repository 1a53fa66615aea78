import Columnar
import Diagnostics

/// `= <> < <= > >=` and IS [NOT] DISTINCT FROM, on every type.
enum ComparisonOperators {
  static let rows: [ScalarFunction] = [
    row(.less, "Less than.", ("1 < 2", "true")),
    row(.lessOrEqual, "Less than or equal.", ("2 <= 2", "true")),
    ScalarFunction(
      "<>", aliases: ["!="], category: "operator", summary: "Not equal.",
      examples: [("1 <> 2", "true")], overloads: [overload(.notEqual)]),
    ScalarFunction(
      "=", aliases: ["=="], category: "operator",
      summary: "Equal; NULL when a side is NULL. NaN equals NaN.",
      examples: [("1 = 1.0", "true"), ("NULL = 1", "NULL")], overloads: [overload(.equal)]),
    row(.greater, "Greater than.", ("2 > 1", "true")),
    row(.greaterOrEqual, "Greater than or equal.", ("2 >= 3", "false")),
    ScalarFunction(
      "IS DISTINCT FROM", aliases: ["is distinct from"], category: "operator",
      summary: "Not equal, where NULL is a value like any other.",
      examples: [("NULL IS DISTINCT FROM 1", "true")], overloads: [distinct(negated: false)]),
    ScalarFunction(
      "IS NOT DISTINCT FROM", aliases: ["is not distinct from"], category: "operator",
      summary: "Equal, where NULL is a value like any other.",
      examples: [("NULL IS NOT DISTINCT FROM NULL", "true")], overloads: [distinct(negated: true)]),
  ]

  private static func row(
    _ comparison: Comparison, _ summary: String, _ example: (sql: String, result: String)
  ) -> ScalarFunction {
    ScalarFunction(
      comparison.rawValue, category: "operator", summary: summary, examples: [example],
      overloads: [overload(comparison)])
  }

  private static func overload(_ comparison: Comparison) -> ScalarOverload {
    ScalarOverload(
      [.any, .any], resultFrom: { _ in .boolean }, coerce: coerce,
      kernel: { sides, count, _ in
        try Comparison.column(comparison, sides[0], sides[1], count: count)
      })
  }

  private static func distinct(negated: Bool) -> ScalarOverload {
    ScalarOverload(
      [.any, .any], resultFrom: { _ in .boolean }, coerce: coerce, nulls: .custom,
      kernel: { sides, count, _ in
        try Comparison.distinct(sides[0], sides[1], count: count, negated: negated)
      })
  }

  static func coerce(_ types: [LogicalType]) throws -> [LogicalType] {
    guard let common = ImplicitCast.commonType(types[0], types[1]) else {
      throw incomparable(types[0], types[1])
    }
    return [common, common]
  }

  private static func incomparable(_ a: LogicalType, _ b: LogicalType) -> SQLError {
    SQLError(
      .binder, "cannot compare values of type \(a) and \(b)", hint: "cast one side explicitly")
  }
}
