import Columnar
import Diagnostics
import Functions
import Syntax

/// The SELECT list before its expressions are bound: `*` and its kin become columns, and every item
/// gets a name.
extension Binder {
  /// A select item after `*` was spread.
  struct ExpandedItem {
    enum Content {
      case syntax(SyntaxExpression)
      case bound(Expression)
    }
    var content: Content
    var alias: String?
    var name: String
  }

  func bind(_ item: ExpandedItem, _ context: ExpressionContext) throws -> Expression {
    switch item.content {
    case .syntax(let expression): try bind(expression, context)
    case .bound(let expression): expression
    }
  }

  func expandStars(_ items: [SelectItem], _ scope: Scope) throws -> [ExpandedItem] {
    var expanded: [ExpandedItem] = []
    for item in items {
      guard case .star(let star) = item.expression.kind else {
        let name = item.alias?.name ?? outputName(item.expression)
        expanded.append(
          ExpandedItem(content: .syntax(item.expression), alias: item.alias?.name, name: name))
        continue
      }
      expanded += try expand(star, scope, span: item.expression.span)
    }
    return expanded
  }

  private func expand(_ star: Star, _ scope: Scope, span: SourceSpan) throws -> [ExpandedItem] {
    let table = star.qualifier?.last
    var entries = scope.entries.filter { entry in
      table.map { $0.name.lowercased() == entry.table?.lowercased() } ?? !entry.isShadowed
    }
    if let table, entries.isEmpty {
      throw SQLError(
        .binder, "table \"\(table.name)\" is not in FROM", at: table.span,
        hint: didYouMean(table.name, among: scope.tables))
    }
    if scope.entries.isEmpty {
      throw SQLError(.binder, "* needs a FROM clause", at: span)
    }
    for excluded in star.exclude {
      let before = entries.count
      entries.removeAll { $0.name.lowercased() == excluded.last.name.lowercased() }
      if entries.count == before {
        throw SQLError(
          .binder, "EXCLUDE names the unknown column \"\(excluded.last.name)\"", at: excluded.span,
          hint: didYouMean(excluded.last.name, among: entries.map(\.name)))
      }
    }
    for name in star.replace.map(\.name) + star.rename.map(\.column.last)
    where !entries.contains(where: { $0.name.lowercased() == name.name.lowercased() }) {
      throw SQLError(
        .binder, "column \"\(name.name)\" is not among those of *", at: name.span,
        hint: didYouMean(name.name, among: entries.map(\.name)))
    }
    if entries.isEmpty {
      throw SQLError(.binder, "EXCLUDE leaves no column of *", at: span)
    }
    return entries.map { entry in
      let key = entry.name.lowercased()
      let renamed = star.rename.first { $0.column.last.name.lowercased() == key }
      let name = renamed?.name.name ?? entry.name
      if let replaced = star.replace.first(where: { $0.name.name.lowercased() == key }) {
        return ExpandedItem(content: .syntax(replaced.expression), alias: nil, name: name)
      }
      let merged = table == nil ? scope.merged[key] : nil
      return ExpandedItem(
        content: .bound(merged ?? .column(entry.reference)), alias: nil, name: name)
    }
  }

  /// What a column without alias is called: the column's own name, else the expression's text.
  private func outputName(_ expression: SyntaxExpression) -> String {
    switch expression.kind {
    case .column(let name): name.last.name
    case .field(_, let name): name.name
    case .function(let call) where isBareCount(call): "count_star()"
    default: Printer.sql(expression)
    }
  }

  private func isBareCount(_ call: FunctionCall) -> Bool {
    guard call.name.last.name.lowercased() == "count", call.over == nil, call.filter == nil,
      call.arguments.count == 1, case .expression(let argument) = call.arguments[0].value,
      case .star = argument.kind
    else { return false }
    return true
  }
}
