import Diagnostics
import Planner
import Syntax

// COMMENT ON: a text kept with the object.
extension Session {
  func run(_ comment: CommentOn) throws -> StatementResult {
    let space: CatalogState.Space
    switch comment.target {
    case .table, .view: space = .relation
    case .column: return try commentColumn(comment)
    case .index: space = .index
    case .sequence: space = .sequence
    case .type: space = .type
    case .macro: space = .macro
    case .tableMacro: space = .tableMacro
    case .model: space = .model
    case .schema, .database:
      throw SQLError(
        .notSupported, "comments on a \(comment.target.rawValue.lowercased()) are not supported",
        at: comment.name.span)
    }
    let word = comment.target.rawValue.lowercased()
    guard let (key, object) = try catalog().find(space, comment.name),
      space != .relation || object.item.kind == word
    else {
      throw SQLError(
        .catalog, "\(word) \"\(comment.name.last.name)\" does not exist", at: comment.name.span,
        hint: didYouMean(comment.name.last.name, among: state.names(space)))
    }
    change { $0[key]?.comment = comment.text }
    return .none
  }

  private func commentColumn(_ comment: CommentOn) throws -> StatementResult {
    let column = comment.name.last
    guard comment.name.parts.count > 1 else {
      throw SQLError(.binder, "COMMENT ON COLUMN takes table.column", at: column.span)
    }
    let table = QualifiedName(
      parts: Array(comment.name.parts.dropLast()), span: comment.name.span)
    guard let (key, object) = try catalog().find(.relation, table) else {
      throw SQLError(
        .catalog, "table \"\(table.last.name)\" does not exist", at: table.span,
        hint: didYouMean(table.last.name, among: catalog().tableNames))
    }
    let fields = try catalog().columns(of: object, name: table)
    guard fields.contains(where: { $0.name.lowercased() == column.name.lowercased() }) else {
      throw SQLError(
        .binder, "table \"\(object.name)\" has no column \"\(column.name)\"", at: column.span,
        hint: didYouMean(column.name, among: fields.map(\.name)))
    }
    change { $0[key]?.columnComments[column.name.lowercased()] = comment.text }
    return .none
  }
}
