/// Gives a column of one table another name in an expression.
package struct ColumnRenaming {
  private let old: String
  private let new: String
  private let table: String

  package init(from old: String, to new: String, table: String) {
    self.old = old.lowercased()
    self.new = new
    self.table = table.lowercased()
  }

  package func rewrite(_ expression: SyntaxExpression) -> SyntaxExpression {
    let rewritten = try? SyntaxRewriter.rewrite(expression) { part, place in
      guard case .column(var name) = part.kind, !place.lambdaParameters.contains(old) else {
        return nil
      }
      // `a`, `t.a`, and a field of either: `a.f`.
      var position = 0
      if name.parts.count > 1, name.parts[0].name.lowercased() == table { position = 1 }
      guard name.parts[position].name.lowercased() == old else { return nil }
      name.parts[position].name = new
      name.parts[position].quoted = true
      return SyntaxExpression(.column(name), span: part.span)
    }
    return rewritten ?? expression
  }
}
