import CVectorMath
import Glibc

extension OptimizerDefinition {
  static let adam = OptimizerDefinition(
    name: "adam", aliases: [],
    options: [
      ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0), ("amsgrad", 0),
    ],
    summary: "Moment estimates with bias correction; weight_decay is an L2 term. Kingma, Ba 2015.",
    example: "optimizer = 'adam', learning_rate = 0.001", stateCount: { $0[4] != 0 ? 3 : 2 }
  ) { adamStep($0, decoupled: false) }

  static let adamw = OptimizerDefinition(
    name: "adamw", aliases: [],
    options: [
      ("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0.01), ("amsgrad", 0),
    ],
    summary: "Adam whose weight_decay shrinks the weights directly. Loshchilov, Hutter 2019.",
    example: "optimizer = 'adamw', weight_decay = 0.01", stateCount: { $0[4] != 0 ? 3 : 2 }
  ) { adamStep($0, decoupled: true) }
}

private func adamStep(_ step: OptimizerStep, decoupled: Bool) {
  var options = apus_adam_options()
  options.learning_rate = Float(step.learningRate)
  options.beta1 = Float(step.values[0])
  options.beta2 = Float(step.values[1])
  options.eps = Float(step.values[2])
  options.weight_decay = Float(step.values[3])
  let number = Double(step.number)
  options.correction1 = Float(1 - pow(step.values[0], number))
  options.correction2 = Float((1 - pow(step.values[1], number)).squareRoot())
  options.decoupled = decoupled ? 1 : 0
  apus_adam(
    step.weights, step.gradient, step.state[0], step.state[1],
    step.state.count > 2 ? step.state[2] : nil, step.count, &options)
}
