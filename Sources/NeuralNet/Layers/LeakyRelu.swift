import CVectorMath

extension LayerDefinition {
  static let leakyRelu = LayerDefinition.elementwise(
    "leaky_relu", aliases: ["leakyrelu"],
    parameters: [LayerParameter("slope", .number(0.01))],
    summary: "x for x > 0, slope x below. Maas et al. 2013.", example: "leaky_relu()"
  ) { arguments in
    LeakyReluOperator(slope: Float(try arguments.number("slope")))
  }
}

/// Backward needs the input.
struct LeakyReluOperator: LayerOperator {
  let slope: Float

  func forward(_ run: LayerRun) {
    apus_leaky_relu(run.input, run.output, run.outputWidth, run.rows, run.stride, slope)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_leaky_relu_backward(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride, slope)
  }
}
