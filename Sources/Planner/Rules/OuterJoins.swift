import Columnar
import Functions

/// Outer joins whose padded rows a condition above drops anyway are inner joins, or outer on one
/// side only: `FROM a LEFT JOIN b ON … WHERE b.x > 3`.
enum OuterJoins {
  static func simplified(
    _ kind: JoinNode.Kind, _ conditions: [Expression], left: Set<Int>, right: Set<Int>
  )
    -> JoinNode.Kind
  {
    // Padded with NULLs: the right side's columns of a left join, the left side's of a right join.
    let dropsPaddedRight = { conditions.contains { rejectsNulls($0, of: right) } }
    let dropsPaddedLeft = { conditions.contains { rejectsNulls($0, of: left) } }
    switch kind {
    case .left: return dropsPaddedRight() ? .inner : .left
    case .right: return dropsPaddedLeft() ? .inner : .right
    case .full:
      switch (dropsPaddedLeft(), dropsPaddedRight()) {
      case (true, true): return .inner
      case (true, false): return .left
      case (false, true): return .right
      case (false, false): return .full
      }
    case .inner, .semi, .anti, .mark, .single: return kind
    }
  }

  /// Whether the condition cannot be true where all these columns are NULL.
  private static func rejectsNulls(_ condition: Expression, of ids: Set<Int>) -> Bool {
    switch condition {
    case .and(let terms): return terms.contains { rejectsNulls($0, of: ids) }
    case .or(let terms): return terms.allSatisfy { rejectsNulls($0, of: ids) }
    case .isNull(let operand, isNegated: true): return isNull(operand, of: ids)
    default: return isNull(condition, of: ids)
    }
  }

  /// Whether the expression is NULL where all these columns are.
  static func isNull(_ expression: Expression, of ids: Set<Int>) -> Bool {
    switch expression {
    case .column(let reference): return ids.contains(reference.id)
    case .call(let call):
      if case .propagates = call.resolved.overload.nullRule {
        return call.arguments.contains { isNull($0, of: ids) }
      }
      return false
    case .cast(let operand, _, _), .not(let operand): return isNull(operand, of: ids)
    case .inList(let list): return isNull(list.operand, of: ids)
    case .constant(let value, _): return value.isNull
    case .and, .or, .isNull, .caseWhen, .predict, .listLambda: return false
    }
  }
}
