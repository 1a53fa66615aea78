import CVectorMath
import Glibc

extension OptimizerDefinition {
  static let nadam = OptimizerDefinition(
    name: "nadam", aliases: [],
    options: [
      ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0),
      ("momentum_decay", 0.004),
    ],
    summary: "Adam with Nesterov's momentum. Dozat 2016.",
    example: "optimizer = 'nadam', learning_rate = 0.002", stateCount: { _ in 2 }
  ) { step in
    var options = apus_adaptive_options()
    options.learning_rate = Float(step.learningRate)
    let beta1 = step.values[0]
    let decay = step.values[4]
    func momentum(_ number: Int) -> Double {
      beta1 * (1 - 0.5 * pow(0.96, Double(number) * decay))
    }
    // The product of all momenta so far: soon too small to matter.
    var product = 1.0
    var number = 1
    while number <= step.number, product > 1e-30 {
      product *= momentum(number)
      number += 1
    }
    let next = momentum(step.number + 1)
    options.gradient_rate = Float(step.learningRate * (1 - momentum(step.number)) / (1 - product))
    options.learning_rate = Float(step.learningRate * next / (1 - product * next))
    options.decay1 = Float(beta1)
    options.decay2 = Float(step.values[1])
    options.eps = Float(step.values[2])
    options.weight_decay = Float(step.values[3])
    options.scale = Float(1 / (1 - pow(step.values[1], Double(step.number))))
    apus_nadam(step.weights, step.gradient, step.state[0], step.state[1], step.count, &options)
  }
}
