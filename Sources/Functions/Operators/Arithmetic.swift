import Columnar
import Diagnostics
import Glibc

/// Kernels and type rules of `+ - * / // %` on numbers.
enum Arithmetic {
  enum Operation: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"

    var noun: String {
      switch self {
      case .add: "addition"
      case .subtract: "subtraction"
      case .multiply: "multiplication"
      }
    }
  }

  // MARK: Types

  /// Both sides as their common numeric type; NULL takes the other side's, INTEGER by default.
  static func coerceCommon(_ types: [LogicalType]) throws -> [LogicalType] {
    let a = types[0] == .null ? types[1] : types[0]
    let b = types[1] == .null ? types[0] : types[1]
    if a == .null { return [.integer, .integer] }
    guard a.isNumeric, b.isNumeric, let common = ImplicitCast.commonNumeric(a, b) else {
      throw notNumeric(types)
    }
    return [common, common]
  }

  /// `+` and `-` on decimals get one more digit.
  static func coerceSum(_ types: [LogicalType]) throws -> [LogicalType] {
    let common = try coerceCommon(types)
    guard case .decimal(let precision, let scale) = common[0] else { return common }
    let wider = min(38, precision + 1)
    return [LogicalType](repeating: .decimal(precision: wider, scale: scale), count: 2)
  }

  /// `*` on decimals adds digits and scales; each side keeps its scale at the result's precision.
  static func coerceProduct(_ types: [LogicalType]) throws -> [LogicalType] {
    let common = try coerceCommon(types)
    guard case .decimal = common[0] else { return common }
    let known = types.map { $0 == .null ? LogicalType.integer : $0 }
    let (p, s) = ImplicitCast.precisionAndScale(known[0])
    let (q, t) = ImplicitCast.precisionAndScale(known[1])
    guard s + t <= 38 else { throw productScale(s + t) }
    var precision = min(38, p + q)
    if p <= 18 && q <= 18 && precision > 18 && s + t < 18 { precision = 18 }
    // A side of more digits than the product keeps them: its values may still be small.
    return [
      .decimal(precision: max(precision, s), scale: s),
      .decimal(precision: max(precision, t), scale: t),
    ]
  }

  static func productType(_ types: [LogicalType]) -> LogicalType {
    guard case .decimal(let p, let s) = types[0], case .decimal(let q, let t) = types[1] else {
      return types[0]
    }
    return .decimal(precision: max(p, q, s + t), scale: s + t)
  }

  /// Floating point for `/`: FLOAT stays FLOAT unless the other side is wider.
  static func coerceQuotient(_ types: [LogicalType]) throws -> [LogicalType] {
    let common = try coerceCommon(types)[0]
    return common == .float ? [.float, .float] : [.double, .double]
  }

  /// Integers for `//`, else as `/`.
  static func coerceIntegerQuotient(_ types: [LogicalType]) throws -> [LogicalType] {
    let common = try coerceCommon(types)
    return common[0].isInteger ? common : try coerceQuotient(types)
  }

  // MARK: Kernels

  static func apply(
    _ operation: Operation, _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType
  ) throws -> Column {
    switch type {
    case .float: return floating(operation, left, right, count, type, Float.self)
    case .double: return floating(operation, left, right, count, type, Double.self)
    case .decimal(let precision, _):
      switch type.physical {
      case .int16: return try decimal(operation, left, right, count, type, precision, Int16.self)
      case .int32: return try decimal(operation, left, right, count, type, precision, Int32.self)
      case .int64: return try decimal(operation, left, right, count, type, precision, Int64.self)
      default: return try decimal(operation, left, right, count, type, precision, Int128.self)
      }
    default:
      let visitor = IntegerVisitor(
        operation: operation, left: left, right: right, count: count, type: type)
      guard let column = try withIntegerType(type.physical, visitor) else {
        throw notNumeric([left.type, right.type])
      }
      return column
    }
  }

  @inline(__always)
  private static func floating<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ operation: Operation, _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType,
    _ t: T.Type
  ) -> Column {
    switch operation {
    case .add: Kernels.binary(left, right, count, type, t, t, t) { $0 + $1 }
    case .subtract: Kernels.binary(left, right, count, type, t, t, t) { $0 - $1 }
    case .multiply: Kernels.binary(left, right, count, type, t, t, t) { $0 * $1 }
    }
  }

  private struct IntegerVisitor: IntegerTypeVisitor {
    let operation: Operation
    let left: Column
    let right: Column
    let count: Int
    let type: LogicalType

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      let failure = { (a: T, b: T) -> any Error in
        overflow(operation.noun, type, "\(a) \(operation.rawValue) \(b)")
      }
      switch operation {
      case .add:
        return try Kernels.checkedBinary(
          left, right, count, type, t,
          { a, b, failed in
            let sum = a &+ b
            failed |= T.isSigned ? (a ^ sum) & (b ^ sum) : (a & b) | ((a | b) & ~sum)
            return sum
          }, failure: failure)
      case .subtract:
        return try Kernels.checkedBinary(
          left, right, count, type, t,
          { a, b, failed in
            let rest = a &- b
            failed |= T.isSigned ? (a ^ b) & (a ^ rest) : (~a & b) | (~(a ^ b) & rest)
            return rest
          }, failure: failure)
      case .multiply:
        return try Kernels.checkedBinary(
          left, right, count, type, t,
          { a, b, failed in
            let (product, overflows) = a.multipliedReportingOverflow(by: b)
            // As DuckDB, which multiplies the magnitudes: -2^127 is no product of other numbers.
            let isHugeMinimum =
              T.isSigned && T.bitWidth == 128 && product == T.min && a != T.min && b != T.min
            failed |= overflows || isHugeMinimum ? ~0 : 0
            return product
          }, failure: failure)
      }
    }
  }

  @inline(__always)
  private static func decimal<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ operation: Operation, _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType,
    _ precision: Int, _ t: T.Type
  ) throws -> Column {
    let bound = T(truncatingIfNeeded: TextParsing.powerOfTen(precision))
    let (leftType, rightType) = (left.type, right.type)
    let failure = { (a: T, b: T) -> any Error in
      let x = decimalText(Int128(a), leftType)
      let y = decimalText(Int128(b), rightType)
      return overflow(operation.noun, type, "\(x) \(operation.rawValue) \(y)")
    }
    switch operation {
    case .add:
      return try Kernels.checkedBinary(
        left, right, count, type, t,
        { a, b, failed in
          if T.bitWidth < 128 {
            // Two values below 10^p cannot wrap; whatever leaves the bounds sets a sign bit.
            let sum = a &+ b
            failed |= (bound &- 1 &- sum) | (sum &+ bound &- 1)
            return sum
          }
          let (sum, overflows) = a.addingReportingOverflow(b)
          failed |= overflows || sum >= bound || sum <= 0 &- bound ? ~0 : 0
          return sum
        }, failure: failure)
    case .subtract:
      return try Kernels.checkedBinary(
        left, right, count, type, t,
        { a, b, failed in
          if T.bitWidth < 128 {
            let rest = a &- b
            failed |= (bound &- 1 &- rest) | (rest &+ bound &- 1)
            return rest
          }
          let (rest, overflows) = a.subtractingReportingOverflow(b)
          failed |= overflows || rest >= bound || rest <= 0 &- bound ? ~0 : 0
          return rest
        }, failure: failure)
    case .multiply:
      if T.bitWidth == 64, let x = magnitudeBits(left, count), let y = magnitudeBits(right, count),
        x + y < 63, Int128(1) << (x + y) <= Int128(bound)
      {
        return Kernels.binary(left, right, count, type, t, t, t) { $0 &* $1 }
      }
      return try Kernels.checkedBinary(
        left, right, count, type, t,
        { a, b, failed in
          let (product, overflows) = a.multipliedReportingOverflow(by: b)
          failed |= overflows || product >= bound || product <= 0 &- bound ? ~0 : 0
          return product
        }, failure: failure)
    }
  }

  /// A number of bits that every magnitude of a flat or constant column of Int64 fits: one
  /// vectorised look at a batch, whose products then need none each. nil for other encodings.
  private static func magnitudeBits(_ column: Column, _ count: Int) -> Int? {
    if column.encoding == .dictionary || column.type.physical != .int64 { return nil }
    let values = column.values(as: Int64.self)
    var bits: Int64 = 0
    for row in 0..<(column.isConstant ? min(1, count) : count) {
      bits |= values[row] ^ (values[row] >> 63)
    }
    return Int64.bitWidth - bits.leadingZeroBitCount
  }

  /// `/` on floating point; by zero gives NULL.
  static func divide(
    _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType
  ) -> Column {
    type == .float
      ? divideFloating(left, right, count, type, Float.self)
      : divideFloating(left, right, count, type, Double.self)
  }

  @inline(__always)
  private static func divideFloating<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType, _ t: T.Type
  ) -> Column {
    let result = Kernels.binary(left, right, count, type, t, t, t) { $0 / $1 }
    nullWhereZero(right, count, t, result)
    return result
  }

  /// `//` and `%`: by zero gives NULL; the smallest integer by -1 overflows, `%` as in DuckDB too.
  static func divideIntegers(
    _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType, remainder: Bool
  ) throws -> Column {
    if type.isFloatingPoint {
      if !remainder { return divide(left, right, count, type) }
      if type == .float {
        let result = Kernels.binary(
          left, right, count, type, Float.self, Float.self, Float.self
        ) { fmodf($0, $1) }
        nullWhereZero(right, count, Float.self, result)
        return result
      }
      let result = Kernels.binary(
        left, right, count, type, Double.self, Double.self, Double.self
      ) { fmod($0, $1) }
      nullWhereZero(right, count, Double.self, result)
      return result
    }
    let visitor = DivisionVisitor(
      left: left, right: right, count: count, type: type, remainder: remainder)
    guard let column = try withIntegerType(type.physical, visitor) else {
      throw notNumeric([left.type, right.type])
    }
    return column
  }

  private struct DivisionVisitor: IntegerTypeVisitor {
    let left: Column
    let right: Column
    let count: Int
    let type: LogicalType
    let remainder: Bool

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      let result = try Kernels.checkedBinary(
        left, right, count, type, t,
        { a, b, failed in
          if b == 0 { return 0 }
          let (value, overflows) =
            remainder
            ? a.remainderReportingOverflow(dividingBy: b)
            : a.dividedReportingOverflow(by: b)
          failed |= overflows ? ~0 : 0
          return value
        },
        failure: { a, b in overflow("division", type, "\(a) \(remainder ? "%" : "//") \(b)") })
      let y = ColumnReader<T>(right)
      for row in 0..<count where y[row] == 0 { result.setNull(row) }
      return result
    }
  }

  @inline(__always)
  private static func nullWhereZero<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ divisor: Column, _ count: Int, _ t: T.Type, _ result: Column
  ) {
    if divisor.encoding == .flat {
      // The usual batch has no zero: one vectorised look says so.
      let values = divisor.values(as: T.self)
      var zeros = 0
      for row in 0..<count { zeros &+= values[row] == 0 ? 1 : 0 }
      if zeros == 0 { return }
    } else if divisor.isConstant, count > 0, divisor.values(as: T.self)[0] != 0 {
      return
    }
    let y = ColumnReader<T>(divisor)
    for row in 0..<count where y[row] == 0 { result.setNull(row) }
  }

  // MARK: Unary minus

  /// The argument's own type: of unsigned integers only 0 has a negative.
  static func negatedType(_ type: LogicalType) throws -> LogicalType {
    if type == .null { return .bigint }
    guard type.isNumeric || type == .interval else { throw notNumeric([type]) }
    return type
  }

  static func negate(_ column: Column, _ count: Int, _ type: LogicalType) throws -> Column {
    switch type {
    case .float: return Kernels.unary(column, count, type, Float.self, Float.self) { -$0 }
    case .double: return Kernels.unary(column, count, type, Double.self, Double.self) { -$0 }
    case .interval:
      return try Kernels.rows([column], count, type, Interval.self) { row in
        let value = ColumnReader<Interval>(column)[row]
        guard let negated = Calendar.negated(value) else {
          throw overflow("negation", type, "-interval")
        }
        return negated
      }
    default:
      guard
        let result = try withIntegerType(
          type.physical, NegationVisitor(column: column, count: count, type: type))
      else { throw notNumeric([type]) }
      return result
    }
  }

  private struct NegationVisitor: IntegerTypeVisitor {
    let column: Column
    let count: Int
    let type: LogicalType

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      try Kernels.checkedBinary(
        column, column, count, type, t,
        { a, _, failed in
          let (negated, overflows) = (0 as T).subtractingReportingOverflow(a)
          failed |= overflows ? ~0 : 0
          return negated
        }, failure: { a, _ in overflow("negation", type, "-(\(a))") })
    }
  }

  // MARK: Messages

  static func overflow(_ noun: String, _ type: LogicalType, _ expression: String) -> SQLError {
    SQLError(.outOfRange, "overflow in \(noun) of \(type) (\(expression))")
  }

  static func notNumeric(_ types: [LogicalType]) -> SQLError {
    SQLError(
      .binder,
      "arithmetic needs numbers, not " + types.map(\.description).joined(separator: " and "))
  }

  private static func productScale(_ scale: Int) -> SQLError {
    SQLError(
      .outOfRange,
      "the product would need \(scale) digits after the point, a DECIMAL has at most 38",
      hint: "cast one side to DOUBLE or to a DECIMAL of smaller scale")
  }
}

/// A decimal as digits: 150 of scale 2 is 1.50.
func decimalText(_ value: Int128, _ type: LogicalType) -> String {
  guard case .decimal(_, let scale) = type, scale > 0 else { return "\(value)" }
  var digits = String(value.magnitude)
  if digits.utf8.count <= scale {
    digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
  }
  return (value < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
}
