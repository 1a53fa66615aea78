import Columnar
import Diagnostics
import Functions
import Syntax

/// Operators and the forms that are written like them: comparisons, IS, BETWEEN, IN, LIKE, CASE.
extension Binder {
  func bind(
    _ op: UnaryOperator, _ operand: SyntaxExpression, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let bound = unmarked(try bind(operand, context))
    switch op {
    case .plus: return bound
    case .minus:
      if bound.type == .varchar {
        throw SQLError(.binder, "- takes a number, not VARCHAR", at: span)
      }
      // -2147483648 is an INTEGER although 2147483648 is not.
      if case .literal = operand.kind, case .constant(.integer(let value), _) = bound {
        let negated = value == .min ? value : -value
        let fitting: LogicalType =
          negated >= Int128(Int32.min)
          ? .integer : negated >= Int128(Int64.min) ? .bigint : .hugeint
        return .constant(.integer(negated), fitting)
      }
      // So is -2^127 a HUGEINT, whose magnitude alone is none.
      if case .literal = operand.kind, case .constant(.unsigned(let value), _) = bound,
        value == 1 << 127
      {
        return .constant(.integer(.min), .hugeint)
      }
      return ConstantFolding.fold(try call("-", [bound], span: span))
    case .bitNot: return try call("~", [bound], span: span)
    case .absolute: return try call("abs", [bound], span: span)
    }
  }

  func bindBinary(
    _ op: BinaryOperator, _ left: SyntaxExpression, _ right: SyntaxExpression,
    _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    // A long chain of one operator leans left: walk it without recursion.
    var chain: [(op: BinaryOperator, right: SyntaxExpression, span: SourceSpan)] = [
      (op, right, span)
    ]
    var start = left
    while case .binary(let inner, let a, let b) = start.kind {
      chain.append((inner, b, start.span))
      start = a
    }
    var result = try bind(start, context)
    for step in chain.reversed() {
      if step.op == .arrow {
        result = try bindArrow(result, step.right, context, span: step.span)
      } else {
        result = try combine(step.op, result, try bind(step.right, context), span: step.span)
      }
    }
    return result
  }

  /// `x -> 'a' ->> 'b'` is `(x -> 'a') ->> 'b'`, although `->>` binds tighter.
  private func bindArrow(
    _ left: Expression, _ right: SyntaxExpression, _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    var steps: [SyntaxExpression] = []
    var first = right
    while case .binary(.doubleArrow, let inner, let last) = first.kind {
      steps.append(last)
      first = inner
    }
    var result = try combine(.arrow, left, try bind(first, context), span: span)
    for step in steps.reversed() {
      result = try combine(.doubleArrow, result, try bind(step, context), span: span)
    }
    return result
  }

  func combine(
    _ op: BinaryOperator, _ left: Expression, _ right: Expression, span: SourceSpan
  ) throws -> Expression {
    switch op {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return try comparison(op.rawValue, left, right, span: span)
    case .divide where catalog.integerDivision && left.type.isInteger && right.type.isInteger:
      return ConstantFolding.fold(try call("//", [left, right], span: span))
    case .likeOperator: return try call("like", [left, right], span: span)
    case .notLikeOperator: return .not(try call("like", [left, right], span: span))
    case .ilikeOperator: return try call("ilike", [left, right], span: span)
    case .notIlikeOperator: return .not(try call("ilike", [left, right], span: span))
    case .globOperator: return try call("glob", [left, right], span: span)
    case .regexMatch: return try call("regexp_matches", [left, right], span: span)
    case .regexNotMatch: return .not(try call("regexp_matches", [left, right], span: span))
    case .regexMatchInsensitive, .regexNotMatchInsensitive:
      let ignoringCase = Expression.constant(.varchar("i"), .varchar)
      let matched = try call("regexp_matches", [left, right, ignoringCase], span: span)
      return op == .regexMatchInsensitive ? matched : .not(matched)
    case .startsWith: return try call("starts_with", [left, right], span: span)
    case .plus, .minus, .multiply, .divide, .integerDivide, .modulo, .power, .concat, .bitAnd,
      .bitOr, .shiftLeft, .shiftRight, .arrow, .doubleArrow, .contains, .containedBy, .overlaps,
      .distance, .cosineDistance, .negativeInnerProduct:
      return ConstantFolding.fold(try call(op.rawValue, [left, right], span: span))
    }
  }

  /// A comparison of two values brought to their common type.
  func comparison(_ name: String, _ left: Expression, _ right: Expression, span: SourceSpan) throws
    -> Expression
  {
    let sides = collated([unmarked(left), unmarked(right)])
    let (a, b) = try comparable(sides[0], sides[1], operator: name, span: span)
    return ConstantFolding.fold(try call(name, [a, b], span: span))
  }

  private static let equalities: Set = ["=", "<>", "is distinct from", "is not distinct from"]

  /// Both sides cast to what they can be compared as.
  func comparable(
    _ left: Expression, _ right: Expression, operator name: String, span: SourceSpan
  ) throws -> (Expression, Expression) {
    if left.type == right.type { return (left, right) }
    if let sides = try texts(left, right, operator: name, span: span) { return sides }
    // A string literal takes the other side's type.
    if isStringLiteral(left), right.type != .varchar {
      return (try foldedCast(left, to: right.type, isTry: false, span: span), right)
    }
    if isStringLiteral(right), left.type != .varchar {
      return (left, try foldedCast(right, to: left.type, isTry: false, span: span))
    }
    let textMeetsOther =
      (left.type == .varchar) != (right.type == .varchar) && left.type != .null
      && right.type != .null && left.type != .json && right.type != .json
    // Where values are only equal or not, text is read as the other side's type.
    if textMeetsOther, Binder.equalities.contains(name) {
      return left.type == .varchar
        ? (.cast(left, to: right.type, isTry: false), right)
        : (left, .cast(right, to: left.type, isTry: false))
    }
    guard !textMeetsOther, let type = TypeResolution.common(left.type, right.type) else {
      throw SQLError(
        .binder, "cannot compare \(left.type) with \(right.type) by \(name)", at: span,
        hint: "cast one side explicitly")
    }
    return (
      try foldedCast(left, to: type, isTry: false, span: span),
      try foldedCast(right, to: type, isTry: false, span: span)
    )
  }

  /// An ENUM meets text, a literal too, and other ENUMs as text. A label is found by its position.
  private func texts(
    _ left: Expression, _ right: Expression, operator name: String, span: SourceSpan
  ) throws -> (Expression, Expression)? {
    guard let common = TypeResolution.common(left.type, right.type), common == .varchar else {
      return nil
    }
    if Binder.equalities.contains(name) {
      if let position = label(right, of: left.type) { return (left, position) }
      if let position = label(left, of: right.type) { return (position, right) }
    }
    return (
      try foldedCast(left, to: common, isTry: false, span: span),
      try foldedCast(right, to: common, isTry: false, span: span)
    )
  }

  private func isEnumeration(_ type: LogicalType) -> Bool {
    if case .enumeration = type { true } else { false }
  }

  /// A constant text as a value of the ENUM type when it is one of its labels.
  private func label(_ text: Expression, of type: LogicalType) -> Expression? {
    guard case .enumeration(let labels) = type,
      case .constant(.varchar(let label), .varchar) = text,
      labels.position(of: label) != nil
    else { return nil }
    return .constant(.varchar(label), type)
  }

  func isStringLiteral(_ expression: Expression) -> Bool {
    if case .constant(.varchar, .varchar) = expression { return true }
    return expression.isParameter && expression.type == .varchar
  }

  func bind(_ test: IsTest, _ context: ExpressionContext) throws -> Expression {
    switch test.property {
    case .null: return .isNull(try bind(test.operand, context), isNegated: test.isNegated)
    case .unknown:
      return .isNull(try bindCondition(test.operand, context), isNegated: test.isNegated)
    case .true, .false:
      let wanted = Expression.constant(.boolean(test.property == .true), .boolean)
      return try comparison(
        test.isNegated ? "is distinct from" : "is not distinct from",
        try bindCondition(test.operand, context), wanted, span: test.operand.span)
    }
  }

  func bind(_ between: Between, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let operand = try bind(between.operand, context)
    let both = Expression.and([
      try comparison(">=", operand, try bind(between.low, context), span: span),
      try comparison("<=", operand, try bind(between.high, context), span: span),
    ])
    return between.isNegated ? .not(both) : both
  }

  func bind(_ list: InList, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let collated = collated(
      try [unmarked(bind(list.operand, context))]
        + bindSpread(list.items, context).map { unmarked($0) })
    var operand = collated[0]
    var items = Array(collated.dropFirst())
    // Nothing is in an empty list, NULL neither.
    if items.isEmpty { return .constant(.boolean(list.isNegated), .boolean) }
    // With `*COLUMNS(…)` among them there are more values than were written.
    let places = list.items.map(\.span)
    func place(_ index: Int) -> SourceSpan { items.count == places.count ? places[index] : span }
    var type = operand.type
    for (index, item) in items.enumerated()
    where !(isStringLiteral(item) && operand.type != .varchar && operand.type != .null)
      || isEnumeration(operand.type)
    {
      if isStringLiteral(item), isEnumeration(type), label(item, of: type) != nil { continue }
      if isEnumeration(type) || isEnumeration(item.type),
        let common = TypeResolution.common(type, item.type)
      {
        type = common
        continue
      }
      if (type == .varchar) != (item.type == .varchar), type != .null, item.type != .null {
        // Text is read as the others' type.
        type = type == .varchar ? item.type : type
        continue
      }
      guard let common = TypeResolution.common(type, item.type) else {
        throw SQLError(
          .binder, "cannot compare \(type) with \(item.type) in IN", at: place(index),
          hint: "cast one side explicitly")
      }
      type = isStringLiteral(operand) && type == .varchar ? item.type : common
    }
    operand = try foldedCast(operand, to: type, isTry: false, span: list.operand.span)
    items = try items.enumerated().map { index, item in
      try foldedCast(item, to: type, isTry: false, span: place(index))
    }
    var values: [Value] = []
    for item in items {
      guard case .constant(let value, _) = item, !type.isNested else {
        let terms = try items.map { try call("=", [operand, $0], span: span) }
        let any = terms.count == 1 ? terms[0] : Expression.or(terms)
        return list.isNegated ? .not(any) : any
      }
      values.append(value)
    }
    return .inList(InListExpression(operand: operand, values: values, isNegated: list.isNegated))
  }

  func bind(_ like: Like, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let operand = try bind(like.operand, context)
    let pattern = try bind(like.pattern, context)
    var arguments = [operand, pattern]
    let name: String
    switch like.style {
    case .like: name = like.escape == nil ? "like" : "like_escape"
    case .ilike: name = like.escape == nil ? "ilike" : "ilike_escape"
    case .similarTo: name = "regexp_full_match"
    case .glob: name = "glob"
    }
    if let escape = like.escape { arguments.append(try bind(escape, context)) }
    let matched = ConstantFolding.fold(try call(name, arguments, span: span))
    return like.isNegated ? .not(matched) : matched
  }

  func bind(_ branches: CaseExpression, _ context: ExpressionContext, span: SourceSpan)
    throws -> Expression
  {
    let operand = try branches.operand.map { try bind($0, context) }
    var conditions: [Expression] = []
    var results: [(Expression, SourceSpan)] = []
    for branch in branches.branches {
      if let operand {
        conditions.append(
          try comparison(
            "=", operand, try bind(branch.condition, context), span: branch.condition.span))
      } else {
        conditions.append(try bindCondition(branch.condition, context))
      }
      results.append((try bind(branch.result, context), branch.result.span))
    }
    if let otherwise = branches.otherwise {
      results.append((try bind(otherwise, context), otherwise.span))
    }
    let type = try commonType(results, what: "CASE")
    let cast = try results.map { try branch($0.0, as: type, span: $0.1) }
    return .caseWhen(
      CaseWhen(
        branches: zip(conditions, cast).map { ($0, $1) },
        otherwise: branches.otherwise == nil ? nil : cast.last, type: type))
  }
}
