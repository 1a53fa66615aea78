import CVectorMath

extension LayerDefinition {
  static let silu = LayerDefinition.elementwise(
    "silu", aliases: ["swish"],
    summary: "x / (1 + e⁻ˣ). Elfwing et al. 2017.", example: "silu()"
  ) { _ in
    SiluOperator()
  }
}

/// Backward needs the input.
struct SiluOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    apus_silu(run.input, run.output, run.outputWidth, run.rows, run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    apus_silu_backward(
      run.input, run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride)
  }
}
