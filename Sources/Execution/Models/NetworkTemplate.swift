import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// SEQUENTIAL or GRAPH as it was written, before the widths are known that TRAIN finds: of one-hot
/// vectors, numbers of ids, classes.
struct NetworkTemplate: Sendable {
  private enum Form: Sendable {
    case sequential([LayerCall], places: [SourceSpan])
    case graph(GraphDescription)
  }

  private let form: Form
  private let span: SourceSpan

  init(_ statement: CreateModel) throws {
    span = statement.name.span
    switch statement.architecture {
    case .sequential(let layers):
      form = .sequential(try layers.map(Self.call), places: layers.map(\.span))
    case .graph(let items): form = .graph(try GraphCompiler.description(items))
    case nil:
      throw SQLError(
        .model, "model \"\(statement.name.last.name)\" has no network", at: span,
        hint: "SEQUENTIAL (linear(64), relu(), linear(1))")
    }
  }

  var isGraph: Bool {
    if case .graph = form { true } else { false }
  }

  /// What a text becomes that enters without a word about it: ids for GRAPH, and for a network that
  /// begins with an embedding, else a vector.
  var textForm: String {
    switch form {
    case .graph: "category"
    case .sequential(let calls, _):
      calls.first?.name.lowercased() == "embedding" ? "category" : "one_hot"
    }
  }

  /// Whether the number of the output's units is that of its values or classes.
  func leavesOpen(_ output: String) -> Bool {
    switch form {
    case .graph(let graph): graph.leavesWidthOpen(output)
    case .sequential(let calls, _): Self.openLinear(calls) != nil
    }
  }

  /// The network over these features, shapes checked. An error stands at the layer that is wrong;
  /// where the first does not fit the features, the hint names them. Before the fit, a first layer
  /// that does not fit is let pass: TRAIN checks it.
  func network(_ transform: BoundTransform, outputs: [GraphOutput]) throws -> Network {
    switch form {
    case .sequential(let calls, let places):
      return try sequential(calls, places, transform, outputs[0])
    case .graph(let graph):
      let inputs = transform.features.map { feature in
        GraphInput(
          feature.name, Self.shape(of: feature.type),
          vocabulary: feature.cardinality)
      }
      do {
        return try Network.graph(inputs: inputs, graph, outputs: outputs)
      } catch let error as SQLError {
        throw error.placed(at: span)
      }
    }
  }

  private func sequential(
    _ written: [LayerCall], _ places: [SourceSpan], _ transform: BoundTransform,
    _ output: GraphOutput
  ) throws -> Network {
    let features = transform.features
    var calls = written
    if let open = Self.openLinear(calls), let width = output.width {
      calls[open].positional = [.integer(width)]
    }
    if let first = calls.first, first.name.lowercased() == "embedding", first.positional.count == 1,
      !first.named.contains(where: { $0.name.lowercased() == "vocab" }), features.count == 1,
      let ids = features[0].cardinality
    {
      calls[0].named.append(LayerCall.NamedArgument("vocab", .integer(ids)))
    }
    func make(_ shape: Shape, _ calls: [LayerCall]) throws -> Network {
      try Network.sequential(inputShape: shape, layers: calls, output: output.name)
    }
    let shape = Self.shape(of: features)
    do {
      return try make(shape, calls)
    } catch var error as SQLError {
      let wrong = calls.indices.first { (try? make(shape, Array(calls[0...$0]))) == nil }
      if wrong == 0, transform.isOpen, case .integer(let taken)? = calls[0].positional.first,
        let network = try? make(Shape([taken]), calls)
      {
        return network
      }
      error.span = wrong.map { places[$0] } ?? span
      // Of a mistake about shapes, which it names.
      if error.hint == nil, wrong == 0 || error.message.contains("[") {
        error.hint =
          "the inputs are " + features.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
      }
      throw error
    }
  }

  private static func openLinear(_ calls: [LayerCall]) -> Int? {
    calls.lastIndex {
      ["linear", "dense", "fc"].contains($0.name.lowercased()) && $0.positional.isEmpty
        && !$0.named.contains { $0.name.lowercased() == "out" }
    }
  }

  /// One feature keeps the shape of its type, several are one vector.
  private static func shape(of features: [ModelFeature]) -> Shape {
    if features.count == 1, case .array = features[0].type { return shape(of: features[0].type) }
    return Shape([features.reduce(0) { $0 + ModelDefinition.width(of: $1.type) }])
  }

  /// The extents of an array, outermost first; none for a number.
  private static func shape(of type: LogicalType) -> Shape {
    var extents: [Int] = []
    var inner = type
    while case .array(let element, let count) = inner {
      extents.append(count)
      inner = element
    }
    return Shape(extents)
  }

  private static func call(_ layer: ModelLayer) throws -> LayerCall {
    var positional: [LayerArgument] = []
    var named: [LayerCall.NamedArgument] = []
    for argument in layer.call.arguments {
      guard let value = argument.expression.flatMap({ LayerArgument($0) }) else {
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
}
