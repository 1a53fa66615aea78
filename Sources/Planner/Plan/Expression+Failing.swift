import Columnar

extension Expression {
  /// Whether some row could make it throw.
  package var canFail: Bool {
    switch self {
    case .column, .constant: return false
    case .call(let call):
      return !Expression.totalFunctions.contains(call.resolved.function.name)
        || call.arguments.contains(where: \.canFail)
    case .cast(let operand, let type, let isTry):
      return !(isTry || operand.type == type || Expression.widens(operand.type, type))
        || operand.canFail
    case .and(let terms), .or(let terms): return terms.contains(where: \.canFail)
    case .not(let operand), .isNull(let operand, _): return operand.canFail
    case .inList(let list): return list.operand.canFail
    case .caseWhen, .predict, .listLambda: return true
    }
  }

  private static let totalFunctions: Set<String> = ["=", "<>", "<", "<=", ">", ">=", "prefix"]

  /// A cast that every value survives.
  private static func widens(_ from: LogicalType, _ to: LogicalType) -> Bool {
    switch (from, to) {
    case (.decimal(let p, let s), .decimal(let q, let t)): t >= s && q - t >= p - s
    case (_, .double): from.isNumeric
    default: false
    }
  }
}
