import Testing

@testable import NeuralNet

/// Finite differences against the backward passes, for every row of the tables.
@Suite struct GradientTests {
  @Test(arguments: layerTable.map(\.name))
  func layer(_ name: String) throws {
    // The middle layer sees 12 values, in the shape that it wants.
    let shapes: [String: [Int]] = [
      "conv1d": [3, 4], "conv2d": [3, 2, 2], "conv_transpose2d": [3, 2, 2],
      "max_pool2d": [3, 2, 2],
      "avg_pool2d": [3, 2, 2], "global_avg_pool": [3, 2, 2], "global_max_pool": [3, 2, 2],
      "adaptive_avg_pool2d": [3, 2, 2], "upsample": [3, 2, 2], "last": [4, 3], "layernorm": [4, 3],
      "groupnorm": [4, 3], "linear": [4, 3], "batchnorm": [3, 4], "lstm": [4, 3], "gru": [4, 3],
      "rnn": [4, 3], "attention": [3, 4], "transformer_encoder": [3, 4],
      "mean": [4, 3], "positions": [4, 3],
    ]
    let arguments: [String: [LayerArgument]] = [
      "linear": [.integer(5)], "conv1d": [.integer(2)], "conv2d": [.integer(2), .integer(2)],
      "conv_transpose2d": [.integer(2)], "groupnorm": [.integer(2)], "lstm": [.integer(2)],
      "gru": [.integer(2)], "rnn": [.integer(2)], "attention": [.integer(2)],
      "transformer_encoder": [.integer(2), .integer(3)], "reshape": [.integer(3), .integer(4)],
    ]
    // Ids have no slope; the fixtures hold its gradients.
    if name == "embedding" { return }
    // Layers on several tensors: GraphTests.
    if ["add", "concat", "mul"].contains(name) { return }
    var call = LayerCall(name, arguments[name] ?? [])
    if name == "conv2d" {
      call = LayerCall(name, [.integer(2)], named: [.init("kernel_size", .integer(2))])
    }
    let net = try Network.sequential(
      inputWidth: 4,
      layers: [
        LayerCall("linear", [.integer(12)]),
        LayerCall("reshape", (shapes[name] ?? [12]).map { .integer($0) }), call,
        LayerCall("flatten"), LayerCall("linear", [.integer(2)]),
      ])
    let set = try TrainingSet(width: 4, target: .values(width: 2))
    try set.append(features: draws(80, seed: 1), targets: draws(40, seed: 2))
    try check(net, set, loss: "mse")
  }

  /// Pairs whose buffers or kernels the plan shares.
  @Test(arguments: [
    ["sigmoid", "relu"], ["relu", "dropout"], ["sigmoid", "dropout"], ["tanh", "softmax"],
    ["gelu", "sigmoid"], ["dropout", "dropout"], ["relu", "relu"],
  ])
  func pair(_ names: [String]) throws {
    let net = try Network.sequential(
      inputWidth: 4,
      layers: [LayerCall("linear", [.integer(6)])] + names.map { LayerCall($0) }
        + [LayerCall("linear", [.integer(1)])])
    let set = try TrainingSet(width: 4, target: .values(width: 1))
    try set.append(features: draws(80, seed: 3), targets: draws(20, seed: 4))
    try check(net, set, loss: "mse")
  }

  @Test(arguments: lossTable.map(\.name), [false, true])
  func loss(_ name: String, fused: Bool) throws {
    let definition = try LossDefinition.named(name)
    // They want probabilities, or one value more: the fixtures hold them.
    if definition.extraTargets > 0 || name == "bce_probabilities" { return }
    var layers = [LayerCall("linear", [.integer(3)])]
    if fused, let last = definition.fusesWith { layers.append(LayerCall(last)) }
    let net = try Network.sequential(inputWidth: 4, layers: layers)
    let values = try TrainingSet(width: 4, target: .values(width: 3))
    try values.append(features: draws(80, seed: 5), targets: draws(60, seed: 6).map { abs($0) })
    try check(net, values, loss: name)
    if definition.kind == .classes {
      let classes = try TrainingSet(width: 4, target: .classes(count: 3))
      try classes.append(features: draws(80, seed: 5), classes: (0..<20).map { Int32($0 % 3) })
      try check(net, classes, loss: name)
    }
  }

  /// Row weights scale the gradient as copies of the row would.
  @Test func weightsCountAsCopies() throws {
    let net = try Network.sequential(inputWidth: 2, layers: [LayerCall("linear", [.integer(1)])])
    let start = try Weights(network: net)
    let weighted = try TrainingSet(width: 2, target: .values(width: 1), weighted: true)
    let plain = try TrainingSet(width: 2, target: .values(width: 1))
    let x: [Float] = [0.5, 1, -1, 2]
    let y: [Float] = [1, -1]
    let w: [Float] = [2, 1]
    for row in 0..<2 {
      let a = [x[row * 2]]
      let b = [x[row * 2 + 1]]
      try a.withUnsafeBufferPointer { a in
        try b.withUnsafeBufferPointer { b in
          try y.withUnsafeBufferPointer { y in
            try w.withUnsafeBufferPointer { w in
              guard let a = a.baseAddress, let b = b.baseAddress, let y = y.baseAddress,
                let w = w.baseAddress
              else { return }
              try weighted.append(rows: 1, columns: [a, b], targets: [y + row], weights: w + row)
              for _ in 0..<Int(w[row]) {
                try plain.append(rows: 1, columns: [a, b], targets: [y + row])
              }
            }
          }
        }
      }
    }
    let one = try stepped(net, start, weighted, loss: "mse").tensor("0.weight") ?? []
    let two = try stepped(net, start, plain, loss: "mse").tensor("0.weight") ?? []
    #expect(near(one, two, relative: 1e-6, absolute: 1e-6))
  }

  func check(_ net: Network, _ set: TrainingSet, loss: String) throws {
    try check(net, set, sgd(loss: loss))
  }

  func check(_ net: Network, _ set: TrainingSet, _ options: TrainerOptions) throws {
    let weights = try Weights(network: net, seed: 11)
    let trainer = try Trainer(network: net, weights: weights, training: set, options: options)
    _ = try trainer.nextEpoch()
    let after = try trainer.weights
    let step: Float = 4e-3
    // Running statistics follow the batch, not the slope.
    for parameter in net.parameters where !parameter.name.contains("running_") {
      let values = weights.tensor(parameter.name) ?? []
      let moved = after.tensor(parameter.name) ?? []
      for i in values.indices {
        let slope = Double(values[i]) - Double(moved[i])
        let up = try lossAt(net, weights, parameter, i, +step, set, options)
        let down = try lossAt(net, weights, parameter, i, -step, set, options)
        let expected = (up - down) / (2 * Double(step))
        #expect(
          abs(slope - expected) <= 4e-3 + 0.02 * abs(expected),
          "\(parameter.name)[\(i)]: \(slope), by differences \(expected)")
      }
    }
  }

  private func lossAt(
    _ net: Network, _ weights: Weights, _ parameter: ParameterInfo, _ index: Int, _ change: Float,
    _ set: TrainingSet, _ options: TrainerOptions
  ) throws -> Double {
    var copy = weights
    var values = weights.tensor(parameter.name) ?? []
    values[index] += change
    try copy.setTensor(parameter.name, shape: parameter.shape, values: values)
    let trainer = try Trainer(network: net, weights: copy, training: set, options: options)
    return try trainer.nextEpoch()?.loss ?? .nan
  }
}
