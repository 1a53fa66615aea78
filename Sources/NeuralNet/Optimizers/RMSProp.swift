import CVectorMath

extension OptimizerDefinition {
  static let rmsprop = OptimizerDefinition(
    name: "rmsprop", aliases: [],
    options: [
      ("alpha", 0.99), ("eps", 1e-8), ("weight_decay", 0), ("momentum", 0), ("centered", 0),
    ],
    summary:
      "Steps over the root of a moving mean of squared gradients. Hinton 2012; centered: Graves 2013.",
    example: "optimizer = 'rmsprop', alpha = 0.9",
    stateCount: { $0[4] != 0 ? 3 : $0[3] != 0 ? 2 : 1 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    options.decay1 = Float(step.values[0])
    options.eps = Float(step.values[1])
    options.weight_decay = Float(step.values[2])
    options.momentum = Float(step.values[3])
    apus_rmsprop(
      step.weights, step.gradient, step.state[0], step.values[3] != 0 ? step.state[1] : nil,
      step.values[4] != 0 ? step.state[2] : nil, step.count, &options)
  }
}
