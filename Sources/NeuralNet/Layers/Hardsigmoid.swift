import CVectorMath

extension LayerDefinition {
  static let hardsigmoid = LayerDefinition.elementwise(
    "hardsigmoid", aliases: ["hard_sigmoid"],
    summary: "x / 6 + 1/2, kept within 0 and 1.", example: "hardsigmoid()"
  ) { _ in
    HardsigmoidOperator()
  }
}

/// Backward needs the input.
struct HardsigmoidOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_hardsigmoid(run.input, nil, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_hardsigmoid(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
