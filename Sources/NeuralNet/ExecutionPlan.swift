/// The nodes that run, fused, and where each value lives: decided once per network and purpose.
struct ExecutionPlan: Sendable {
  let nodes: [NetworkNode]
  /// Width of each value; the first `inputCount` are the inputs, side by side in slot 0.
  let widths: [Int]
  let inputCount: Int
  /// Features of slot 0 before each input's.
  let inputOffsets: [Int]
  /// Buffer of each value, and the width of each buffer. Values made in place share one.
  let slots: [Int]
  let slotWidths: [Int]
  /// The values that the plan gives, one for each output asked for.
  let results: [Int]
  /// Values whose gradient somebody upstream needs.
  let needsGradient: [Bool]
  /// For each node and each of its inputs: whether its gradient is added to what another reader of
  /// the value, or a loss, has written before.
  let addsGradient: [[Bool]]
  /// Features of memory for gradients that are added: the most of any node.
  let addedWidth: Int

  var inputWidth: Int { slotWidths[0] }
  /// Of forward for a row.
  var flops: Int { nodes.reduce(0) { $0.saturatingAdd($1.flops) } }
  /// A layer mixes the rows of a batch, so a batch must be one tile.
  var needsWholeBatch: Bool { nodes.contains { $0.operation.needsWholeBatch } }
  /// Inputs that a node reads, or that are given as they are.
  var readsInput: [Bool] {
    (0..<inputCount).map { input in
      results.contains(input) || nodes.contains { $0.inputs.contains(input) }
    }
  }

  /// - Parameters:
  ///   - outputs: which of the network's outputs, by number; nil: all. Nodes that none of them needs
  ///     are left out.
  ///   - absorbed: outputs whose last layer is left out, because the loss takes its input.
  ///   - training: keep every value for the way back; else reuse memory, and leave out layers that
  ///     only training needs.
  ///   - inputGradient: give the gradient at the inputs too.
  init(
    _ network: Network, outputs: [Int]? = nil, absorbed: Set<Int> = [], training: Bool,
    inputGradient: Bool = false
  ) {
    let wanted = outputs ?? Array(network.outputs.indices)
    var graph = PlanGraph(
      nodes: network.nodes, widths: network.widths,
      results: wanted.map { network.outputs[$0].value })
    for (place, output) in wanted.enumerated() where absorbed.contains(output) {
      graph.leaveOutLast(ofResult: place)
    }
    graph.prune()
    if !training { graph.removeTrainingLayers() }
    graph.fuse()
    nodes = graph.nodes
    widths = graph.widths
    results = graph.results
    inputCount = network.inputs.count
    inputOffsets = network.inputs.map(\.offset)

    var needs = [Bool](repeating: false, count: widths.count)
    for input in 0..<inputCount { needs[input] = inputGradient }
    for node in nodes {
      needs[node.output] = node.hasWeights || node.inputs.contains { needs[$0] }
    }
    needsGradient = needs
    (addsGradient, addedWidth) = Self.additions(graph, needs: needs)
    (slots, slotWidths) = SlotPlanner.place(
      graph, inputCount: inputCount, inputWidth: network.inputWidth, training: training)
  }

  /// On the way back the first to reach a value writes its gradient, the others add.
  private static func additions(_ graph: PlanGraph, needs: [Bool]) -> ([[Bool]], Int) {
    var written = Set(graph.results)
    var adds = graph.nodes.map { [Bool](repeating: false, count: $0.inputs.count) }
    var width = 0
    for index in graph.nodes.indices.reversed() {
      var own = 0
      for (place, input) in graph.nodes[index].inputs.enumerated() where needs[input] {
        if written.insert(input).inserted { continue }
        adds[index][place] = true
        own += graph.widths[input]
      }
      width = max(width, own)
    }
    return (adds, width)
  }
}

/// A network's nodes on their way to a plan.
struct PlanGraph {
  var nodes: [NetworkNode]
  var widths: [Int]
  var results: [Int]

  func readers(of value: Int) -> Int {
    nodes.reduce(0) { $0 + $1.inputs.reduce(0) { $0 + ($1 == value ? 1 : 0) } }
  }

  /// The result becomes the input of the layer that makes it, under a number of its own.
  mutating func leaveOutLast(ofResult place: Int) {
    guard let maker = nodes.firstIndex(where: { $0.output == results[place] }) else { return }
    var identity = nodes[maker]
    identity.operation = ReshapeOperator()
    identity.hasWeights = false
    if readers(of: results[place]) == 0 {
      nodes[maker] = identity
    } else {
      identity.output = widths.count
      widths.append(widths[results[place]])
      results[place] = identity.output
      nodes.append(identity)
    }
  }

  /// Keeps what the results need.
  mutating func prune() {
    var needed = Set(results)
    for node in nodes.reversed() where needed.contains(node.output) {
      needed.formUnion(node.inputs)
    }
    nodes.removeAll { !needed.contains($0.output) }
  }

  mutating func removeTrainingLayers() {
    var renamed: [Int: Int] = [:]
    var kept: [NetworkNode] = []
    for var node in nodes {
      node.inputs = node.inputs.map { renamed[$0] ?? $0 }
      if node.operation.isTrainingOnly, !results.contains(node.output) {
        renamed[node.output] = node.inputs[0]
      } else {
        kept.append(node)
      }
    }
    nodes = kept
  }

  /// Joins a layer with the only reader of its value, where one operator does the work of both.
  mutating func fuse() {
    var kept: [NetworkNode] = []
    for node in nodes {
      let maker = kept.lastIndex { $0.output == node.inputs[0] }
      if let maker, node.inputs.count == 1, readers(of: node.inputs[0]) == 1,
        !results.contains(node.inputs[0]),
        let operation = kept[maker].operation.fused(with: node.operation)
      {
        kept[maker].operation = operation
        kept[maker].flops = kept[maker].flops.saturatingAdd(node.flops)
        kept[maker].output = node.output
      } else {
        kept.append(node)
      }
    }
    nodes = kept
  }
}

extension Int {
  fileprivate func saturatingAdd(_ other: Int) -> Int {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
