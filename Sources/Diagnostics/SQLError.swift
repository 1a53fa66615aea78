/// What a user can get wrong by typing SQL or feeding a file: one sentence that names the thing,
/// the place where it stands, and, where known, what was probably meant.
package struct SQLError: Error, CustomStringConvertible, Sendable {
  /// What kind of mistake it is; the word before the colon in the printed message.
  package enum Code: String, Sendable {
    case syntax = "Parser Error"
    case binder = "Binder Error"
    case catalog = "Catalog Error"
    case conversion = "Conversion Error"
    case outOfRange = "Out of Range Error"
    case invalidInput = "Invalid Input Error"
    case dependency = "Dependency Error"
    case constraint = "Constraint Error"
    case transaction = "TransactionContext Error"
    case io = "IO Error"
    case outOfMemory = "Out of Memory Error"
    case interrupted = "Interrupted"
    case notSupported = "Not Supported Error"
    case model = "Model Error"
    case `internal` = "Internal Error"
  }

  package var code: Code
  package var message: String
  /// Where in the statement's text; nil for errors of data rather than of text.
  package var span: SourceSpan?
  package var hint: String?

  package init(
    _ code: Code, _ message: String, at span: SourceSpan? = nil, hint: String? = nil
  ) {
    self.code = code
    self.message = message
    self.span = span
    self.hint = hint
  }

  package var description: String { "\(code.rawValue): \(message)" }

  /// Whether it says something of the values in a row: what TRY makes NULL of.
  package var isOfData: Bool {
    switch code {
    case .conversion, .outOfRange, .invalidInput: true
    case .syntax, .binder, .catalog, .dependency, .constraint, .transaction, .io, .outOfMemory,
      .interrupted, .notSupported, .model, .internal:
      false
    }
  }

  /// The same error with a place, where it has none yet.
  package func placed(at span: SourceSpan?) -> SQLError {
    var copy = self
    if copy.span == nil { copy.span = span }
    return copy
  }
}
