import CVectorMath

extension LayerDefinition {
  static let sigmoid = LayerDefinition.elementwise(
    "sigmoid", aliases: ["logistic"],
    summary: "1 / (1 + e⁻ˣ).", example: "sigmoid()"
  ) { _ in
    SigmoidOperator()
  }
}

/// Backward needs the output: it may overwrite the input.
struct SigmoidOperator: LayerOperator {
  var inPlace: Bool { true }
  var outputUse: OutputUse { .value }

  func forward(_ run: LayerRun) {
    apus_sigmoid(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_sigmoid_backward(
      run.output, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
