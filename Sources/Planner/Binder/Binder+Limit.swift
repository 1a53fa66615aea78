import Columnar
import Diagnostics
import Functions
import Syntax

/// Ordinals, LIMIT and OFFSET.
extension Binder {
  /// The position (from 0) that an integer literal names; nil for anything else. Other literals
  /// order nothing, which nobody means.
  func ordinal(_ expression: SyntaxExpression, count: Int, clause: String) throws -> Int? {
    let text: String
    switch expression.kind {
    case .literal(.integer(let digits)): text = digits
    case .unary(.minus, let operand):
      guard case .literal(.integer(let digits)) = operand.kind else { return nil }
      text = "-" + digits
    case .literal:
      if clause == "GROUP BY" { return nil }
      throw SQLError(
        .binder, "a literal that is no position has no effect in \(clause)", at: expression.span)
    default: return nil
    }
    guard let position = Int(text), position >= 1, position <= count else {
      throw SQLError(
        .binder, "\(clause) position \(text) is not in the SELECT list of \(count) columns",
        at: expression.span)
    }
    return position - 1
  }

  func applyLimit(_ limit: Limit?, _ offset: SyntaxExpression?, to plan: Plan) throws -> Plan {
    if limit == nil && offset == nil { return plan }
    let subqueries = SubqueryCollector()
    var node = LimitNode(input: plan, limit: nil, offset: 0)
    var items: [(expression: Expression, reference: ColumnReference)] = []
    var bounds = LimitBounds(
      plan: .values(ValuesNode(columns: [], rows: [[]])), limit: nil, offset: nil,
      isPercent: limit?.isPercent ?? false)
    if let limit, limit.isPercent {
      let share = try count(limit.count, clause: "LIMIT", type: .double, subqueries)
      if case .constant(let value, _) = share {
        if case .double(let percent) = value {
          guard percent >= 0, percent <= 100 else {
            throw SQLError(
              .outOfRange, "LIMIT in percent must be from 0 to 100", at: limit.count.span)
          }
          node.percent = percent
        }
      } else {
        let reference = makeReference("limit", .double)
        items.append((share, reference))
        bounds.limit = reference
      }
    } else if let limit {
      let rows = try count(limit.count, clause: "LIMIT", type: .bigint, subqueries)
      if case .constant(let value, _) = rows {
        node.limit = try constant(value, clause: "LIMIT", span: limit.count.span)
      } else {
        let reference = makeReference("limit", .bigint)
        items.append((rows, reference))
        bounds.limit = reference
      }
    }
    if let offset {
      let rows = try count(offset, clause: "OFFSET", type: .bigint, subqueries)
      if case .constant(let value, _) = rows {
        node.offset = try constant(value, clause: "OFFSET", span: offset.span) ?? 0
      } else {
        let reference = makeReference("offset", .bigint)
        items.append((rows, reference))
        bounds.offset = reference
      }
    }
    if !items.isEmpty {
      bounds.plan = .project(
        ProjectNode(input: subqueries.attach(to: bounds.plan), items: items))
      node.bounds = bounds
    } else if node.isConstant && node.limit == nil && node.offset == 0 {
      return plan
    }
    return .limit(node)
  }

  /// A count as an expression over no rows.
  private func count(
    _ expression: SyntaxExpression, clause: String, type: LogicalType,
    _ subqueries: SubqueryCollector
  ) throws -> Expression {
    // Counts are one for the whole query: columns around it have no one value.
    let known = outer
    outer = []
    defer { outer = known }
    let context = ExpressionContext(scope: Scope(), clause: clause, subqueries: subqueries)
    let bound = ConstantFolding.foldAll(try bind(expression, context))
    if !bound.type.isNumeric, bound.type != .null, bound.type != .varchar {
      throw SQLError(.binder, "\(clause) takes a number, not \(bound.type)", at: expression.span)
    }
    return ConstantFolding.fold(
      try foldedCast(bound, to: type, isTry: false, span: expression.span))
  }

  /// nil for NULL: no limit.
  private func constant(_ value: Value, clause: String, span: SourceSpan) throws -> Int? {
    if value.isNull { return nil }
    guard case .integer(let count) = value, count >= 0 else {
      throw SQLError(.binder, "\(clause) must not be negative", at: span)
    }
    return Int(clamping: count)
  }
}
