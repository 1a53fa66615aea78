import Columnar
import Diagnostics
import Functions

/// Computes what depends on no row. An expression that fails stays as it is: the error belongs to
/// the rows that evaluate it, if any do.
package enum ConstantFolding {
  /// Folds this node, whose operands are folded already.
  package static func fold(_ expression: Expression) -> Expression {
    switch expression {
    case .call(let call):
      if call.resolved.overload.isVolatile { return expression }
      // NULL in, NULL out: whatever the other arguments are, they need no look.
      if call.resolved.overload.nullRule == .propagates, call.arguments.contains(where: isNull),
        !call.arguments.contains(where: \.isVolatile)
      {
        return .constant(.null, call.resolved.resultType)
      }
      if call.resolved.resultType.isNested { return expression }
      if let bare = CastUnwrapping.apply(call) { return bare }
      var columns: [Column] = []
      for argument in call.arguments {
        guard case .constant(let value, let type) = argument,
          let column = try? Column.constant(value, type, count: 1)
        else { return expression }
        columns.append(column)
      }
      if columns.isEmpty,
        !call.arguments.isEmpty || call.resolved.function.category == "session"
          || call.resolved.function.category == ParameterSlots.category
      {
        return expression
      }
      guard let result = try? ScalarEvaluation.call(call.resolved, columns, count: 1) else {
        return expression
      }
      return .constant(result.value(0), call.resolved.resultType)
    case .cast(.constant(let value, let from), let type, let isTry):
      guard let column = try? Column.constant(value, from, count: 1),
        let result = try? Functions.Cast.column(column, to: type, tryCast: isTry)
      else { return expression }
      return .constant(result.value(0), type)
    case .not(.constant(.boolean(let value), _)): return .constant(.boolean(!value), .boolean)
    case .not(.constant(.null, _)): return .constant(.null, .boolean)
    case .isNull(.constant(let value, _), let isNegated):
      return .constant(.boolean(value.isNull != isNegated), .boolean)
    case .and(let terms):
      let flat = terms.flatMap(\.conjuncts)
      if flat.contains(where: { isConstant($0, false) }) {
        return .constant(.boolean(false), .boolean)
      }
      let rest = flat.filter { !isConstant($0, true) }
      return rest.isEmpty ? .trueConstant : rest.count == 1 ? rest[0] : .and(rest)
    case .or(let terms):
      if terms.contains(where: { isConstant($0, true) }) { return .trueConstant }
      let rest = terms.filter { !isConstant($0, false) }
      if rest.isEmpty { return .constant(.boolean(false), .boolean) }
      return rest.count == 1 ? rest[0] : .or(rest)
    case .inList(let list):
      guard case .constant(let value, let type) = list.operand, !type.isFloatingPoint else {
        return expression
      }
      if value.isNull { return .constant(.null, .boolean) }
      if list.values.contains(value) { return .constant(.boolean(!list.isNegated), .boolean) }
      return .constant(list.values.contains(.null) ? .null : .boolean(list.isNegated), .boolean)
    case .column, .constant, .cast, .not, .isNull, .caseWhen, .predict, .listLambda:
      return expression
    }
  }

  /// The value of calls over constants, lists and structs among them, which plans keep unfolded.
  package static func value(of expression: Expression) -> Expression {
    guard case .call(let call) = expression, !call.resolved.overload.isVolatile else {
      return fold(expression)
    }
    var columns: [Column] = []
    for argument in call.arguments {
      guard case .constant(let value, let type) = value(of: argument),
        let column = try? Column.constant(value, type, count: 1)
      else { return expression }
      columns.append(column)
    }
    guard !columns.isEmpty,
      let result = try? ScalarEvaluation.call(call.resolved, columns, count: 1)
    else { return fold(expression) }
    return .constant(result.value(0), call.resolved.resultType)
  }

  package static func foldAll(_ expression: Expression) -> Expression {
    expression.rewritten(fold)
  }

  private static func isNull(_ expression: Expression) -> Bool {
    if case .constant(.null, _) = expression { true } else { false }
  }

  private static func isConstant(_ expression: Expression, _ value: Bool) -> Bool {
    if case .constant(.boolean(value), _) = expression { true } else { false }
  }
}
