import Columnar
import Diagnostics
import Glibc

/// Functions of DOUBLEs: roots, logarithms, trigonometry, tests. Outside of their domain they give
/// NaN or infinity, as IEEE 754 and DuckDB 2 have it.
enum FloatingFunctions {
  static let rows: [ScalarFunction] = [
    plain("acos", "Arc cosine.", ("acos(1)", "0.0")) { acos($0) },
    plain("acosh", "Inverse hyperbolic cosine.", ("acosh(1)", "0.0")) { acosh($0) },
    plain("asin", "Arc sine.", ("asin(0)", "0.0")) { asin($0) },
    plain("asinh", "Inverse hyperbolic sine.", ("asinh(0)", "0.0")) { asinh($0) },
    plain("atan", "Arc tangent.", ("atan(0)", "0.0")) { atan($0) },
    plain("atanh", "Inverse hyperbolic tangent.", ("atanh(0)", "0.0")) { atanh($0) },
    ScalarFunction(
      "atan2", category: "math", summary: "The angle of the point (x, y), given y and x.",
      examples: [("atan2(0, 1)", "0.0")],
      overloads: [
        .taking([.double, .double], returns: .double) { a, n, t in
          Kernels.binary(a[0], a[1], n, t, Double.self, Double.self, Double.self) { atan2($0, $1) }
        }
      ]),
    plain("cbrt", "Cube root.", ("cbrt(27)", "3.0")) { value in
      let root = cbrt(value)
      if root == 0 || !root.isFinite { return root }
      // glibc is an ulp off for some cubes; a Newton step is not.
      return root - (root * root * root - value) / (3 * root * root)
    },
    plain("cos", "Cosine.", ("cos(0)", "1.0")) { cos($0) },
    plain("cosh", "Hyperbolic cosine.", ("cosh(0)", "1.0")) { cosh($0) },
    plain("cot", "Cotangent.", ("cot(1.5707963267948966) < 1e-15", "true")) { 1 / tan($0) },
    plain("degrees", "Radians as degrees.", ("degrees(pi())", "180.0")) { $0 * (180 / .pi) },
    plain("even", "The next even number away from zero.", ("even(2.9)", "4.0")) { value in
      let up = abs(value).rounded(.up)
      if !up.isFinite { return value }
      let even = fmod(up, 2) == 0 ? up : up + 1
      return value < 0 ? -even : even
    },
    quotient(
      "fdiv", "The quotient, rounded down; NULL when the divisor is 0.", ("fdiv(-7, 2)", "-4.0")
    ) {
      ($0 / $1).rounded(.down)
    },
    quotient(
      "fmod", "The rest of a division rounded down; NULL when the divisor is 0.",
      ("fmod(-5, 3)", "1.0")
    ) { $0 - $1 * ($0 / $1).rounded(.down) },
    plain("gamma", "Gamma function: (x - 1)! between the whole numbers.", ("gamma(5)", "24.0")) {
      tgamma($0)
    },
    plain("exp", "e to the power of x.", ("exp(0)", "1.0")) { exp($0) },
    plain("expm1", "exp(x) - 1, exact near 0.", ("expm1(0)", "0.0")) { expm1($0) },
    test("isfinite", "Neither infinite nor NaN.", ("isfinite(1.0)", "true")) { $0.isFinite },
    test("isinf", "Infinite, of either sign.", ("isinf('-inf'::DOUBLE)", "true")) { $0.isInfinite },
    test("isnan", "Not a number.", ("isnan('nan'::DOUBLE)", "true")) { $0.isNaN },
    plain("lgamma", "Logarithm of the gamma function's magnitude.", ("lgamma(2)", "0.0")) {
      var sign: Int32 = 0
      return lgamma_r($0, &sign)
    },
    plain("ln", "Natural logarithm.", ("ln(1)", "0.0")) { log($0) },
    ScalarFunction(
      "log", category: "math",
      summary: "Decimal logarithm; with two arguments, of the second to "
        + "the base of the first.",
      examples: [("log(1000)", "3.0"), ("log(2, 8)", "3.0")],
      overloads: [
        .taking([.double], returns: .double) { a, n, _ in
          Kernels.unary(a[0], n, .double, Double.self, Double.self) { log10($0) }
        },
        .taking([.double, .double], returns: .double) { a, n, t in
          Kernels.binary(a[0], a[1], n, t, Double.self, Double.self, Double.self) {
            log10($1) / log10($0)
          }
        },
      ]),
    plain("log10", "Decimal logarithm.", ("log10(100)", "2.0")) { log10($0) },
    plain("log1p", "ln(1 + x), exact near 0.", ("log1p(0)", "0.0")) { log1p($0) },
    plain("log2", "Logarithm to base 2.", ("log2(8)", "3.0")) { log2($0) },
    ScalarFunction(
      "nextafter", category: "math",
      summary: "The next floating-point number after the first towards the second.",
      examples: [("nextafter(1::DOUBLE, 2)", "1.0000000000000002")],
      overloads: [
        .taking([.double, .double], returns: .double) { a, n, t in
          Kernels.binary(a[0], a[1], n, t, Double.self, Double.self, Double.self) {
            nextafter($0, $1)
          }
        },
        .taking([.float, .float], returns: .float) { a, n, t in
          Kernels.binary(a[0], a[1], n, t, Float.self, Float.self, Float.self) {
            nextafterf($0, $1)
          }
        },
      ]),
    ScalarFunction(
      "pi", category: "math", summary: "π.", examples: [("round(pi(), 2)", "3.14")],
      overloads: [
        .taking([], returns: .double) { _, n, t in try Column.constant(.double(.pi), t, count: n) }
      ]),
    plain("radians", "Degrees as radians.", ("radians(180) = pi()", "true")) { $0 * (.pi / 180) },
    test("signbit", "Negative, also -0.", ("signbit(-0.5)", "true")) { $0.sign == .minus },
    plain("sin", "Sine.", ("sin(0)", "0.0")) { sin($0) },
    plain("sinh", "Hyperbolic sine.", ("sinh(0)", "0.0")) { sinh($0) },
    ScalarFunction.ofDouble("sqrt", "Square root.", [("sqrt(16)", "4.0")]) { column, count in
      Kernels.unary(column, count, .double, Double.self, Double.self) { $0.squareRoot() }
    },
    plain("tan", "Tangent.", ("tan(0)", "0.0")) { tan($0) },
    plain("tanh", "Hyperbolic tangent.", ("tanh(0)", "0.0")) { tanh($0) },
  ]

  private static func plain(
    _ name: String, _ summary: String, _ example: (sql: String, result: String),
    _ operation: @escaping @Sendable (Double) -> Double
  ) -> ScalarFunction {
    // One indirect call a row; the functions themselves cost ten times that.
    .ofDouble(name, summary, [example]) { column, count in
      Kernels.unary(column, count, .double, Double.self, Double.self) { operation($0) }
    }
  }

  private static func quotient(
    _ name: String, _ summary: String, _ example: (sql: String, result: String),
    _ operation: @escaping @Sendable (Double, Double) -> Double
  ) -> ScalarFunction {
    ScalarFunction(
      name, category: "math", summary: summary, examples: [example],
      overloads: [
        .taking([.double, .double], returns: .double) { a, n, t in
          let (x, y) = (ColumnReader<Double>(a[0]), ColumnReader<Double>(a[1]))
          return Kernels.nullableRows(a, n, t, Double.self) { row in
            y[row] == 0 ? nil : operation(x[row], y[row])
          }
        }
      ])
  }

  private static func test(
    _ name: String, _ summary: String, _ example: (sql: String, result: String),
    _ operation: @escaping @Sendable (Double) -> Bool
  ) -> ScalarFunction {
    ScalarFunction(
      name, category: "math", summary: summary, examples: [example],
      overloads: [
        .taking([.double], returns: .boolean) { a, n, t in
          Kernels.unary(a[0], n, t, Double.self, UInt8.self) { operation($0) ? 1 : 0 }
        }
      ] + (name == "isnan" ? [] : ofMoments(finite: name == "isfinite")))
  }

  /// Whether dates and timestamps are finite, or are not.
  private static func ofMoments(finite: Bool) -> [ScalarOverload] {
    let days = ScalarOverload.taking([.date], returns: .boolean) { a, n, t in
      Kernels.unary(a[0], n, t, Int32.self, UInt8.self) {
        Calendar.isFinite($0) == finite ? 1 : 0
      }
    }
    return [days]
      + [LogicalType.timestamp, .timestampTZ].map { type in
        .taking([type], returns: .boolean) { a, n, t in
          Kernels.unary(a[0], n, t, Int64.self, UInt8.self) {
            Calendar.isFinite($0) == finite ? 1 : 0
          }
        }
      }
  }
}
