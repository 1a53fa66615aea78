import Columnar
import Diagnostics
import Glibc

/// Functions of numbers that keep or choose their types: rounding, signs, integers.
enum MathFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "abs", aliases: ["@"], category: "math", summary: "Absolute value.",
      examples: [("abs(-3)", "3"), ("abs(-1.5)", "1.5")],
      overloads: [
        ScalarOverload([.anyNumeric], resultFrom: { $0[0] }) { a, n, type in
          try absolute(a[0], n, type)
        }
      ]),
    ScalarFunction(
      "binom", category: "math", summary: "How many ways there are to choose k of n.",
      examples: [("binom(5, 2)", "10")],
      overloads: [
        .taking([.integer, .integer], returns: .hugeint) { a, n, t in
          let (x, y) = (ColumnReader<Int32>(a[0]), ColumnReader<Int32>(a[1]))
          return try Kernels.rows(a, n, t, Int128.self) { try ways(Int128(x[$0]), Int128(y[$0])) }
        }
      ]),
    ScalarFunction(
      "bit_count", category: "math", summary: "How many bits are set.",
      examples: [("bit_count(31)", "5")],
      overloads: [
        ScalarOverload([.anyInteger], returns: .tinyint) { a, n, type in
          try integers(a[0], BitCount(column: a[0], count: n, type: type))
        }
      ]),
    rounding("ceil", aliases: ["ceiling"], "The next whole number up.", ("ceil(1.2)", "2"), .up),
    ScalarFunction(
      "factorial", aliases: ["!__postfix"], category: "math", summary: "n! for n up to 33.",
      examples: [("factorial(5)", "120")],
      overloads: [
        .taking([.integer], returns: .hugeint) { a, n, t in
          let x = ColumnReader<Int32>(a[0])
          return try Kernels.rows(a, n, t, Int128.self) { row in
            guard x[row] >= 0 else {
              throw SQLError(.outOfRange, "there is no factorial of \(x[row])")
            }
            guard x[row] <= 33 else {
              throw Arithmetic.overflow("factorial", .hugeint, "\(x[row])!")
            }
            var product: Int128 = 1
            if x[row] > 1 { for factor in 2...x[row] { product &*= Int128(factor) } }
            return product
          }
        }
      ]),
    rounding("floor", aliases: [], "The next whole number down.", ("floor(-1.2)", "-2"), .down),
    ScalarFunction(
      "gcd", aliases: ["greatest_common_divisor"], category: "math",
      summary: "Greatest common divisor.", examples: [("gcd(12, 18)", "6")],
      overloads: [
        .taking([.bigint, .bigint], returns: .bigint) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          let y = ColumnReader<Int64>(a[1])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard let found = Int64(exactly: divisor(x[row], y[row])) else {
              throw Arithmetic.overflow("gcd", .bigint, "gcd(\(x[row]), \(y[row]))")
            }
            return found
          }
        },
        .taking([.hugeint, .hugeint], returns: .hugeint) { a, n, t in
          let (x, y) = (ColumnReader<Int128>(a[0]), ColumnReader<Int128>(a[1]))
          return try Kernels.rows(a, n, t, Int128.self) { row in
            guard let found = Int128(exactly: divisor(x[row], y[row])) else {
              throw Arithmetic.overflow("gcd", .hugeint, "gcd(\(x[row]), \(y[row]))")
            }
            return found
          }
        },
      ]),
    ScalarFunction(
      "lcm", aliases: ["least_common_multiple"], category: "math",
      summary: "Least common multiple.", examples: [("lcm(4, 6)", "12")],
      overloads: [
        .taking([.bigint, .bigint], returns: .bigint) { a, n, t in
          let x = ColumnReader<Int64>(a[0])
          let y = ColumnReader<Int64>(a[1])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            if x[row] == 0 || y[row] == 0 { return 0 }
            let (product, overflows) = (x[row].magnitude / divisor(x[row], y[row]))
              .multipliedReportingOverflow(by: y[row].magnitude)
            guard !overflows, let found = Int64(exactly: product) else {
              throw Arithmetic.overflow("lcm", .bigint, "lcm(\(x[row]), \(y[row]))")
            }
            return found
          }
        },
        .taking([.hugeint, .hugeint], returns: .hugeint) { a, n, t in
          let (x, y) = (ColumnReader<Int128>(a[0]), ColumnReader<Int128>(a[1]))
          return try Kernels.rows(a, n, t, Int128.self) { row in
            if x[row] == 0 || y[row] == 0 { return 0 }
            let (product, overflows) = (x[row].magnitude / divisor(x[row], y[row]))
              .multipliedReportingOverflow(by: y[row].magnitude)
            guard !overflows, let found = Int128(exactly: product) else {
              throw Arithmetic.overflow("lcm", .hugeint, "lcm(\(x[row]), \(y[row]))")
            }
            return found
          }
        },
      ]),
    ScalarFunction(
      "round", category: "math",
      summary:
        "To so many decimals (0), half away from zero; negative ones round before the point.",
      examples: [("round(1.55, 1)", "1.6"), ("round(-2.5)", "-3"), ("round(155, -1)", "160")],
      overloads: Rounding.overloads(truncating: false)),
    ScalarFunction(
      "round_even", aliases: ["roundbankers"], category: "math",
      summary: "To so many decimals, half to the even neighbour.",
      examples: [("round_even(2.5, 0)", "2"), ("round_even(35, -1)", "40")],
      overloads: Rounding.overloads(.nearestEven)),
    ScalarFunction(
      "sign", aliases: ["signum"], category: "math", summary: "-1, 0 or 1.",
      examples: [("sign(-7)", "-1"), ("sign(0.0)", "0")],
      overloads: [
        ScalarOverload([.anyNumeric], returns: .tinyint) { a, n, t in
          switch a[0].type {
          case .float:
            return Kernels.unary(a[0], n, t, Float.self, Int8.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
          case .double:
            return Kernels.unary(a[0], n, t, Double.self, Int8.self) {
              $0 > 0 ? 1 : $0 < 0 ? -1 : 0
            }
          default: return try integers(a[0], Signum(column: a[0], count: n, type: t))
          }
        }
      ]),
    ScalarFunction(
      "trunc", category: "math",
      summary: "Without the digits after the point, or after so many decimals.",
      examples: [("trunc(-1.7)", "-1"), ("trunc(1.789, 2)", "1.78")],
      overloads: Rounding.overloads(truncating: true)),
  ]

  private static func ways(_ n: Int128, _ k: Int128) throws -> Int128 {
    guard n >= 0, k >= 0 else {
      throw SQLError(.outOfRange, "binom takes no negative numbers (binom(\(n), \(k)))")
    }
    if k > n { return 0 }
    var result: Int128 = 1
    var chosen: Int128 = 0
    while chosen < min(k, n - k) {
      // Each step is a whole number: it is binom(n, chosen + 1).
      let (product, overflows) = result.multipliedReportingOverflow(by: n - chosen)
      if overflows { throw Arithmetic.overflow("binom", .hugeint, "binom(\(n), \(k))") }
      chosen += 1
      result = product / chosen
    }
    return result
  }

  /// Never traps, also for the smallest integers; gcd(0, 0) is 0.
  static func divisor<T: FixedWidthInteger>(_ a: T, _ b: T) -> T.Magnitude {
    var x = a.magnitude
    var y = b.magnitude
    while y != 0 { (x, y) = (y, x % y) }
    return x
  }

  private static func rounding(
    _ name: String, aliases: [String], _ summary: String, _ example: (sql: String, result: String),
    _ rule: FloatingPointRoundingRule
  ) -> ScalarFunction {
    ScalarFunction(
      name, aliases: aliases, category: "math", summary: summary, examples: [example],
      overloads: [
        ScalarOverload(
          [.any], resultFrom: { Rounding.whole($0[0]) },
          coerce: { [try Rounding.floatingOrDecimal($0[0])] },
          kernel: { a, n, type in
            switch a[0].type {
            case .float:
              return Kernels.unary(a[0], n, type, Float.self, Float.self) { $0.rounded(rule) }
            case .double:
              return rule == .up
                ? Kernels.unary(a[0], n, type, Double.self, Double.self) { $0.rounded(.up) }
                : Kernels.unary(a[0], n, type, Double.self, Double.self) { $0.rounded(.down) }
            default:
              return try Rounding.decimal(a[0], n, type, rule == .up ? .up : .down)
            }
          })
      ])
  }

  private static func absolute(_ column: Column, _ count: Int, _ type: LogicalType) throws
    -> Column
  {
    switch type {
    case .float: return Kernels.unary(column, count, type, Float.self, Float.self) { abs($0) }
    case .double: return Kernels.unary(column, count, type, Double.self, Double.self) { abs($0) }
    default: return try integers(column, Absolute(column: column, count: count, type: type))
    }
  }

  private static func integers(
    _ column: Column, _ visitor: some IntegerTypeVisitor<Column>
  ) throws -> Column {
    guard let result = try withIntegerType(column.type.physical, visitor) else {
      throw Arithmetic.notNumeric([column.type])
    }
    return result
  }

  private struct Absolute: IntegerTypeVisitor {
    let column: Column
    let count: Int
    let type: LogicalType

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      try Kernels.checkedBinary(
        column, column, count, type, t,
        { a, _, failed in
          let result = a < 0 ? 0 &- a : a
          failed |= T.isSigned ? result : 0
          return result
        }, failure: { a, _ in Arithmetic.overflow("abs", type, "abs(\(a))") })
    }
  }

  private struct Signum: IntegerTypeVisitor {
    let column: Column
    let count: Int
    let type: LogicalType

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      Kernels.unary(column, count, type, t, Int8.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
    }
  }

  private struct BitCount: IntegerTypeVisitor {
    let column: Column
    let count: Int
    let type: LogicalType

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      Kernels.unary(column, count, type, t, Int8.self) {
        // 128 set bits do not fit a TINYINT; DuckDB wraps there too.
        Int8(truncatingIfNeeded: $0.nonzeroBitCount)
      }
    }
  }
}
