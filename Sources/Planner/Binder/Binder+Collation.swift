import Columnar
import Diagnostics
import Functions
import Syntax

/// `x COLLATE nocase`: the value itself, marked by a call of `collated`, until it is compared or
/// sorted; then both sides are replaced by their keys.
extension Binder {
  private static let collations: Set<String> = [
    "binary", "c", "nfc", "noaccent", "nocase", "posix",
  ]

  func bindCollation(
    _ operand: SyntaxExpression, _ name: QualifiedName, _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> Expression {
    let bound = try bind(operand, context)
    guard bound.type == .varchar || bound.type == .null else {
      throw SQLError(.binder, "COLLATE applies to VARCHAR, not to \(bound.type)", at: span)
    }
    let names = name.parts.map { $0.name.lowercased() }
    for (part, written) in zip(names, name.parts) where !Self.collations.contains(part) {
      throw SQLError(
        .catalog, "collation \"\(written.name)\" does not exist", at: written.span,
        hint: didYouMean(part, among: Self.collations.sorted()) ?? "there are nocase and noaccent")
    }
    let rules = names.joined(separator: ".")
    return try call("collated", [bound, .constant(.varchar(rules), .varchar)], span: span)
  }

  /// The rules that a collated expression is compared by.
  private func collation(_ expression: Expression) -> String? {
    guard case .call(let call) = expression, call.resolved.function.name == "collated",
      case .constant(.varchar(let rules), _) = call.arguments.last
    else { return nil }
    return rules
  }

  /// What a collated expression is sorted by; any other expression as it is.
  func collationKey(_ expression: Expression) -> Expression {
    guard let rules = collation(expression) else { return expression }
    return key(expression, rules)
  }

  /// Expressions to be compared with each other, as their keys where one of them is collated.
  func collated(_ expressions: [Expression]) -> [Expression] {
    guard let rules = expressions.lazy.compactMap({ self.collation($0) }).first else {
      return expressions
    }
    return expressions.map { $0.type == .varchar ? key($0, rules) : $0 }
  }

  private func key(_ expression: Expression, _ rules: String) -> Expression {
    var plain = expression
    if case .call(let call) = expression, collation(expression) != nil {
      plain = call.arguments[0]
    }
    let arguments: [Expression] = [plain, .constant(.varchar(rules), .varchar)]
    guard
      let resolved = try? ScalarFunctions.resolve(
        name: "collation_key", arguments: [.varchar, .varchar])
    else { return plain }
    return ConstantFolding.fold(
      .call(CallExpression(resolved: resolved, arguments: arguments, span: nil)))
  }

  /// `TRY(e)`: NULL where e fails over a row's data.
  func bindAttempt(
    _ arguments: [SyntaxExpression], _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    guard arguments.count == 1 else {
      throw SQLError(.binder, "TRY takes one expression", at: span)
    }
    attemptDepth += 1
    defer { attemptDepth -= 1 }
    let operand = try bind(arguments[0], context)
    if case .constant = operand { return operand }
    return .cast(operand, to: operand.type, isTry: true)
  }
}
