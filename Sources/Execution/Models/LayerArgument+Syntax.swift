import NeuralNet
import Syntax

extension LayerArgument {
  /// A literal as a layer takes it; nil: the expression is none.
  init?(_ expression: SyntaxExpression) {
    switch expression.kind {
    case .literal(.integer(let text)):
      guard let value = Int(text) else { return nil }
      self = .integer(value)
    case .literal(.decimal(let text)), .literal(.double(let text)):
      guard let value = Double(text) else { return nil }
      self = .number(value)
    case .literal(.string(let text)): self = .text(text)
    case .literal(.boolean(let value)): self = .boolean(value)
    case .unary(.minus, let operand):
      switch LayerArgument(operand) {
      case .integer(let value): self = .integer(0 &- value)
      case .number(let value): self = .number(-value)
      case .text, .boolean, .list, nil: return nil
      }
    case .list(let elements):
      var extents: [Int] = []
      for element in elements {
        guard case .integer(let extent) = LayerArgument(element) else { return nil }
        extents.append(extent)
      }
      self = .list(extents)
    default: return nil
    }
  }
}

extension OptionValue {
  /// A literal as OPTIONS take it: a bare word is a text, `{…}` names values, `[…]` lists them.
  /// nil: the expression is none of these.
  init?(_ expression: SyntaxExpression) {
    switch expression.kind {
    case .column(let word) where word.parts.count == 1: self = .text(word.last.name)
    case .structure(let fields):
      var entries: [OptionEntry] = []
      for field in fields {
        guard let value = OptionValue(field.value) else { return nil }
        entries.append(OptionEntry(field.name.name, value))
      }
      self = .entries(entries)
    case .list(let elements):
      var values: [OptionValue] = []
      for element in elements {
        guard let value = OptionValue(element) else { return nil }
        values.append(value)
      }
      self = .list(values)
    default:
      switch LayerArgument(expression) {
      case .integer(let value): self = .number(Double(value))
      case .number(let value): self = .number(value)
      case .text(let text): self = .text(text)
      case .boolean(let flag): self = .boolean(flag)
      case .list, nil: return nil
      }
    }
  }
}
