import Columnar
import Functions

extension Expression {
  /// Whether some row could make it throw.
  package var canFail: Bool {
    switch self {
    case .column, .constant: return false
    case .call(let call):
      return !(Expression.totalFunctions.contains(call.resolved.function.name) || call.hasRoom)
        || call.arguments.contains(where: \.canFail)
    case .cast(let operand, let type, let isTry):
      return !(isTry || operand.type == type || Expression.widens(operand.type, type))
        || operand.canFail
    case .and(let terms), .or(let terms): return terms.contains(where: \.canFail)
    case .not(let operand), .isNull(let operand, _): return operand.canFail
    case .inList(let list): return list.operand.canFail
    case .caseWhen(let branches):
      return branches.branches.contains { $0.condition.canFail || $0.result.canFail }
        || branches.otherwise?.canFail == true
    case .predict, .listLambda: return true
    }
  }

  private static let totalFunctions: Set<String> = ["=", "<>", "<", "<=", ">", ">=", "prefix"]

  /// A cast that every value survives.
  private static func widens(_ from: LogicalType, _ to: LogicalType) -> Bool {
    switch (from, to) {
    case (.decimal(let p, let s), .decimal(let q, let t)): return t >= s && q - t >= p - s
    case (_, .double): return from.isNumeric
    case (_, .decimal(let q, let t)) where from.isInteger:
      return integerDigits(from).map { $0 <= q - t } ?? false
    default:
      guard from.isInteger, to.isInteger else { return false }
      return ImplicitCast.commonNumeric(from, to) == to
    }
  }

  /// nil for types whose values may have more digits than a DECIMAL.
  private static func integerDigits(_ type: LogicalType) -> Int? {
    type == .hugeint || type == .uhugeint ? nil : ImplicitCast.digits(of: type)
  }

  /// The digits that values of a DECIMAL can have at most; casts to wider types add none.
  fileprivate var decimalDigits: Int? {
    guard case .decimal(let precision, let scale) = type else { return nil }
    switch self {
    case .constant(.decimal(let value), _): return String(value.magnitude).count
    case .cast(let operand, _, _):
      switch operand.type {
      case .decimal(let p, let s) where scale >= s:
        return min(precision, (operand.decimalDigits ?? p) + scale - s)
      case let from where from.isInteger:
        return Expression.integerDigits(from).map { min(precision, $0 + scale) } ?? precision
      default: return precision
      }
    default: return precision
    }
  }
}

extension CallExpression {
  /// Arithmetic whose result fits its type whatever the operands are.
  fileprivate var hasRoom: Bool {
    let name = resolved.function.name
    guard arguments.count == 2, ["+", "-", "*", "/"].contains(name) else { return false }
    if resolved.resultType.isFloatingPoint { return true }
    if name == "/" { return false }
    guard case .decimal(let precision, _) = resolved.resultType,
      let a = arguments[0].decimalDigits, let b = arguments[1].decimalDigits
    else { return false }
    return (name == "*" ? a + b : max(a, b) + 1) <= precision
  }
}
