import CVectorMath

extension LayerDefinition {
  static let multiplication = LayerDefinition(
    "mul", aliases: ["multiply"], tensors: 2...2,
    summary: "The product of two tensors, element by element; a smaller second one counts at every "
      + "place of the first whose last axes it fits.",
    example: "mul(a, b)"
  ) { arguments, inputs in
    try checkElementwise(arguments, inputs)
    return MadeLayer(
      output: inputs[0], flopsPerRow: try inputs[0].elementCount(),
      operation: MultiplicationOperator())
  }
}

/// y = a b, where b may be shorter and repeats.
struct MultiplicationOperator: LayerOperator {
  func forward(_ run: LayerRun) {
    let factor = run.operands[1]
    for first in stride(from: 0, to: run.outputWidth, by: factor.width) {
      let at = first * run.stride
      apus_multiply_vectors(
        run.input + at, factor.values, run.output + at, factor.width, run.rows, run.stride, 0)
    }
  }

  func backward(_ run: LayerRun) {
    let factor = run.operands[1]
    for first in stride(from: 0, to: run.outputWidth, by: factor.width) {
      let at = first * run.stride
      if let gradient = run.inputGradient {
        apus_multiply_vectors(
          run.outputGradient + at, factor.values, gradient + at, factor.width, run.rows, run.stride,
          0)
      }
      if let gradient = factor.gradient {
        apus_multiply_vectors(
          run.outputGradient + at, run.input + at, gradient, factor.width, run.rows, run.stride,
          first == 0 ? 0 : 1)
      }
    }
  }
}
