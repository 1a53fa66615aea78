extension LayerDefinition {
  static let embedding = LayerDefinition(
    "embedding",
    parameters: [
      LayerParameter("vocab"), LayerParameter("dim"),
      LayerParameter("padding_idx", isOptional: true),
    ],
    shortForm: ["dim"], takesScalars: true,
    summary: "A vector of dim values for each id from 0 to vocab - 1; other ids count as 0.",
    example: "embedding(1000, 16)"
  ) { arguments, input in
    guard let count = try arguments.integer("vocab"), let width = try arguments.integer("dim")
    else { throw arguments.error("needs the arguments \"vocab\" and \"dim\"") }
    let padding = try arguments.integer("padding_idx", atLeast: 0)
    if let padding, padding >= count {
      throw arguments.error("needs a padding_idx from 0 to \(count - 1), got \(padding)")
    }
    return MadeLayer(
      output: Shape(input.dimensions + [width]),
      parameters: [ParameterSpec(name: "weight", shape: [count, width], role: .normal)],
      flopsPerRow: try input.elementCount() * width,
      operation: EmbeddingOperator(count: count, width: width, padding: padding ?? -1))
  }
}

/// Shapes: ids [places, rows], W [count, width] -> [places, width, rows].
struct EmbeddingOperator: LayerOperator {
  let count: Int
  let width: Int
  /// The id whose vector is not trained; -1: none.
  let padding: Int

  func forward(_ run: LayerRun) {
    for place in 0..<run.inputWidth {
      for row in 0..<run.rows {
        let vector = run.parameters + id(run.input[place * run.stride + row]) * width
        var at = place * width * run.stride + row
        for j in 0..<width {
          run.output[at] = vector[j]
          at += run.stride
        }
      }
    }
  }

  func backward(_ run: LayerRun) {
    for place in 0..<run.inputWidth {
      for row in 0..<run.rowCount {
        let id = id(run.input[place * run.stride + row])
        if id == padding { continue }
        let gradient = run.gradients + id * width
        var at = place * width * run.stride + row
        for j in 0..<width {
          gradient[j] += run.outputGradient[at]
          at += run.stride
        }
      }
    }
    // An id has no slope.
    run.inputGradient?.update(repeating: 0, count: run.inputWidth * run.stride)
  }

  private func id(_ value: Float) -> Int {
    value >= 0 && value < Float(count) ? min(Int(value), count - 1) : 0
  }
}
