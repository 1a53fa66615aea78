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

  /// The columns for the model's inputs and outputs, cast to what they are declared as, then `extra`
  /// ones as they are; missing ones and text in place of numbers are errors that name the column.
  static func rows(
    of definition: ModelDefinition, labels: [String], in bound: (plan: Plan, names: [String]),
    extra: [String] = [], span: SourceSpan?
  ) throws -> Plan {
    var items: [(expression: Expression, reference: ColumnReference)] = []
    func add(_ column: ColumnReference, as field: Field) {
      let expression = Expression.column(column)
      items.append(
        (
          column.type == field.type
            ? expression
            : .cast(
              expression, to: field.type,
              naming: "\"\(field.name)\" of model \"\(definition.name)\"", at: span),
          ColumnReference(id: -1 - items.count, name: field.name, type: field.type)
        ))
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
      let column = try find(input.name, "its input")
      try check(column, as: input, definition, span)
      add(column, as: input)
    }
    for (output, label) in zip(definition.outputs, labels) {
      let column = try find(label, "its output \"\(output.field.name)\"")
      if output.kind == .number { try check(column, as: output.field, definition, span) }
      add(column, as: output.field)
    }
    for name in extra {
      let column = try find(name, "grouping")
      add(column, as: Field(name, column.type))
    }
    return .project(ProjectNode(input: bound.plan, items: items))
  }

  /// The column of each output: those that LABEL names, else the outputs' own names.
  static func labels(_ clause: [TrainLabel], of definition: ModelDefinition) throws -> [String] {
    var labels = definition.outputs.map(\.field.name)
    for (position, label) in clause.enumerated() {
      if let output = label.output {
        guard
          let index = labels.indices.first(where: {
            definition.outputs[$0].field.name.lowercased() == output.name.lowercased()
          })
        else {
          throw SQLError(
            .model, "model \"\(definition.name)\" has no output \"\(output.name)\"",
            at: output.span, hint: didYouMean(output.name, among: labels))
        }
        labels[index] = label.column.last.name
      } else if position < labels.count {
        labels[position] = label.column.last.name
      } else {
        throw SQLError(
          .model, "model \"\(definition.name)\" has \(labels.count) outputs, LABEL names more",
          at: label.column.span)
      }
    }
    return labels
  }

  /// The columns that FOR EACH names.
  static func keys(_ clause: [SyntaxExpression]) throws -> [String] {
    var names: [String] = []
    for expression in clause {
      guard case .column(let name) = expression.kind else {
        throw SQLError(
          .model, "FOR EACH takes columns", at: expression.span,
          hint: "compute it in the query: FROM (SELECT *, … AS key FROM …) FOR EACH (key)")
      }
      if names.contains(where: { $0.lowercased() == name.last.name.lowercased() }) {
        throw SQLError(
          .model, "FOR EACH names the column \"\(name.last.name)\" twice", at: expression.span)
      }
      names.append(name.last.name)
    }
    return names
  }

  /// The same with their types. Errors: lists and structures.
  static func keyFields(_ columns: some Sequence<ColumnReference>, _ clause: [SyntaxExpression])
    throws -> [Field]
  {
    try zip(columns, clause).map { column, expression in
      if column.type.isNested {
        throw SQLError(
          .model, "FOR EACH cannot tell networks apart by a \(column.type)",
          at: expression.span)
      }
      return Field(column.name, column.type)
    }
  }

  /// A number from 0 to below 1.
  static func fraction(_ expression: SyntaxExpression) throws -> Double {
    switch LayerArgument(expression) {
    case .number(let number) where number >= 0 && number < 1: return number
    case .integer(0): return 0
    default:
      throw SQLError(
        .model, "VALIDATION SPLIT takes a fraction from 0 to 1", at: expression.span)
    }
  }

  /// Rows with the features of the model in place of its inputs.
  static func features(_ transform: BoundTransform, in rows: Plan) -> Plan {
    let columns = rows.output
    let inputs = columns.prefix(transform.references.count).map { Expression.column($0) }
    var items: [(expression: Expression, reference: ColumnReference)] = []
    for (feature, expression) in zip(transform.features, transform.features(of: inputs)) {
      items.append(
        (
          expression,
          ColumnReference(id: -1_000 - items.count, name: feature.name, type: expression.type)
        ))
    }
    items += columns.dropFirst(transform.references.count).map { (.column($0), $0) }
    return .project(ProjectNode(input: rows, items: items))
  }

  private static func check(
    _ reference: ColumnReference, as field: Field, _ definition: ModelDefinition,
    _ span: SourceSpan?
  ) throws {
    if TypeResolution.feeds(reference.type, field.type) { return }
    throw SQLError(
      .binder,
      "\"\(field.name)\" of model \"\(definition.name)\" is \(field.type), but the column is \(reference.type)",
      at: span, hint: reference.type == .varchar ? "cast the text to a number first" : nil)
  }
}
