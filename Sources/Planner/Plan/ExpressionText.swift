import Columnar

/// Expressions as EXPLAIN prints them.
package enum ExpressionText {
  package static func text(_ expression: Expression) -> String {
    switch expression {
    case .column(let reference): return quotedIdentifier(reference.name)
    case .constant(let value, let type): return constant(value, type)
    case .call(let call):
      // A fitted transform's name has a number behind it, which makes it one of its own.
      let function = call.resolved.function
      let name =
        function.category == "transform"
        ? String(function.name.prefix { $0 != " " }) : function.name
      let arguments = call.arguments.map(text)
      let isSymbol = name.utf8.allSatisfy { !($0 | 32 >= 97 && $0 | 32 <= 122) && $0 != 95 }
      if isSymbol || name.hasPrefix("is ") {
        if arguments.count == 2 { return "(\(arguments[0]) \(name) \(arguments[1]))" }
        if arguments.count == 1 { return "\(name)\(arguments[0])" }
      }
      return "\(name)(\(arguments.joined(separator: ", ")))"
    case .cast(let operand, let type, true) where operand.type == type:
      return "TRY(\(text(operand)))"
    case .cast(let operand, let type, let isTry):
      return isTry ? "TRY_CAST(\(text(operand)) AS \(type))" : "\(text(operand))::\(type)"
    case .and(let terms): return "(" + terms.map(text).joined(separator: " AND ") + ")"
    case .or(let terms): return "(" + terms.map(text).joined(separator: " OR ") + ")"
    case .not(let operand): return "NOT \(text(operand))"
    case .isNull(let operand, let isNegated):
      return "\(text(operand)) IS \(isNegated ? "NOT " : "")NULL"
    case .caseWhen(let branches):
      var parts = branches.branches.map { "WHEN \(text($0.condition)) THEN \(text($0.result))" }
      if let otherwise = branches.otherwise { parts.append("ELSE \(text(otherwise))") }
      return "CASE \(parts.joined(separator: " ")) END"
    case .inList(let list):
      let values = list.values.prefix(8).map { constant($0, list.operand.type) }
      let more = list.values.count > 8 ? ", … \(list.values.count - 8) more" : ""
      return
        "\(text(list.operand)) \(list.isNegated ? "NOT " : "")IN (\(values.joined(separator: ", "))\(more))"
    case .listLambda(let lambda):
      let parts = [lambda.list] + lambda.inner
      return "lambda(\(parts.map(text).joined(separator: ", ")))"
    case .predict(let predict):
      return
        "PREDICT(\(predict.model.name), \(predict.arguments.map(text).joined(separator: ", ")))"
    }
  }

  private static func constant(_ value: Value, _ type: LogicalType) -> String {
    if value.isNull { return "NULL" }
    guard let column = try? Column.constant(value, type, count: 1) else { return "?" }
    let texts = ValueText.text(of: column)
    let plain = texts.values(as: StringView.self)[texts.valueIndex(0)].string
    switch type {
    case .varchar:
      return "'"
        + plain.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        + "'"
    case .interval: return "INTERVAL '\(plain)'"
    case _ where type.isTemporal: return "\(type) '\(plain)'"
    default: return plain
    }
  }

  package static func text(_ item: SortItem) -> String {
    text(item.expression) + (item.descending ? " DESC" : "")
      + (item.nullsFirst ? " NULLS FIRST" : "")
  }

  package static func text(_ call: BoundAggregate) -> String {
    var inside =
      call.arguments.isEmpty && call.resolved.function.name == "count"
      ? "*" : call.arguments.map(text).joined(separator: ", ")
    if call.isDistinct { inside = "DISTINCT " + inside }
    if !call.order.isEmpty {
      inside += " ORDER BY " + call.order.map { text($0) }.joined(separator: ", ")
    }
    let filter = call.filter.map { " FILTER (WHERE \(text($0)))" } ?? ""
    return "\(call.resolved.function.name)(\(inside))\(filter)"
  }
}

// MARK: - Windows

extension ExpressionText {
  /// `sum(x) ROWS BETWEEN 2 PRECEDING AND CURRENT ROW`.
  package static func text(_ call: BoundWindow) -> String {
    let name: String
    var inside = call.arguments.map(text).joined(separator: ", ")
    switch call.function {
    case .builtin(let function): name = function.rawValue
    case .aggregate(let resolved):
      name = resolved.function.name
      if name == "count" && inside.isEmpty { inside = "*" }
    }
    if call.isDistinct { inside = "DISTINCT " + inside }
    if !call.order.isEmpty {
      inside += (inside.isEmpty ? "" : " ") + "ORDER BY "
      inside += call.order.map { text($0) }.joined(separator: ", ")
    }
    if call.ignoresNulls { inside += " IGNORE NULLS" }
    let filter = call.filter.map { " FILTER (WHERE \(text($0)))" } ?? ""
    let frame = call.frame == BoundFrame() ? "" : " " + text(call.frame)
    return "\(name)(\(inside))\(filter)\(frame)"
  }

  private static func text(_ frame: BoundFrame) -> String {
    let exclusion = frame.exclusion == .noOthers ? "" : " EXCLUDE \(frame.exclusion.rawValue)"
    return
      "\(frame.unit.rawValue) BETWEEN \(text(frame.start)) AND \(text(frame.end))\(exclusion)"
  }

  private static func text(_ bound: BoundFrame.Bound) -> String {
    switch bound {
    case .unboundedPreceding: "UNBOUNDED PRECEDING"
    case .preceding(let expression): "\(text(expression)) PRECEDING"
    case .currentRow: "CURRENT ROW"
    case .following(let expression): "\(text(expression)) FOLLOWING"
    case .unboundedFollowing: "UNBOUNDED FOLLOWING"
    }
  }
}
