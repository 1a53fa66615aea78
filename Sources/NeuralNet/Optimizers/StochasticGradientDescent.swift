import CVectorMath

extension OptimizerDefinition {
  static let stochasticGradientDescent = OptimizerDefinition(
    name: "sgd", aliases: [],
    options: [("momentum", 0), ("nesterov", 0), ("weight_decay", 0), ("dampening", 0)],
    summary: "w -= lr g, with momentum as torch.optim.SGD has it. Sutskever et al. 2013.",
    example: "optimizer = 'sgd', momentum = 0.9", stateCount: { _ in 1 }
  ) { step in
    var options = apus_sgd_options()
    options.learning_rate = Float(step.learningRate)
    options.momentum = Float(step.values[0])
    options.nesterov = step.values[1] != 0 ? 1 : 0
    options.weight_decay = Float(step.values[2])
    options.dampening = Float(step.values[3])
    options.first_step = step.number == 1 ? 1 : 0
    apus_sgd(step.weights, step.gradient, step.state[0], step.count, &options)
  }
}
