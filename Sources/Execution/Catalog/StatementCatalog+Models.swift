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
    let definition = entry.definition
    if !statement.forEach.isEmpty {
      throw ModelCompiler.notYet("FOR EACH clauses", statement.name)
    }
    var start: Model?
    switch statement.start {
    case .fresh: break
    case .warm(let version):
      start = try entry.model(version, at: statement.name.span)
      if start?.isTrained == false { throw untrained(entry, statement.name.span) }
    case .resume: throw ModelCompiler.notYet("TRAIN … RESUME", statement.name)
    }
    var options = definition.options
    for option in statement.options { try options.set(option) }
    if case .split(let fraction, nil)? = statement.validation {
      options.training.validationSplit = try ModelQueries.fraction(fraction)
    } else if statement.validation != nil {
      options.training.validationSplit = 0
    }
    if !statement.orderBy.isEmpty { options.training.shuffle = false }
    let query = try TrainQuery(statement, seed: options.training.seed)
    let labels = try ModelQueries.labels(statement.labels, of: definition)
    let marks =
      (query.hasWeight ? [TrainQuery.weight] : [])
      + (query.hasValidation ? [TrainQuery.validation] : [])
    let plan = try ModelQueries.rows(
      of: definition, labels: labels, in: try input(query.query), extra: marks,
      span: statement.name.span)
    let provider = try TrainProvider(
      statement, entry: entry, key: key, target: target, options: options, query: query,
      labels: labels, start: start, onProgress: onProgress)
    return (provider, plan)
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
    let groups = try statement.groupBy.map { expression -> String in
      guard case .column(let name) = expression.kind else {
        throw SQLError(
          .notSupported, "EVALUATE groups by columns only so far", at: expression.span,
          hint: "compute it in the query: FROM (SELECT *, … AS g FROM …) GROUP BY g")
      }
      return name.last.name
    }
    let bound = try input(try ModelQueries.query(of: statement.source))
    let rows = try ModelQueries.rows(
      of: model.definition, labels: model.definition.outputs.map(\.field.name), in: bound,
      extra: groups, span: statement.model.span)
    let plan = ModelQueries.features(model.transform, in: rows)
    let fields = plan.output.suffix(groups.count).map { Field($0.name, $0.type) }
    return (EvaluateProvider(model: model, metrics: metrics, groups: Array(fields)), plan)
  }
}
