/// All scalar functions, a line per family.
enum Builtins {
  static let scalarFunctions: [ScalarFunction] = [
    ArithmeticOperators.rows,
    BitwiseOperators.rows,
    ComparisonOperators.rows,
    ConditionalFunctions.rows,
    DateFunctions.rows,
    DatePartFunctions.rows,
    EncodingFunctions.rows,
    FloatingFunctions.rows,
    FormatFunctions.rows,
    ListFunctions.rows,
    MathFunctions.rows,
    RandomFunctions.rows,
    RegexFunctions.rows,
    SearchFunctions.rows,
    SeriesFunctions.rows,
    StringFunctions.rows,
    SubstringFunctions.rows,
  ].flatMap { $0 }
}
