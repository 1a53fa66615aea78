import CVectorMath

extension LayerDefinition {
  static let addition = LayerDefinition(
    "add", aliases: ["sum"], tensors: 2...4096,
    summary: "The sum of tensors, element by element; a smaller one is added at every place of "
      + "the first whose last axes it fits.",
    example: "add(a, b)"
  ) { arguments, inputs in
    try checkElementwise(arguments, inputs)
    return MadeLayer(
      output: inputs[0], flopsPerRow: try inputs[0].elementCount() * (inputs.count - 1),
      operation: AdditionOperator())
  }

  /// Errors: a shape that is not the first's, nor its last axes.
  static func checkElementwise(_ arguments: LayerArguments, _ inputs: [Shape]) throws {
    for (index, input) in inputs.enumerated() {
      guard inputs[0].dimensions.suffix(input.dimensions.count) == input.dimensions[...] else {
        throw arguments.error(
          "expects tensors of shape \(inputs[0]), got \(input) (tensor \(index + 1))")
      }
    }
  }
}

/// y = a + b + …, where b may be shorter and repeats.
struct AdditionOperator: LayerOperator {
  var inPlace: Bool { true }

  func forward(_ run: LayerRun) {
    if run.output != run.input {
      run.output.update(from: run.input, count: run.outputWidth * run.stride)
    }
    for operand in run.operands.dropFirst() {
      for first in stride(from: 0, to: run.outputWidth, by: operand.width) {
        let target = run.output + first * run.stride
        apus_add_vectors(operand.values, target, target, operand.width, run.rows, run.stride)
      }
    }
  }

  func backward(_ run: LayerRun) {
    for operand in run.operands.dropFirst() {
      guard let gradient = operand.gradient else { continue }
      gradient.update(from: run.outputGradient, count: operand.width * run.stride)
      for first in stride(from: operand.width, to: run.outputWidth, by: operand.width) {
        apus_add_vectors(
          run.outputGradient + first * run.stride, gradient, gradient, operand.width, run.rows,
          run.stride)
      }
    }
    guard let gradient = run.inputGradient, gradient != run.outputGradient else { return }
    gradient.update(from: run.outputGradient, count: run.outputWidth * run.stride)
  }
}
