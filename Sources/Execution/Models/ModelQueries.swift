import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// The queries behind TRAIN and EVALUATE: which columns of the source are inputs, which the label.
enum ModelQueries {
  /// The source as a query.
  static func query(of source: ModelSource) throws -> Query {
    switch source {
    case .query(let query): return query
    case .table(let name):
      return Query(body: .table(name), span: name.span)
    case .file(let path, let span):
      let quoted = path.split(separator: "'", omittingEmptySubsequences: false).joined(
        separator: "''")
      guard case .query(let query) = try Parser.parseStatement("FROM '\(quoted)'").statement else {
        throw SQLError(.internal, "a file name did not parse as a source", at: span)
      }
      return query
    }
  }

  /// The plan's columns for the model's inputs and label, cast to what the network takes; missing
  /// ones and text in place of numbers are errors that name the column.
  static func features(
    of definition: ModelDefinition, label: String, in bound: (plan: Plan, names: [String]),
    extra: [String] = [], span: SourceSpan?
  ) throws -> Plan {
    var items: [(expression: Expression, reference: ColumnReference)] = []
    var nextID = -1
    func add(_ expression: Expression, _ name: String) {
      items.append((expression, ColumnReference(id: nextID, name: name, type: expression.type)))
      nextID -= 1
    }
    func find(_ name: String, _ what: String) throws -> ColumnReference {
      let found = bound.names.indices.filter { bound.names[$0].lowercased() == name.lowercased() }
      guard let position = found.first else {
        throw SQLError(
          .binder,
          "the rows for model \"\(definition.name)\" have no column \"\(name)\" for \(what)",
          at: span, hint: didYouMean(name, among: bound.names))
      }
      return bound.plan.output[position]
    }
    for input in definition.inputs {
      let reference = try find(input.name, "its input")
      try checkNumber(reference, as: input, definition, span)
      let column = Expression.column(reference)
      add(
        reference.type == input.type ? column : .cast(column, to: input.type, isTry: false),
        input.name)
    }
    let reference = try find(label, "its output \"\(definition.output.name)\"")
    let output = definition.output
    if definition.outputKind == .number { try checkNumber(reference, as: output, definition, span) }
    let column = Expression.column(reference)
    add(
      reference.type == output.type ? column : .cast(column, to: output.type, isTry: false),
      output.name)
    for name in extra { add(.column(try find(name, "grouping")), name) }
    return .project(ProjectNode(input: bound.plan, items: items))
  }

  private static func checkNumber(
    _ reference: ColumnReference, as field: Field, _ definition: ModelDefinition,
    _ span: SourceSpan?
  ) throws {
    let from = reference.type
    if from == field.type || from.isNumeric || from == .boolean || from == .null { return }
    if from.isNested && field.type.isNested { return }
    throw SQLError(
      .binder,
      "\"\(field.name)\" of model \"\(definition.name)\" is \(field.type), but the column is \(from)",
      at: span, hint: from == .varchar ? "cast the text to a number first" : nil)
  }
}
