import CVectorMath

extension LayerDefinition {
  static let positions = LayerDefinition(
    "positions", aliases: ["positional_embedding", "position_embedding"],
    summary: "x plus a vector of its own for each step, learned; [steps, features] as before. "
      + "Gehring et al. 2017.",
    example: "positions()"
  ) { arguments, input in
    guard input.dimensions.count == 2 else {
      throw arguments.error("expects an input of shape [steps, features], got \(input)")
    }
    let count = try input.elementCount()
    return MadeLayer(
      output: input,
      parameters: [ParameterSpec(name: "weight", shape: input.dimensions, role: .normal)],
      flopsPerRow: count, operation: PositionsOperator())
  }
}

/// y = x + W; W [steps, features].
struct PositionsOperator: LayerOperator {
  var inPlace: Bool { true }

  func forward(_ run: LayerRun) {
    for j in 0..<run.outputWidth {
      let at = j * run.stride
      apus_affine_channel(
        run.input + at, run.output + at, 1, run.parameters[j], 1, run.rows, run.stride)
    }
  }

  func backward(_ run: LayerRun) {
    apus_add_row_sums(run.outputGradient, run.outputWidth, run.rows, run.stride, run.gradients)
    guard let gradient = run.inputGradient, gradient != run.outputGradient else { return }
    gradient.update(from: run.outputGradient, count: run.outputWidth * run.stride)
  }
}
