import CVectorMath

extension OptimizerDefinition {
  static let rprop = OptimizerDefinition(
    name: "rprop", aliases: [],
    options: [
      ("eta_minus", 0.5), ("eta_plus", 1.2), ("smallest_step", 1e-6), ("largest_step", 50),
    ],
    summary:
      "Steps by the sign of the gradient alone, each weight of its own size. Riedmiller, Braun 1993.",
    example: "optimizer = 'rprop', batch_size = 'full'", stateCount: { _ in 2 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    options.decay1 = Float(step.values[0])
    options.decay2 = Float(step.values[1])
    options.smallest = Float(step.values[2])
    options.largest = Float(step.values[3])
    options.first_step = step.number == 1 ? 1 : 0
    apus_rprop(step.weights, step.gradient, step.state[0], step.state[1], step.count, &options)
  }
}
