import Diagnostics

/// A call, plain, aggregate or window.
package struct FunctionCall: Sendable {
  /// `f`, `schema.f`. A dotted name may also be a method chain on a column, `col.f(y)`: the binder
  /// decides by looking whether the qualifier names a column.
  package var name: QualifiedName
  /// `receiver.f(…)`, where the receiver is not a plain name. It is the first argument.
  package var receiver: SyntaxExpression?
  /// `count(*)` has one argument, a bare star.
  package var arguments: [Argument]
  package var isDistinct: Bool = false
  /// ORDER BY inside the parentheses
  package var orderBy: [OrderItem] = []
  /// `WITHIN GROUP (ORDER BY …)`
  package var withinGroup: [OrderItem] = []
  /// FILTER (WHERE …)
  package var filter: SyntaxExpression?
  package var nullTreatment: NullTreatment?
  package var over: WindowReference?

  package init(
    name: QualifiedName, receiver: SyntaxExpression? = nil, arguments: [Argument] = []
  ) {
    self.name = name
    self.receiver = receiver
    self.arguments = arguments
  }
}

/// RESPECT NULLS or IGNORE NULLS.
package enum NullTreatment: String, Sendable {
  case respect = "RESPECT NULLS"
  case ignore = "IGNORE NULLS"
}

/// One argument of a call; `name` for `name => value` and `name := value`.
package struct Argument: Sendable {
  package var name: Identifier?
  package var value: Value
  package var span: SourceSpan

  /// A positional argument.
  package init(_ expression: SyntaxExpression) {
    self.init(name: nil, value: .expression(expression), span: expression.span)
  }

  init(name: Identifier? = nil, value: Value, span: SourceSpan) {
    self.name = name
    self.value = value
    self.span = span
  }

  /// What stands in an argument's place.
  package enum Value: Sendable {
    /// A table function's `(query)` is a `.subquery` here.
    case expression(SyntaxExpression)
    /// `MODEL m [VERSION v]`
    case model(ModelReference)
    /// `TABLE t`
    case table(QualifiedName)
  }

  /// The expression, unless the argument is a model or a table.
  package var expression: SyntaxExpression? {
    switch value {
    case .expression(let expression): expression
    case .model, .table: nil
    }
  }
}

/// `OVER name` or `OVER (…)`.
package enum WindowReference: Sendable {
  case named(Identifier)
  case specification(WindowSpecification)
}

/// `([base] [PARTITION BY …] [ORDER BY …] [frame])`.
package struct WindowSpecification: Sendable {
  package var base: Identifier?
  package var partitionBy: [SyntaxExpression] = []
  package var orderBy: [OrderItem] = []
  package var frame: WindowFrame?
  package var span: SourceSpan
}

/// `ROWS BETWEEN start AND end EXCLUDE …`. Without BETWEEN, `end` is CURRENT ROW.
package struct WindowFrame: Sendable {
  package enum Unit: String, Sendable {
    case rows = "ROWS"
    case range = "RANGE"
    case groups = "GROUPS"
  }
  package enum Bound: Sendable {
    case unboundedPreceding
    case preceding(SyntaxExpression)
    case currentRow
    case following(SyntaxExpression)
    case unboundedFollowing
  }
  package enum Exclusion: String, Sendable {
    case noOthers = "NO OTHERS"
    case currentRow = "CURRENT ROW"
    case group = "GROUP"
    case ties = "TIES"
  }
  package var unit: Unit
  package var start: Bound
  package var end: Bound
  package var exclusion: Exclusion
}

/// One `expression ASC|DESC NULLS FIRST|LAST`; nil where nothing was written.
package struct OrderItem: Sendable {
  package enum Direction: String, Sendable {
    case ascending = "ASC"
    case descending = "DESC"
  }
  package enum NullPlacement: String, Sendable {
    case first = "NULLS FIRST"
    case last = "NULLS LAST"
  }
  /// nil for ORDER BY ALL
  package var expression: SyntaxExpression?
  package var direction: Direction?
  package var nulls: NullPlacement?
  package var span: SourceSpan
}
