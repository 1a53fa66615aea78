import CVectorMath

extension OptimizerDefinition {
  static let adagrad = OptimizerDefinition(
    name: "adagrad", aliases: [],
    options: [
      ("lr_decay", 0), ("eps", 1e-10), ("weight_decay", 0), ("initial_accumulator_value", 0),
    ],
    summary: "Steps over the root of the sum of squared gradients. Duchi et al. 2011.",
    example: "optimizer = 'adagrad', learning_rate = 0.01", stateCount: { _ in 1 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    options.learning_rate = Float(
      step.learningRate / (1 + Double(step.number - 1) * step.values[0]))
    options.eps = Float(step.values[1])
    options.weight_decay = Float(step.values[2])
    options.initial = Float(step.values[3])
    options.first_step = step.number == 1 ? 1 : 0
    apus_adagrad(step.weights, step.gradient, step.state[0], step.count, &options)
  }
}
