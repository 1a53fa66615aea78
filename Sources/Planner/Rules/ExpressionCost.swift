import Columnar
import Functions

/// What expressions cost, in nanoseconds a row on one core, measured once and rounded boldly: enough to
/// tell an addition from a regular expression.
enum ExpressionCost {
  /// Of the operation with all its operands.
  static func total(_ expression: Expression) -> Double {
    expression.children.reduce(own(expression)) { $0 + total($1) }
  }

  /// Of the operation alone, without its operands.
  static func own(_ expression: Expression) -> Double {
    switch expression {
    case .column, .constant: return 0
    case .not, .isNull: return 0.3
    case .and(let terms), .or(let terms): return 0.5 * Double(terms.count)
    case .inList(let list): return list.operand.type.physical == .string ? 8 : 2
    case .caseWhen(let branches): return 4 * Double(branches.branches.count)
    case .listLambda, .predict: return 100
    case .cast(let operand, let type, let isTry):
      return isTry && operand.type == type ? 1 : cast(operand.type, type)
    case .call(let call): return Self.call(call)
    }
  }

  private static func cast(_ from: LogicalType, _ to: LogicalType) -> Double {
    if from == to { return 0 }
    if from.isNested || to.isNested { return 40 }
    if from.physical == .string || to.physical == .string { return 30 }
    return from.isNumeric && to.isNumeric ? 1 : 4
  }

  private static func call(_ call: CallExpression) -> Double {
    let function = call.resolved.function
    // Without arguments it is a constant of the statement.
    guard let width = call.arguments.map({ valueCost($0.type) }).max() else { return 0 }
    switch function.category {
    case "operator", "conditional": return width * operatorFactor(function.name)
    case "struct" where function.name == "struct_extract": return 0.5
    case "date", "hash", "math": return max(5, width)
    case "regex": return 100
    case "string", "blob", "uuid", "path", "enum": return 20
    default: return 40
    }
  }

  /// An addition, comparison or the like over values of the type.
  private static func valueCost(_ type: LogicalType) -> Double {
    switch type.physical {
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float, .double:
      type.isDecimal ? 0.8 : 0.5
    case .int128, .uint128: 5
    case .string, .interval: 8
    case .list, .array, .structure: 40
    }
  }

  private static func operatorFactor(_ name: String) -> Double {
    switch name {
    case "*": 2
    case "/", "//", "%": 5
    case "**": 20
    default: 1
    }
  }
}
