import Columnar
import Diagnostics
import Functions
import Syntax

extension Binder {
  /// `FROM json_each(…)`: the fields of the structs that the function lists, for each row of what
  /// stands left of it.
  func bindJSONTable(
    _ function: TableFunction, _ context: ExpressionContext, span: SourceSpan
  ) throws -> BoundQuery {
    let name = function.call.name.last.name.lowercased()
    let arguments = try function.call.arguments.map { argument -> Expression in
      guard let expression = argument.expression, argument.name == nil else {
        throw SQLError(.binder, "\(name) takes a document and a path", at: argument.span)
      }
      return try bind(expression, context)
    }
    let list = try call(name, arguments, span: span)
    let row = makeReference(name, list.type.elementType ?? .null)
    let ordinality = function.hasOrdinality ? makeReference("ordinality", .bigint) : nil
    let one = Plan.values(ValuesNode(columns: [], rows: [[]]))
    let rows = Plan.unnest(
      UnnestNode(
        input: context.subqueries.attach(to: one), lists: [(expression: list, reference: row)],
        ordinality: ordinality))
    guard case .structure(let fields) = row.type else {
      return BoundQuery(plan: rows, names: [name])
    }
    var items = fields.enumerated().map { position, field in
      (
        expression: Expression.call(
          CallExpression(
            resolved: StructFields.extract(at: position, of: fields), arguments: [.column(row)])),
        reference: makeReference(field.name, field.type)
      )
    }
    if let ordinality { items.append((.column(ordinality), ordinality)) }
    return BoundQuery(
      plan: .project(ProjectNode(input: rows, items: items)),
      names: fields.map(\.name) + (ordinality == nil ? [] : ["ordinality"]))
  }
}
