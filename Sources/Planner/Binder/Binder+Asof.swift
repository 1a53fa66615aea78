import Diagnostics
import Syntax

extension Binder {
  /// Makes a bound join an ASOF join: exactly one of its conditions is an inequality between the
  /// sides; of the right rows that fulfil all the others, the one nearest by it counts. With USING
  /// the last column is `left >= right`.
  func makeAsof(_ node: inout JoinNode, usesNames: Bool, span: SourceSpan) throws {
    node.isAsof = true
    if usesNames {
      guard let last = node.keys.popLast() else { throw Binder.missingInequality(span) }
      node.inequalities = [
        JoinInequality(left: last.left, right: last.right, operator: .greaterOrEqual)
      ]
      return
    }
    let left = Set(node.left.output.map(\.id))
    let right = Set(node.right.output.map(\.id))
    var rest: [Expression] = []
    for condition in node.residual?.conjuncts ?? [] {
      if let key = JoinNode.equality(condition, left, right) {
        node.keys.append(key)
      } else if let inequality = JoinInequality(condition, left: left, right: right) {
        node.inequalities.append(inequality)
      } else {
        rest.append(condition)
      }
    }
    if node.inequalities.isEmpty { throw Binder.missingInequality(span) }
    if node.inequalities.count > 1 {
      throw SQLError(
        .binder, "an ASOF join takes one inequality, and this has \(node.inequalities.count)",
        at: span)
    }
    node.residual = Expression.conjunction(rest)
  }

  private static func missingInequality(_ span: SourceSpan) -> SQLError {
    SQLError(
      .binder, "an ASOF join needs an inequality between its sides", at: span,
      hint: "for example ON a.key = b.key AND a.time >= b.time")
  }
}
