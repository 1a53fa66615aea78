import CVectorMath

extension OptimizerDefinition {
  static let adadelta = OptimizerDefinition(
    name: "adadelta", aliases: [],
    options: [("rho", 0.9), ("eps", 1e-6), ("weight_decay", 0)],
    summary: "Steps in the units of the weights, from moving means alone. Zeiler 2012.",
    example: "optimizer = 'adadelta', learning_rate = 1", stateCount: { _ in 2 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    options.decay1 = Float(step.values[0])
    options.eps = Float(step.values[1])
    options.weight_decay = Float(step.values[2])
    apus_adadelta(
      step.weights, step.gradient, step.state[0], step.state[1], step.count, &options)
  }
}
