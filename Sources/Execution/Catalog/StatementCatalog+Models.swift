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
    func refuse(_ condition: Bool, _ what: String) throws {
      if condition { throw ModelCompiler.notYet(what, statement.name) }
    }
    if case .fresh = statement.start {} else { try refuse(true, "WARM START and RESUME") }
    try refuse(statement.versionName != nil, "named versions")
    try refuse(statement.weight != nil, "WEIGHT clauses")
    try refuse(!statement.forEach.isEmpty, "FOR EACH clauses")
    try refuse(statement.stopWhen != nil, "STOP WHEN clauses")
    try refuse(statement.labels.count > 1, "several labels")
    var options = definition.options
    for option in statement.options { try options.set(option) }
    var fraction = options.training.validationSplit
    switch statement.validation {
    case nil: break
    case .split(let size, let key):
      try refuse(key != nil, "VALIDATION SPLIT … ON clauses")
      guard case .literal(let literal) = size.kind, let number = ModelQueries.number(literal),
        number >= 0, number < 1
      else {
        throw SQLError(.model, "VALIDATION SPLIT takes a fraction from 0 to 1", at: size.span)
      }
      fraction = number
    case .filter: try refuse(true, "VALIDATION WHERE clauses")
    case .source: try refuse(true, "VALIDATION FROM clauses")
    }
    if !statement.orderBy.isEmpty { options.training.shuffle = false }
    var query = try ModelQueries.query(of: statement.source)
    if !statement.orderBy.isEmpty {
      let outer = Query(body: .nested(query), orderBy: statement.orderBy, span: query.span)
      query = outer
    }
    let bound = try input(query)
    let label = statement.labels.first?.column.last.name ?? definition.output.name
    let plan = try ModelQueries.rows(
      of: definition, label: label, in: bound, span: statement.name.span)
    let provider = TrainProvider(
      entry: entry, key: key, target: target, options: options, validationFraction: fraction,
      label: label, onProgress: onProgress)
    return (provider, plan)
  }

  func evaluateProvider(
    _ statement: EvaluateModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?) {
    let entry = try modelEntry(statement.model.name)
    let model = try entry.model(statement.model.version, at: statement.model.span)
    if !model.isTrained {
      throw SQLError(
        .model, "model \"\(model.name)\" has not been trained", at: statement.model.span,
        hint: "TRAIN MODEL \(quotedIdentifier(model.name)) FROM …")
    }
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
      of: model.definition, label: model.definition.output.name, in: bound, extra: groups,
      span: statement.model.span)
    let plan = ModelQueries.features(model.transform, in: rows)
    let fields = plan.output.suffix(groups.count).map { Field($0.name, $0.type) }
    return (EvaluateProvider(model: model, metrics: metrics, groups: Array(fields)), plan)
  }
}

extension ModelQueries {
  static func number(_ literal: Literal) -> Double? {
    switch literal {
    case .integer(let text), .decimal(let text), .double(let text): Double(text)
    case .null, .boolean, .string, .blob: nil
    }
  }
}
