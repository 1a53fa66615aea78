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

    /// What the alias stands for in other clauses; nil for what cannot be written.
    func written(_ scope: Scope) -> SyntaxExpression? {
      switch content {
      case .syntax(let expression): return expression
      case .bound(.column(let reference)):
        guard let entry = scope.entries.first(where: { $0.reference.id == reference.id }) else {
          return nil
        }
        let span = SourceSpan(0, 0)
        let parts = [entry.table, entry.name].compactMap { $0 }
        return SyntaxExpression(
          .column(
            QualifiedName(parts: parts.map { Identifier(name: $0, span: span) }, span: span)),
          span: span)
      case .bound: return nil
      }
    }
  }

  func bind(_ item: ExpandedItem, _ context: ExpressionContext) throws -> Expression {
    switch item.content {
    case .syntax(let expression): try bind(expression, context)
    case .bound(let expression): expression
    }
  }

  /// What an item selects: several columns for an unnested struct and for COLUMNS.
  func bindSelected(_ item: ExpandedItem, _ context: ExpressionContext) throws
    -> [(expression: Expression, name: String)]
  {
    if let columns = try bindUnnestItem(item, context) { return columns }
    guard case .syntax(let expression) = item.content else {
      return [(try bind(item, context), item.name)]
    }
    return try bindColumnsEach(expression, context).map { bound, match in
      guard let match else { return (bound, item.name) }
      return (bound, try item.alias.map { try match.naming($0, self) } ?? match.name)
    }
  }

  func expandStars(_ items: [SelectItem], _ scope: Scope) throws -> [ExpandedItem] {
    var expanded: [ExpandedItem] = []
    for item in items {
      if let star = try expandStar(item.expression, scope) {
        // An alias behind a star is that of each of its columns.
        expanded += try star.map { column in
          guard let alias = item.alias?.name else { return column }
          var column = column
          column.name = try starName(alias, of: column.name, item.expression)
          column.alias = column.name
          return column
        }
        continue
      }
      let name = item.alias?.name ?? outputName(item.expression, scope)
      expanded.append(
        ExpandedItem(content: .syntax(item.expression), alias: item.alias?.name, name: name))
    }
    return expanded
  }

  /// The columns of `*`, or of `* LIKE 'pattern'` and its kin; nil for anything else.
  private func expandStar(_ expression: SyntaxExpression, _ scope: Scope) throws -> [ExpandedItem]?
  {
    switch expression.kind {
    case .star(let star): return try expand(star, scope, span: expression.span)
    case .like(var like):
      guard case .star(let star) = like.operand.kind else { return nil }
      let span = expression.span
      let items = try expand(star, scope, span: span).filter { item in
        like.operand = SyntaxExpression(.literal(.string(item.name)), span: span)
        return try isTrue(SyntaxExpression(.like(like), span: span))
      }
      if items.isEmpty {
        throw SQLError(.binder, "no column of * has a name like that", at: span)
      }
      return items
    default: return nil
    }
  }

  /// What an alias calls a column of a star: behind `* LIKE …` and its kin, `\0` in it is the column's
  /// name, and behind SIMILAR TO, `\1` a group of the pattern.
  private func starName(_ alias: String, of name: String, _ star: SyntaxExpression) throws
    -> String
  {
    guard case .like(let like) = star.kind else { return alias }
    var pattern: String?
    if case .literal(.string(let text)) = like.pattern.kind, like.style == .similarTo,
      !like.isNegated
    {
      pattern = text
    }
    return try named(alias, for: name, pattern: pattern)
  }

  /// A condition on constants.
  private func isTrue(_ condition: SyntaxExpression, parameters: [String: Expression] = [:]) throws
    -> Bool
  {
    var context = ExpressionContext(
      scope: Scope(), clause: "a choice of columns", subqueries: SubqueryCollector())
    context.parameters = parameters
    let bound = ConstantFolding.foldAll(try bindCondition(condition, context))
    guard case .constant(let value, _) = bound else {
      throw SQLError(
        .binder, "columns are chosen by their names alone", at: condition.span)
    }
    return value == .boolean(true)
  }

  // MARK: Stars

  /// A column that a star may give.
  private struct StarColumn {
    var table: String?
    var item: ExpandedItem
    /// Which USING column it is a copy of: of the copies that EXCLUDE leaves, `*` shows the first.
    var joined: Int?

    func isNamed(_ name: QualifiedName) -> Bool {
      item.name.lowercased() == name.last.name.lowercased()
        && (name.parts.count == 1
          || table?.lowercased() == name.parts[name.parts.count - 2].name.lowercased())
    }
  }

  func expand(_ star: Star, _ scope: Scope, span: SourceSpan) throws -> [ExpandedItem] {
    var columns = try starColumns(star.qualifier, scope, span: span)
    for excluded in star.exclude {
      let before = columns.count
      columns.removeAll { $0.isNamed(excluded) }
      if columns.count == before {
        throw SQLError(
          .binder, "EXCLUDE names the unknown column \"\(excluded.last.name)\"", at: excluded.span,
          hint: didYouMean(excluded.last.name, among: columns.map(\.item.name)))
      }
    }
    var shown: Set<Int> = []
    columns = columns.filter { $0.joined.map { shown.insert($0).inserted } ?? true }
    let replaced = star.replace.map { QualifiedName($0.name) }
    for name in replaced + star.rename.map(\.column)
    where !columns.contains(where: { $0.isNamed(name) }) {
      throw SQLError(
        .binder, "column \"\(name.last.name)\" is not among those of *", at: name.span,
        hint: didYouMean(name.last.name, among: columns.map(\.item.name)))
    }
    var given: Set<String> = []
    return try columns.compactMap { column in
      var item = column.item
      let renamed = star.rename.first { column.isNamed($0.column) }
      if let replaced = star.replace.first(where: { column.isNamed(QualifiedName($0.name)) }) {
        if renamed != nil {
          throw SQLError(
            .binder, "column \"\(item.name)\" is both in REPLACE and RENAME",
            at: replaced.name.span)
        }
        // Of several columns of that name the first is replaced, the others give way to it.
        guard given.insert(item.name.lowercased()).inserted else { return nil }
        item.content = .syntax(replaced.expression)
      }
      if let renamed { item.name = renamed.name.name }
      return item
    }
  }

  private func starColumns(_ qualifier: QualifiedName?, _ scope: Scope, span: SourceSpan) throws
    -> [StarColumn]
  {
    let table = qualifier?.last
    let entries = scope.entries.filter { entry in
      !entry.isHidden && (table.map { $0.name.lowercased() == entry.table?.lowercased() } ?? true)
    }
    if let qualifier, let table, entries.isEmpty {
      if let fields = try structColumns(qualifier, scope) { return fields }
      throw SQLError(
        .binder, "table \"\(table.name)\" is not in FROM", at: table.span,
        hint: didYouMean(table.name, among: scope.tables))
    }
    if scope.entries.isEmpty {
      throw SQLError(.binder, "* needs a FROM clause", at: span)
    }
    // All copies of a USING column have the value that its bare name means.
    var joined: [String: (group: Int, value: Expression)] = [:]
    return entries.enumerated().compactMap { position, entry in
      let key = entry.name.lowercased()
      var value = Expression.column(entry.reference)
      var group: Int?
      if table == nil, entry.isShadowed {
        guard let copied = joined[key] else { return nil }
        (group, value) = (copied.group, copied.value)
      } else if table == nil, entry.isJoined {
        value = scope.merged[key] ?? value
        joined[key] = (position, value)
        group = position
      }
      return StarColumn(
        table: entry.table,
        item: ExpandedItem(content: .bound(value), alias: nil, name: entry.name), joined: group)
    }
  }

  /// The fields of a struct, for `s.*`; nil when the name is no struct's.
  private func structColumns(_ name: QualifiedName, _ scope: Scope) throws -> [StarColumn]? {
    guard let first = name.parts.first,
      scope.tables.contains(where: { $0.lowercased() == first.name.lowercased() })
        || !scope.matches(table: nil, name: first.name).isEmpty
    else { return nil }
    let context = ExpressionContext(
      scope: scope, clause: "SELECT", subqueries: SubqueryCollector())
    let value = try bind(SyntaxExpression(.column(name), span: name.span), context)
    guard case .structure(let fields) = value.type else {
      throw SQLError(
        .binder, "\"\(name.last.name)\" is no STRUCT and no table: .* does not apply",
        at: name.span)
    }
    if fields.contains(where: \.name.isEmpty) {
      throw SQLError(
        .binder, "the fields of the row \"\(name.last.name)\" have no names: .* does not apply",
        at: name.span, hint: "unnest(\(name.last.name)) gives its fields")
    }
    return try fields.map { part in
      StarColumn(
        table: nil,
        item: ExpandedItem(
          content: .bound(try field(value, Identifier(name: part.name, span: name.span))),
          alias: nil, name: part.name))
    }
  }

  // MARK: COLUMNS

  /// A column that COLUMNS chose.
  struct ColumnsMatch {
    var item: ExpandedItem
    var pattern: String?

    var name: String { item.name }

    func naming(_ alias: String, _ binder: Binder) throws -> String {
      try binder.named(alias, for: name, pattern: pattern)
    }
  }

  /// An alias with `\0` for the column's name and `\1` for a group of the pattern.
  private func named(_ alias: String, for name: String, pattern: String?) throws -> String {
    guard alias.contains("\\") else { return alias }
    var result = ""
    var isEscaped = false
    for character in alias {
      if isEscaped, let group = character.wholeNumberValue {
        result += try group == 0 && pattern == nil ? name : self.group(group, pattern, of: name)
        isEscaped = false
      } else if character == "\\" && !isEscaped {
        isEscaped = true
      } else {
        result.append(character)
        isEscaped = false
      }
    }
    return result
  }

  private func group(_ group: Int, _ pattern: String?, of name: String) throws -> String {
    guard let pattern else { return "" }
    let found = ConstantFolding.fold(
      try call(
        "regexp_extract",
        [
          .constant(.varchar(name), .varchar), .constant(.varchar(pattern), .varchar),
          .constant(.integer(Int128(group)), .integer),
        ], span: SourceSpan(0, 0)))
    if case .constant(.varchar(let text), _) = found { return text }
    return ""
  }

  /// An expression once per column of the COLUMNS in it; once, without a match, when there is none;
  /// never for `COLUMNS(* EXCLUDE (…))` that leaves none.
  func bindColumnsEach(_ expression: SyntaxExpression, _ context: ExpressionContext) throws
    -> [(expression: Expression, match: ColumnsMatch?)]
  {
    var context = context
    let expansion = ColumnsExpansion()
    context.columns = expansion
    var bound: [(expression: Expression, match: ColumnsMatch?)]
    do {
      bound = [(try bind(expression, context), expansion.match)]
    } catch {
      if expansion.names == [] { return [] }
      throw error
    }
    while let count = expansion.names?.count, bound.count < count {
      expansion.index = bound.count
      bound.append((try bind(expression, context), expansion.match))
    }
    return bound
  }

  /// A condition that holds for every column of the COLUMNS in it.
  func bindConditionEach(_ condition: SyntaxExpression, _ context: ExpressionContext) throws
    -> Expression
  {
    var context = context
    let expansion = ColumnsExpansion()
    context.columns = expansion
    var terms = [try bindCondition(condition, context)]
    while let count = expansion.names?.count, terms.count < count {
      expansion.index = terms.count
      terms.append(try bindCondition(condition, context))
    }
    return terms.count == 1 ? terms[0] : .and(terms)
  }

  /// `COLUMNS(…)` in an expression: the column whose turn it is.
  func bind(_ columns: ColumnsExpression, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    guard let expansion = context.columns else {
      throw SQLError(.binder, "COLUMNS is not allowed in \(context.clause)", at: span)
    }
    if columns.isUnpacked {
      throw SQLError(.binder, "*COLUMNS stands only among the arguments of a call", at: span)
    }
    let matches = try chosen(columns, context.scope, span: span)
    if let names = expansion.names, names != matches.map(\.name) {
      throw SQLError(
        .binder, "all COLUMNS of one expression must choose the same columns", at: span)
    }
    if expansion.names == nil { expansion.names = matches.map(\.name) }
    if matches.isEmpty {
      throw SQLError(.binder, "COLUMNS chooses no column", at: span)
    }
    let match = matches[min(expansion.index, matches.count - 1)]
    expansion.match = match
    var inner = context
    inner.columns = nil
    return try bind(match.item, inner)
  }

  /// Arguments with each `*COLUMNS(…)` spread.
  func unpacked(_ arguments: [Argument], _ context: ExpressionContext) throws
    -> [(argument: Argument, bound: Expression?)]
  {
    try arguments.flatMap { argument -> [(argument: Argument, bound: Expression?)] in
      guard let expression = argument.expression, case .columns(let columns) = expression.kind,
        columns.isUnpacked
      else { return [(argument, nil)] }
      return try chosen(columns, context.scope, span: expression.span).map { match in
        var named = argument
        named.name = Identifier(name: match.name, span: argument.span)
        return (named, try bind(match.item, context))
      }
    }
  }

  /// The values of a list or row, with each `*COLUMNS(…)` spread.
  func bindSpread(_ items: [SyntaxExpression], _ context: ExpressionContext) throws -> [Expression]
  {
    try unpacked(items.map { Argument($0) }, context).map { argument, bound in
      if let bound { return bound }
      guard let expression = argument.expression else { return .constant(.null, .null) }
      return try bind(expression, context)
    }
  }

  private func chosen(_ columns: ColumnsExpression, _ scope: Scope, span: SourceSpan) throws
    -> [ColumnsMatch]
  {
    let selector = columns.selector
    var pattern: String?
    let found: [ExpandedItem]
    switch selector.kind {
    case .star(var star):
      star.qualifier = star.qualifier ?? columns.qualifier
      found = try expand(star, scope, span: span)
    case .literal(.string(let text)):
      pattern = text
      let all = try expand(Star(qualifier: columns.qualifier), scope, span: span)
      found = try all.filter { item in
        let test = try call(
          "regexp_matches",
          [.constant(.varchar(item.name), .varchar), .constant(.varchar(text), .varchar)],
          span: selector.span)
        if case .constant(.boolean(true), _) = ConstantFolding.fold(test) { return true }
        return false
      }
      if found.isEmpty {
        throw SQLError(
          .binder, "no column's name matches the pattern '\(text)'", at: selector.span,
          hint: didYouMean(text, among: all.map(\.name)))
      }
    case .list(let names):
      found = try listed(names, columns, scope, span: span)
    default:
      guard let (parameters, body) = Binder.lambdaParts(selector), parameters.count == 1 else {
        if let star = try expandStar(selector, scope) {
          found = star
          break
        }
        throw SQLError(
          .binder, "COLUMNS takes *, a pattern, a list of names or a lambda of one name",
          at: selector.span)
      }
      found = try expand(Star(qualifier: columns.qualifier), scope, span: span).filter {
        try isTrue(
          body,
          parameters: [parameters[0].name.lowercased(): .constant(.varchar($0.name), .varchar)])
      }
      if found.isEmpty {
        throw SQLError(.binder, "the lambda chooses no column", at: selector.span)
      }
    }
    return found.map { ColumnsMatch(item: $0, pattern: pattern) }
  }

  private func listed(
    _ names: [SyntaxExpression], _ columns: ColumnsExpression, _ scope: Scope, span: SourceSpan
  ) throws -> [ExpandedItem] {
    let all = try expand(Star(qualifier: columns.qualifier), scope, span: span)
    var wanted: Set<String> = []
    for name in names {
      let text: String
      switch name.kind {
      case .literal(.string(let value)): text = value
      case .column(let column): text = column.last.name
      default:
        throw SQLError(.binder, "COLUMNS takes a list of names", at: name.span)
      }
      guard all.contains(where: { $0.name.lowercased() == text.lowercased() }) else {
        throw SQLError(
          .binder, "COLUMNS names the unknown column \"\(text)\"", at: name.span,
          hint: didYouMean(text, among: all.map(\.name)))
      }
      wanted.insert(text.lowercased())
    }
    let found = all.filter { wanted.contains($0.name.lowercased()) }
    if found.isEmpty { throw SQLError(.binder, "COLUMNS needs at least one name", at: span) }
    return found
  }

  // MARK: Names

  /// What a column without alias is called: the column's own name, else the expression's text.
  func outputName(_ expression: SyntaxExpression, _ scope: Scope) -> String {
    switch expression.kind {
    case .column(let name):
      positionalName(name, scope) ?? columnName(name, scope) ?? name.last.name
    case .field(_, let name): name.name
    case .function(let call) where isBareCount(call): "count_star()"
    default: Printer.sql(expression)
    }
  }

  /// The name as the column has it, whatever letters it was written in.
  private func columnName(_ name: QualifiedName, _ scope: Scope) -> String? {
    scope.matches(table: name.qualifiers.last?.name, name: name.last.name).first?.name
  }

  private func isBareCount(_ call: FunctionCall) -> Bool {
    guard call.name.last.name.lowercased() == "count", call.over == nil, call.filter == nil,
      call.arguments.count == 1, case .expression(let argument) = call.arguments[0].value,
      case .star = argument.kind
    else { return false }
    return true
  }
}

/// Which column the COLUMNS of an expression stand for while it is bound once for each.
final class ColumnsExpansion {
  var index = 0
  /// Of the columns; nil until a COLUMNS was met.
  var names: [String]?
  var match: Binder.ColumnsMatch?
}
