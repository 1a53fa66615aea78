import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// SEQUENTIAL as it was written, before the widths are known that TRAIN finds: of one-hot vectors,
/// numbers of ids, classes.
struct NetworkTemplate: Sendable {
  private let layers: [ModelLayer]
  private let calls: [LayerCall]
  private let span: SourceSpan
  /// The `linear()` that has as many units as its output has values or classes.
  private let openLinear: Int?

  init(_ statement: CreateModel) throws {
    span = statement.name.span
    switch statement.architecture {
    case .sequential(let layers):
      self.layers = layers
      calls = try layers.map(Self.call)
    case .graph: throw ModelCompiler.notYet("GRAPH models", statement.name)
    case nil:
      throw SQLError(
        .model, "model \"\(statement.name.last.name)\" has no network", at: span,
        hint: "SEQUENTIAL (linear(64), relu(), linear(1))")
    }
    openLinear = calls.lastIndex {
      ["linear", "dense", "fc"].contains($0.name.lowercased()) && $0.positional.isEmpty
        && !$0.named.contains { $0.name.lowercased() == "out" }
    }
  }

  /// What a text becomes that enters without a word about it: ids for a network that begins with
  /// an embedding, else a vector.
  var textForm: String {
    calls.first?.name.lowercased() == "embedding" ? "category" : "one_hot"
  }

  /// Whether the number of the output's units is that of its values or classes.
  var isOutputOpen: Bool { openLinear != nil }

  /// The network over these features, shapes checked. An error stands at the layer that is wrong;
  /// where the first does not fit the features, the hint names them. Before the fit, a first layer
  /// that does not fit is let pass: TRAIN checks it.
  func network(_ transform: BoundTransform, output: Field, width: Int) throws -> Network {
    let features = transform.features
    var calls = self.calls
    if let openLinear { calls[openLinear].positional = [.integer(width)] }
    if calls[0].name.lowercased() == "embedding", calls[0].positional.count == 1,
      !calls[0].named.contains(where: { $0.name.lowercased() == "vocab" }), features.count == 1,
      let ids = features[0].cardinality
    {
      calls[0].named.append(LayerCall.NamedArgument("vocab", .integer(ids)))
    }
    let shape = Self.shape(of: features)
    do {
      return try Network.sequential(inputShape: shape, layers: calls)
    } catch var error as SQLError {
      let wrong = calls.indices.first { last in
        (try? Network.sequential(inputShape: shape, layers: Array(calls[0...last]))) == nil
      }
      if wrong == 0, transform.isOpen, case .integer(let taken)? = calls[0].positional.first,
        let network = try? Network.sequential(inputShape: Shape([taken]), layers: calls)
      {
        return network
      }
      error.span = wrong.map { layers[$0].span } ?? span
      if wrong == 0, error.hint == nil {
        error.hint =
          "the inputs are " + features.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
      }
      throw error
    }
  }

  /// One feature keeps the shape of its type, several are one vector.
  private static func shape(of features: [ModelFeature]) -> Shape {
    if features.count == 1 {
      var extents: [Int] = []
      var type = features[0].type
      while case .array(let element, let count) = type {
        extents.append(count)
        type = element
      }
      if extents.count > 1 { return Shape(extents) }
    }
    return Shape([features.reduce(0) { $0 + ModelDefinition.width(of: $1.type) }])
  }

  // MARK: Layers

  private static func call(_ layer: ModelLayer) throws -> LayerCall {
    var positional: [LayerArgument] = []
    var named: [LayerCall.NamedArgument] = []
    for argument in layer.call.arguments {
      guard let expression = argument.expression, let value = constant(expression) else {
        throw SQLError(
          .model, "an argument of \(layer.call.name.last.name) must be a literal",
          at: argument.span)
      }
      if let name = argument.name {
        named.append(LayerCall.NamedArgument(name.name, value))
      } else {
        positional.append(value)
      }
    }
    return LayerCall(
      layer.call.name.last.name, positional, named: named, alias: layer.name?.name)
  }

  static func constant(_ expression: SyntaxExpression) -> LayerArgument? {
    switch expression.kind {
    case .literal(.integer(let text)): return Int(text).map { .integer($0) }
    case .literal(.decimal(let text)), .literal(.double(let text)):
      return Double(text).map { .number($0) }
    case .literal(.string(let text)): return .text(text)
    case .literal(.boolean(let value)): return .boolean(value)
    case .unary(.minus, let operand):
      switch constant(operand) {
      case .integer(let value): return .integer(0 &- value)
      case .number(let value): return .number(-value)
      case .text, .boolean, .list, nil: return nil
      }
    case .list(let elements):
      var extents: [Int] = []
      for element in elements {
        guard case .integer(let extent) = constant(element) else { return nil }
        extents.append(extent)
      }
      return .list(extents)
    default: return nil
    }
  }
}
