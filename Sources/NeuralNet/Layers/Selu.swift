import CVectorMath

extension LayerDefinition {
  static let selu = LayerDefinition.elementwise(
    "selu",
    summary: "elu with the constants that keep mean 0 and variance 1. Klambauer et al. 2017.",
    example: "selu()"
  ) { _ in
    SeluOperator()
  }
}

/// scale * elu(x, alpha). Backward needs the input.
struct SeluOperator: LayerOperator {
  static let alpha: Float = 1.6732632423543772
  static let scale: Float = 1.0507009873554805

  func forward(_ run: LayerRun) {
    apus_elu(run.input, run.output, run.outputWidth, run.rows, run.stride, Self.alpha)
    apus_scale(run.output, run.outputWidth * run.stride, Self.scale)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_elu_backward(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride,
      Self.alpha)
    apus_scale(inputGradient, run.outputWidth * run.stride, Self.scale)
  }
}
