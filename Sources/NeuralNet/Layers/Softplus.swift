import CVectorMath

extension LayerDefinition {
  static let softplus = LayerDefinition.elementwise(
    "softplus",
    parameters: [
      LayerParameter("beta", .number(1.0)), LayerParameter("threshold", .number(20.0)),
    ],
    summary: "ln(1 + e^(beta x)) / beta; x itself where beta x exceeds the threshold.",
    example: "softplus()"
  ) { arguments in
    let beta = try arguments.number("beta")
    guard beta > 0 else { throw arguments.error("needs beta above 0, got \(beta)") }
    return SoftplusOperator(
      beta: Float(beta), threshold: Float(try arguments.number("threshold")))
  }
}

/// Backward needs the input.
struct SoftplusOperator: LayerOperator {
  let beta: Float
  let threshold: Float

  func forward(_ run: LayerRun) {
    apus_softplus(
      run.input, run.output, run.outputWidth, run.rows, run.stride, beta, threshold)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_softplus_backward(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride, beta,
      threshold)
  }
}
