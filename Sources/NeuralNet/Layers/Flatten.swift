extension LayerDefinition {
  static let flatten = LayerDefinition(
    "flatten", summary: "All values of a row as one vector.", example: "flatten()"
  ) { _, input in
    MadeLayer(output: Shape([try input.elementCount()]), operation: ReshapeOperator())
  }

  static let reshape = LayerDefinition(
    "reshape",
    parameters: ["a", "b", "c", "d"].map { LayerParameter($0, isOptional: true) },
    summary: "The values of a row as a tensor of that shape; one extent may be -1.",
    example: "reshape(30, 1)"
  ) { arguments, input in
    let count = try input.elementCount()
    var shape = try ["a", "b", "c", "d"].compactMap { try arguments.integer($0, atLeast: -1) }
    let known = try Shape(shape.filter { $0 != -1 }).elementCount()
    guard !shape.isEmpty, shape.allSatisfy({ $0 != 0 }), known > 0 else {
      throw arguments.error("needs extents above 0", hint: "reshape(30, 1)")
    }
    if let open = shape.firstIndex(of: -1) { shape[open] = count / known }
    let output = Shape(shape)
    guard try output.elementCount() == count else {
      throw arguments.error("cannot give \(input) the shape \(output)")
    }
    return MadeLayer(output: output, operation: ReshapeOperator())
  }
}

extension LayerDefinition {
  static let identity = LayerDefinition(
    "identity", takesScalars: true, summary: "The values as they are.", example: "identity()"
  ) { _, input in
    MadeLayer(output: input, operation: ReshapeOperator())
  }
}

/// The same values, maybe under another shape.
struct ReshapeOperator: LayerOperator {
  var inPlace: Bool { true }
  var keepsValue: Bool { true }
  var keepsSign: Bool { true }

  func forward(_ run: LayerRun) {
    guard run.input != run.output else { return }
    run.output.update(from: run.input, count: run.outputWidth * run.stride)
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient, inputGradient != run.outputGradient else { return }
    inputGradient.update(from: run.outputGradient, count: run.outputWidth * run.stride)
  }
}
