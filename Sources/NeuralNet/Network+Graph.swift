import Diagnostics

extension Network {
  /// `GRAPH (…)`: each node an expression over the inputs and the nodes before it. The outputs are
  /// the nodes of their names; nodes that no output needs are built, checked, and never run.
  ///
  /// A weight is named after its node: `h.weight`; where a node has several layers with weights,
  /// `h.0.weight`, `h.1.weight` in the order of their computation.
  ///
  /// Errors, each at its expression: those of `sequential`, with the node's name in place of the
  /// index and the tensors' names and shapes as hint; unknown and repeated names; an output that no
  /// node makes; a width left open that nobody knows.
  package static func graph(
    inputs: [GraphInput], _ graph: GraphDescription, outputs: [GraphOutput]
  ) throws -> Network {
    var assembly = GraphAssembly(inputs: inputs, outputs: outputs)
    for input in inputs {
      try assembly.define(input.name, try assembly.builder.input(input.name, input.shape), at: nil)
    }
    for node in graph.nodes { try assembly.add(node) }
    for output in outputs { try assembly.addOutput(output) }
    return try assembly.builder.finish()
  }
}

/// The state of making a network of a graph.
private struct GraphAssembly {
  let inputs: [GraphInput]
  let outputs: [GraphOutput]
  var builder = NetworkBuilder()
  private var values: [String: Int] = [:]
  private var names: [String] = []
  /// The written name of each value that has one.
  private var nameOf: [Int: String] = [:]

  init(inputs: [GraphInput], outputs: [GraphOutput]) {
    self.inputs = inputs
    self.outputs = outputs
  }

  mutating func define(_ name: String, _ value: Int, at span: SourceSpan?) throws {
    guard values.updateValue(value, forKey: name.lowercased()) == nil else {
      throw Self.twice(name, span)
    }
    names.append(name)
    if nameOf[value] == nil { nameOf[value] = name }
  }

  mutating func add(_ node: GraphNode) throws {
    var expression = node.expression
    if let output = outputs.first(where: { $0.name.lowercased() == node.name.lowercased() }),
      let open = GraphDescription.openLinear(expression)
    {
      guard let width = output.width else { throw Self.noWidth(node.name, open.span) }
      expression = Self.filled(expression, width: width)
    }
    let first = builder.layerCount
    let value = try evaluate(expression, node: node, isOutermost: true)
    builder.rename(from: first, to: node.name)
    try define(node.name, value, at: node.span)
  }

  mutating func addOutput(_ output: GraphOutput) throws {
    guard let value = values[output.name.lowercased()], value >= inputs.count else {
      throw Self.noNode(output.name, among: Array(names.dropFirst(inputs.count)))
    }
    try builder.output(output.name, value)
  }

  private mutating func evaluate(
    _ expression: GraphExpression, node: GraphNode, isOutermost: Bool
  ) throws -> Int {
    switch expression {
    case .reference(let name, let span):
      guard let value = values[name.lowercased()] else {
        throw Self.unknown(name, span, among: names)
      }
      return value
    case .layer(let layer):
      var tensors: [Int] = []
      for tensor in layer.tensors {
        tensors.append(try evaluate(tensor, node: node, isOutermost: false))
      }
      var call = try withVocabulary(layer, node)
      if isOutermost { call.alias = node.name }
      do {
        return try builder.layer(
          call, on: tensors, prefix: node.name, place: "node \"\(node.name)\"")
      } catch var error as SQLError {
        if error.hint == nil, !tensors.isEmpty { error.hint = describe(tensors) }
        throw error.placed(at: layer.span ?? node.span)
      }
    }
  }

  /// `embedding(c, 8)` where c is a category: its number of ids goes before the 8.
  private func withVocabulary(_ layer: GraphLayer, _ node: GraphNode) throws -> LayerCall {
    var call = layer.call
    guard call.name.lowercased() == "embedding", call.positional.count < 2,
      !call.named.contains(where: { $0.name.lowercased() == "vocab" })
    else { return call }
    guard case .reference(let name, _)? = layer.tensors.first,
      let count = inputs.first(where: { $0.name.lowercased() == name.lowercased() })?.vocabulary
    else { throw Self.noVocabulary(node.name, layer.span) }
    call.named.append(LayerCall.NamedArgument("vocab", .integer(count)))
    return call
  }

  /// "its tensors are a [1], cv [8]".
  private func describe(_ tensors: [Int]) -> String {
    let parts = tensors.map { value -> String in
      let shape = builder.shapes[value]
      let text = shape.dimensions.isEmpty ? "a number" : "\(shape)"
      return nameOf[value].map { "\($0) \(text)" } ?? text
    }
    return parts.count == 1
      ? "its tensor is \(parts[0])"
      : "its tensors are " + parts.joined(separator: ", ")
  }

  private static func filled(_ expression: GraphExpression, width: Int) -> GraphExpression {
    guard case .layer(var layer) = expression else { return expression }
    if GraphDescription.openLinear(expression) == layer {
      layer.call.positional = [.integer(width)]
    } else if let first = layer.tensors.first {
      layer.tensors[0] = filled(first, width: width)
    }
    return .layer(layer)
  }

  private static func twice(_ name: String, _ span: SourceSpan?) -> SQLError {
    SQLError(.model, "the graph uses the name \"\(name)\" twice", at: span)
  }
  private static func unknown(_ name: String, _ span: SourceSpan?, among names: [String])
    -> SQLError
  {
    SQLError(
      .model, "the graph has no input or earlier node named \"\(name)\"", at: span,
      hint: didYouMean(name, among: names) ?? "known are " + names.joined(separator: ", "))
  }
  private static func noNode(_ name: String, among names: [String]) -> SQLError {
    SQLError(
      .model, "no node of the graph is named after the output \"\(name)\"",
      hint: didYouMean(name, among: names) ?? "GRAPH (… AS \(name))")
  }
  private static func noWidth(_ name: String, _ span: SourceSpan?) -> SQLError {
    SQLError(
      .model, "node \"\(name)\" (linear): needs the argument \"out\"", at: span,
      hint: "linear(h, 1)")
  }
  private static func noVocabulary(_ name: String, _ span: SourceSpan?) -> SQLError {
    SQLError(
      .model, "node \"\(name)\" (embedding): needs the number of ids, or a category of TRANSFORM",
      at: span, hint: "embedding(ids, 1000, 16)")
  }
}
