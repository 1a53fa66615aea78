import Columnar
import Diagnostics
import Glibc

/// round, trunc, ceil and floor: their types and kernels.
enum Rounding {
  enum Rule: Sendable { case up, down, nearest, nearestEven, towardZero }

  /// Decimals and floating point as they are; integers become DOUBLE.
  static func floatingOrDecimal(_ type: LogicalType) throws -> LogicalType {
    if type.isFloatingPoint || type.isDecimal { return type }
    if type.isInteger || type == .null { return .double }
    throw Arithmetic.notNumeric([type])
  }

  /// A decimal without digits after the point.
  static func whole(_ type: LogicalType) -> LogicalType {
    if case .decimal(let precision, _) = type { return .decimal(precision: precision, scale: 0) }
    return type
  }

  static func overloads(truncating: Bool) -> [ScalarOverload] {
    overloads(truncating ? .towardZero : .nearest)
  }

  /// How IEEE 754 numbers are rounded by a rule.
  private static func floatingRule(_ rule: Rule) -> FloatingPointRoundingRule {
    switch rule {
    case .up: .up
    case .down: .down
    case .nearest: .toNearestOrAwayFromZero
    case .nearestEven: .toNearestOrEven
    case .towardZero: .towardZero
    }
  }

  static func overloads(_ rule: Rule) -> [ScalarOverload] {
    let truncating = rule == .towardZero
    let floating = floatingRule(rule)
    return [
      ScalarOverload([.anyNumeric], resultFrom: { whole($0[0]) }) { a, n, type in
        switch type {
        case .float:
          return truncating
            ? Kernels.unary(a[0], n, type, Float.self, Float.self) { $0.rounded(.towardZero) }
            : Kernels.unary(a[0], n, type, Float.self, Float.self) {
              $0.rounded(floating)
            }
        case .double:
          return truncating
            ? Kernels.unary(a[0], n, type, Double.self, Double.self) { $0.rounded(.towardZero) }
            : Kernels.unary(a[0], n, type, Double.self, Double.self) {
              $0.rounded(floating)
            }
        case .decimal: return try decimal(a[0], n, type, rule)
        default: return a[0]
        }
      },
      ScalarOverload(
        [.anyNumeric, .exactly(.integer)], resultFrom: { $0[0] },
        resultFromLiterals: { types, literals in
          guard case .decimal(let precision, let scale) = types[0], literals.count > 1,
            case .integer(let digits) = literals[1]
          else { return types[0] }
          let kept = digits < 0 ? 0 : min(Int(clamping: digits), scale)
          return .decimal(precision: precision, scale: kept)
        },
        kernel: { a, n, type in try toDigits(a, n, type, rule) }),
    ]
  }

  /// Decimals rounded to the result's scale (less or equal).
  static func decimal(_ column: Column, _ count: Int, _ type: LogicalType, _ rule: Rule) throws
    -> Column
  {
    guard case .decimal(_, let from) = column.type, case .decimal(_, let to) = type, to <= from
    else { throw Arithmetic.notNumeric([column.type]) }
    let power = TextParsing.powerOfTen(from - to)
    let visitor = DecimalVisitor(
      column: column, count: count, type: type, power: power, rule: rule)
    guard let result = try withIntegerType(column.type.physical, visitor) else {
      throw Arithmetic.notNumeric([column.type])
    }
    return result
  }

  /// How a value divided by a positive power is rounded.
  @inline(__always)
  static func divided<T: FixedWidthInteger>(_ value: T, _ power: T, _ rule: Rule) -> T {
    let (whole, rest) = value.quotientAndRemainder(dividingBy: power)
    if rest == 0 { return whole }
    switch rule {
    case .towardZero: return whole
    case .up: return rest > 0 ? whole &+ 1 : whole
    case .down: return rest < 0 ? whole &- 1 : whole
    case .nearestEven:
      let magnitude = rest > 0 ? rest : 0 &- rest
      let other = power &- magnitude
      if magnitude < other || (magnitude == other && whole & 1 == 0) { return whole }
      return rest > 0 ? whole &+ 1 : whole &- 1
    case .nearest:
      // rest >= power / 2 rounded up, without an overflow for the largest powers.
      if rest > 0 { return rest >= power &- rest ? whole &+ 1 : whole }
      return 0 &- rest >= power &+ rest ? whole &- 1 : whole
    }
  }

  private struct DecimalVisitor: IntegerTypeVisitor {
    let column: Column
    let count: Int
    let type: LogicalType
    let power: Int128
    let rule: Rule

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      // A power that T does not hold is above twice every value: nothing is left but the sign.
      guard let power = T(exactly: power) else {
        return Kernels.unary(column, count, type, t, t) {
          rule == .up && $0 > 0 ? 1 : rule == .down && $0 < 0 ? 0 &- 1 : 0
        }
      }
      return Kernels.unary(column, count, type, t, t) { Rounding.divided($0, power, rule) }
    }
  }

  // MARK: With a number of digits

  private static func toDigits(
    _ a: [Column], _ count: Int, _ type: LogicalType, _ rule: Rule
  ) throws -> Column {
    let digits = ColumnReader<Int32>(a[1])
    switch type {
    case .double:
      let x = ColumnReader<Double>(a[0])
      return Kernels.rows(a, count, type, Double.self) { row in
        floating(x[row], Int(digits[row]), rule)
      }
    case .float:
      let x = ColumnReader<Float>(a[0])
      return Kernels.rows(a, count, type, Float.self) { row in
        Float(floating(Double(x[row]), Int(digits[row]), rule))
      }
    default:
      var scale = 0
      if case .decimal(_, let own) = a[0].type { scale = own }
      var kept = scale
      if case .decimal(_, let own) = type { kept = own }
      let visitor = DigitsVisitor(
        arguments: a, count: count, type: type, scale: scale, kept: kept,
        rule: rule)
      guard let result = try withIntegerType(type.physical, visitor) else {
        throw Arithmetic.notNumeric([type])
      }
      return result
    }
  }

  /// Powers that are exact as a DOUBLE.
  private static let exactPowers: [Double] = (0...22).map { pow(10, Double($0)) }

  @inline(__always)
  private static func floating(_ value: Double, _ digits: Int, _ how: Rule) -> Double {
    if !value.isFinite || digits > 308 { return value }
    if digits < -308 { return 0 }
    let rule = floatingRule(how)
    let place = abs(digits)
    let power =
      place < exactPowers.count ? exactPowers[place] : pow(10, Double(place))
    let result =
      digits >= 0 ? (value * power).rounded(rule) / power : (value / power).rounded(rule) * power
    return result.isFinite ? result : value
  }

  private struct DigitsVisitor: IntegerTypeVisitor {
    let arguments: [Column]
    let count: Int
    let type: LogicalType
    let scale: Int
    let kept: Int
    let rule: Rule

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      let x = ColumnReader<T>(arguments[0])
      let digits = ColumnReader<Int32>(arguments[1])
      guard let down = T(exactly: TextParsing.powerOfTen(scale - kept)) else {
        return Kernels.unary(arguments[0], count, type, t, t) { _ in 0 }
      }
      return try Kernels.rows(arguments, count, type, t) { row in
        let wanted = Int(digits[row])
        if wanted >= scale { return x[row] / down }
        let dropped = scale - wanted
        // More digits than the type has: everything rounds to 0.
        guard dropped <= 38, let power = T(exactly: TextParsing.powerOfTen(dropped)) else {
          return 0
        }
        let whole = Rounding.divided(x[row], power, rule)
        let (result, overflows) = whole.multipliedReportingOverflow(by: power / down)
        if overflows { throw Arithmetic.overflow("round", type, "round(\(x[row]), \(wanted))") }
        return result
      }
    }
  }
}
