import Columnar
import Diagnostics
import Functions
import Syntax

/// A macro's argument, and where it is to be bound.
struct MacroArgument {
  var expression: SyntaxExpression
  var context: ExpressionContext
  var outer: [ExpressionContext]
}

/// Macros are expanded as syntax: a call becomes the macro's body with the arguments in place of the
/// parameters. An argument means what it means where the call stands: inside a subquery of the body,
/// where a column of its could be captured, a mark stands for it that is bound in the caller's scope.
extension Binder {
  /// A macro whose body calls two others, and so on, grows without bound in few lines.
  private static let expansionLimit = 10_000

  /// The bound body of a scalar macro; nil when the name is none.
  func bindMacro(
    _ function: FunctionCall, _ arguments: [Argument], _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> Expression? {
    guard let macro = catalog.macro(named: function.name, isTable: false) else {
      if catalog.macro(named: function.name, isTable: true) != nil {
        throw SQLError(
          .binder, "\"\(function.name.last.name)\" is a table macro: it stands in FROM", at: span)
      }
      return nil
    }
    try countExpansion(macro, span)
    let (definition, values) = try match(macro, arguments, context, span: span)
    guard case .expression(let body) = definition.body else { return nil }
    var marks: [String: String] = [:]
    defer { for mark in marks.values { macroArguments[mark] = nil } }
    let expanded = try SyntaxRewriter.rewrite(body) { expression, place in
      guard let (parameter, rest) = self.parameter(expression, values, place) else { return nil }
      let value = values[parameter] ?? expression
      if place.queryDepth == 0 || Binder.isClosed(value) { return Binder.field(value, rest) }
      let mark = marks[parameter] ?? "\u{0}\(self.macroExpansions) \(parameter)"
      marks[parameter] = mark
      self.macroArguments[mark] = MacroArgument(
        expression: value, context: context, outer: self.outer)
      let name = QualifiedName(Identifier(name: mark, span: value.span))
      return Binder.field(SyntaxExpression(.column(name), span: value.span), rest)
    }
    return try bind(try Binder.modified(expanded, like: function, macro, span), context)
  }

  /// OVER of a macro's call, and what goes with it, belongs to the one call that is its body.
  private static func modified(
    _ body: SyntaxExpression, like call: FunctionCall, _ macro: MacroEntry, _ span: SourceSpan
  ) throws -> SyntaxExpression {
    let isModified = call.isDistinct || call.filter != nil || !call.orderBy.isEmpty
    if call.over == nil {
      if !isModified { return body }
      throw SQLError(
        .binder,
        "macro \"\(macro.name)\" is no aggregate: DISTINCT, FILTER and ORDER BY do not apply",
        at: span, hint: "write them in the macro's body")
    }
    guard case .function(var inner) = body.kind, inner.over == nil else {
      throw SQLError(
        .binder, "OVER applies only to a macro that is one call, and \"\(macro.name)\" is not",
        at: span)
    }
    if call.isDistinct { inner.isDistinct = true }
    if !call.orderBy.isEmpty { inner.orderBy = call.orderBy }
    if let filter = call.filter {
      inner.filter =
        inner.filter.map { SyntaxExpression(.and([$0, filter]), span: filter.span) } ?? filter
    }
    inner.over = call.over
    return SyntaxExpression(.function(inner), span: body.span)
  }

  /// The bound query of a table macro; nil when the name is none.
  func bindTableMacro(_ call: FunctionCall, span: SourceSpan) throws -> BoundQuery? {
    guard let macro = catalog.macro(named: call.name, isTable: true) else {
      if catalog.macro(named: call.name, isTable: false) != nil {
        throw SQLError(
          .binder, "\"\(call.name.last.name)\" is a scalar macro: it does not stand in FROM",
          at: span)
      }
      return nil
    }
    try countExpansion(macro, span)
    let context = ExpressionContext(
      scope: Scope(), clause: "a table macro", subqueries: SubqueryCollector())
    let (definition, values) = try match(macro, call.arguments, context, span: span)
    guard case .table(let body) = definition.body else { return nil }
    let expanded = try SyntaxRewriter.rewrite(body) { expression, place in
      guard let (parameter, rest) = self.parameter(expression, values, place) else { return nil }
      return Binder.field(values[parameter] ?? expression, rest)
    }
    return try bind(expanded)
  }

  /// An argument inside a subquery of its macro's body, bound where the macro was called.
  func bindMacroArgument(_ name: QualifiedName) throws -> Expression? {
    guard let first = name.parts.first?.name, first.utf8.first == 0,
      let argument = macroArguments[first]
    else { return nil }
    let around = outer
    outer = argument.outer
    defer { outer = around }
    return try name.parts.dropFirst().reduce(bind(argument.expression, argument.context)) {
      try field($0, $1)
    }
  }

  /// Binds a macro's body with every parameter a NULL of no type, for the errors in it.
  package func check(_ definition: MacroDefinition) throws {
    allowsMissingParameters = true
    var values: [String: SyntaxExpression] = [:]
    for parameter in definition.parameters {
      let name = parameter.name
      let unknown = SyntaxExpression(.parameter(.named(name.name)), span: name.span)
      let type = try parameter.type.map { try resolve($0) }
      values[name.name.lowercased()] =
        parameter.type.map {
          SyntaxExpression(
            .cast(Cast(operand: unknown, type: $0, isTry: false)), span: name.span)
        } ?? unknown
      guard let value = parameter.defaultValue else { continue }
      let bound = try bind(
        value,
        ExpressionContext(
          scope: Scope(), clause: "a parameter's default", subqueries: SubqueryCollector()))
      if let type, castCost(bound, to: type) == nil {
        throw SQLError(
          .binder,
          "the default of parameter \"\(name.name)\" is \(bound.type), which cannot be implicitly cast to \(type)",
          at: value.span)
      }
    }
    func replaced(_ expression: SyntaxExpression, _ place: SyntaxRewriter.Place)
      -> SyntaxExpression?
    {
      parameter(expression, values, place).flatMap { values[$0.name] }
    }
    do {
      switch definition.body {
      case .expression(let body):
        checkedParameters = Set(values.keys)
        defer { checkedParameters = [] }
        var context = ExpressionContext(
          scope: Scope(), clause: "a macro", subqueries: SubqueryCollector())
        context.aggregates = AggregateCollector()
        context.windows = try WindowCollector([])
        _ = try bind(try SyntaxRewriter.rewrite(body, replaced), context)
      case .table(let body): _ = try bind(try SyntaxRewriter.rewrite(body, replaced))
      }
    } catch let error as SQLError
      where
      (error.message.contains("lambda")
      || error.message == Binder.unknownText(SourceSpan(0, 0)).message)
      && !definition.parameters.isEmpty
    {
      // A parameter may stand for a lambda or for the name of a table, which no value shows.
    }
  }

  // MARK: Matching

  /// The definition for these arguments, and what each parameter stands for, by its lower-case name.
  private func match(
    _ macro: MacroEntry, _ arguments: [Argument], _ context: ExpressionContext, span: SourceSpan
  ) throws -> (
    definition: MacroDefinition, values: [String: SyntaxExpression]
  ) {
    var positional: [SyntaxExpression] = []
    var named: [(name: String, value: SyntaxExpression)] = []
    for argument in arguments {
      guard let value = argument.expression else {
        throw SQLError(
          .binder, "macro \"\(macro.name)\" takes values, no models or tables", at: argument.span)
      }
      if let name = argument.name {
        named.append((name.name.lowercased(), value))
      } else if named.isEmpty {
        positional.append(value)
      } else {
        throw SQLError(
          .binder, "macro \"\(macro.name)\" has an argument by position behind one by name",
          at: argument.span)
      }
    }
    var best: (definition: MacroDefinition, values: [String: SyntaxExpression], cost: Int)?
    var isTied = false
    for definition in macro.definitions {
      guard let values = match(definition, positional, named),
        let cost = cost(of: values, definition, context)
      else { continue }
      if let known = best, known.cost <= cost {
        isTied = isTied || known.cost == cost
      } else {
        best = (definition, values, cost)
        isTied = false
      }
    }
    if let best, !isTied {
      return (best.definition, typed(best.values, best.definition))
    }
    if best != nil {
      throw SQLError(
        .binder, "macro \"\(macro.name)\" has several definitions that take these arguments",
        at: span, hint: "cast an argument")
    }
    let forms = macro.definitions.map { Binder.form(macro.name, $0) }
    throw SQLError(
      .binder, "macro \"\(macro.name)\" does not take these arguments", at: span,
      hint: "it is " + forms.joined(separator: " or "))
  }

  private func match(
    _ definition: MacroDefinition, _ positional: [SyntaxExpression],
    _ named: [(name: String, value: SyntaxExpression)]
  ) -> [String: SyntaxExpression]? {
    if positional.count > definition.parameters.count { return nil }
    var values: [String: SyntaxExpression] = [:]
    let names = definition.parameters.map { $0.name.name.lowercased() }
    for (name, value) in zip(names, positional) { values[name] = value }
    for (name, value) in named {
      if !names.contains(name) || values[name] != nil { return nil }
      values[name] = value
    }
    for (name, parameter) in zip(names, definition.parameters) {
      guard let value = values[name] ?? parameter.defaultValue else { return nil }
      values[name] = value
    }
    return values
  }

  /// What the casts to the parameters' types cost; nil when one is not to be made implicitly.
  private func cost(
    of values: [String: SyntaxExpression], _ definition: MacroDefinition,
    _ context: ExpressionContext
  ) -> Int? {
    if definition.parameters.allSatisfy({ $0.type == nil }) {
      return Binder.anyCost * definition.parameters.count
    }
    // A trial: what the arguments collect is not for the statement.
    var trial = context
    trial.subqueries = SubqueryCollector()
    trial.innerSubqueries = nil
    if trial.aggregates != nil { trial.aggregates = AggregateCollector() }
    if trial.windows != nil { trial.windows = try? WindowCollector([]) }
    var sum = 0
    for parameter in definition.parameters {
      guard let written = parameter.type else {
        sum += Binder.anyCost
        continue
      }
      guard let type = try? resolve(written),
        let value = values[parameter.name.name.lowercased()],
        let bound = try? bind(value, trial), let cost = castCost(bound, to: type)
      else { return nil }
      sum += cost
    }
    return sum
  }

  /// A parameter without a type takes anything, but rather not.
  private static let anyCost = 10_000

  private func castCost(_ value: Expression, to type: LogicalType) -> Int? {
    if value.type == type || value.type == .null { return 0 }
    return ImplicitCast.cost(from: value.type, to: type)
  }

  /// The values as the types of their parameters.
  private func typed(_ values: [String: SyntaxExpression], _ definition: MacroDefinition)
    -> [String: SyntaxExpression]
  {
    var result = values
    for parameter in definition.parameters {
      let key = parameter.name.name.lowercased()
      guard let type = parameter.type, let value = values[key] else { continue }
      result[key] = SyntaxExpression(
        .cast(Cast(operand: value, type: type, isTry: false)), span: value.span)
    }
    return result
  }

  private func countExpansion(_ macro: MacroEntry, _ span: SourceSpan) throws {
    macroExpansions += 1
    if macroExpansions > Binder.expansionLimit {
      throw SQLError(
        .binder,
        "macro \"\(macro.name)\" expands to more than \(Binder.expansionLimit) macro calls",
        at: span)
    }
  }

  /// The parameter that an expression names, and the fields behind it: `p`, `p.field`.
  private func parameter(
    _ expression: SyntaxExpression, _ values: [String: SyntaxExpression],
    _ place: SyntaxRewriter.Place
  ) -> (name: String, fields: ArraySlice<Identifier>)? {
    guard case .column(let name) = expression.kind, let first = name.parts.first else { return nil }
    let key = first.name.lowercased()
    if values[key] == nil || place.lambdaParameters.contains(key) { return nil }
    return (key, name.parts.dropFirst())
  }

  private static func field(_ value: SyntaxExpression, _ fields: ArraySlice<Identifier>)
    -> SyntaxExpression
  {
    fields.reduce(value) { SyntaxExpression(.field($0, $1), span: $0.span) }
  }

  /// Whether it means the same everywhere: nothing in it is a name.
  private static func isClosed(_ expression: SyntaxExpression) -> Bool {
    switch expression.kind {
    case .literal, .typedLiteral, .parameter, .lambda: true
    case .cast(let cast): isClosed(cast.operand)
    case .unary(_, let operand): isClosed(operand)
    case .list(let items): items.allSatisfy(isClosed)
    default: false
    }
  }

  /// `f(a, b := 2)`.
  private static func form(_ name: String, _ definition: MacroDefinition) -> String {
    let parameters = definition.parameters.map { parameter in
      var text = parameter.name.name
      if let type = parameter.type { text += " " + Printer.sql(type) }
      if let value = parameter.defaultValue { text += " := " + Printer.sql(value) }
      return text
    }
    return "\(name)(\(parameters.joined(separator: ", ")))"
  }
}
