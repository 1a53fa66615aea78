import Diagnostics

/// One source of rows in FROM.
package struct TableReference: Sendable {
  package var kind: Kind
  package var alias: TableAlias?
  /// TABLESAMPLE
  package var sample: Sample?
  package var span: SourceSpan

  package init(
    _ kind: Kind, alias: TableAlias? = nil, sample: Sample? = nil, span: SourceSpan
  ) {
    self.kind = kind
    self.alias = alias
    self.sample = sample
    self.span = span
  }

  /// The forms of a table reference.
  package indirect enum Kind: Sendable {
    case table(QualifiedName)
    /// `'file.csv'`
    case file(String)
    case function(TableFunction)
    case derived(DerivedTable)
    case join(Join)
    case pivot(Pivot)
    case unpivot(Unpivot)
  }
}

/// `[AS] name (column, …)`.
package struct TableAlias: Sendable {
  package var name: Identifier
  package var columns: [Identifier]

  package init(name: Identifier, columns: [Identifier] = []) {
    self.name = name
    self.columns = columns
  }
}

/// `range(10)`, `PREDICT(MODEL m, TABLE t, threshold => 0.3)`. In PREDICT, PREDICT_PROBA and
/// PROBABILITY a first argument written bare or as a string is already a `.model`.
package struct TableFunction: Sendable {
  package var call: FunctionCall
  package var isLateral: Bool
  /// WITH ORDINALITY
  package var hasOrdinality: Bool

  package init(call: FunctionCall, isLateral: Bool = false, hasOrdinality: Bool = false) {
    self.call = call
    self.isLateral = isLateral
    self.hasOrdinality = hasOrdinality
  }
}

/// `(query)`, with VALUES as one kind of query.
package struct DerivedTable: Sendable {
  package var query: Query
  package var isLateral: Bool

  package init(query: Query, isLateral: Bool = false) {
    self.query = query
    self.isLateral = isLateral
  }
}

/// `left JOIN right ON …`.
package struct Join: Sendable {
  package enum Kind: String, Sendable {
    case inner = "INNER"
    case left = "LEFT"
    case right = "RIGHT"
    case full = "FULL"
    case cross = "CROSS"
    case semi = "SEMI"
    case anti = "ANTI"
    case positional = "POSITIONAL"
  }
  package enum Condition: Sendable {
    /// CROSS and POSITIONAL, or nothing written
    case none
    case natural
    case on(SyntaxExpression)
    case using([Identifier])
  }
  package var kind: Kind
  package var isAsof: Bool
  package var left: TableReference
  package var right: TableReference
  package var condition: Condition
}

/// `source PIVOT (sum(x) FOR year IN (2000, 2010) GROUP BY c)`, and the statement
/// `PIVOT source ON year USING sum(x) GROUP BY c`.
package struct Pivot: Sendable {
  package var source: TableReference
  package var aggregates: [SelectItem]
  package var columns: [PivotColumn]
  package var groupBy: [Identifier]
}

/// `year IN (2000, 2010)`; without values they are found in the data.
package struct PivotColumn: Sendable {
  /// Where the values come from.
  package enum Values: Sendable {
    /// No IN was written.
    case found
    case listed([SelectItem])
    /// `IN (SELECT …)`
    case query(Query)
    /// `IN name`, an ENUM type
    case enumeration(QualifiedName)
  }
  package var expression: SyntaxExpression
  package var values = Values.found
}

/// `source UNPIVOT [INCLUDE NULLS] (value FOR name IN (a, b))`, and the statement
/// `UNPIVOT source ON a, b INTO NAME n VALUE v`.
package struct Unpivot: Sendable {
  package var source: TableReference
  package var includesNulls: Bool
  package var nameColumn: Identifier
  package var valueColumns: [Identifier]
  package var columns: [SelectItem]
}
