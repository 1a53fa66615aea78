import Diagnostics

/// WITH …, a body, ORDER BY, LIMIT: whatever gives rows.
package struct Query: Sendable {
  package var with: WithClause?
  package var body: QueryBody
  package var orderBy: [OrderItem] = []
  package var limit: Limit?
  package var offset: SyntaxExpression?
  package var span: SourceSpan

  package init(
    with: WithClause? = nil, body: QueryBody, orderBy: [OrderItem] = [], limit: Limit? = nil,
    offset: SyntaxExpression? = nil, span: SourceSpan
  ) {
    self.with = with
    self.body = body
    self.orderBy = orderBy
    self.limit = limit
    self.offset = offset
    self.span = span
  }
}

extension Query {
  /// Whether it is nothing but another query in parentheses.
  var isBareNested: Bool {
    guard case .nested = body else { return false }
    return with == nil && orderBy.isEmpty && limit == nil && offset == nil
  }
}

/// The part of a query that makes the rows.
package indirect enum QueryBody: Sendable {
  case select(Select)
  case values(ValuesList)
  /// `TABLE t`
  case table(QualifiedName)
  case setOperation(SetOperation)
  /// A query in parentheses
  case nested(Query)
  /// A statement that gives rows: DESCRIBE, SHOW, SUMMARIZE, TRAIN, EVALUATE, and in a CTE also
  /// INSERT, UPDATE, DELETE … RETURNING
  case statement(Statement)
}

/// `VALUES (1, 2), (3, 4)`.
package struct ValuesList: Sendable {
  package var rows: [[SyntaxExpression]]
  package var span: SourceSpan
}

/// `left UNION [ALL] [BY NAME] right`.
package struct SetOperation: Sendable {
  package enum Kind: String, Sendable {
    case union = "UNION"
    case intersect = "INTERSECT"
    case except = "EXCEPT"
  }
  package var kind: Kind
  package var isAll: Bool
  package var isByName: Bool
  package var left: QueryBody
  package var right: QueryBody
  package var span: SourceSpan

  package init(
    kind: Kind, isAll: Bool, isByName: Bool, left: QueryBody, right: QueryBody, span: SourceSpan
  ) {
    self.kind = kind
    self.isAll = isAll
    self.isByName = isByName
    self.left = left
    self.right = right
    self.span = span
  }
}

/// `WITH [RECURSIVE] a AS (…), b AS (…)`.
package struct WithClause: Sendable {
  package var isRecursive: Bool
  package var tables: [CommonTable]
  package var span: SourceSpan
}

/// `name (columns) [USING KEY (…)] AS [[NOT] MATERIALIZED] (query)`.
package struct CommonTable: Sendable {
  package var name: Identifier
  package var columns: [Identifier]
  package var usingKey: [Identifier]
  /// nil where nothing was written
  package var isMaterialized: Bool?
  package var query: Query
  package var span: SourceSpan
}

/// One SELECT block. `FROM t` alone has the single item `*`.
package struct Select: Sendable {
  package enum Distinct: Sendable {
    case all
    case distinct
    case on([SyntaxExpression])
  }
  package var distinct: Distinct = .all
  package var items: [SelectItem] = []
  /// Several references are a cross product.
  package var from: [TableReference] = []
  package var filter: SyntaxExpression?
  package var groupBy: GroupBy?
  package var having: SyntaxExpression?
  package var windows: [NamedWindow] = []
  package var qualify: SyntaxExpression?
  /// USING SAMPLE
  package var sample: Sample?
  package var span: SourceSpan

  /// A block of these items alone; the rest is set.
  package init(items: [SelectItem] = [], from: [TableReference] = [], span: SourceSpan) {
    self.items = items
    self.from = from
    self.span = span
  }
}

/// `expression [AS] alias` or `alias: expression`.
package struct SelectItem: Sendable {
  package var expression: SyntaxExpression
  package var alias: Identifier?
  package var span: SourceSpan

  package init(expression: SyntaxExpression, alias: Identifier? = nil, span: SourceSpan) {
    self.expression = expression
    self.alias = alias
    self.span = span
  }
}

/// GROUP BY.
package enum GroupBy: Sendable {
  case all
  case elements([GroupingElement])
}

/// One element of GROUP BY or of GROUPING SETS.
package indirect enum GroupingElement: Sendable {
  /// An ordinal is an integer literal, a group of several columns a `.row`.
  case expression(SyntaxExpression)
  /// `()`
  case empty
  /// Items are columns or `.row`s of columns.
  case rollup([SyntaxExpression])
  case cube([SyntaxExpression])
  case sets([GroupingElement])
}

/// `name AS (…)` in WINDOW.
package struct NamedWindow: Sendable {
  package var name: Identifier
  package var specification: WindowSpecification
}

/// `LIMIT n`, `LIMIT n%`, `FETCH FIRST n ROWS ONLY`.
package struct Limit: Sendable {
  package var count: SyntaxExpression
  package var isPercent: Bool
}

/// `10% (bernoulli, 42)`, `reservoir(50 ROWS) REPEATABLE (7)`.
package struct Sample: Sendable {
  package var size: SyntaxExpression
  package var isPercent: Bool
  /// bernoulli, system, reservoir in lower case; nil where nothing was written
  package var method: String?
  package var seed: Int?
  package var span: SourceSpan
}
