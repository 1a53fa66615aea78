import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

// TRAIN and EVALUATE as sources of rows.
extension StatementCatalog {
  func trainProvider(
    _ statement: TrainModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let (key, entry) = try findModel(statement.name)
    let (provider, plan) = try training(statement, entry, key, target, database, nil, input)
    return (provider, plan)
  }

  /// VERIFY MODEL: the training of a version once more, from the text that its receipt has.
  func verifyProvider(
    _ reference: ModelReference, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let (key, entry) = try findModel(reference.name)
    let model = try entry.model(reference.version, at: reference.span)
    if !model.isTrained { throw untrained(entry, reference.span) }
    guard let receipt = model.state.receipt,
      case .trainModel(let statement) = try Parser.parseStatement(receipt.sql).statement
    else {
      throw SQLError(
        .model,
        "version \(model.version) of model \"\(model.name)\" was not trained here: there is no receipt",
        at: reference.span)
    }
    // The options as they were: the receipt has all that was written.
    var create = entry.definition.statement
    create.options = statement.options
    let former = try entry.described(by: try ModelCompiler.compile(create))
    var plan: Plan?
    let provider = try VerifyProvider(model) { target in
      let made = try training(statement, former, key, target, nil, receipt.ended, input)
      plan = made.plan
      return made.provider
    }
    return (provider, plan)
  }

  private func training(
    _ statement: TrainModel, _ entry: ModelEntry, _ key: CatalogState.Key,
    _ target: any ModelTarget, _ checkpoints: (any CheckpointStore)?,
    _ replay: (epoch: Int, keepsBest: Bool)?,
    _ input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: TrainProvider, plan: Plan) {
    let definition = entry.definition
    let keys = try ModelQueries.keys(statement.forEach)
    var start: Model?
    switch statement.start {
    case .fresh: break
    case .warm(let version):
      start = try entry.model(version, at: statement.name.span)
      if start?.isTrained == false { throw untrained(entry, statement.name.span) }
    case .resume: break
    }
    var options = definition.options
    for option in statement.options { try options.set(option) }
    if case .split(let fraction, nil)? = statement.validation {
      options.training.validationSplit = try ModelQueries.fraction(fraction)
    } else if statement.validation != nil {
      options.training.validationSplit = 0
    }
    if !statement.orderBy.isEmpty { options.training.shuffle = false }
    if replay != nil { options.training.maxSeconds = nil }
    try Self.checkLosses(definition, options.training, statement.name.span)
    let query = try TrainQuery(
      statement, seed: options.training.seed, shuffles: options.training.shuffle)
    let labels = try ModelQueries.labels(statement.labels, of: definition)
    let marks =
      (query.hasWeight ? [TrainQuery.weight] : [])
      + (query.hasValidation ? [TrainQuery.validation] : [])
    if case .source(let source)? = statement.validation {
      // By itself first: in the union a missing column would be NULL.
      _ = try ModelQueries.rows(
        of: definition, labels: labels, in: try input(try ModelQueries.query(of: source)),
        extra: keys, span: statement.name.span)
    }
    let plan = try ModelQueries.rows(
      of: definition, labels: labels, in: try input(query.query), extra: keys + marks,
      span: statement.name.span)
    let keyFields = try ModelQueries.keyFields(
      plan.output.dropFirst(definition.inputs.count + definition.outputs.count)
        .prefix(keys.count), statement.forEach)
    if let weight = statement.weight {
      let place = definition.inputs.count + definition.outputs.count + keys.count
      let type = plan.output[place].type
      guard type.isNumeric || type == .boolean else {
        throw SQLError(.model, "WEIGHT takes a number, not \(type)", at: weight.span)
      }
    }
    if let start { try Self.check(start, fits: keyFields, statement.name.span) }
    let provider = try TrainProvider(
      statement, entry: entry, key: key, target: target, options: options, query: query,
      labels: labels, keys: keyFields, start: start, checkpoints: checkpoints,
      replay: replay, onProgress: onProgress)
    return (provider, plan)
  }

  /// Options of TRAIN may choose another loss, which does not make classes of numbers.
  private static func checkLosses(
    _ definition: ModelDefinition, _ options: TrainerOptions, _ span: SourceSpan?
  ) throws {
    for output in definition.outputs where output.kind == .number {
      let loss = try LossDefinition.named(options.lossName(of: output))
      if loss.kind == .classes, ModelDefinition.width(of: output.field.type) == 1 {
        throw SQLError(
          .model,
          "loss '\(loss.name)' compares classes, but output \"\(output.field.name)\" of model "
            + "\"\(definition.name)\" is a number", at: span,
          hint: "CREATE MODEL … OPTIONS (loss = '\(loss.name)') makes its values classes")
      }
    }
  }

  /// WARM START: a version with a network for each key goes on for the same keys.
  private static func check(_ start: Model, fits keys: [Field], _ span: SourceSpan?) throws {
    guard start.groups != nil, start.keys != keys else { return }
    let names = start.keys.map(\.name).joined(separator: ", ")
    throw SQLError(
      .model,
      "version \(start.version) of model \"\(start.name)\" has a network for each \(names): "
        + "WARM START from it needs FOR EACH with the same columns", at: span,
      hint: "FOR EACH (\(names))")
  }

  private func untrained(_ entry: ModelEntry, _ span: SourceSpan?) -> SQLError {
    let name = entry.definition.name
    return SQLError(
      .model, "model \"\(name)\" has not been trained", at: span,
      hint: "TRAIN MODEL \(quotedIdentifier(name)) FROM …")
  }

  func evaluateProvider(
    _ statement: EvaluateModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let entry = try modelEntry(statement.model.name)
    let model = try entry.model(statement.model.version, at: statement.model.span)
    if !model.isTrained { throw untrained(entry, statement.model.span) }
    let metrics = try Metrics.chosen(statement.metrics, for: model)
    // What is more than a column becomes one of our own, behind those of the rows.
    var marks: [SelectItem] = []
    let groups = statement.groupBy.enumerated().map { position, expression -> String in
      if case .column(let name) = expression.kind, name.parts.count == 1 { return name.last.name }
      let mark = "#group\(position)"
      marks.append(TrainQuery.item(expression, mark))
      return mark
    }
    var query = try ModelQueries.query(of: statement.source)
    if !marks.isEmpty {
      query = Query(
        body: try TrainQuery.marked(query, marks, statement.source), span: query.span)
    }
    let rows = try ModelQueries.rows(
      of: model.definition, labels: model.definition.outputs.map(\.field.name),
      in: try input(query), extra: groups + model.keys.map(\.name), span: statement.model.span)
    let plan = ModelQueries.features(model.transform, in: rows)
    let columns = plan.output.dropLast(model.keys.count).suffix(groups.count)
    let fields = zip(statement.groupBy, columns).map { expression, column -> Field in
      if case .column(let name) = expression.kind { return Field(name.last.name, column.type) }
      return Field(Printer.sql(expression), column.type)
    }
    return (EvaluateProvider(model: model, metrics: metrics, groups: fields), plan)
  }
}
