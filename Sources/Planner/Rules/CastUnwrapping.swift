import Columnar
import Functions

/// Comparisons of a cast with a constant, turned into comparisons without the cast: the constant is
/// cast the other way, once. `date < TIMESTAMP '1995-01-01'` need not make a timestamp of each date,
/// and a scan can skip row groups by it.
///
///     CAST(d AS TIMESTAMP) < TIMESTAMP '1995-01-01 00:00:00'    ->    d < DATE '1995-01-01'
///     CAST(i AS BIGINT) >= 5                                    ->    i >= 5
enum CastUnwrapping {
  private static let mirrored = ["<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="]

  /// The comparison without its cast; nil where it must stay.
  static func apply(_ call: CallExpression) -> Expression? {
    let name = call.resolved.function.name
    guard let mirror = mirrored[name], call.arguments.count == 2 else { return nil }
    let (left, right) = (call.arguments[0], call.arguments[1])
    if case .cast(let inner, let type, false) = left, case .constant(let value, let other) = right,
      type == other
    {
      return comparison(name, inner, value, type)
    }
    if case .cast(let inner, let type, false) = right, case .constant(let value, let other) = left,
      type == other
    {
      return comparison(mirror, inner, value, type)
    }
    return nil
  }

  private static func comparison(
    _ name: String, _ operand: Expression, _ value: Value, _ type: LogicalType
  ) -> Expression? {
    guard case .column = operand, let (floor, isExact) = floor(of: value, type, in: operand.type)
    else { return nil }
    var name = name
    if !isExact {
      // Between two values of the narrower type: whatever is not above the lower one is below.
      switch name {
      case "<", "<=": name = "<="
      case ">", ">=": name = ">"
      default: return nil
      }
    }
    guard
      let resolved = try? ScalarFunctions.resolve(
        name: name, arguments: [operand.type, operand.type])
    else { return nil }
    return .call(
      CallExpression(resolved: resolved, arguments: [operand, .constant(floor, operand.type)]))
  }

  /// The largest value of the narrower type that is not above `value`, and whether it is equal; nil
  /// where the types do not stand in that relation, or the value is beyond the narrower type.
  private static func floor(of value: Value, _ wide: LogicalType, in narrow: LogicalType) -> (
    Value, isExact: Bool
  )? {
    switch (narrow, wide, value) {
    case (.date, .timestamp, .timestamp(let instant)):
      let day: Int64 = 86_400_000_000
      let days = instant >= 0 ? instant / day : -((-1 - instant) / day) - 1
      // Infinite moments, and what no date reaches, stay as they are.
      guard abs(days) < 100_000_000, let date = Int32(exactly: days) else { return nil }
      return (.date(date), days * day == instant)
    case (_, _, .integer(let number))
    where narrow.isInteger && wide.isInteger && holds(narrow, number) && widens(narrow, wide):
      return (value, true)
    case (
      .decimal(let precision, let scale), .decimal(let widePrecision, let wideScale),
      .decimal(let unscaled)
    )
    where wideScale >= scale && widePrecision - wideScale >= precision - scale:
      return scaled(unscaled, by: wideScale - scale).map { (.decimal($0), $1) }
    case (_, .decimal(let precision, let scale), .decimal(let unscaled)) where narrow.isInteger:
      // A cast that can fail must.
      guard let count = bits(narrow)?.count, precision - scale >= count * 3 / 10 + 1,
        let (number, isExact) = scaled(unscaled, by: scale), holds(narrow, number),
        holds(narrow, number + 1)
      else { return nil }
      return (.integer(number), isExact)
    default: return nil
    }
  }

  /// Floor of a number without its last `digits` decimal digits.
  private static func scaled(_ number: Int128, by digits: Int) -> (Int128, isExact: Bool)? {
    guard 0...37 ~= digits else { return nil }
    var factor: Int128 = 1
    for _ in 0..<digits { factor *= 10 }
    let (quotient, rest) = number.quotientAndRemainder(dividingBy: factor)
    return (rest < 0 ? quotient - 1 : quotient, rest == 0)
  }

  private static func bits(_ type: LogicalType) -> (count: Int, isSigned: Bool)? {
    switch type {
    case .tinyint: (8, true)
    case .smallint: (16, true)
    case .integer: (32, true)
    case .bigint: (64, true)
    case .utinyint: (8, false)
    case .usmallint: (16, false)
    case .uinteger: (32, false)
    default: nil
    }
  }

  private static func holds(_ type: LogicalType, _ number: Int128) -> Bool {
    guard let (count, isSigned) = bits(type) else { return false }
    let top = Int128(1) << (isSigned ? count - 1 : count)
    return number < top && number >= (isSigned ? -top : 0)
  }

  /// Whether every value of one type is a value of the other.
  private static func widens(_ narrow: LogicalType, _ wide: LogicalType) -> Bool {
    guard let from = bits(narrow) else { return false }
    if wide == .hugeint { return true }
    guard let to = bits(wide) else { return false }
    return from.count < to.count && (to.isSigned || !from.isSigned)
  }
}
