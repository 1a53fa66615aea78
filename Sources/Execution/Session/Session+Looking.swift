import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

// EXPLAIN, DESCRIBE and SHOW.
extension Session {
  func run(_ explain: Explain) throws -> StatementResult {
    let isJSON = try wantsJSON(explain)
    if case .execute(let execute) = explain.statement {
      return try with(valuesOf: execute) { prepared in
        try self.explain(prepared.statement.statement, explain, isJSON: isJSON)
      }
    }
    return try self.explain(explain.statement, explain, isJSON: isJSON)
  }

  private func explain(_ statement: Statement, _ explain: Explain, isJSON: Bool) throws
    -> StatementResult
  {
    guard let bound = try planned(statement) else {
      // Nothing to plan: what would run is all there is to say.
      var lines = [Printer.sql(statement)]
      if explain.isAnalyze {
        let begin = monotonicNanoseconds()
        _ = try run(statement)
        lines.append("ran in \(milliseconds(monotonicNanoseconds() - begin))")
      }
      return try table(["plan"], lines.map { [$0] })
    }
    let plan = try optimize(bound.plan)
    if !explain.isAnalyze {
      if isJSON {
        return try table(
          ["explain_key", "explain_value"], [["physical_plan", ExplainText.json(plan)]])
      }
      return try table(["plan"], ExplainText.lines(plan).map { [$0] })
    }
    return try analyze(plan)
  }

  /// EXPLAIN (FORMAT json).
  private func wantsJSON(_ explain: Explain) throws -> Bool {
    var isJSON = false
    for option in explain.options {
      switch option.name.name.lowercased() {
      case "analyze": break
      case "format":
        guard let value = option.value else { break }
        let format = try settingText(value).lowercased()
        switch format {
        case "json": isJSON = true
        case "text", "default": isJSON = false
        default:
          throw SQLError(
            .invalidInput, "EXPLAIN has no format \"\(format)\"", at: value.span,
            hint: "text or json")
        }
      default:
        throw SQLError(
          .binder, "EXPLAIN has no option \"\(option.name.name)\"", at: option.name.span,
          hint: "FORMAT")
      }
    }
    return isJSON
  }

  /// The query inside a statement; nil for one that has none.
  private func planned(_ statement: Statement) throws -> BoundQuery? {
    switch statement {
    case .query, .trainModel, .evaluateModel, .insert, .update, .delete, .merge, .truncate,
      .copyFrom, .describe, .show, .summarize:
      return try binder().bindRowStatement(statement)
    case .createTable(let create):
      guard case .query(let query, _, _) = create.content else { return nil }
      return try binder().bind(query)
    case .createView(let create): return try binder().bind(create.query)
    case .copyTo(let copy):
      guard case .query(let query) = copy.source else { return nil }
      return try binder().bind(query)
    case .call(let call): return try binder().bindCall(call)
    case .explain(let inner): return try planned(inner.statement)
    case .createSchema, .createType, .createSequence, .createIndex, .createMacro, .alterTable,
      .alterSequence, .drop, .comment, .createModel, .alterModel, .exportModel, .dropModel,
      .copyDatabase, .exportDatabase, .importDatabase, .verifyModel, .set, .reset, .pragma, .use,
      .transaction,
      .prepare, .execute, .deallocate, .attach, .detach, .load, .maintenance:
      return nil
    }
  }

  private func analyze(_ plan: Plan) throws -> StatementResult {
    let query = start()
    let builder = PlanBuilder(query: query, measuring: plan)
    let begin = monotonicNanoseconds()
    let source = try builder.source(plan)
    var rows = 0
    while let batch = try source.next() { rows += batch.rowCount }
    for completion in builder.completions { try completion.complete() }
    let total = monotonicNanoseconds() - begin
    let statistics = builder.statistics ?? []
    let estimates = Cardinality().estimates(plan)
    var lines = ExplainText.lines(plan) { index in
      guard index < statistics.count, index < estimates.count else { return nil }
      let node = statistics[index]
      var text = "\(node.rows) rows (estimated \(count(estimates[index])))"
      if let predictions = node.predictions.text { text += ", \(predictions)" }
      let partitions = node.partitions
      if partitions.skipped > 0 {
        text += ", \(partitions.skipped) of \(partitions.all) partitions skipped"
      }
      text += ", \(milliseconds(node.nanoseconds))"
      if node.bytes > 0 { text += ", \(node.bytes >> 10) KiB" }
      return text
    }
    lines.append("")
    lines.append(
      "\(rows) rows in \(milliseconds(total)), peak memory of operators \(query.memory.peak >> 10) KiB; "
        + "a node's time is that of all workers, what is below it included")
    return try table(["plan"], lines.map { [$0] })
  }

  /// An estimate as people read it.
  private func count(_ rows: Double) -> String {
    let rounded = rows.rounded()
    return abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }

  private func milliseconds(_ nanoseconds: Int) -> String {
    let hundredths = nanoseconds / 10_000
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
  }

  func run(_ describe: Describe) throws -> StatementResult {
    try rows(try binder().bindRowStatement(.describe(describe)))
  }

  func run(_ show: Show) throws -> StatementResult {
    try rows(try binder().bindRowStatement(.show(show)))
  }
}
