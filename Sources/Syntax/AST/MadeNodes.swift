import Diagnostics

// Nodes that the binder itself writes.

extension Insert {
  package init(
    with: WithClause? = nil, into table: QualifiedName, columns: [Identifier] = [],
    source: Source
  ) {
    self.init(
      with: with, table: table, alias: nil, columns: columns, isByName: false, source: source,
      conflict: nil, returning: [])
  }
}

extension Delete {
  package init(from table: QualifiedName) {
    self.init(with: nil, table: table, alias: nil, using: [], filter: nil, returning: [])
  }
}

extension Select {
  /// `SELECT items FROM relation`.
  package init(_ items: [SelectItem], from relation: TableReference, span: SourceSpan) {
    self.init(items: items, from: [relation], span: span)
  }
}

extension SelectItem {
  package init(_ expression: SyntaxExpression) {
    self.init(expression: expression, alias: nil, span: expression.span)
  }
}

extension TableReference {
  /// `(query) AS name (columns)`.
  package init(query: Query, as name: Identifier, columns: [Identifier]) {
    self.init(
      .derived(DerivedTable(query: query, isLateral: false)),
      alias: TableAlias(name: name, columns: columns), span: query.span)
  }
}

extension TableConstraint {
  /// A constraint written with its column.
  package init(_ kind: Kind, span: SourceSpan) {
    self.init(name: nil, kind: kind, span: span)
  }
}
