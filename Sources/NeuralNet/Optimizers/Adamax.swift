import CVectorMath
import Glibc

extension OptimizerDefinition {
  static let adamax = OptimizerDefinition(
    name: "adamax", aliases: [],
    options: [("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0)],
    summary:
      "Adam with the largest gradient in place of the second moment. Kingma, Ba 2015, section 7.",
    example: "optimizer = 'adamax', learning_rate = 0.002", stateCount: { _ in 2 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    options.learning_rate = Float(
      step.learningRate / (1 - pow(step.values[0], Double(step.number))))
    options.decay1 = Float(step.values[0])
    options.decay2 = Float(step.values[1])
    options.eps = Float(step.values[2])
    options.weight_decay = Float(step.values[3])
    apus_adamax(step.weights, step.gradient, step.state[0], step.state[1], step.count, &options)
  }
}
