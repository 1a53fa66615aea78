/// Why a text is not JSON, and at which byte.
package struct JSONMistake: Error, Hashable {
  /// Counted from 0.
  package let offset: Int
  package let reason: String

  package init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// `Malformed JSON at byte 17 of input: unexpected character.  Input: "…"`; long inputs are cut.
  package func message(_ input: UnsafeBufferPointer<UInt8>) -> String {
    let isLong = input.count > 50
    let shown = String(decoding: input.prefix(isLong ? 47 : 50), as: UTF8.self)
    let text = shown.split(separator: "\r", omittingEmptySubsequences: false)
      .joined(separator: "\\r")
    return "Malformed JSON at byte \(offset) of input: \(reason).  Input: \"\(text)"
      + (isLong ? "...\"" : "\"")
  }
}

/// What is taken beyond RFC 8259.
package struct JSONRules: Hashable, Sendable {
  /// `[1,]`
  package var allowsTrailingCommas = false
  /// `nan`, `inf` and `infinity` in any case, with or without `-`, as numbers.
  package var allowsNonFinite = false
  /// Half of a surrogate pair stands for U+FFFD.
  package var allowsLoneSurrogates = false
  /// Deeper nesting is a mistake: readers of the tape may recurse.
  package var maximumDepth = 1000

  package init() {}

  /// RFC 8259, nothing laxer.
  package static let strict = JSONRules()

  /// What the SQL type JSON takes.
  package static let sql: JSONRules = {
    var rules = JSONRules()
    rules.allowsTrailingCommas = true
    rules.allowsNonFinite = true
    return rules
  }()
}
