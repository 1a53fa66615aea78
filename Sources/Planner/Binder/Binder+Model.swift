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
    let arguments = try predictArguments(predict.arguments, model, context, span: span)
    func predicted(_ form: PredictExpression.Form, _ type: LogicalType) -> Expression {
      .predict(PredictExpression(model: model, form: form, arguments: arguments, type: type))
    }
    switch predict.form {
    case .predict:
      let values = model.outputs.enumerated().map {
        predicted(.value(output: $0, threshold: nil), $1.type)
      }
      return values.count == 1 ? values[0] : packed(values, as: model.outputs, span: span)
    case .probabilities:
      let output = try classOutput(model, "PREDICT_PROBA", span)
      return predicted(.probabilities(output: output), .list(.float))
    case .probability:
      let (output, index) = try classIndex(predict, model, context, span: span)
      return predicted(.probability(output: output, classIndex: index), .float)
    }
  }

  /// The features, then the keys: by name where none are given, else by position, the keys behind the
  /// inputs. Keys that are not among the arguments are columns in scope.
  func predictArguments(
    _ arguments: [Argument], _ model: any ModelDescription, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> [Expression] {
    if arguments.isEmpty {
      return model.features(
        of: try model.inputs.map { try inputByName($0, model, context, span: span) })
        + (try keysByName(model, context, span: span))
    }
    if arguments.contains(where: { $0.name != nil }) {
      return try argumentsByName(arguments, model, context, span: span)
    }
    let count = model.inputs.count
    guard !model.keys.isEmpty, arguments.count == count + model.keys.count else {
      return model.features(
        of: try inputsByPosition(arguments, model, context, span: span))
        + (try keys(of: arguments, model, context, span: span))
    }
    let keys = try zip(arguments.dropFirst(count), model.keys).map { argument, key in
      guard let expression = argument.expression else {
        throw SQLError(.binder, "PREDICT takes values here", at: argument.span)
      }
      return try modelInput(
        try bind(expression, context), key, model, what: "key", span: argument.span)
    }
    return model.features(
      of: try inputsByPosition(
        Array(arguments.prefix(count)), model, context, span: span)) + keys
  }

  /// `x => 1, shop => 'tea'`: keys that are not among them are columns in scope.
  private func argumentsByName(
    _ arguments: [Argument], _ model: any ModelDescription, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> [Expression] {
    var given: [String: (expression: Expression, span: SourceSpan)] = [:]
    let names = (model.inputs + model.keys).map { $0.name.lowercased() }
    for argument in arguments {
      guard let name = argument.name, let expression = argument.expression else {
        throw SQLError(
          .binder, "PREDICT takes all its inputs by name, or all by position", at: argument.span)
      }
      guard names.contains(name.name.lowercased()) else {
        throw SQLError(
          .binder, "model \"\(model.name)\" has no input \"\(name.name)\"", at: argument.span,
          hint: didYouMean(name.name, among: names))
      }
      let value = (try bind(expression, context), argument.span)
      if given.updateValue(value, forKey: name.name.lowercased()) != nil {
        throw SQLError(.binder, "PREDICT got the input \"\(name.name)\" twice", at: argument.span)
      }
    }
    let inputs = try model.inputs.map { input -> Expression in
      guard let found = given[input.name.lowercased()] else {
        throw SQLError(
          .binder, "there is no value for input \"\(input.name)\" of model \"\(model.name)\"",
          at: span)
      }
      return try modelInput(found.expression, input, model, span: found.span)
    }
    let keys = try model.keys.map { key -> Expression in
      guard let found = given[key.name.lowercased()] else {
        return try inputByName(key, model, context, what: "key", span: span)
      }
      return try modelInput(found.expression, key, model, what: "key", span: found.span)
    }
    return model.features(of: inputs) + keys
  }

  /// Of the one structure that is given, where it has them, else by name.
  private func keys(
    of arguments: [Argument], _ model: any ModelDescription, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> [Expression] {
    if !model.keys.isEmpty, arguments.count == 1, let expression = arguments[0].expression {
      let bound = try bind(expression, context)
      if case .structure(let fields) = bound.type {
        let names = Set(fields.map { $0.name.lowercased() })
        if model.keys.allSatisfy({ names.contains($0.name.lowercased()) }) {
          return try model.keys.map {
            try modelInput(
              try field(bound, Identifier(name: $0.name, span: span)), $0, model, what: "key",
              span: span)
          }
        }
      }
    }
    return try keysByName(model, context, span: span)
  }

  /// The model's keys among the columns in scope.
  func keysByName(
    _ model: any ModelDescription, _ context: ExpressionContext, isTry: Bool = false,
    span: SourceSpan
  ) throws -> [Expression] {
    try model.keys.map {
      try inputByName($0, model, context, what: "key", isTry: isTry, span: span)
    }
  }

  private func packed(_ values: [Expression], as fields: [Field], span: SourceSpan) -> Expression {
    .call(
      CallExpression(
        resolved: StructFields.pack(names: fields.map(\.name), types: fields.map(\.type)),
        arguments: values, span: span))
  }

  /// The one output that is a class.
  private func classOutput(_ model: any ModelDescription, _ what: String, _ span: SourceSpan)
    throws -> Int
  {
    let found = model.outputs.indices.filter { !model.classNames[$0].isEmpty }
    if found.count == 1 { return found[0] }
    throw SQLError(
      .model,
      found.isEmpty
        ? "\(what) needs a model whose output is a class; \"\(model.name)\" gives a number"
        : "\(what) needs a model with one class among its outputs; \"\(model.name)\" has \(found.count)",
      at: span,
      hint: found.isEmpty ? nil : "model_output.\(model.outputs[found[0]].name)_probs has them all")
  }

  private func classIndex(
    _ predict: PredictCall, _ model: any ModelDescription, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> (output: Int, index: Int) {
    guard let wanted = predict.forClass else {
      let output = try classOutput(model, "PROBABILITY", span)
      // Of two classes the second is the event.
      if model.classNames[output].count == 2 { return (output, 1) }
      throw SQLError(
        .model,
        "PROBABILITY needs FOR and a class: \(model.classNames[output].joined(separator: ", "))",
        at: span)
    }
    let constant = ConstantFolding.fold(
      try foldedCast(try bind(wanted, context), to: .varchar, isTry: false, span: wanted.span))
    let all = model.classNames.flatMap { $0 }
    if all.isEmpty { _ = try classOutput(model, "PROBABILITY", span) }
    if case .constant(.varchar(let text), _) = constant {
      let found = model.outputs.indices.compactMap { output in
        model.classNames[output].firstIndex(of: text).map { (output, $0) }
      }
      if found.count > 1 { _ = try classOutput(model, "PROBABILITY", span) }
      if let only = found.first { return only }
    }
    throw SQLError(
      .model, "model \"\(model.name)\" has no such class", at: wanted.span,
      hint: "its classes are \(all.joined(separator: ", "))")
  }

  func inputByName(
    _ input: Field, _ model: any ModelDescription, _ context: ExpressionContext,
    what: String = "input", isTry: Bool = false, span: SourceSpan
  ) throws -> Expression {
    let found = context.scope.matches(table: nil, name: input.name)
    if found.count > 1 {
      throw SQLError(
        .binder,
        "\(what) \"\(input.name)\" of model \"\(model.name)\" matches several columns",
        at: span, hint: "give the arguments by position")
    }
    if let entry = found.first {
      return try modelInput(
        .column(entry.reference), input, model, what: what, isTry: isTry, span: span)
    }
    if let alias = context.aliases[input.name.lowercased()] {
      return try modelInput(
        try bind(alias, context), input, model, what: what, isTry: isTry, span: span)
    }
    throw SQLError(
      .binder, "no column for \(what) \"\(input.name)\" of model \"\(model.name)\"", at: span,
      hint: didYouMean(input.name, among: context.scope.entries.map(\.name)))
  }

  func inputsByPosition(
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
      case .array(_, let count) where count != model.inputs.count: break
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
    _ expression: Expression, _ input: Field, _ model: any ModelDescription,
    what: String = "input", isTry: Bool = false, span: SourceSpan
  ) throws -> Expression {
    let from = expression.type
    if from == input.type { return expression }
    guard TypeResolution.feeds(from, input.type) else {
      throw SQLError(
        .binder,
        "\(what) \"\(input.name)\" of model \"\(model.name)\" is \(input.type), but the column is \(from)",
        at: span, hint: from == .varchar ? "cast the text to a number first" : nil)
    }
    if !isTry, case .list = from {
      return .cast(
        expression, to: input.type, naming: "\(what) \"\(input.name)\" of model \"\(model.name)\"",
        at: span)
    }
    return try foldedCast(expression, to: input.type, isTry: isTry, span: span)
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
    case .verifyModel(let reference):
      made = try catalog.verifyProvider(reference) { [self] query in
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
