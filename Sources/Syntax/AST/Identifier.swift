import Diagnostics

/// A name as written, without its quotes. Case is kept; matching ignores it.
package struct Identifier: Sendable {
  package var name: String
  /// Whether it stood in double quotes.
  package var quoted: Bool
  package var span: SourceSpan

  package init(name: String, quoted: Bool = false, span: SourceSpan = SourceSpan(0, 0)) {
    self.name = name
    self.quoted = quoted
    self.span = span
  }
}

/// One or more identifiers joined by dots. What each part means is the binder's to say.
package struct QualifiedName: Sendable {
  /// At least one part.
  package var parts: [Identifier]
  package var span: SourceSpan

  package init(parts: [Identifier], span: SourceSpan) {
    self.parts = parts
    self.span = span
  }

  package init(_ identifier: Identifier) {
    self.init(parts: [identifier], span: identifier.span)
  }

  /// The last part, the thing's own name.
  package var last: Identifier { parts.last ?? Identifier(name: "", span: span) }

  /// All parts but the last: catalog, schema or table.
  package var qualifiers: ArraySlice<Identifier> { parts.dropLast() }
}

/// A type as written in DDL or in a cast. The binder resolves the name.
package indirect enum TypeName: Sendable {
  /// `INTEGER`, `DECIMAL(10, 2)`, `VARCHAR(20)`. Several words are joined by one space and spelled
  /// in upper case: `DOUBLE PRECISION`, `TIMESTAMP WITH TIME ZONE`, `CHARACTER VARYING`.
  case named(QualifiedName, arguments: [SyntaxExpression])
  /// `T[]`
  case list(TypeName, span: SourceSpan)
  /// `T[n]`
  case array(TypeName, size: Int, span: SourceSpan)
  /// `STRUCT(a INTEGER, b VARCHAR)` or `ROW(…)`
  case structure([TypeField], span: SourceSpan)
  /// `UNION(num INTEGER, str VARCHAR)`
  case union([TypeField], span: SourceSpan)
  /// `MAP(K, V)`
  case map(key: TypeName, value: TypeName, span: SourceSpan)
  /// `ENUM('a', 'b')`
  case enumeration([String], span: SourceSpan)

  /// Where the type stands.
  package var span: SourceSpan {
    switch self {
    case .named(let name, _): name.span
    case .list(_, let span), .array(_, _, let span), .structure(_, let span),
      .union(_, let span), .map(_, _, let span), .enumeration(_, let span):
      span
    }
  }
}

/// A field of a STRUCT or UNION type.
package struct TypeField: Sendable {
  package var name: Identifier
  package var type: TypeName

  package init(name: Identifier, type: TypeName) {
    self.name = name
    self.type = type
  }
}
