import Columnar
import Diagnostics

/// Division that stays DECIMAL: `/` gives DOUBLE.
enum DecimalFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "decimal_division", category: "math",
      summary: "The quotient as a DECIMAL, rounded half away from zero, of at least 6 digits after "
        + "the point or as many as the third argument says; NULL when the divisor is 0.",
      examples: [
        ("decimal_division(1.5, 0.4)", "3.750000"), ("decimal_division(2, 3, 2)", "0.67"),
      ],
      forms: [
        FunctionForm("DECIMAL", "DECIMAL", gives: "DECIMAL"),
        FunctionForm("DECIMAL", "DECIMAL", "INTEGER", gives: "DECIMAL"),
      ],
      signature: { try signature($0) })
  ]

  /// Precision and scale as SQL Server has them: p1 - s1 + s2 + scale.
  private static func signature(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 || arguments.count == 3 else { return nil }
    let x = try decimal(arguments[0].type)
    let y = try decimal(arguments[1].type)
    var scale = max(6, x.scale + y.precision + 1)
    if arguments.count == 3 {
      guard case .integer(let asked)? = arguments[2].value, (0...38).contains(asked) else {
        throw SQLError(.binder, "the scale of decimal_division is a constant from 0 to 38")
      }
      scale = Int(asked)
    }
    guard scale <= 38 else {
      throw SQLError(
        .outOfRange, "the quotient would need \(scale) digits after the point, of 38 there are",
        hint: "a third argument says how many digits to keep")
    }
    let precision = max(1, x.precision - x.scale + y.scale + scale)
    guard precision <= 38 else {
      throw SQLError(
        .outOfRange, "the quotient would need \(precision) digits, of 38 there are",
        hint: "a third argument says how many to keep after the point")
    }
    let result = LogicalType.decimal(precision: precision, scale: min(scale, precision))
    let power = scale - x.scale + y.scale
    let overload = ScalarOverload([.any, .any], variadic: .any, returns: result) { a, n, t in
      let (top, bottom) = (
        try Cast.column(a[0], to: .decimal(precision: 38, scale: x.scale)),
        try Cast.column(a[1], to: .decimal(precision: 38, scale: y.scale))
      )
      let (numerators, divisors) = (ColumnReader<Int128>(top), ColumnReader<Int128>(bottom))
      let wide = try Kernels.nullableRows(
        a, n, .decimal(precision: 38, scale: t.scaleOfDecimal), Int128.self
      ) { row in
        try quotient(numerators[row], divisors[row], power)
      }
      return try withExtendedLifetime((top, bottom)) { try Cast.column(wide, to: t) }
    }
    let types = [
      LogicalType.decimal(precision: x.precision, scale: x.scale),
      .decimal(precision: y.precision, scale: y.scale),
    ]
    return (overload, types + arguments.dropFirst(2).map { _ in .integer })
  }

  private static func decimal(_ type: LogicalType) throws -> (precision: Int, scale: Int) {
    switch type {
    case .decimal(let precision, let scale): return (precision, scale)
    case .null: return (18, 3)
    default:
      guard type.isInteger else {
        throw SQLError(.binder, "decimal_division takes DECIMALs and integers, not \(type)")
      }
      return (min(38, ImplicitCast.digits(of: type)), 0)
    }
  }

  /// x * 10^power / y by 256 bits; nil for y = 0.
  private static func quotient(_ x: Int128, _ y: Int128, _ power: Int) throws -> Int128? {
    if y == 0 { return nil }
    var top = (high: UInt128(0), low: x.magnitude)
    var bottom = y.magnitude
    // A power beyond 38 digits is taken from both sides.
    let up = min(max(power, 0), 38)
    top = x.magnitude.multipliedFullWidth(by: UInt128(TextParsing.powerOfTen(up)))
    if power < 0 {
      let (product, overflows) = bottom.multipliedReportingOverflow(
        by: UInt128(TextParsing.powerOfTen(min(38, 0 - power))))
      if overflows { return 0 }
      bottom = product
    }
    guard power <= 38, top.high < bottom else { throw tooLarge() }
    var (whole, rest) = bottom.dividingFullWidth((top.high, top.low))
    if rest >= bottom - rest { whole += 1 }
    rest = 0
    guard let magnitude = Int128(exactly: whole) else { throw tooLarge() }
    return (x < 0) != (y < 0) ? 0 - magnitude : magnitude
  }

  private static func tooLarge() -> SQLError {
    SQLError(.outOfRange, "the quotient of decimal_division does not fit DECIMAL(38)")
  }
}

extension LogicalType {
  fileprivate var scaleOfDecimal: Int {
    if case .decimal(_, let scale) = self { scale } else { 0 }
  }
}
