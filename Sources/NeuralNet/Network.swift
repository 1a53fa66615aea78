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
  /// The trained ones come first; after them, from a multiple of 16 on, the buffers.
  let trainedCount: Int
  /// Floating-point operations of a forward pass for one row: two for each weight, and for each
  /// place where a layer uses it again.
  package let flopsPerRow: Int
  let nodes: [NetworkNode]
  /// Width of each value: 0 is the input, node i makes `nodes[i].output`.
  let widths: [Int]

  private init(
    inputShape: Shape, outputShape: Shape, widths: [Int], layers: [LayerSummary],
    parameters: [ParameterInfo], parameterCount: Int, trainedCount: Int, flopsPerRow: Int,
    nodes: [NetworkNode]
  ) throws {
    self.inputShape = inputShape
    self.outputShape = outputShape
    self.inputWidth = try inputShape.elementCount()
    self.outputWidth = try outputShape.elementCount()
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

  /// The same on rows of any shape: `[channels, height, width]`, `[steps, features]`.
  package static func sequential(inputShape input: Shape, layers calls: [LayerCall]) throws
    -> Network
  {
    guard try input.elementCount() > 0 else { throw noInput() }
    guard !calls.isEmpty else { throw noLayers() }
    var shape = input
    var widths = [try shape.elementCount()]
    var nodes: [NetworkNode] = []
    var summaries: [LayerSummary] = []
    var parameters: [ParameterInfo] = []
    var buffers: [(layer: Int, info: ParameterInfo)] = []
    var offset = 0
    var bufferCount = 0
    var flops = 0
    for (index, call) in calls.enumerated() {
      let definition = try LayerDefinition.named(call.name, layer: index)
      let arguments = try LayerArguments(call, layer: index, definition: definition)
      let made = try definition.make(arguments, shape)
      let start = offset
      let bufferStart = bufferCount
      for spec in made.buffers {
        let count = try Shape(spec.shape).elementCount(limit: Shape.maximumElements)
        buffers.append(
          (
            index,
            ParameterInfo(
              name: "\(call.alias ?? String(index)).\(spec.name)", shape: spec.shape,
              offset: bufferCount, count: count, role: spec.role)
          ))
        bufferCount += count
      }
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
          output: nodes.count + 1, parameterOffset: start, bufferOffset: bufferStart))
      let (sum, overflow) = flops.addingReportingOverflow(made.flopsPerRow ?? 2 * (offset - start))
      flops = overflow ? Int.max : sum
    }
    let trainedCount = offset
    if !buffers.isEmpty {
      let base = roundedUpTo16(offset)
      offset = base + bufferCount
      for i in nodes.indices { nodes[i].bufferOffset += base }
      // In PyTorch's order: a layer's buffers follow its weights.
      for layer in summaries.indices.reversed() {
        let own = buffers.filter { $0.layer == layer }.map { $0.info.moved(by: base) }
        let end = nodes[layer].parameterOffset + summaries[layer].parameterCount
        let place = parameters.firstIndex { $0.offset >= end } ?? parameters.count
        parameters.insert(contentsOf: own, at: place)
      }
    }
    return try Network(
      inputShape: input, outputShape: shape, widths: widths, layers: summaries,
      parameters: parameters, parameterCount: offset, trainedCount: trainedCount,
      flopsPerRow: flops, nodes: nodes)
  }

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
  var bufferOffset: Int
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

  fileprivate func moved(by distance: Int) -> ParameterInfo {
    ParameterInfo(name: name, shape: shape, offset: offset + distance, count: count, role: role)
  }
}
