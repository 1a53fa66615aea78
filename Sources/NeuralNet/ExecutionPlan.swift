/// The nodes that run, fused, and where each value lives: decided once per network and purpose.
struct ExecutionPlan: Sendable {
  let nodes: [NetworkNode]
  let widths: [Int]
  /// Buffer of each value, and the width of each buffer. Values made in place share one.
  let slots: [Int]
  let slotWidths: [Int]
  /// The value that the plan gives.
  let result: Int
  /// Values whose gradient somebody upstream needs.
  let needsGradient: [Bool]

  var outputWidth: Int { widths[result] }
  /// A layer mixes the rows of a batch, so a batch must be one tile.
  var needsWholeBatch: Bool { nodes.contains { $0.operation.needsWholeBatch } }

  /// - Parameters:
  ///   - dropLast: leave out the last layer, because the loss or the reader takes its input.
  ///   - training: keep every value for the way back; else reuse memory, and leave out layers that
  ///     only training needs.
  ///   - inputGradient: give the gradient at the input too.
  init(_ network: Network, dropLast: Bool, training: Bool, inputGradient: Bool = false) {
    var chosen = dropLast ? Array(network.nodes.dropLast()) : network.nodes
    if !training { chosen = Self.withoutTrainingLayers(chosen) }
    chosen = Self.fused(chosen)
    nodes = chosen
    widths = network.widths
    result = chosen.last?.output ?? 0
    var needs = [Bool](repeating: false, count: network.widths.count)
    needs[0] = inputGradient
    for node in chosen {
      let hasWeights = network.layers[node.layer].parameterCount > 0
      needs[node.output] = needs[node.input] || hasWeights
    }
    needsGradient = needs
    (slots, slotWidths) = Self.placed(chosen, widths: network.widths, training: training)
  }

  private static func withoutTrainingLayers(_ nodes: [NetworkNode]) -> [NetworkNode] {
    var renamed: [Int: Int] = [:]
    var kept: [NetworkNode] = []
    for node in nodes {
      var copy = node
      copy.input = renamed[node.input] ?? node.input
      if node.operation.isTrainingOnly {
        renamed[node.output] = copy.input
      } else {
        kept.append(copy)
      }
    }
    return kept
  }

  private static func fused(_ nodes: [NetworkNode]) -> [NetworkNode] {
    var result: [NetworkNode] = []
    for node in nodes {
      if let last = result.last, last.output == node.input,
        let operation = last.operation.fused(with: node.operation)
      {
        result[result.count - 1].operation = operation
        result[result.count - 1].output = node.output
      } else {
        result.append(node)
      }
    }
    return result
  }

  private static func placed(_ nodes: [NetworkNode], widths: [Int], training: Bool)
    -> (slots: [Int], widths: [Int])
  {
    var slots = [Int](repeating: 0, count: widths.count)
    var slotWidths = [widths[0]]
    var free: [Int] = []
    var maker: [Int: any LayerOperator] = [:]
    for node in nodes {
      let source = slots[node.input]
      if node.input != 0, node.operation.inPlace,
        !training || mayOverwrite(maker[node.input], by: node.operation)
      {
        slots[node.output] = source
      } else {
        let width = widths[node.output]
        if !training, let reuse = free.popLast() {
          slots[node.output] = reuse
          slotWidths[reuse] = max(slotWidths[reuse], width)
        } else {
          slots[node.output] = slotWidths.count
          slotWidths.append(width)
        }
        // In a chain a value has one reader, so its buffer is free from here on. The input's own
        // buffer may be the caller's: never reused.
        if node.input != 0 { free.append(source) }
      }
      maker[node.output] = node.operation
    }
    return (slots, slotWidths)
  }

  private static func mayOverwrite(_ maker: (any LayerOperator)?, by next: any LayerOperator)
    -> Bool
  {
    switch maker?.outputUse ?? .none {
    case .none: true
    case .sign: next.keepsSign
    case .value: false
    }
  }
}
