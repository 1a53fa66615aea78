import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  func model(_ reference: ModelReference) throws -> any ModelDescription {
    let model = try catalog.model(reference)
    if !model.isTrained {
      throw SQLError(
        .model, "model \"\(model.name)\" has not been trained", at: reference.span,
        hint: "TRAIN MODEL \(quotedIdentifier(model.name)) FROM …")
    }
    return model
  }

  /// PREDICT(MODEL m), PREDICT(MODEL m, a, b), PROBABILITY(…), PREDICT_PROBA(…).
  func bind(_ predict: PredictCall, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let model = try model(predict.model)
    let arguments = model.features(
      of: predict.arguments.isEmpty
        ? try model.inputs.map { try inputByName($0, model, context, span: span) }
        : try inputsByPosition(predict.arguments, model, context, span: span))
    guard let output = model.outputs.first else {
      throw SQLError(.model, "model \"\(model.name)\" has no output", at: span)
    }
    let form: PredictExpression.Form
    let type: LogicalType
    switch predict.form {
    case .predict:
      form = .predict
      type = output.type
    case .probabilities:
      try requireClasses(model, "PREDICT_PROBA", span)
      form = .probabilities
      type = .list(.float)
    case .probability:
      try requireClasses(model, "PROBABILITY", span)
      form = .probability(classIndex: try classIndex(predict, model, context, span: span))
      type = .float
    }
    return .predict(
      PredictExpression(model: model, form: form, arguments: arguments, type: type))
  }

  private func requireClasses(_ model: any ModelDescription, _ what: String, _ span: SourceSpan)
    throws
  {
    if model.classNames.isEmpty {
      throw SQLError(
        .model, "\(what) needs a model whose output is a class; \"\(model.name)\" gives a number",
        at: span)
    }
  }

  private func classIndex(
    _ predict: PredictCall, _ model: any ModelDescription, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> Int {
    guard let wanted = predict.forClass else {
      // Of two classes the second is the event.
      if model.classNames.count == 2 { return 1 }
      throw SQLError(
        .model, "PROBABILITY needs FOR and a class: \(model.classNames.joined(separator: ", "))",
        at: span)
    }
    let constant = ConstantFolding.fold(
      try foldedCast(try bind(wanted, context), to: .varchar, isTry: false, span: wanted.span))
    guard case .constant(.varchar(let text), _) = constant,
      let index = model.classNames.firstIndex(of: text)
    else {
      throw SQLError(
        .model, "model \"\(model.name)\" has no such class", at: wanted.span,
        hint: "its classes are \(model.classNames.joined(separator: ", "))")
    }
    return index
  }

  private func inputByName(
    _ input: Field, _ model: any ModelDescription, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let found = context.scope.matches(table: nil, name: input.name)
    if found.count > 1 {
      throw SQLError(
        .binder, "input \"\(input.name)\" of model \"\(model.name)\" matches several columns",
        at: span, hint: "give the arguments by position")
    }
    if let entry = found.first {
      return try modelInput(.column(entry.reference), input, model, span: span)
    }
    if let alias = context.aliases[input.name.lowercased()] {
      return try modelInput(try bind(alias, context), input, model, span: span)
    }
    throw SQLError(
      .binder, "no column for input \"\(input.name)\" of model \"\(model.name)\"", at: span,
      hint: didYouMean(input.name, among: context.scope.entries.map(\.name)))
  }

  private func inputsByPosition(
    _ arguments: [Argument], _ model: any ModelDescription, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> [Expression] {
    let bound = try arguments.map { argument -> Expression in
      guard let expression = argument.expression else {
        throw SQLError(.binder, "PREDICT takes values here", at: argument.span)
      }
      return try bind(expression, context)
    }
    if bound.count == 1, case .structure = bound[0].type {
      return try model.inputs.map {
        try modelInput(
          try field(bound[0], Identifier(name: $0.name, span: span)), $0, model, span: span)
      }
    }
    if bound.count == 1, model.inputs.count > 1 {
      switch bound[0].type {
      case .list, .array:
        return try model.inputs.indices.map { index in
          let element = try call(
            "list_extract", [bound[0], .constant(.integer(Int128(index + 1)), .bigint)], span: span)
          return try modelInput(element, model.inputs[index], model, span: span)
        }
      default: break
      }
    }
    if bound.count != model.inputs.count {
      throw SQLError(
        .binder,
        "model \"\(model.name)\" takes \(model.inputs.count) inputs ("
          + model.inputs.map(\.name).joined(separator: ", ") + "), not \(bound.count)", at: span)
    }
    return try bound.indices.map {
      try modelInput(bound[$0], model.inputs[$0], model, span: arguments[$0].span)
    }
  }

  /// Casts are implicit but for text: it never becomes a number.
  private func modelInput(
    _ expression: Expression, _ input: Field, _ model: any ModelDescription, span: SourceSpan
  ) throws -> Expression {
    let from = expression.type
    if from == input.type { return expression }
    guard TypeResolution.feeds(from, input.type) else {
      throw SQLError(
        .binder,
        "input \"\(input.name)\" of model \"\(model.name)\" is \(input.type), but the column is \(from)",
        at: span, hint: from == .varchar ? "cast the text to a number first" : nil)
    }
    return try foldedCast(expression, to: input.type, isTry: false, span: span)
  }

  // MARK: Table form

  /// PREDICT(MODEL m, TABLE t) or PREDICT(MODEL m, (query)): the input's columns and
  /// `model_output`, a STRUCT with one field per output.
  func bindPredictTable(_ function: FunctionCall, span: SourceSpan) throws -> BoundQuery {
    var reference: ModelReference?
    var input: BoundQuery?
    for argument in function.arguments {
      switch argument.value {
      case .model(let found): reference = found
      case .table(let name):
        let (plan, scope) = try bindTable(name, alias: nil, span: argument.span)
        input = visible(plan, scope)
      case .expression(let expression):
        guard case .subquery(let query) = expression.kind, argument.name == nil else {
          throw Binder.notYet("options of PREDICT", argument.span)
        }
        input = try bind(query)
      }
    }
    guard let reference, let input else {
      throw SQLError(.binder, "PREDICT in FROM takes MODEL m and TABLE t or a query", at: span)
    }
    let model = try model(reference)
    var scope = Scope()
    for (name, column) in zip(input.names, input.plan.output) {
      scope.entries.append(Scope.Entry(table: nil, name: name, reference: column))
    }
    let context = ExpressionContext(
      scope: scope, clause: "PREDICT", subqueries: SubqueryCollector())
    let arguments = model.features(
      of: try model.inputs.map { try inputByName($0, model, context, span: span) })
    guard let output = model.outputs.first else {
      throw SQLError(.model, "model \"\(model.name)\" has no output", at: span)
    }
    let predicted = Expression.predict(
      PredictExpression(model: model, form: .predict, arguments: arguments, type: output.type))
    let packed = Expression.call(
      CallExpression(
        resolved: StructFields.pack(names: [output.name], types: [output.type]),
        arguments: [predicted], span: span))
    var items: [(expression: Expression, reference: ColumnReference)] = input.plan.output.map {
      (.column($0), makeReference($0.name, $0.type))
    }
    items.append((packed, makeReference("model_output", packed.type)))
    return BoundQuery(
      plan: .project(ProjectNode(input: input.plan, items: items)),
      names: input.names + ["model_output"])
  }

  // MARK: Statements that give rows

  /// TRAIN, EVALUATE … as a source of rows.
  package func bindRowStatement(_ statement: Statement) throws -> BoundQuery {
    guard expansionDepth == 0 else { return try bindNestedStatement(statement) }
    expansionDepth = 1
    defer { expansionDepth = 0 }
    var bound = try bindNestedStatement(statement)
    bound.plan = try placeSharedQueries(bound.plan)
    return bound
  }

  private func bindNestedStatement(_ statement: Statement) throws -> BoundQuery {
    let made: (provider: any RowProvider, input: Plan?)
    switch statement {
    case .query(let query): return try bind(query)
    case .trainModel(let train):
      made = try catalog.trainProvider(train) { [self] query in
        let bound = try bind(query)
        return (bound.plan, bound.names)
      }
    case .evaluateModel(let evaluate):
      made = try catalog.evaluateProvider(evaluate) { [self] query in
        let bound = try bind(query)
        return (bound.plan, bound.names)
      }
    case .summarize(let describe): return try bindSummary(describe)
    case .describe, .show:
      guard let source = try catalog.rows(of: statement, bind: { try bind($0) }) else {
        throw SQLError(.notSupported, "this statement cannot be used as a source of rows yet")
      }
      let columns = source.schema.enumerated().map { position, field in
        (position: position, reference: makeReference(field.name, field.type))
      }
      return BoundQuery(
        plan: .scan(ScanNode(source: source, name: "catalog", columns: columns)),
        names: source.schema.map(\.name))
    case .insert(let insert): return try bind(insert)
    case .update(let update): return try bind(update)
    case .delete(let delete): return try bind(delete)
    case .merge(let merge): return try bind(merge)
    case .truncate(let name):
      return try bind(Delete(from: name))
    case .copyFrom(let copy): return try bind(copy)
    default:
      throw SQLError(.notSupported, "this statement cannot be used as a source of rows yet")
    }
    let columns = made.provider.schema.map { makeReference($0.name, $0.type) }
    return BoundQuery(
      plan: .rows(RowSourceNode(provider: made.provider, columns: columns, input: made.input)),
      names: columns.map(\.name))
  }
}
