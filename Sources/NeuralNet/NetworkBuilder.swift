import Diagnostics

/// Makes a network step by step: inputs first, then layers on earlier values, then outputs. Values
/// are numbered in the order of their making.
struct NetworkBuilder {
  private var inputs: [NetworkInput] = []
  private var outputs: [NetworkOutput] = []
  private(set) var shapes: [Shape] = []
  private var widths: [Int] = []
  private var nodes: [NetworkNode] = []
  private var summaries: [LayerSummary] = []
  /// Named as the layers call them; `finish` puts the prefixes before.
  private var parameters: [(layer: Int, info: ParameterInfo)] = []
  private var buffers: [(layer: Int, info: ParameterInfo)] = []
  private var prefixes: [String] = []
  private var offset = 0
  private var bufferCount = 0
  private var flops = 0

  /// A tensor that enters. Errors: no values.
  mutating func input(_ name: String, _ shape: Shape) throws -> Int {
    precondition(nodes.isEmpty, "inputs come before layers")
    let width = try shape.elementCount()
    guard width > 0 else { throw Self.noInput() }
    let start = inputs.reduce(0) { $0 + $1.width }
    guard width <= Shape.maximumElements - start else { throw Self.tooManyInputs() }
    inputs.append(NetworkInput(name: name, shape: shape, offset: start, width: width))
    return value(shape, width)
  }

  /// A layer on earlier values; gives the number of its own.
  ///
  /// - Parameters:
  ///   - prefix: what its weights are named after.
  ///   - place: what an error calls it, its own name excepted: `layer 2`, `node "h"`.
  ///   - tensors: what its description calls the values, where they are not just the layer before.
  mutating func layer(
    _ call: LayerCall, on values: [Int], prefix: String, place: String, tensors: [String]? = nil
  ) throws -> Int {
    let definition = try LayerDefinition.named(call.name, place: place)
    let arguments = try LayerArguments(call, place: place, definition: definition)
    guard definition.tensorCount.contains(values.count) else {
      throw arguments.wrongTensorCount(values.count, definition)
    }
    // A scalar is a vector of one, but for those who make a vector of it.
    let given = values.map { shapes[$0].dimensions.isEmpty ? Shape([1]) : shapes[$0] }
    let made = try definition.make(
      arguments, definition.takesScalars ? values.map { shapes[$0] } : given)
    let start = offset
    let bufferStart = bufferCount
    for spec in made.buffers {
      let made = try info(spec, offset: bufferCount)
      buffers.append((nodes.count, made))
      bufferCount += made.count
    }
    for spec in made.parameters {
      let made = try info(spec, offset: offset)
      guard made.count <= Shape.maximumElements - offset else {
        throw arguments.error("the network exceeds \(Shape.maximumElements) weights")
      }
      parameters.append((nodes.count, made))
      offset += made.count
    }
    prefixes.append(prefix)
    summaries.append(
      LayerSummary(
        index: nodes.count, name: definition.name, alias: call.alias,
        description: Self.describe(definition, call, input: given[0], tensors: tensors),
        inputShapes: given,
        outputShape: made.output, parameterCount: offset - start))
    let own = made.flopsPerRow ?? 2 * (offset - start)
    let (sum, overflow) = flops.addingReportingOverflow(own)
    flops = overflow ? Int.max : sum
    let output = value(made.output, try made.output.elementCount())
    nodes.append(
      NetworkNode(
        layer: nodes.count, name: definition.name, operation: made.operation, inputs: values,
        output: output, parameterOffset: start, bufferOffset: bufferStart,
        hasWeights: offset > start, flops: own))
    return output
  }

  /// The number of layers so far.
  var layerCount: Int { nodes.count }

  /// Names the weights of the layers from `first` on after a node: all the same where one of them
  /// has weights, else numbered.
  mutating func rename(from first: Int, to name: String) {
    let layers = Set((parameters + buffers).map(\.layer)).filter { $0 >= first }.sorted()
    for (number, layer) in layers.enumerated() {
      prefixes[layer] = layers.count == 1 ? name : "\(name).\(number)"
    }
  }

  /// Names a value as output. Each output has a value of its own: one that is an input, or that
  /// another output has, is passed on by a layer that does nothing.
  mutating func output(_ name: String, _ wanted: Int) throws {
    var value = wanted
    if value < inputs.count || outputs.contains(where: { $0.value == value }) {
      value = try layer(
        LayerCall("identity", alias: name), on: [value], prefix: name, place: "output \"\(name)\"")
    }
    let maker = nodes.first { $0.output == wanted }
    outputs.append(
      NetworkOutput(
        name: name, shape: shapes[wanted], offset: outputs.reduce(0) { $0 + $1.width },
        width: widths[wanted], lastLayerName: maker?.name, value: value))
  }

  /// The network. Errors: no input, no output, a name twice among the weights.
  func finish() throws -> Network {
    guard !inputs.isEmpty, !outputs.isEmpty else { throw Self.noInput() }
    var all = parameters.map { $0.info.under(prefixes[$0.layer]) }
    var placed = nodes
    var count = offset
    if !buffers.isEmpty {
      let base = roundedUpTo16(offset)
      count = base + bufferCount
      for i in placed.indices { placed[i].bufferOffset += base }
      // In PyTorch's order: a layer's buffers follow its weights.
      for layer in placed.indices.reversed() {
        let own = buffers.filter { $0.layer == layer }.map {
          $0.info.under(prefixes[layer]).moved(by: base)
        }
        let end = placed[layer].parameterOffset + summaries[layer].parameterCount
        let place = all.firstIndex { $0.offset >= end } ?? all.count
        all.insert(contentsOf: own, at: place)
      }
    }
    var names: Set<String> = []
    for info in all where !names.insert(info.name).inserted { throw Self.sameName(info.name) }
    return Network(
      inputs: inputs, outputs: outputs, widths: widths, layers: summaries, parameters: all,
      parameterCount: count, trainedCount: offset, flopsPerRow: flops, nodes: placed)
  }

  private mutating func value(_ shape: Shape, _ width: Int) -> Int {
    shapes.append(shape)
    widths.append(width)
    return shapes.count - 1
  }

  private func info(_ spec: ParameterSpec, offset: Int) throws -> ParameterInfo {
    ParameterInfo(
      name: spec.name, shape: spec.shape, offset: offset,
      count: try Shape(spec.shape).elementCount(limit: Shape.maximumElements), role: spec.role)
  }

  private static func describe(
    _ definition: LayerDefinition, _ call: LayerCall, input: Shape, tensors: [String]?
  ) -> String {
    var parts = call.positional.map(\.description)
    if let tensors {
      parts = tensors + parts
    } else if definition.name == "linear", parts.count == 1 {
      // The inferred width is shown: what the layer is, not how it was abbreviated.
      parts.insert(input.dimensions.map(String.init).joined(separator: "x"), at: 0)
    }
    parts += call.named.map { "\($0.name) => \($0.value)" }
    let name = tensors == nil ? nil : call.alias
    return "\(definition.name)(\(parts.joined(separator: ", ")))" + (name.map { " AS \($0)" } ?? "")
  }

  private static func noInput() -> SQLError {
    SQLError(.model, "a network needs at least one input value per row")
  }
  private static func tooManyInputs() -> SQLError {
    SQLError(.model, "the inputs exceed \(Shape.maximumElements) values per row")
  }
  private static func sameName(_ name: String) -> SQLError {
    SQLError(.model, "two weights are named \"\(name)\"", hint: "give the layers other names")
  }
}
