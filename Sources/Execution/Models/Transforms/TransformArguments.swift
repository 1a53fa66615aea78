import Diagnostics
import Syntax

/// A constant argument of a transform. Without a default it must be given.
struct TransformParameter: Sendable {
  let name: String
  let defaultValue: ModelJSON?

  init(_ name: String, _ defaultValue: ModelJSON? = nil) {
    self.name = name
    self.defaultValue = defaultValue
  }
}

/// What a transform does with a category that training did not see.
enum UnseenRule: String, CaseIterable, Sendable {
  /// Id 0, `<other>`.
  case other
  case error
  case null
}

/// The constants that a transform was called with.
struct TransformArguments: Sendable {
  let function: String
  let span: SourceSpan
  let unseen: UnseenRule
  private var values: [String: ModelJSON] = [:]

  /// Errors: unknown or missing names, too many, no constants.
  init(
    _ arguments: [Argument], of definition: TransformDefinition, unseen: UnseenRule,
    span: SourceSpan
  ) throws {
    function = definition.name
    self.span = span
    self.unseen = unseen
    for (position, argument) in arguments.enumerated() {
      let name: String
      if let word = argument.name?.name.lowercased() {
        name = word
      } else if position < definition.parameters.count {
        name = definition.parameters[position].name
      } else {
        throw SQLError(
          .model, "\(function) takes fewer arguments", at: argument.span,
          hint: "for example \(definition.example)")
      }
      guard definition.parameters.contains(where: { $0.name == name }) else {
        throw SQLError(
          .model, "\(function) has no argument \"\(name)\"", at: argument.span,
          hint: didYouMean(name, among: definition.parameters.map(\.name)))
      }
      guard let value = argument.expression.flatMap(Self.constant) else {
        throw SQLError(
          .model, "argument \"\(name)\" of \(function) must be a constant", at: argument.span)
      }
      values[name] = value
    }
    for parameter in definition.parameters where values[parameter.name] == nil {
      guard let value = parameter.defaultValue else {
        throw SQLError(
          .model, "\(function) needs its argument \"\(parameter.name)\"", at: span,
          hint: "for example \(definition.example)")
      }
      values[parameter.name] = value
    }
  }

  subscript(name: String) -> ModelJSON { values[name] ?? .null }

  /// A whole number in a range.
  func integer(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let number = self[name].number, let integer = Int(exactly: number),
      range.contains(integer)
    else {
      throw error(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  func numbers(_ name: String) throws -> [Double] {
    let numbers = self[name].items?.compactMap(\.number) ?? []
    guard !numbers.isEmpty, numbers.count == self[name].items?.count else {
      throw error(name, "a list of numbers")
    }
    return numbers
  }

  func texts(_ name: String) throws -> [String] {
    guard let texts = self[name].texts, !texts.isEmpty else { throw error(name, "a list of texts") }
    return texts
  }

  func error(_ name: String, _ wanted: String) -> SQLError {
    SQLError(.model, "argument \"\(name)\" of \(function) must be \(wanted)", at: span)
  }

  private static func constant(_ expression: SyntaxExpression) -> ModelJSON? {
    switch expression.kind {
    case .literal(.null): return .null
    case .literal(.boolean(let flag)): return .boolean(flag)
    case .literal(.string(let text)): return .text(text)
    case .literal(.integer(let text)), .literal(.decimal(let text)), .literal(.double(let text)):
      return Double(text).map { .number($0) }
    case .unary(.minus, let operand):
      return constant(operand)?.number.map { .number(-$0) }
    case .list(let items):
      let values = items.compactMap(constant)
      return values.count == items.count ? .array(values) : nil
    default: return nil
    }
  }
}
