import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  /// A scalar function by name over bound arguments, with the casts it needs.
  func call(
    _ name: String, _ arguments: [Expression], names: [String?] = [], span: SourceSpan
  ) throws -> Expression {
    let written = arguments
    let arguments = arguments.map(unmarked)
    let types = arguments.map(\.type)
    let user = catalog.userFunction(named: name)
    func resolve(_ literals: [ArgumentLiteral]) throws -> ResolvedScalar {
      if let user {
        return try ScalarFunctions.resolve(
          user, arguments: types, literals: literals, calledAs: name)
      }
      return try ScalarFunctions.resolve(
        name: name, arguments: types, literals: literals,
        call: arguments.enumerated().map { position, argument in
          callArgument(argument, position < names.count ? names[position] : nil)
        })
    }
    let resolved: ResolvedScalar
    do {
      resolved = try resolve(written.map(literal))
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
    if slots != nil, written.contains(where: \.isParameter) {
      noteParameters(written, resolved, resolve)
    }
    // What coalesce does not reach may be of any text.
    let isLazy = resolved.function.name == "coalesce"
    if isLazy { attemptDepth += 1 }
    defer { if isLazy { attemptDepth -= 1 } }
    let cast = try zip(arguments, resolved.argumentTypes).map {
      try foldedCast($0, to: $1, isTry: false, span: span)
    }
    return .call(CallExpression(resolved: resolved, arguments: cast, span: span))
  }

  /// `if(condition, a, b)` is a CASE: only the branch that is taken is evaluated.
  private func conditional(
    _ bound: [Expression], _ spans: [SourceSpan], span: SourceSpan
  ) throws -> Expression {
    let results = [(bound[1], spans[1]), (bound[2], spans[2])]
    let type = try commonType(results, what: "if")
    let cast = try results.map { try branch($0.0, as: type, span: $0.1) }
    let condition = try foldedCast(bound[0], to: .boolean, isTry: false, span: spans[0])
    return .caseWhen(
      CaseWhen(branches: [(condition, cast[0])], otherwise: cast[1], type: type))
  }

  /// What a signature rule or a table function sees of an argument.
  func callArgument(_ argument: Expression, _ name: String?) -> CallArgument {
    if case .constant(let value, let type) = argument {
      return CallArgument(type, value: value, name: name)
    }
    // A list of constants is one too, though it is not folded.
    if case .call(let call) = argument, call.resolved.function.name == "list_value" {
      let values = call.arguments.map { item -> Value? in
        if case .constant(let value, _) = item { value } else { nil }
      }
      if !values.contains(where: { $0 == nil }) {
        return CallArgument(argument.type, value: .list(values.compactMap { $0 }), name: name)
      }
    }
    return CallArgument(argument.type, name: name)
  }

  /// What overload resolution should know of a constant beyond its type. An integer of a
  /// type that a literal would not have was cast, and keeps its type: `5::BIGINT`.
  func literal(_ expression: Expression) -> ArgumentLiteral {
    switch expression {
    case _ where isStringLiteral(expression): .string
    case .constant(.integer(let value), .integer): .integer(value)
    case .constant(.integer(let value), .bigint) where Int32(exactly: value) == nil:
      .integer(value)
    case .constant(.integer(let value), .hugeint) where Int64(exactly: value) == nil:
      .integer(value)
    default: .none
    }
  }

  func bind(_ function: FunctionCall, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let name = function.name.last.name
    let key = name.lowercased()
    if Binder.isUnnest(function) { return try bindUnnest(function, context, span: span) }
    if let list = Binder.unnestedList(function, span: span) {
      var unnest = function
      unnest.name = QualifiedName(Identifier(name: "unnest", span: function.name.span))
      unnest.arguments = [Argument(list)]
      return try bindUnnest(unnest, context, span: span)
    }
    var arguments = function.arguments
    if let receiver = function.receiver {
      arguments.insert(Argument(receiver), at: 0)
    } else if function.name.parts.count > 1 {
      // `column.f(x)` is `f(column, x)`.
      let qualifier = QualifiedName(
        parts: Array(function.name.qualifiers), span: function.name.span)
      if !qualifier.parts.allSatisfy({ catalog.isSchemaOrDatabase($0.name) }) {
        let receiver = SyntaxExpression(.column(qualifier), span: function.name.span)
        arguments.insert(Argument(receiver), at: 0)
      }
    }
    if let gradient = try bindGradient(function, context, span: span) { return gradient }
    if let expanded = try bindMacro(function, arguments, context, span: span) { return expanded }
    if !function.withinGroup.isEmpty {
      let plain = try orderedSet(function, arguments, context, span: span)
      return try bind(plain.function, context, span: span)
    }
    if let over = function.over {
      return try bindWindow(function, arguments, over, context, span: span)
    }
    if let lambda = LambdaFunction.named(key), catalog.userFunction(named: key) == nil {
      return try bindLambdaCall(lambda, name, arguments, context, span: span)
    }
    if key == "grouping" || key == "grouping_id" {
      return try bindGrouping(arguments, context, span: span)
    }
    if key == "try", function.name.parts.count == 1 {
      return try bindAttempt(arguments.compactMap(\.expression), context, span: span)
    }
    // Of one list: its position, as `list_argmax` gives it.
    let isOfList = arguments.count == 1 && ["argmax", "argmin"].contains(key)
    if let aggregate = Aggregates.named(key), !isOfList, catalog.userFunction(named: key) == nil {
      return try bind(aggregate, function, arguments, context, span: span)
    }
    if function.isDistinct || function.filter != nil || !function.orderBy.isEmpty {
      try checkExists(name, function.name.span)
      throw SQLError(
        .binder, "\(name) is no aggregate: DISTINCT, FILTER and ORDER BY do not apply", at: span)
    }
    let isSessionFunction = catalog.sessionFunctionNames.contains(key)
    if catalog.userFunction(named: key) == nil, !isSessionFunction {
      try checkExists(name, function.name.span)
    }
    if key == "alias", arguments.count == 1, let named = arguments[0].expression,
      ScalarFunctions.named(key) == nil, catalog.userFunction(named: key) == nil
    {
      _ = try bind(named, context)
      return .constant(.varchar(Binder.name(of: named)), .varchar)
    }
    // typeof does not look at values, not even at those of constants.
    if key == "typeof" { attemptDepth += 1 }
    defer { if key == "typeof" { attemptDepth -= 1 } }
    var bound: [Expression] = []
    let spread = try unpacked(arguments, context)
    arguments = spread.map(\.argument)
    for (argument, value) in spread {
      if let value {
        bound.append(value)
        continue
      }
      guard let expression = argument.expression else {
        throw SQLError(.binder, "\(name) takes values, no models or tables", at: argument.span)
      }
      if case .star = expression.kind {
        throw SQLError(.binder, "* is not an argument of \(name)", at: argument.span)
      }
      bound.append(try bind(expression, context))
    }
    // The type is known without the value.
    if key == "typeof", bound.count == 1 {
      return .constant(.varchar(bound[0].type.description), .varchar)
    }
    if key == "nullif", bound.count == 2 {
      let isEqual = try comparison("=", bound[0], bound[1], span: span)
      return .caseWhen(
        CaseWhen(
          branches: [(isEqual, .constant(.null, bound[0].type))], otherwise: bound[0],
          type: bound[0].type))
    }
    if key == "if" || key == "iff", bound.count == 3 {
      return try conditional(bound, arguments.map(\.span), span: span)
    }
    if isSessionFunction,
      let found = try catalog.sessionCall(key, bound.map(ConstantFolding.foldAll), span: span)
    {
      return found
    }
    // A column gives its own name to a field without one.
    let names = arguments.map { argument -> String? in
      if key == "struct_pack", argument.name == nil,
        case .column(let column)? = argument.expression?.kind
      {
        return column.last.name
      }
      return argument.name?.name
    }
    let made = try call(key, bound, names: names, span: span)
    return try moment(of: made) ?? ConstantFolding.fold(made)
  }

  /// What a clock says, once for the whole statement: `now()` is the same in all rows.
  private func moment(of expression: Expression) throws -> Expression? {
    guard case .call(let call) = expression, call.resolved.overload.isVolatile,
      call.resolved.function.category == "date", call.arguments.isEmpty
    else { return nil }
    isReusable = false
    if let known = moments[call.resolved.function.name] { return known }
    let value = try ScalarEvaluation.call(call.resolved, [], count: 1).value(0)
    let moment = Expression.constant(value, call.resolved.resultType)
    moments[call.resolved.function.name] = moment
    return moment
  }

  /// What a column of the result would be called.
  private static func name(of expression: SyntaxExpression) -> String {
    if case .column(let name) = expression.kind { return name.last.name }
    return Printer.sql(expression)
  }

  func checkExists(_ name: String, _ span: SourceSpan) throws {
    if ScalarFunctions.named(name) != nil || name.lowercased() == "alias" { return }
    if let window = WindowFunction.named(name.lowercased()) {
      throw SQLError(
        .binder, "\(window.rawValue) is a window function: it needs an OVER clause", at: span)
    }
    let known =
      ScalarFunctions.allNames + Aggregates.allNames + WindowFunction.allNames
      + catalog.userFunctionNames + catalog.macroNames + catalog.sessionFunctionNames
      + LambdaFunction.allNames + Binder.unnestingNames
    throw SQLError(
      .catalog, "function \"\(name)\" does not exist", at: span,
      hint: didYouMean(name, among: known))
  }

  // MARK: Aggregates

  /// FILTER, and what PIVOT asks besides.
  private func aggregateFilter(_ function: FunctionCall, _ context: ExpressionContext) throws
    -> Expression?
  {
    let own = try function.filter.map { try bindCondition($0, context) }
    return Expression.conjunction([context.aggregateFilter, own].compactMap { $0 })
  }

  private func bind(
    _ aggregate: AggregateFunction, _ function: FunctionCall, _ arguments: [Argument],
    _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    if let around = try outerAggregate(aggregate, function, arguments, context, span: span) {
      return around
    }
    guard let collector = context.aggregates else {
      throw SQLError(
        .binder, "aggregate functions are not allowed in \(context.clause)", at: span,
        hint: context.clause == "WHERE" ? "use HAVING" : nil)
    }
    var inner = context
    inner.aggregates = nil
    inner.windows = nil
    inner.unnests = nil
    inner.prefersAliases = false
    inner.clause = "an aggregate's arguments"
    inner.subqueries = context.innerSubqueries ?? context.subqueries
    var bound: [Expression] = []
    for (argument, value) in try unpacked(arguments, inner) {
      if let value {
        bound.append(value)
        continue
      }
      guard let expression = argument.expression else {
        throw SQLError(.binder, "\(aggregate.name) takes values", at: argument.span)
      }
      if case .star(let star) = expression.kind {
        // count(*), and every other aggregate's count of arguments decides below.
        if aggregate.name == "count", star.exclude.isEmpty { continue }
        throw SQLError(.binder, "* is only an argument of count", at: argument.span)
      }
      bound.append(try bind(expression, inner))
    }
    let resolved: ResolvedAggregate
    do {
      resolved = try Aggregates.resolve(name: aggregate.name, arguments: bound.map(\.type))
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
    bound = try zip(bound, resolved.argumentTypes).map {
      try foldedCast($0, to: $1, isTry: false, span: span)
    }
    let order = try (function.orderBy + function.withinGroup).map { item -> SortItem in
      guard let expression = item.expression else {
        throw Binder.notYet("ORDER BY ALL in aggregates", item.span)
      }
      return sortItem(try bind(expression, inner), item)
    }
    let call = BoundAggregate(
      resolved: resolved, arguments: bound, isDistinct: function.isDistinct,
      filter: try aggregateFilter(function, inner), order: order)
    // Under PIVOT's filters no call is there twice.
    if context.aggregateFilter == nil,
      let known = collector.calls.first(where: { $0.call == call })
    {
      return .column(known.reference)
    }
    let reference = makeReference(
      Printer.sql(SyntaxExpression(.function(function), span: span)), resolved.resultType)
    collector.calls.append((call, reference))
    return .column(reference)
  }

  /// An aggregate in a subquery that reads only columns of one query around it belongs to that
  /// query: `SELECT (SELECT sum(t.a)) FROM t`. nil for all others.
  private func outerAggregate(
    _ aggregate: AggregateFunction, _ function: FunctionCall, _ arguments: [Argument],
    _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression? {
    guard !outer.isEmpty else { return nil }
    var columns: Set<Int> = []
    var probe = context
    probe.aggregates = nil
    probe.subqueries = SubqueryCollector()
    probe.innerSubqueries = nil
    let read =
      arguments.map(\.expression) + [function.filter].filter { $0 != nil }
      + (function.orderBy + function.withinGroup).map(\.expression)
    for expression in read {
      // What does not bind here gets its error from the ordinary way.
      guard let expression, let bound = try? bind(expression, probe) else { return nil }
      bound.collectColumns(&columns)
    }
    if columns.isEmpty || !probe.subqueries.entries.isEmpty { return nil }
    let around = outer
    defer { outer = around }
    while let next = outer.popLast() {
      let known = Set(next.scope.entries.map(\.reference.id))
      if columns.isDisjoint(with: known) { continue }
      guard columns.isSubset(of: known) else { return nil }
      return try bind(aggregate, function, arguments, next, span: span)
    }
    return nil
  }
}
