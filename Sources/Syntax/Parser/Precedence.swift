/// How tightly operators bind, loosest first. The order is DuckDB's, which is PostgreSQL's with the
/// arrow `->` (JSON access, old lambdas) at the loose end; `->>` is an operator like others.
enum Precedence: Int, Comparable {
  case lowest
  case arrow
  case or
  case and
  case not
  /// IS, ISNULL, NOTNULL
  case isTest
  case comparison
  /// BETWEEN, IN, LIKE, `~`, `~~` and their kin
  case membership
  /// `||`, `&`, `<<`, `@>` and every other operator
  case other
  case additive
  case multiplicative
  case power
  case atTimeZone
  case collate
  case unary
  /// `::`, subscripts, fields, method calls
  case postfix

  static func < (a: Precedence, b: Precedence) -> Bool { a.rawValue < b.rawValue }

  /// The next tighter level: what the right side of a left-associative operator is read at.
  var tighter: Precedence { Precedence(rawValue: rawValue + 1) ?? .postfix }
}

extension BinaryOperator {
  var precedence: Precedence {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: .comparison
    case .plus, .minus: .additive
    case .multiply, .divide, .integerDivide, .modulo: .multiplicative
    case .power: .power
    case .arrow: .arrow
    case .doubleArrow, .concat, .bitAnd, .bitOr, .shiftLeft, .shiftRight, .contains, .containedBy,
      .overlaps, .distance, .cosineDistance, .negativeInnerProduct, .startsWith:
      .other
    case .regexMatch, .regexNotMatch, .regexMatchInsensitive, .regexNotMatchInsensitive,
      .likeOperator, .notLikeOperator, .ilikeOperator, .notIlikeOperator, .globOperator:
      .membership
    }
  }

  /// The operator that a token spells between two operands.
  init?(_ kind: TokenKind) {
    switch kind {
    case .equal: self = .equal
    case .notEqual: self = .notEqual
    case .less: self = .less
    case .lessOrEqual: self = .lessOrEqual
    case .greater: self = .greater
    case .greaterOrEqual: self = .greaterOrEqual
    case .plus: self = .plus
    case .minus: self = .minus
    case .star: self = .multiply
    case .slash: self = .divide
    case .doubleSlash: self = .integerDivide
    case .percent: self = .modulo
    case .caret, .doubleStar: self = .power
    case .concat: self = .concat
    case .ampersand: self = .bitAnd
    case .pipe: self = .bitOr
    case .shiftLeft: self = .shiftLeft
    case .shiftRight: self = .shiftRight
    case .arrow: self = .arrow
    case .doubleArrow: self = .doubleArrow
    case .contains: self = .contains
    case .containedBy: self = .containedBy
    case .overlaps: self = .overlaps
    case .distance: self = .distance
    case .cosineDistance: self = .cosineDistance
    case .negativeInnerProduct: self = .negativeInnerProduct
    case .startsWith: self = .startsWith
    case .tilde: self = .regexMatch
    case .notTilde: self = .regexNotMatch
    case .tildeStar: self = .regexMatchInsensitive
    case .notTildeStar: self = .regexNotMatchInsensitive
    case .doubleTilde: self = .likeOperator
    case .notDoubleTilde: self = .notLikeOperator
    case .doubleTildeStar: self = .ilikeOperator
    case .notDoubleTildeStar: self = .notIlikeOperator
    case .tripleTilde: self = .globOperator
    case .endOfInput, .semicolon, .word, .quotedIdentifier, .string, .escapeString, .dollarString,
      .blobString, .integer, .decimal, .double, .hexInteger, .binaryInteger, .questionMark,
      .numberedParameter, .namedParameter, .leftParenthesis, .rightParenthesis, .leftBracket,
      .rightBracket, .leftBrace, .rightBrace, .comma, .dot, .colon, .doubleColon, .colonEquals,
      .fatArrow, .at, .exclamation:
      return nil
    }
  }
}
