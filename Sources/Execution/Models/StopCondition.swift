import Columnar
import Diagnostics
import Planner
import Syntax

/// STOP WHEN: a condition over the rows of TRAIN, and `best_epoch`.
struct StopCondition: Sendable {
  private let condition: Expression
  private let columns: [ColumnReference]

  init(_ written: SyntaxExpression, schema: [Field]) throws {
    let fields = schema + [Field("best_epoch", .integer)]
    do {
      let scope = try TransformScope(fields, functions: [])
      let (references, expressions) = try scope.expressions([
        "(\(Printer.sql(written)))::BOOLEAN"
      ])
      condition = expressions[0]
      columns = fields.enumerated().map { position, field in
        references.first { $0.position == position }?.reference
          ?? ColumnReference(id: -1 - position, name: field.name, type: field.type)
      }
    } catch var error as SQLError {
      error.span = written.span
      throw error
    }
  }

  /// Whether to stop after the epoch that gave this row.
  func holds(_ row: Batch, bestEpoch: Int) throws -> Bool {
    let best = try Column.constant(.integer(Int128(bestEpoch)), .integer, count: 1)
    let layout = Dictionary(
      columns.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    let value = try ExpressionEvaluator(condition, layout: layout)
      .evaluate(Batch(columns: row.columns + [best], rowCount: 1)).value(0)
    return value == .boolean(true)
  }
}
