/// All scalar functions, a line per family.
enum Builtins {
  static let scalarFunctions: [ScalarFunction] =
    ArithmeticOperators.rows
    + BitwiseOperators.rows
    + ComparisonOperators.rows
}
