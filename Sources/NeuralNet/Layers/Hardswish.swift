import CVectorMath

extension LayerDefinition {
  static let hardswish = LayerDefinition.elementwise(
    "hardswish", aliases: ["hard_swish", "hard_silu"],
    summary: "x hardsigmoid(x). Howard et al. 2019.", example: "hardswish()"
  ) { _ in
    HardswishOperator()
  }
}

/// Backward needs the input.
struct HardswishOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_hardswish(run.input, nil, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_hardswish(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
