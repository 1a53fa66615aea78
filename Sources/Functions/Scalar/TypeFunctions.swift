import Columnar
import Diagnostics

/// Functions of their arguments' types, and what hangs on other arguments being NULL. The values of
/// the arguments that only give a type are not looked at.
enum TypeFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "can_cast_implicitly", category: "conditional",
      summary: "Whether values of the first argument's type become the second's without CAST.",
      examples: [("can_cast_implicitly(1::INTEGER, NULL::BIGINT)", "true")],
      overloads: [
        ScalarOverload([.any, .any], returns: .boolean, nulls: .custom) { a, n, t in
          // Every DECIMAL stands for the one that an integer or another DECIMAL would become.
          let isExact = a[1].type.isDecimal && (a[0].type.isInteger || a[0].type.isDecimal)
          let isFree = isExact || ImplicitCast.cost(from: a[0].type, to: a[1].type) != nil
          return try Column.constant(.boolean(isFree), t, count: n)
        }
      ]),
    ScalarFunction(
      "cast_to_type", category: "conditional",
      summary: "The first argument cast to the second's type.",
      examples: [("cast_to_type('42', NULL::INTEGER) + 1", "43")],
      forms: [FunctionForm("ANY", "T", gives: "T")],
      signature: { arguments in
        guard arguments.count == 2 else { return nil }
        let type = arguments[1].type
        return (
          ScalarOverload([.any, .any], returns: type, nulls: .custom) { a, _, _ in a[0] },
          [type, type]
        )
      }),
    ScalarFunction(
      "constant_or_null", category: "conditional",
      summary: "The first argument, or NULL where one of the others is.",
      examples: [("constant_or_null(1, 2, 'x')", "1"), ("constant_or_null(1, NULL)", "NULL")],
      overloads: [
        ScalarOverload(
          [.any, .any], variadic: .any,
          resultFrom: { $0.contains(.null) ? .null : $0[0] }, nulls: .custom
        ) { a, n, t in
          ConditionalFunctions.choose([a[0]], n, t) { row in
            a.contains { $0.isNull(row) } ? nil : 0
          }
        }
      ]),
    ScalarFunction(
      "replace_type", category: "conditional",
      summary: "The first argument with the second's type replaced by the third's, inside too.",
      examples: [("replace_type([1, 2], NULL::INTEGER, NULL::VARCHAR)", "[1, 2]")],
      forms: [FunctionForm("ANY", "ANY", "ANY", gives: "the first type, changed")],
      signature: { arguments in
        guard arguments.count == 3 else { return nil }
        let type = replaced(arguments[0].type, arguments[1].type, by: arguments[2].type)
        return (
          ScalarOverload([.any, .any, .any], returns: type, nulls: .custom) { a, _, _ in a[0] },
          [type, arguments[1].type, arguments[2].type]
        )
      }),
  ]

  private static func replaced(
    _ type: LogicalType, _ old: LogicalType, by new: LogicalType
  ) -> LogicalType {
    if type == old { return new }
    switch type {
    case .list(let element): return .list(replaced(element, old, by: new))
    case .array(let element, let count):
      return .array(replaced(element, old, by: new), count: count)
    case .structure(let fields):
      return .structure(fields.map { Field($0.name, replaced($0.type, old, by: new)) })
    default: return type
    }
  }
}
