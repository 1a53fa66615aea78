/// A literal argument of a layer, as SQL wrote it.
package enum LayerArgument: Hashable, Sendable, CustomStringConvertible {
  case integer(Int)
  case number(Double)
  case text(String)
  case boolean(Bool)
  /// `[3, 2]`: an extent for each axis.
  case list([Int])

  package var description: String {
    switch self {
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .text(let value): "'\(value)'"
    case .boolean(let value): String(value)
    case .list(let values): Shape(values).description
    }
  }
}

/// One element of `SEQUENTIAL (…)`: `linear(64)`, `dropout(p => 0.3) AS drop`.
package struct LayerCall: Hashable, Sendable {
  /// An argument given by name: `p => 0.3`.
  package struct NamedArgument: Hashable, Sendable {
    package var name: String
    package var value: LayerArgument

    package init(_ name: String, _ value: LayerArgument) {
      self.name = name
      self.value = value
    }
  }

  package var name: String
  package var positional: [LayerArgument]
  package var named: [NamedArgument]
  package var alias: String?

  package init(
    _ name: String, _ positional: [LayerArgument] = [], named: [NamedArgument] = [],
    alias: String? = nil
  ) {
    self.name = name
    self.positional = positional
    self.named = named
    self.alias = alias
  }
}
