import CVectorMath
import Glibc

extension OptimizerDefinition {
  static let radam = OptimizerDefinition(
    name: "radam", aliases: [],
    options: [("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0)],
    summary: "Adam whose variance is rectified while it has seen few steps. Liu et al. 2020.",
    example: "optimizer = 'radam'", stateCount: { _ in 2 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    let number = Double(step.number)
    let beta2 = step.values[1]
    let correction2 = 1 - pow(beta2, number)
    let limit = 2 / (1 - beta2) - 1
    let length = limit - 2 * number * pow(beta2, number) / correction2
    if length > 5 {
      let rectified =
        (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
      options.scale = Float((rectified * correction2).squareRoot())
    }
    options.learning_rate = Float(step.learningRate / (1 - pow(step.values[0], number)))
    options.decay1 = Float(step.values[0])
    options.decay2 = Float(beta2)
    options.eps = Float(step.values[2])
    options.weight_decay = Float(step.values[3])
    apus_radam(step.weights, step.gradient, step.state[0], step.state[1], step.count, &options)
  }
}
