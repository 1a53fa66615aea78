import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

// EXPLAIN, DESCRIBE and SHOW.
extension Session {
  func run(_ explain: Explain) throws -> StatementResult {
    let bound: BoundQuery
    switch explain.statement {
    case .query, .trainModel, .evaluateModel, .insert, .update, .delete, .merge, .truncate,
      .copyFrom, .describe, .show, .summarize:
      bound = try binder().bindRowStatement(explain.statement)
    case .createTable(let create):
      guard case .query(let query, _, _) = create.content else {
        throw SQLError(
          .notSupported, "EXPLAIN of this statement is not supported yet", at: explain.span)
      }
      bound = try binder().bind(query)
    case .copyTo(let copy):
      guard case .query(let query) = copy.source else {
        throw SQLError(
          .notSupported, "EXPLAIN of this statement is not supported yet", at: explain.span)
      }
      bound = try binder().bind(query)
    default:
      throw SQLError(
        .notSupported, "EXPLAIN of this statement is not supported yet", at: explain.span)
    }
    let plan = try optimize(bound.plan)
    if !explain.isAnalyze {
      return try table(["plan"], ExplainText.lines(plan).map { [$0] })
    }
    let query = start()
    let builder = PlanBuilder(query: query, measuring: plan)
    let begin = monotonicNanoseconds()
    let source = try builder.source(plan)
    var rows = 0
    while let batch = try source.next() { rows += batch.rowCount }
    for completion in builder.completions { try completion.complete() }
    let total = monotonicNanoseconds() - begin
    let statistics = builder.statistics ?? []
    var lines = ExplainText.lines(plan) { index in
      guard index < statistics.count else { return nil }
      let node = statistics[index]
      var text = "\(node.rows) rows, \(milliseconds(node.nanoseconds))"
      if node.bytes > 0 { text += ", \(node.bytes >> 10) KiB" }
      return text
    }
    lines.append("")
    lines.append(
      "\(rows) rows in \(milliseconds(total)), peak memory of operators \(query.memory.peak >> 10) KiB; "
        + "a node's time is that of all workers, what is below it included")
    return try table(["plan"], lines.map { [$0] })
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
