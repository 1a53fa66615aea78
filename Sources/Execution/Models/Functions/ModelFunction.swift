import Columnar
import Diagnostics
import Planner

/// A function in FROM that looks into a model: `weights(MODEL m)`, `explain_predict(MODEL m, TABLE
/// t)`. One row of the table in `ModelFunctionBuiltins.swift`, one file of its own.
struct ModelFunction: Sendable {
  let name: String
  let summary: String
  let example: String
  /// Whether it takes TABLE t or a query; its provider then reads the model's features, behind them
  /// its keys, and then the rows' own columns.
  let takesRows: Bool
  let options: [String]
  let make: @Sendable (ModelFunctionCall) throws -> any RowProvider

  init(
    _ name: String, takesRows: Bool = false, options: [String] = [], summary: String,
    example: String, make: @escaping @Sendable (ModelFunctionCall) throws -> any RowProvider
  ) {
    self.name = name
    self.takesRows = takesRows
    self.options = options
    self.summary = summary
    self.example = example
    self.make = make
  }
}

/// How one of them was called.
struct ModelFunctionCall: Sendable {
  let model: Model
  /// The columns behind features and keys.
  let rows: [Field]
  let options: [String: Value]
  let span: SourceSpan

  /// A whole number from 1 up.
  func integer(_ name: String, _ defaultValue: Int) throws -> Int {
    guard let value = options[name] else { return defaultValue }
    guard case .integer(let number) = value, number >= 1, let small = Int(exactly: number) else {
      throw SQLError(.binder, "option \"\(name)\" must be a whole number from 1 up", at: span)
    }
    return small
  }
}

/// Rows that are known when the function is called.
final class ModelRowsProvider: RunnableRowProvider, Sendable {
  let title: String
  let details: [String]
  let schema: [Field]
  private let rows: [[Value]]

  init(_ title: String, _ model: Model, _ schema: [Field], _ rows: [[Value]]) {
    self.title = title
    details = ["model: \(model.name) \(model.versionLabel)"]
    self.schema = schema
    self.rows = rows
  }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    if rows.isEmpty { return BatchListSource([]) }
    let columns = try schema.indices.map { index in
      var builder = ColumnBuilder(schema[index].type, capacity: rows.count)
      for row in rows { try builder.append(row[index]) }
      return builder.finish()
    }
    var batches: [Batch] = []
    var first = 0
    while first < rows.count {
      let count = min(query.batchRows, rows.count - first)
      batches.append(Batch(columns: columns.map { $0.slice(first, count) }, rowCount: count))
      first += count
    }
    return BatchListSource(batches)
  }
}

extension StatementCatalog {
  var modelFunctionNames: [String] { modelFunctionTable.map(\.name) }

  func modelFunction(
    _ name: String, _ model: any ModelDescription, rows: [Field]?,
    options: [(name: String, value: Value)], span: SourceSpan
  ) throws -> any RowProvider {
    guard let row = modelFunctionTable.first(where: { $0.name == name }),
      let model = model as? Model
    else { throw SQLError(.internal, "there is no model function \(name)") }
    if row.takesRows != (rows != nil) {
      throw SQLError(
        .binder,
        row.takesRows ? "\(name) takes MODEL m and TABLE t or a query" : "\(name) takes no rows",
        at: span, hint: row.example)
    }
    var values: [String: Value] = [:]
    for option in options {
      guard row.options.contains(option.name) else {
        throw SQLError(
          .binder, "\(name) has no option \"\(option.name)\"", at: span,
          hint: didYouMean(option.name, among: row.options))
      }
      values[option.name] = option.value
    }
    return try row.make(
      ModelFunctionCall(model: model, rows: rows ?? [], options: values, span: span))
  }
}
