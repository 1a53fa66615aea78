import CVectorMath

extension LayerDefinition {
  static let elu = LayerDefinition.elementwise(
    "elu",
    parameters: [LayerParameter("alpha", .number(1.0))],
    summary: "x for x > 0, alpha (eˣ - 1) below. Clevert et al. 2016.", example: "elu()"
  ) { arguments in
    EluOperator(alpha: Float(try arguments.number("alpha")))
  }
}

/// Backward needs the input.
struct EluOperator: LayerOperator {
  let alpha: Float

  func forward(_ run: LayerRun) {
    apus_elu(run.input, run.output, run.outputWidth, run.rows, run.stride, alpha)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_elu_backward(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride, alpha)
  }
}
