import Columnar
import Diagnostics
import Functions
import Syntax

/// Functions whose argument is a lambda, and list comprehensions.
extension Binder {
  enum LambdaFunction {
    case transform, filter, reduce

    static func named(_ name: String) -> LambdaFunction? {
      switch name {
      case "list_transform", "array_transform", "list_apply", "array_apply", "apply": .transform
      case "list_filter", "array_filter", "filter": .filter
      case "list_reduce", "array_reduce", "reduce": .reduce
      default: nil
      }
    }

    static let allNames = [
      "apply", "array_apply", "array_filter", "array_reduce", "array_transform", "filter",
      "list_apply", "list_filter", "list_reduce", "list_transform", "reduce",
    ]
  }

  /// The parameters and the body of `lambda x: …` or `x -> …`.
  static func lambdaParts(_ expression: SyntaxExpression) -> (
    parameters: [Identifier], body: SyntaxExpression
  )? {
    switch expression.kind {
    case .lambda(let lambda): return (lambda.parameters, lambda.body)
    case .binary(.arrow, let left, let body):
      let names: [SyntaxExpression]
      if case .row(let items) = left.kind { names = items } else { names = [left] }
      let parameters = names.compactMap { name -> Identifier? in
        guard case .column(let column) = name.kind, column.parts.count == 1 else { return nil }
        return column.last
      }
      return parameters.count == names.count ? (parameters, body) : nil
    default: return nil
    }
  }

  func bindLambdaCall(
    _ function: LambdaFunction, _ name: String, _ arguments: [Argument],
    _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let expressions = arguments.compactMap(\.expression)
    let largest = if case .reduce = function { 3 } else { 2 }
    guard (2...largest).contains(arguments.count), expressions.count == arguments.count else {
      throw SQLError(
        .binder, "\(name) takes a list and a lambda\(largest == 3 ? ", then a start value" : "")",
        at: span)
    }
    guard let (parameters, body) = Binder.lambdaParts(expressions[1]) else {
      throw SQLError(
        .binder, "\(name) takes a lambda, such as lambda x: x + 1", at: expressions[1].span)
    }
    let list = try lambdaList(expressions[0], name, context)
    switch function {
    case .transform:
      return try transform(
        list, parameters, body: body, condition: nil, context, name: name, span: span)
    case .filter:
      guard let first = parameters.first else { throw Binder.parameterCount(name, "1 or 2", span) }
      let element = SyntaxExpression(.column(QualifiedName(first)), span: first.span)
      return try transform(
        list, parameters, body: element, condition: body, context, name: name, span: span)
    case .reduce:
      let initial = try expressions.count == 3 ? bind(expressions[2], context) : nil
      return try reduce(list, parameters, body, initial, context, name: name, span: span)
    }
  }

  /// `[result FOR x, i IN list IF condition]`.
  func bind(_ comprehension: ListComprehension, _ context: ExpressionContext, span: SourceSpan)
    throws -> Expression
  {
    let list = try lambdaList(comprehension.source, "a list comprehension", context)
    return try transform(
      list, comprehension.variables, body: comprehension.result,
      condition: comprehension.condition, context, name: "a list comprehension", span: span)
  }

  private func lambdaList(
    _ expression: SyntaxExpression, _ name: String, _ context: ExpressionContext
  ) throws -> Expression {
    let list = try bind(expression, context)
    guard list.type == .null || list.type.elementType != nil else {
      throw SQLError(.binder, "\(name) takes a list, not \(list.type)", at: expression.span)
    }
    return Binder.asList(list)
  }

  // MARK: Forms

  private func transform(
    _ list: Expression, _ parameters: [Identifier], body: SyntaxExpression,
    condition: SyntaxExpression?, _ context: ExpressionContext, name: String, span: SourceSpan
  ) throws -> Expression {
    guard (1...2).contains(parameters.count) else {
      throw Binder.parameterCount(name, "1 or 2", span)
    }
    let element = makeReference(parameters[0].name, list.type.elementType ?? .null)
    let index = parameters.count == 2 ? makeReference(parameters[1].name, .bigint) : nil
    let inner = lambdaContext(context, parameters, [element] + (index.map { [$0] } ?? []))
    let test = try condition.map { try bindCondition($0, inner.context) }
    let value = try bind(body, inner.context)
    try inner.checkRunsOnce(body.span)
    var lambda = ListLambda(
      form: .transform(condition: test), list: list, element: element, index: index, captures: [],
      body: value, type: .list(value.type), span: span)
    capture(&lambda)
    return .listLambda(lambda)
  }

  private func reduce(
    _ given: Expression, _ parameters: [Identifier], _ body: SyntaxExpression,
    _ initial: Expression?, _ context: ExpressionContext, name: String, span: SourceSpan
  ) throws -> Expression {
    guard (2...3).contains(parameters.count) else {
      throw Binder.parameterCount(name, "2 or 3", span)
    }
    var type = given.type.elementType ?? .null
    if let initial {
      guard let common = TypeResolution.common(type, initial.type) else {
        throw SQLError(
          .binder, "\(name) cannot start with \(initial.type) on a list of \(type)", at: span)
      }
      type = common
    }
    // The result may need a wider type than the elements: then these get it too, once.
    for attempt in 0..<2 {
      let accumulator = makeReference(parameters[0].name, type)
      let element = makeReference(parameters[1].name, type)
      let index = parameters.count == 3 ? makeReference(parameters[2].name, .bigint) : nil
      let inner = lambdaContext(
        context, parameters, [accumulator, element] + (index.map { [$0] } ?? []))
      var value = try bind(body, inner.context)
      try inner.checkRunsOnce(body.span)
      if value.type != type {
        guard let common = TypeResolution.common(type, value.type) else {
          throw SQLError(
            .binder, "\(name) gives \(value.type) from elements of \(type)", at: body.span)
        }
        if attempt == 0, common != type {
          type = common
          continue
        }
        value = try foldedCast(value, to: type, isTry: false, span: body.span)
      }
      let list = try foldedCast(given, to: .list(type), isTry: false, span: span)
      let start = try initial.map { try foldedCast($0, to: type, isTry: false, span: span) }
      var lambda = ListLambda(
        form: .reduce(accumulator: accumulator, initial: start), list: list, element: element,
        index: index, captures: [], body: value, type: type, span: span)
      capture(&lambda)
      return .listLambda(lambda)
    }
    throw SQLError(.binder, "\(name) finds no type for its result", at: span)
  }

  // MARK: Scope

  private struct LambdaContext {
    var context: ExpressionContext
    let collector: SubqueryCollector
    let parameters: Set<Int>

    /// Subqueries and aggregates would have to run once an element.
    func checkRunsOnce(_ span: SourceSpan) throws {
      if !collector.entries.isEmpty {
        throw Binder.notYet("subqueries in lambdas", span)
      }
      for (call, _) in context.aggregates?.calls ?? []
      where !call.usedColumns.isDisjoint(with: parameters) {
        throw SQLError(
          .binder, "an aggregate cannot take a lambda's parameter", at: span,
          hint: "list functions such as list_sum work inside lambdas")
      }
    }
  }

  private func lambdaContext(
    _ context: ExpressionContext, _ names: [Identifier], _ references: [ColumnReference]
  ) -> LambdaContext {
    let collector = SubqueryCollector()
    var inner = context
    inner.subqueries = collector
    inner.innerSubqueries = nil
    inner.unnests = nil
    inner.windows = nil
    for (name, reference) in zip(names, references) {
      inner.parameters[name.name.lowercased()] = .column(reference)
    }
    return LambdaContext(
      context: inner, collector: collector, parameters: Set(references.map(\.id)))
  }

  /// Gives the lambda's own reference to every column from outside that its body reads.
  private func capture(_ lambda: inout ListLambda) {
    var own: Set<Int> = [lambda.element.id]
    if let index = lambda.index { own.insert(index.id) }
    if case .reduce(let accumulator, _) = lambda.form { own.insert(accumulator.id) }
    var captures: [(expression: Expression, reference: ColumnReference)] = []
    func inside(_ expression: Expression) -> Expression {
      expression.rewritten { part in
        guard case .column(let reference) = part, !own.contains(reference.id) else { return part }
        if let known = captures.first(where: { $0.expression == part }) {
          return .column(known.reference)
        }
        let copy = makeReference(reference.name, reference.type)
        captures.append((part, copy))
        return .column(copy)
      }
    }
    lambda.body = inside(lambda.body)
    if case .transform(let condition?) = lambda.form {
      lambda.form = .transform(condition: inside(condition))
    }
    lambda.captures = captures
  }

  private static func parameterCount(_ name: String, _ count: String, _ span: SourceSpan)
    -> SQLError
  {
    SQLError(.binder, "the lambda of \(name) takes \(count) parameters", at: span)
  }
}
