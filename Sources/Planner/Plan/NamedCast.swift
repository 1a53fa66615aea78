import Columnar
import Diagnostics
import Functions

extension Expression {
  /// A cast whose error names what it is for: of lists to an array, which only the values show to be of
  /// another length. Other casts are plain, and what they are for is checked before there are values.
  package static func cast(
    _ operand: Expression, to type: LogicalType, naming what: String, at span: SourceSpan?
  ) -> Expression {
    guard case .list = operand.type, case .array = type else {
      return .cast(operand, to: type, isTry: false)
    }
    let overload = ScalarOverload([], variadic: .any, returns: type, nulls: .custom) {
      arguments, _, type in
      do {
        return try Cast.column(arguments[0], to: type)
      } catch var error as SQLError {
        error.message = "\(what): \(error.message)"
        throw error
      }
    }
    let function = ScalarFunction(
      "cast(\(type))", category: "cast", summary: "the list as an array", examples: [],
      overloads: [overload])
    return .call(
      CallExpression(
        resolved: ResolvedScalar(
          function: function, overload: overload, argumentTypes: [operand.type], resultType: type),
        arguments: [operand], span: span))
  }
}
