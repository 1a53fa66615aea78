import Diagnostics

/// The kinds of token. Words carry their keyword beside the kind.
package enum TokenKind: UInt8, Sendable {
  case endOfInput, semicolon
  case word, quotedIdentifier
  case string, escapeString, dollarString, blobString
  case integer, decimal, double, hexInteger, binaryInteger
  case questionMark, numberedParameter, namedParameter
  case leftParenthesis, rightParenthesis, leftBracket, rightBracket, leftBrace, rightBrace
  case comma, dot, colon, doubleColon, colonEquals, fatArrow
  case plus, minus, star, slash, doubleSlash, percent, caret, doubleStar
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case concat, ampersand, pipe, shiftLeft, shiftRight, arrow, doubleArrow
  case contains, containedBy, overlaps, distance, cosineDistance, negativeInnerProduct
  case startsWith, at, exclamation, tilde, notTilde, tildeStar, notTildeStar
  case doubleTilde, notDoubleTilde, doubleTildeStar, notDoubleTildeStar, tripleTilde
}

/// One token: 12 bytes, so that the tokens of a long INSERT stay small.
package struct Token: Sendable {
  package var kind: TokenKind
  package var keyword: Keyword
  var startOffset: UInt32
  var endOffset: UInt32

  init(_ kind: TokenKind, _ start: Int, _ end: Int, keyword: Keyword = .notKeyword) {
    self.kind = kind
    self.keyword = keyword
    // The lexer refuses texts above 2 GB before it makes a token.
    self.startOffset = UInt32(truncatingIfNeeded: start)
    self.endOffset = UInt32(truncatingIfNeeded: end)
  }

  package var start: Int { Int(startOffset) }
  package var end: Int { Int(endOffset) }
  package var span: SourceSpan { SourceSpan(start, end) }
}
