import Diagnostics

/// A static graph of layers: every shape inferred and checked when it is made, weights laid out in
/// one flat vector. Immutable.
package final class Network: Sendable {
  /// Their values enter side by side, in this order: a row is `inputWidth` floats.
  package let inputs: [NetworkInput]
  /// Their values leave side by side, in this order: a row is `outputWidth` floats.
  package let outputs: [NetworkOutput]
  package let inputWidth: Int
  package let outputWidth: Int
  package let layers: [LayerSummary]
  package let parameters: [ParameterInfo]
  package let parameterCount: Int
  /// The trained ones come first; after them, from a multiple of 16 on, the buffers.
  let trainedCount: Int
  /// Floating-point operations of a forward pass for one row: two for each weight, and for each
  /// place where a layer uses it again.
  package let flopsPerRow: Int
  let nodes: [NetworkNode]
  /// Width of each value: the first are the inputs, node i makes `nodes[i].output`.
  let widths: [Int]

  /// `NetworkBuilder.finish` has checked that there is an input and an output.
  init(
    inputs: [NetworkInput], outputs: [NetworkOutput], widths: [Int], layers: [LayerSummary],
    parameters: [ParameterInfo], parameterCount: Int, trainedCount: Int, flopsPerRow: Int,
    nodes: [NetworkNode]
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.inputWidth = inputs.reduce(0) { $0 + $1.width }
    self.outputWidth = outputs.reduce(0) { $0 + $1.width }
    self.widths = widths
    self.layers = layers
    self.parameters = parameters
    self.parameterCount = parameterCount
    self.trainedCount = trainedCount
    self.flopsPerRow = flopsPerRow
    self.nodes = nodes
  }

  /// `SEQUENTIAL (…)` on a vector of `inputWidth` values.
  ///
  /// Errors: unknown layer or argument, shapes that do not fit (with the layer's index from 0, the
  /// expected and the actual shape), more than 2^30 weights.
  package static func sequential(inputWidth: Int, layers calls: [LayerCall]) throws -> Network {
    try sequential(inputShape: Shape([inputWidth]), layers: calls)
  }

  /// The same on rows of any shape: `[channels, height, width]`, `[steps, features]`. The input is
  /// named "input", the output "output" unless names are given.
  package static func sequential(
    inputShape shape: Shape, layers calls: [LayerCall], input: String = "input",
    output: String = "output"
  ) throws -> Network {
    var builder = NetworkBuilder()
    var value = try builder.input(input, shape)
    guard !calls.isEmpty else { throw noLayers() }
    for (index, call) in calls.enumerated() {
      value = try builder.layer(
        call, on: [value], prefix: call.alias ?? String(index), place: "layer \(index)")
    }
    try builder.output(output, value)
    return try builder.finish()
  }

  /// Shape of the first input.
  package var inputShape: Shape { inputs.first?.shape ?? Shape([]) }
  /// Shape of the first output.
  package var outputShape: Shape { outputs.first?.shape ?? Shape([]) }
  /// The first output's last layer by its canonical name: "softmax", "sigmoid", "linear", …
  package var lastLayerName: String? { outputs.first?.lastLayerName }

  /// The number of the output of that name, case ignored; nil: there is none.
  package func outputIndex(_ name: String) -> Int? {
    outputs.firstIndex { $0.name.lowercased() == name.lowercased() }
  }

  private static func noLayers() -> SQLError {
    SQLError(.model, "a network needs at least one layer", hint: "SEQUENTIAL (linear(1))")
  }
}

/// A tensor that enters: `offset` values of a row come before its own.
package struct NetworkInput: Hashable, Sendable {
  package let name: String
  package let shape: Shape
  package let offset: Int
  package let width: Int
}

/// A tensor that leaves: `offset` values of a row come before its own.
package struct NetworkOutput: Hashable, Sendable {
  package let name: String
  package let shape: Shape
  package let offset: Int
  package let width: Int
  /// The canonical name of the layer that makes it; nil where an input is passed on.
  package let lastLayerName: String?
  let value: Int
}

/// One operation of the graph, on numbered values.
struct NetworkNode: Sendable {
  var layer: Int
  var name: String
  var operation: any LayerOperator
  var inputs: [Int]
  var output: Int
  var parameterOffset: Int
  var bufferOffset: Int
  var hasWeights: Bool
  /// Floating-point operations of forward for a row.
  var flops: Int
}

/// A layer as DESCRIBE MODEL shows it.
package struct LayerSummary: Sendable {
  package let index: Int
  package let name: String
  package let alias: String?
  package let description: String
  package let inputShapes: [Shape]
  package let outputShape: Shape
  package let parameterCount: Int

  /// Shape of the first input.
  package var inputShape: Shape { inputShapes.first ?? Shape([]) }
}

/// A named view of the flat weight vector, in PyTorch's layout.
package struct ParameterInfo: Sendable {
  package let name: String
  package let shape: [Int]
  package let offset: Int
  package let count: Int
  package let role: ParameterRole

  func under(_ prefix: String) -> ParameterInfo {
    ParameterInfo(
      name: "\(prefix).\(name)", shape: shape, offset: offset, count: count, role: role)
  }

  func moved(by distance: Int) -> ParameterInfo {
    ParameterInfo(name: name, shape: shape, offset: offset + distance, count: count, role: role)
  }
}
