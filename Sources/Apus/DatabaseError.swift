import Diagnostics

/// What went wrong in a statement: one sentence, the place in the text, and, where known, what was
/// probably meant.
public struct DatabaseError: Error, CustomStringConvertible, Sendable {
  /// The kind of mistake: "Parser Error", "Binder Error", "Conversion Error", "Interrupted", …
  public let code: String
  public let message: String
  /// From 1, in the text that was given; nil for errors of data rather than of text.
  public let line: Int?
  public let column: Int?
  public let hint: String?
  /// The line of the text with a caret below the place.
  public let excerpt: String?

  init(_ error: SQLError, in text: String) {
    code = error.code.rawValue
    message = error.message
    hint = error.hint
    guard let span = error.span, !text.isEmpty else {
      line = nil
      column = nil
      excerpt = nil
      return
    }
    let position = SourcePosition(of: span.start, in: text)
    line = position.line
    column = position.column
    excerpt = DatabaseError.excerpt(text, span, position)
  }

  public var description: String {
    var text = "\(code): \(message)"
    if let excerpt { text += "\n\(excerpt)" }
    if let hint { text += "\nHint: \(hint)" }
    return text
  }

  /// At most about 80 columns around the place, so that a long line stays readable.
  private static func excerpt(_ text: String, _ span: SourceSpan, _ position: SourcePosition)
    -> String
  {
    let lines = text.split(
      separator: "\n", maxSplits: position.line, omittingEmptySubsequences: false)
    guard position.line <= lines.count else { return "" }
    let scalars = Array(lines[position.line - 1].unicodeScalars.prefix(position.column + 4000))
    let caret = min(position.column - 1, scalars.count)
    let start = caret > 60 ? caret - 40 : 0
    let end = min(scalars.count, start + 80)
    var shown = String.UnicodeScalarView()
    for scalar in scalars[start..<max(start, end)] {
      shown.append(scalar == "\t" || scalar.value < 32 ? " " : scalar)
    }
    let lead = "LINE \(position.line): " + (start > 0 ? "…" : "")
    let width = max(1, min(span.end - span.start, end - caret))
    let marks = String(repeating: "^", count: width)
    let tail = end < scalars.count ? "…" : ""
    let padding = String(repeating: " ", count: lead.unicodeScalars.count + caret - start)
    return "\(lead)\(String(shown))\(tail)\n\(padding)\(marks)"
  }
}
