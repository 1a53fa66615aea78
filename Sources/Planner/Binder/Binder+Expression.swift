import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  /// Binds an expression; names mean what the context says.
  func bind(_ expression: SyntaxExpression, _ context: ExpressionContext) throws -> Expression {
    let span = expression.span
    switch expression.kind {
    case .literal(let literal): return try bind(literal, span: span)
    case .typedLiteral(let typeName, let text):
      let type = try resolve(typeName)
      return try foldedCast(.constant(.varchar(text), .varchar), to: type, isTry: false, span: span)
    case .interval(let literal): return try bind(literal, context, span: span)
    case .list(let items):
      return try call("list_value", try bindSpread(items, context), span: span)
    case .structure(let fields):
      if let unnamed = fields.first(where: \.name.name.isEmpty) {
        throw SQLError(
          .binder, "a struct's field needs a name", at: unnamed.name.span,
          hint: "row(…) makes a struct without names")
      }
      return try call(
        "struct_pack", try fields.map { try bind($0.value, context) },
        names: fields.map(\.name.name), span: span)
    case .map(let entries): return try bind(map: entries, context, span: span)
    case .row(let items):
      return try call("row", try bindSpread(items, context), span: span)
    case .column(let name): return try bindColumn(name, context)
    case .parameter(let parameter): return try value(of: parameter, context, span: span)
    case .star:
      throw SQLError(.binder, "* is not allowed in \(context.clause)", at: span)
    case .columns(let columns): return try bind(columns, context, span: span)
    case .unary(let op, let operand): return try bind(op, operand, context, span: span)
    case .binary(let op, let left, let right):
      return try bindBinary(op, left, right, context, span: span)
    case .and(let terms): return .and(try terms.map { try bindCondition($0, context) })
    case .or(let terms): return .or(try terms.map { try bindCondition($0, context) })
    case .not(let operand): return .not(try bindCondition(operand, context))
    case .isTest(let test): return try bind(test, context)
    case .distinctFrom(let test):
      return try comparison(
        test.isNegated ? "is not distinct from" : "is distinct from",
        try bind(test.left, context), try bind(test.right, context), span: span)
    case .between(let between): return try bind(between, context, span: span)
    case .inList(let list): return try bind(list, context, span: span)
    case .inQuery(let query): return try bind(query, context, span: span)
    case .inCollection(let collection):
      let found = try call(
        "contains",
        [try bind(collection.collection, context), try bind(collection.operand, context)],
        span: span)
      return collection.isNegated ? .not(found) : found
    case .like(let like): return try bind(like, context, span: span)
    case .quantified(let quantified): return try bind(quantified, context, span: span)
    case .function(let function): return try bind(function, context, span: span)
    case .predict(let predict): return try bind(predict, context, span: span)
    case .caseWhen(let branches): return try bind(branches, context, span: span)
    case .cast(let cast):
      let type = try resolve(cast.type)
      let operand = unmarked(try bind(cast.operand, context))
      guard Functions.Cast.exists(from: operand.type, to: type) else {
        throw SQLError(.binder, "there is no cast from \(operand.type) to \(type)", at: span)
      }
      return marked(try foldedCast(operand, to: type, isTry: cast.isTry, span: span))
    case .collate(let operand, let name):
      return try bindCollation(operand, name, context, span: span)
    case .exists(let query): return try bindExists(query, context, span: span)
    case .subquery(let query): return try bindScalar(query, context, span: span)
    case .arraySubquery(let query): return try bindArray(query, context, span: span)
    case .lambda:
      throw SQLError(
        .binder, "a lambda is only an argument of functions such as list_transform", at: span)
    case .listComprehension(let comprehension):
      return try bind(comprehension, context, span: span)
    case .element(let operand, let index):
      return try element(try bind(operand, context), index, context, span: span)
    case .slice(let slice): return try bind(slice, context, span: span)
    case .field(let operand, let name):
      return try field(try bind(operand, context), name)
    case .defaultValue:
      throw SQLError(.binder, "DEFAULT is only allowed in INSERT and UPDATE", at: span)
    }
  }

  /// A condition: BOOLEAN, or a number compared with 0 as DuckDB casts it.
  func bindCondition(_ expression: SyntaxExpression, _ context: ExpressionContext) throws
    -> Expression
  {
    let bound = try bind(expression, context)
    switch bound.type {
    case .boolean: return bound
    case .null: return .cast(bound, to: .boolean, isTry: false)
    default:
      if bound.type.isNumeric { return .cast(bound, to: .boolean, isTry: false) }
      if case .constant(.varchar, _) = bound {
        return try foldedCast(bound, to: .boolean, isTry: false, span: expression.span)
      }
      throw SQLError(
        .binder, "\(context.clause) needs a BOOLEAN condition, not \(bound.type)",
        at: expression.span)
    }
  }

  // MARK: Literals

  private func bind(_ literal: Literal, span: SourceSpan) throws -> Expression {
    switch literal {
    case .null: return .constant(.null, .null)
    case .boolean(let value): return .constant(.boolean(value), .boolean)
    case .string(let text): return .constant(.varchar(text), .varchar)
    case .blob(let bytes): return .constant(.blob(bytes), .blob)
    case .integer(let text):
      if let value = Int128(text) {
        let type: LogicalType =
          value <= Int128(Int32.max)
          ? .integer : value <= Int128(Int64.max) ? .bigint : .hugeint
        return .constant(.integer(value), type)
      }
      if let value = UInt128(text) { return .constant(.unsigned(value), .uhugeint) }
      return .constant(.double(Double(text) ?? .infinity), .double)
    case .decimal(let text):
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      // Leading zeros count: 0.1 is a DECIMAL(2,1), .1 a DECIMAL(1,1).
      let whole = parts[0]
      let fraction = parts.count > 1 ? parts[1] : ""
      let scale = fraction.utf8.count
      let precision = max(whole.utf8.count + scale, 1)
      if precision <= 38,
        let digits = Int128(whole + fraction == "" ? "0" : String(whole + fraction))
      {
        return .constant(
          .decimal(digits), .decimal(precision: max(precision, scale), scale: scale))
      }
      return .constant(.double(Double(text) ?? .nan), .double)
    case .double(let text):
      return .constant(.double(Double(text) ?? .nan), .double)
    }
  }

  private func bind(
    _ literal: IntervalLiteral, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let value = try bind(literal.value, context)
    guard let unit = literal.unit else {
      return try foldedCast(value, to: .interval, isTry: false, span: span)
    }
    if case .constant(.varchar(let text), _) = value {
      return try foldedCast(
        .constant(.varchar("\(text) \(unit.rawValue)"), .varchar), to: .interval, isTry: false,
        span: span)
    }
    let constructor: String
    switch unit {
    case .century: constructor = "to_centuries"
    case .millennium: constructor = "to_millennia"
    case .year, .month, .day, .hour, .minute, .second, .millisecond, .microsecond, .week,
      .quarter, .decade:
      constructor = "to_\(unit.rawValue)s"
    }
    return ConstantFolding.fold(try call(constructor, [value], span: span))
  }

  // MARK: Names

  /// A name: a column or alias of this query, else of the queries around it, innermost first.
  private func bindColumn(_ name: QualifiedName, _ context: ExpressionContext) throws -> Expression
  {
    if let found = try resolve(name, context) { return found }
    let around = outer
    defer { outer = around }
    while let next = outer.popLast() {
      if let found = try resolve(name, next) { return found }
    }
    throw unknownColumn(name, context, around: around)
  }

  /// What the name means in this context alone; nil when it is unknown there.
  private func resolve(_ name: QualifiedName, _ context: ExpressionContext) throws -> Expression? {
    let parts = name.parts.map(\.name)
    if let parameter = context.parameters[parts[0].lowercased()] {
      return try name.parts.dropFirst().reduce(parameter) { try field($0, $1) }
    }
    if let argument = try bindMacroArgument(name) { return argument }
    if parts.count == 1, let positional = try positional(name, context) { return positional }
    if parts.count == 1, context.prefersAliases, let aliased = try alias(parts[0], context) {
      return aliased
    }
    // Longest qualification first: table.column.field…, then column.field….
    if parts.count == 1 {
      if let merged = context.scope.merged[parts[0].lowercased()] { return merged }
      if let found = try unique(context.scope.matches(table: nil, name: parts[0]), name) {
        return found
      }
      return try alias(parts[0], context) ?? wholeRow(name, context)
    }
    var rest = name.parts[...]
    // schema.table.column, database.schema.table.column
    for _ in 0..<2 where rest.count >= 3 {
      if let first = rest.first?.name, catalog.isSchemaOrDatabase(first),
        context.scope.matches(table: first, name: rest[rest.startIndex + 1].name).isEmpty
      {
        rest = rest.dropFirst()
      }
    }
    let first = rest[rest.startIndex]
    let second = rest[rest.startIndex + 1]
    if let found = try unique(
      context.scope.matches(table: first.name, name: second.name), name)
    {
      return try rest.dropFirst(2).reduce(found) { try field($0, $1) }
    }
    if let found = try unique(context.scope.matches(table: nil, name: first.name), name),
      found.type.hasFields
    {
      return try rest.dropFirst().reduce(found) { try field($0, $1) }
    }
    return nil
  }

  private func unique(_ found: [Scope.Entry], _ name: QualifiedName) throws -> Expression? {
    if found.count > 1 {
      let choices = found.compactMap { entry in entry.table.map { "\($0).\(entry.name)" } }
      throw SQLError(
        .binder, "column \"\(name.last.name)\" is ambiguous", at: name.span,
        hint: "write " + choices.joined(separator: " or "))
    }
    return found.first.map { .column($0.reference) }
  }

  /// What a SELECT alias of that name stands for.
  private func alias(_ name: String, _ context: ExpressionContext) throws -> Expression? {
    let key = name.lowercased()
    guard key != context.ownAlias, let expression = context.aliases[key] else { return nil }
    aliasExpansions += 1
    if context.aliasDepth > 200 || aliasExpansions > 20_000 {
      throw SQLError(
        .binder, "the alias \"\(name)\" refers to itself, or too deeply to others",
        at: expression.span)
    }
    var inner = context
    inner.aliasDepth += 1
    inner.prefersAliases = false
    inner.aliases[key] = nil
    let bound = try bind(expression, inner)
    // One expression may be as deep as the parser allows; aliases of aliases must not multiply that.
    if bound.isDeeper(than: 1500) {
      throw SQLError(
        .binder, "the alias \"\(name)\" makes the expression too deep", at: expression.span)
    }
    return bound
  }

  private func unknownColumn(
    _ name: QualifiedName, _ context: ExpressionContext, around: [ExpressionContext]
  ) -> SQLError {
    let text = name.parts.map(\.name).joined(separator: ".")
    let last = name.last.name
    let scopes = [context.scope] + around.reversed().map(\.scope)
    if name.parts.count > 1 {
      let table = name.parts[name.parts.count - 2].name
      let ofTable = scopes.flatMap(\.entries).filter {
        $0.table?.lowercased() == table.lowercased()
      }
      if ofTable.isEmpty {
        return SQLError(
          .binder, "table \"\(table)\" of \"\(text)\" is not in FROM", at: name.span,
          hint: didYouMean(table, among: scopes.flatMap(\.tables)))
      }
      return SQLError(
        .binder, "table \"\(table)\" has no column \"\(last)\"", at: name.span,
        hint: didYouMean(last, among: ofTable.map(\.name)))
    }
    let candidates =
      scopes.flatMap { $0.entries.map(\.name) } + context.aliases.keys.sorted()
    return SQLError(
      .binder, "column \"\(last)\" does not exist", at: name.span,
      hint: didYouMean(last, among: candidates))
  }

  /// `operand.name` of a STRUCT.
  func field(_ operand: Expression, _ name: Identifier) throws -> Expression {
    if case .map = operand.type {
      return try call(
        "map_extract_value", [operand, .constant(.varchar(name.name), .varchar)], span: name.span)
    }
    if operand.type == .json {
      // The key may have any characters: as a step of a path in quotes.
      let key = name.name.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
      let path = Expression.constant(.varchar("$.\"\(key)\""), .varchar)
      return ConstantFolding.fold(try call("json_extract", [operand, path], span: name.span))
    }
    guard case .structure(let fields) = operand.type else {
      throw SQLError(
        .binder, "\(operand.type) has no field \"\(name.name)\": it is no STRUCT", at: name.span)
    }
    guard fields.contains(where: { $0.name.lowercased() == name.name.lowercased() }) else {
      throw SQLError(
        .binder, "the struct has no field \"\(name.name)\"", at: name.span,
        hint: didYouMean(name.name, among: fields.map(\.name)))
    }
    return .call(
      CallExpression(
        resolved: StructFields.extract(name.name, from: operand.type), arguments: [operand],
        span: name.span))
  }

  // MARK: Types

  /// An integer that was cast to the type that a literal of its value has: `1::INTEGER` does not
  /// adapt to other types as `1` does. A cast to its own type tells them apart until the next call
  /// or comparison is bound.
  private func marked(_ expression: Expression) -> Expression {
    guard case .constant(.integer(let value), let type) = expression,
      type == Binder.literalType(value)
    else { return expression }
    return .cast(expression, to: type, isTry: false)
  }

  func unmarked(_ expression: Expression) -> Expression {
    if case .cast(.constant(let value, let from), let to, isTry: false) = expression, from == to {
      return .constant(value, from)
    }
    return expression
  }

  /// The type of an integer literal.
  static func literalType(_ value: Int128) -> LogicalType {
    if Int32(exactly: value) != nil { return .integer }
    return Int64(exactly: value) != nil ? .bigint : .hugeint
  }

  /// The common type of branches: string literals take the others' type, whether they can or not.
  func commonType(
    _ results: [(Expression, SourceSpan)], what: String
  ) throws -> LogicalType {
    let type = try unifiedType(results.filter { !isStringLiteral($0.0) }, what: what)
    guard results.contains(where: { isStringLiteral($0.0) }) else { return type }
    if case .enumeration = type { return .varchar }
    return type == .null ? .varchar : type
  }

  /// The common type of values in one column: integer literals take the others' type where they fit.
  func unifiedType(
    _ values: [(Expression, SourceSpan)], what: String
  ) throws -> LogicalType {
    var type: LogicalType = .null
    var literals: [(value: Int128, expression: Expression, span: SourceSpan)] = []
    for (value, span) in values {
      if case .integer(let number) = literal(value) {
        literals.append((number, value, span))
      } else {
        type = try unify(type, value, what: what, span: span)
      }
    }
    for literal in literals where !(type.isInteger && ImplicitCast.fits(literal.value, type)) {
      type = try unify(type, literal.expression, what: what, span: literal.span)
    }
    return type
  }

  /// A branch as the common type. A literal that does not fit is an error of the rows that reach it.
  func branch(_ result: Expression, as type: LogicalType, span: SourceSpan) throws -> Expression {
    guard isStringLiteral(result) else { return try implicitCast(result, to: type, span: span) }
    attemptDepth += 1
    defer { attemptDepth -= 1 }
    return try foldedCast(result, to: type, isTry: false, span: span)
  }

  /// The common type of a growing set of values.
  func unify(_ type: LogicalType, _ next: Expression, what: String, span: SourceSpan) throws
    -> LogicalType
  {
    if type == .null { return next.type }
    if isStringLiteral(next), type != .varchar {
      if case .enumeration = type { return .varchar }
      // A literal that reads as the others' type does not turn them into text.
      if (try? foldedCast(next, to: type, isTry: false, span: span)) != nil { return type }
      return .varchar
    }
    guard let common = TypeResolution.common(type, next.type) else {
      throw SQLError(
        .binder, "\(what) cannot combine values of \(type) and \(next.type)", at: span,
        hint: "cast one side explicitly")
    }
    return common
  }

  func implicitCast(_ expression: Expression, to type: LogicalType, span: SourceSpan?) throws
    -> Expression
  {
    if expression.type == type { return expression }
    let isTruthAmongNumbers = expression.type == .boolean && type.isInteger
    if !isStringLiteral(expression), expression.type != .null, !isTruthAmongNumbers,
      ImplicitCast.cost(from: expression.type, to: type) == nil,
      !(expression.type.isNumeric && type.isNumeric)
    {
      throw SQLError(
        .binder, "\(expression.type) is needed as \(type), which takes an explicit cast", at: span)
    }
    return try foldedCast(expression, to: type, isTry: false, span: span)
  }

  /// A cast; of a constant its result, or an error at once when it cannot be.
  func foldedCast(
    _ expression: Expression, to type: LogicalType, isTry: Bool, span: SourceSpan?
  ) throws -> Expression {
    if expression.type == type { return expression }
    if case .constant(let value, let from) = expression {
      do {
        let column = try Column.constant(value, from, count: 1)
        let cast = try Functions.Cast.column(column, to: type, tryCast: isTry)
        return .constant(cast.value(0), type)
      } catch let error as SQLError {
        if attemptDepth == 0 { throw error.placed(at: span) }
      }
    }
    return .cast(expression, to: type, isTry: isTry)
  }
}
