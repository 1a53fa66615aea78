import Diagnostics

/// An expression as written, with its place in the text.
package struct SyntaxExpression: Sendable {
  package var kind: Kind
  package var span: SourceSpan

  package init(_ kind: Kind, span: SourceSpan) {
    self.kind = kind
    self.span = span
  }

  /// The forms of an expression. EXTRACT, SUBSTRING, TRIM, POSITION, OVERLAY and AT TIME ZONE in
  /// their keyword forms are `function` calls: date_part, substring, trim/ltrim/rtrim, position,
  /// overlay, timezone. CURRENT_DATE and its kin are calls without arguments.
  package indirect enum Kind: Sendable {
    case literal(Literal)
    /// `DATE '2024-01-01'`
    case typedLiteral(TypeName, String)
    case interval(IntervalLiteral)
    /// `[a, b]` or `ARRAY[a, b]`
    case list([SyntaxExpression])
    /// `{a: 1, 'b': 2}`
    case structure([StructField])
    /// `MAP {k: v}`
    case map([MapEntry])
    /// `(a, b)` or `ROW(a)`; `ROW()` is empty
    case row([SyntaxExpression])
    /// `a`, `t.a`, `s.t.a.field`: the binder splits table, column and fields
    case column(QualifiedName)
    case parameter(Parameter)
    case star(Star)
    case columns(ColumnsExpression)
    case unary(UnaryOperator, SyntaxExpression)
    case binary(BinaryOperator, SyntaxExpression, SyntaxExpression)
    /// Two or more terms. Flat, so that a long chain is not a deep tree.
    case and([SyntaxExpression])
    /// Two or more terms. Flat, so that a long chain is not a deep tree.
    case or([SyntaxExpression])
    case not(SyntaxExpression)
    case isTest(IsTest)
    case distinctFrom(DistinctFrom)
    case between(Between)
    /// `a IN (b, c)`
    case inList(InList)
    /// `a IN (SELECT …)`
    case inQuery(InQuery)
    /// `a IN b`, where b is a list, map or string
    case inCollection(InCollection)
    case like(Like)
    case quantified(Quantified)
    case function(FunctionCall)
    case predict(PredictCall)
    case caseWhen(CaseExpression)
    case cast(Cast)
    case collate(SyntaxExpression, QualifiedName)
    case exists(Query)
    /// A query for one value
    case subquery(Query)
    /// `ARRAY(SELECT …)`
    case arraySubquery(Query)
    case lambda(Lambda)
    /// `[x * 2 FOR x IN list IF x > 1]`
    case listComprehension(ListComprehension)
    /// `e[index]`
    case element(SyntaxExpression, index: SyntaxExpression)
    case slice(Slice)
    /// `(e).name`, where e is not a plain name
    case field(SyntaxExpression, Identifier)
    /// DEFAULT in VALUES and SET
    case defaultValue
  }
}

/// A constant. Numbers stay text, without underscores: the binder picks the type.
package enum Literal: Sendable {
  case null
  case boolean(Bool)
  /// Digits only
  case integer(String)
  /// Digits with a point
  case decimal(String)
  /// With an exponent: DOUBLE
  case double(String)
  case string(String)
  /// `X'00FF'`
  case blob([UInt8])
}

/// `INTERVAL '1 year 2 days'` (no unit), `INTERVAL 3 DAY`, `INTERVAL (x) MONTH`.
package struct IntervalLiteral: Sendable {
  package var value: SyntaxExpression
  package var unit: IntervalUnit?
}

/// The unit after an interval's count.
package enum IntervalUnit: String, CaseIterable, Sendable {
  case year, month, day, hour, minute, second, millisecond, microsecond, week, quarter, decade,
    century, millennium
}

/// A field of `{name: value}`.
package struct StructField: Sendable {
  package var name: Identifier
  package var value: SyntaxExpression
}

/// An entry of `MAP {key: value}`.
package struct MapEntry: Sendable {
  package var key: SyntaxExpression
  package var value: SyntaxExpression
}

/// A parameter of a prepared statement.
package enum Parameter: Hashable, Sendable {
  /// `$3`, or a `?`, which takes the number behind the highest so far; from 1
  case position(Int)
  /// `$name`, without the dollar
  case named(String)

  package var isNamed: Bool {
    switch self {
    case .position: false
    case .named: true
    }
  }

  /// `3` or `name`, lower case: what a value is given for.
  package var key: String {
    switch self {
    case .position(let number): "\(number)"
    case .named(let name): name.lowercased()
    }
  }
}

/// `*`, `t.*`, with what follows.
package struct Star: Sendable {
  package var qualifier: QualifiedName?
  /// EXCLUDE (a, t.b)
  package var exclude: [QualifiedName] = []
  /// REPLACE (e AS a)
  package var replace: [StarReplacement] = []
  /// RENAME (a AS b)
  package var rename: [StarRename] = []

  package init(qualifier: QualifiedName? = nil, exclude: [QualifiedName] = []) {
    self.qualifier = qualifier
    self.exclude = exclude
  }
}

/// `expression AS name` in REPLACE.
package struct StarReplacement: Sendable {
  package var expression: SyntaxExpression
  package var name: Identifier
}

/// `column AS name` in RENAME.
package struct StarRename: Sendable {
  package var column: QualifiedName
  package var name: Identifier
}

/// `COLUMNS('regex' | list | lambda | *)`.
package struct ColumnsExpression: Sendable {
  package var qualifier: QualifiedName?
  package var selector: SyntaxExpression
  /// `*COLUMNS(…)`: spread into the surrounding argument list
  package var isUnpacked: Bool
}

/// An operator before its operand.
package enum UnaryOperator: String, CaseIterable, Sendable {
  case minus = "-"
  case plus = "+"
  case bitNot = "~"
  /// `@`: absolute value
  case absolute = "@"
}

/// An operator between two operands; `raw value` is its canonical spelling.
package enum BinaryOperator: String, CaseIterable, Sendable {
  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case plus = "+"
  case minus = "-"
  case multiply = "*"
  case divide = "/"
  case integerDivide = "//"
  case modulo = "%"
  case power = "^"
  case concat = "||"
  case bitAnd = "&"
  case bitOr = "|"
  case shiftLeft = "<<"
  case shiftRight = ">>"
  case arrow = "->"
  case doubleArrow = "->>"
  case contains = "@>"
  case containedBy = "<@"
  case overlaps = "&&"
  case distance = "<->"
  case cosineDistance = "<=>"
  case negativeInnerProduct = "<#>"
  case startsWith = "^@"
  case regexMatch = "~"
  case regexNotMatch = "!~"
  case regexMatchInsensitive = "~*"
  case regexNotMatchInsensitive = "!~*"
  case likeOperator = "~~"
  case notLikeOperator = "!~~"
  case ilikeOperator = "~~*"
  case notIlikeOperator = "!~~*"
  case globOperator = "~~~"

  /// `=`, `<>`, `<`, `<=`, `>`, `>=`
  package var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    case .plus, .minus, .multiply, .divide, .integerDivide, .modulo, .power, .concat, .bitAnd,
      .bitOr, .shiftLeft, .shiftRight, .arrow, .doubleArrow, .contains, .containedBy, .overlaps,
      .distance, .cosineDistance, .negativeInnerProduct, .startsWith, .regexMatch, .regexNotMatch,
      .regexMatchInsensitive, .regexNotMatchInsensitive, .likeOperator, .notLikeOperator,
      .ilikeOperator, .notIlikeOperator, .globOperator:
      false
    }
  }
}

/// `e IS [NOT] NULL | TRUE | FALSE | UNKNOWN`.
package struct IsTest: Sendable {
  package enum Property: String, Sendable { case null, `true`, `false`, unknown }
  package var operand: SyntaxExpression
  package var property: Property
  package var isNegated: Bool
}

/// `a IS [NOT] DISTINCT FROM b`.
package struct DistinctFrom: Sendable {
  package var left: SyntaxExpression
  package var right: SyntaxExpression
  package var isNegated: Bool
}

/// `e [NOT] BETWEEN low AND high`.
package struct Between: Sendable {
  package var operand: SyntaxExpression
  package var low: SyntaxExpression
  package var high: SyntaxExpression
  package var isNegated: Bool
}

/// `e [NOT] IN (a, b)`.
package struct InList: Sendable {
  package var operand: SyntaxExpression
  package var items: [SyntaxExpression]
  package var isNegated: Bool

  package init(operand: SyntaxExpression, items: [SyntaxExpression], isNegated: Bool) {
    self.operand = operand
    self.items = items
    self.isNegated = isNegated
  }
}

/// `e [NOT] IN (query)`.
package struct InQuery: Sendable {
  package var operand: SyntaxExpression
  package var query: Query
  package var isNegated: Bool
}

/// `e [NOT] IN collection`.
package struct InCollection: Sendable {
  package var operand: SyntaxExpression
  package var collection: SyntaxExpression
  package var isNegated: Bool
}

/// `e [NOT] LIKE pattern [ESCAPE c]` and its kin.
package struct Like: Sendable {
  package enum Style: String, Sendable {
    case like = "LIKE"
    case ilike = "ILIKE"
    case similarTo = "SIMILAR TO"
    case glob = "GLOB"
  }
  package var operand: SyntaxExpression
  package var pattern: SyntaxExpression
  package var style: Style
  package var escape: SyntaxExpression?
  package var isNegated: Bool
}

/// `e op ANY | ALL (query or list)`; SOME is ANY.
package struct Quantified: Sendable {
  package enum Quantifier: String, Sendable {
    case any = "ANY"
    case all = "ALL"
  }
  /// What the left side is compared with.
  package enum Source: Sendable {
    case query(Query)
    case list(SyntaxExpression)
  }
  package var operand: SyntaxExpression
  package var comparison: BinaryOperator
  package var quantifier: Quantifier
  package var source: Source
}

/// CASE in both forms: with `operand`, each WHEN is compared to it.
package struct CaseExpression: Sendable {
  package var operand: SyntaxExpression?
  package var branches: [CaseBranch]
  package var otherwise: SyntaxExpression?
}

/// WHEN condition THEN result.
package struct CaseBranch: Sendable {
  package var condition: SyntaxExpression
  package var result: SyntaxExpression
}

/// `CAST(e AS T)`, `e::T`, `TRY_CAST(e AS T)`.
package struct Cast: Sendable {
  package var operand: SyntaxExpression
  package var type: TypeName
  package var isTry: Bool

  package init(operand: SyntaxExpression, type: TypeName, isTry: Bool) {
    self.operand = operand
    self.type = type
    self.isTry = isTry
  }
}

/// `lambda x, y: body`.
package struct Lambda: Sendable {
  package var parameters: [Identifier]
  package var body: SyntaxExpression
}

/// `[result FOR x, i IN source IF condition]`.
package struct ListComprehension: Sendable {
  package var result: SyntaxExpression
  package var variables: [Identifier]
  package var source: SyntaxExpression
  package var condition: SyntaxExpression?
}

/// `e[lower:upper:step]`; a missing bound is nil.
package struct Slice: Sendable {
  package var operand: SyntaxExpression
  package var lower: SyntaxExpression?
  package var upper: SyntaxExpression?
  package var step: SyntaxExpression?
}
