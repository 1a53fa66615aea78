import Columnar
import Diagnostics
import Syntax

// What CREATE TABLE and ALTER TABLE ask the binder.
extension Binder {
  /// Binds everything a definition holds; gives the columns' types, with those of generated columns
  /// that were declared without one.
  package func checkDefinition(_ definition: TableDefinition) throws -> [LogicalType] {
    var known = definition
    for column in definition.columns where column.type != .null || column.generated == nil {
      _ = try defaultValue(column)
    }
    var open = Set(
      definition.columns.indices.filter { definition.columns[$0].generated != nil })
    var untyped = Set(open.filter { definition.columns[$0].type == .null })
    while !open.isEmpty {
      let before = open.count
      for position in open.sorted() {
        guard let generated = known.columns[position].generated else { continue }
        let read = try columnsRead(by: generated, known, clause: "generated columns")
        // Only after the ones it reads; so a circle stays open.
        if !read.isDisjoint(with: open) { continue }
        let columns = known.columns.map { makeReference($0.name, $0.type) }
        let bound = try bindRowExpression(
          generated, known, columns, clause: "generated columns")
        if untyped.remove(position) != nil {
          known.columns[position].type = bound.type == .null ? .integer : bound.type
        } else {
          _ = try assignmentCast(bound, to: known.columns[position], span: generated.span)
        }
        open.remove(position)
      }
      if open.count == before {
        throw SQLError(
          .binder,
          "the generated column \"\(known.columns[open.sorted()[0]].name)\" depends on itself")
      }
    }
    let columns = known.columns.map { makeReference($0.name, $0.type) }
    for check in known.checks { _ = try bindCheck(check, known, columns) }
    return known.columns.map(\.type)
  }

  /// The positions of the columns that an expression of a table reads.
  package func columnsRead(
    by expression: SyntaxExpression, _ definition: TableDefinition, clause: String
  ) throws -> Set<Int> {
    let columns = definition.columns.map { makeReference($0.name, $0.type) }
    let ids = try bindRowExpression(expression, definition, columns, clause: clause).columnIDs
    return Set(columns.indices.filter { ids.contains(columns[$0].id) })
  }

  /// An expression over a table's columns, cast to a type if one is given, and the references that
  /// stand for the columns.
  package func rowExpression(
    _ expression: SyntaxExpression, _ definition: TableDefinition, to type: LogicalType?,
    clause: String
  ) throws -> (expression: Expression, columns: [ColumnReference]) {
    let columns = definition.columns.map { makeReference($0.name, $0.type) }
    var bound = try bindRowExpression(expression, definition, columns, clause: clause)
    if let type {
      bound = try assignmentCast(
        bound, to: TableDefinition.Column(name: clause, type: type), span: expression.span)
    }
    return (bound, columns)
  }

  /// What a column gets by default, which reads no column.
  package func defaultExpression(_ column: TableDefinition.Column) throws -> Expression {
    try defaultValue(column)
  }
}
