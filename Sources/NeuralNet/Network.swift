import Diagnostics

/// A static graph of layers: every shape inferred and checked when it is made, weights laid out in
/// one flat vector. Immutable.
package final class Network: Sendable {
  package let inputShape: Shape
  package let outputShape: Shape
  package let inputWidth: Int
  package let outputWidth: Int
  package let layers: [LayerSummary]
  package let parameters: [ParameterInfo]
  package let parameterCount: Int
  let nodes: [NetworkNode]
  /// Width of each value: 0 is the input, node i makes `nodes[i].output`.
  let widths: [Int]

  private init(
    inputShape: Shape, outputShape: Shape, widths: [Int], layers: [LayerSummary],
    parameters: [ParameterInfo], parameterCount: Int, nodes: [NetworkNode]
  ) throws {
    self.inputShape = inputShape
    self.outputShape = outputShape
    self.inputWidth = try inputShape.elementCount()
    self.outputWidth = try outputShape.elementCount()
    self.widths = widths
    self.layers = layers
    self.parameters = parameters
    self.parameterCount = parameterCount
    self.nodes = nodes
  }

  /// `SEQUENTIAL (…)` on a vector of `inputWidth` values.
  ///
  /// Errors: unknown layer or argument, shapes that do not fit (with the layer's index from 0, the
  /// expected and the actual shape), more than 2^30 weights.
  package static func sequential(inputWidth: Int, layers calls: [LayerCall]) throws -> Network {
    guard inputWidth > 0 else { throw noInput() }
    guard !calls.isEmpty else { throw noLayers() }
    let input = Shape([inputWidth])
    var shape = input
    var widths = [try shape.elementCount()]
    var nodes: [NetworkNode] = []
    var summaries: [LayerSummary] = []
    var parameters: [ParameterInfo] = []
    var offset = 0
    for (index, call) in calls.enumerated() {
      let definition = try LayerDefinition.named(call.name, layer: index)
      let arguments = try LayerArguments(call, layer: index, definition: definition)
      let made = try definition.make(arguments, shape)
      let start = offset
      for spec in made.parameters {
        let shape = Shape(spec.shape)
        let count = try shape.elementCount(limit: Shape.maximumElements)
        guard count <= Shape.maximumElements - offset else { throw tooManyWeights(index, call) }
        parameters.append(
          ParameterInfo(
            name: "\(call.alias ?? String(index)).\(spec.name)", shape: spec.shape, offset: offset,
            count: count, role: spec.role))
        offset += count
      }
      summaries.append(
        LayerSummary(
          index: index, name: definition.name, alias: call.alias,
          description: describe(definition, call, input: shape), inputShape: shape,
          outputShape: made.output, parameterCount: offset - start))
      shape = made.output
      widths.append(try shape.elementCount())
      nodes.append(
        NetworkNode(
          layer: index, name: definition.name, operation: made.operation, input: nodes.count,
          output: nodes.count + 1, parameterOffset: start))
    }
    return try Network(
      inputShape: input, outputShape: shape, widths: widths, layers: summaries,
      parameters: parameters, parameterCount: offset, nodes: nodes)
  }

  /// Floating-point operations of a forward pass for one row: two for each weight.
  package var flopsPerRow: Int { 2 * parameterCount }

  /// The last layer's canonical name: "softmax", "sigmoid", "linear", …
  package var lastLayerName: String? { layers.last?.name }

  private static func describe(_ definition: LayerDefinition, _ call: LayerCall, input: Shape)
    -> String
  {
    var parts = call.positional.map(\.description)
    // The inferred width is shown: what the layer is, not how it was abbreviated.
    if definition.name == "linear", parts.count == 1 {
      parts.insert(input.dimensions.map(String.init).joined(separator: "x"), at: 0)
    }
    parts += call.named.map { "\($0.name) => \($0.value)" }
    return "\(definition.name)(\(parts.joined(separator: ", ")))"
  }

  private static func noInput() -> SQLError {
    SQLError(.model, "a network needs at least one input value per row")
  }

  private static func noLayers() -> SQLError {
    SQLError(.model, "a network needs at least one layer", hint: "SEQUENTIAL (linear(1))")
  }

  private static func tooManyWeights(_ index: Int, _ call: LayerCall) -> SQLError {
    SQLError(
      .model,
      "layer \(index) (\(call.name)): the network exceeds \(Shape.maximumElements) weights")
  }
}

/// One operation of the graph. Values are numbered; 0 is the input.
struct NetworkNode: Sendable {
  var layer: Int
  var name: String
  var operation: any LayerOperator
  var input: Int
  var output: Int
  var parameterOffset: Int
}

/// A layer as DESCRIBE MODEL shows it.
package struct LayerSummary: Sendable {
  package let index: Int
  package let name: String
  package let alias: String?
  package let description: String
  package let inputShape: Shape
  package let outputShape: Shape
  package let parameterCount: Int
}

/// A named view of the flat weight vector, in PyTorch's layout.
package struct ParameterInfo: Sendable {
  package let name: String
  package let shape: [Int]
  package let offset: Int
  package let count: Int
  package let role: ParameterRole
}
