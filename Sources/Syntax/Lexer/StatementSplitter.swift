import Diagnostics

/// Finds where statements end without parsing them: for a shell that reads line by line and a
/// runner of scripts.
package enum StatementSplitter {
  /// Whether the text ends with a semicolon that is not inside a string, an identifier, a comment
  /// or dollar quotes. Blanks and comments may follow it.
  package static func isComplete(_ text: String) -> Bool {
    guard var lexer = try? Lexer(text) else { return true }
    var last = TokenKind.endOfInput
    while true {
      let before = lexer.position
      do {
        let token = try lexer.nextToken()
        if token.kind == .endOfInput { return last == .semicolon }
        last = token.kind
      } catch let error as SQLError where error.isIncompleteInput {
        return false
      } catch {
        if lexer.position <= before { lexer.advance(to: before + 1) }
        last = .word
      }
    }
  }

  /// The statements' places, without their semicolons, blanks and comments around them; empty
  /// statements are left out. Text that cannot be read still belongs to its statement.
  package static func split(_ text: String) -> [SourceSpan] {
    guard var lexer = try? Lexer(text) else { return [] }
    var spans: [SourceSpan] = []
    var current: SourceSpan?
    while true {
      let before = lexer.position
      let span: SourceSpan
      do {
        let token = try lexer.nextToken()
        if token.kind == .semicolon || token.kind == .endOfInput {
          if let done = current { spans.append(done) }
          current = nil
          if token.kind == .endOfInput { return spans }
          continue
        }
        span = token.span
      } catch {
        if lexer.position <= before { lexer.advance(to: before + 1) }
        span = (error as? SQLError)?.span ?? SourceSpan(before, lexer.position)
      }
      current = current?.union(span) ?? span
    }
  }
}
