import CVectorMath

extension LayerDefinition {
  static let l2norm = LayerDefinition(
    "l2norm", aliases: ["l2_normalize", "normalize"],
    parameters: [LayerParameter("eps", .number(1e-12))],
    summary: "x / max(|x|, eps) over the last axis: vectors of length 1.", example: "l2norm()"
  ) { arguments, input in
    MadeLayer(
      output: input,
      operation: L2NormOperator(
        width: input.dimensions.last ?? 1, eps: Float(try arguments.number("eps"))))
  }
}

/// Backward needs the input.
struct L2NormOperator: LayerOperator {
  let width: Int
  let eps: Float

  func forward(_ run: LayerRun) {
    for first in stride(from: 0, to: run.outputWidth, by: width) {
      let at = first * run.stride
      apus_l2norm(run.input + at, nil, run.output + at, width, run.rows, run.stride, eps)
    }
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    for first in stride(from: 0, to: run.outputWidth, by: width) {
      let at = first * run.stride
      apus_l2norm(
        run.input + at, run.outputGradient + at, inputGradient + at, width, run.rows, run.stride,
        eps)
    }
  }
}
