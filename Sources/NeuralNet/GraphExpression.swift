import Diagnostics

/// A node's expression in `GRAPH (…)`: a tensor by name, or a layer on tensors.
package indirect enum GraphExpression: Hashable, Sendable {
  case reference(String, span: SourceSpan?)
  case layer(GraphLayer)
}

/// `linear(h, 64)`: the layer with its literal arguments, and the tensors it takes.
package struct GraphLayer: Hashable, Sendable {
  package var call: LayerCall
  package var tensors: [GraphExpression]
  package var span: SourceSpan?

  package init(_ call: LayerCall, on tensors: [GraphExpression], at span: SourceSpan? = nil) {
    self.call = call
    self.tensors = tensors
    self.span = span
  }
}

/// `expression AS name`; later nodes may use the name.
package struct GraphNode: Hashable, Sendable {
  package var name: String
  package var expression: GraphExpression
  package var span: SourceSpan?

  package init(_ name: String, _ expression: GraphExpression, at span: SourceSpan? = nil) {
    self.name = name
    self.expression = expression
    self.span = span
  }
}

/// A tensor that enters a graph.
package struct GraphInput: Hashable, Sendable {
  package var name: String
  /// `[]` for a single number.
  package var shape: Shape
  /// How many ids a category has, `<other>` included: what `embedding(c, 8)` leaves open.
  package var vocabulary: Int?

  package init(_ name: String, _ shape: Shape, vocabulary: Int? = nil) {
    self.name = name
    self.shape = shape
    self.vocabulary = vocabulary
  }
}

/// A tensor that leaves a graph.
package struct GraphOutput: Hashable, Sendable {
  package var name: String
  /// Its number of values, the classes of a class: what `linear(h)` leaves open.
  package var width: Int?

  package init(_ name: String, width: Int? = nil) {
    self.name = name
    self.width = width
  }
}

/// A graph as it was written, before its open widths are known.
package struct GraphDescription: Hashable, Sendable {
  package var nodes: [GraphNode]

  package init(_ nodes: [GraphNode]) {
    self.nodes = nodes
  }

  /// The first layer of the node that has no width yet, following its first tensors: the `linear(h)`
  /// of `softmax(linear(h))`.
  static func openLinear(_ expression: GraphExpression) -> GraphLayer? {
    guard case .layer(let layer) = expression else { return nil }
    let isLinear = ["linear", "dense", "fc"].contains(layer.call.name.lowercased())
    if isLinear {
      let hasWidth =
        !layer.call.positional.isEmpty || layer.call.named.contains { $0.name == "out" }
      return hasWidth ? nil : layer
    }
    return layer.tensors.first.flatMap { openLinear($0) }
  }

  /// Whether the output of that name takes its width from what TRAIN finds.
  package func leavesWidthOpen(_ output: String) -> Bool {
    nodes.contains {
      $0.name.lowercased() == output.lowercased() && Self.openLinear($0.expression) != nil
    }
  }
}
