extension LayerDefinition {
  static let concatenation = LayerDefinition(
    "concat", aliases: ["concatenate", "cat"], parameters: [LayerParameter("axis", .integer(-1))],
    tensors: 1...4096,
    summary: "Tensors one after the other along an axis, the last unless told otherwise.",
    example: "concat(a, b)"
  ) { arguments, inputs in
    let rank = inputs[0].dimensions.count
    let given = try arguments.integer("axis", atLeast: -rank) ?? -1
    let axis = given < 0 ? given + rank : given
    guard axis < rank else { throw arguments.error("has no axis \(given) in \(inputs[0])") }
    var extents = inputs[0].dimensions
    extents[axis] = 0
    for (index, input) in inputs.enumerated() {
      var others = input.dimensions
      guard others.count == rank else {
        throw arguments.error("cannot join \(inputs[0]) and \(input) (tensor \(index + 1))")
      }
      extents[axis] += others[axis]
      others[axis] = 0
      var first = inputs[0].dimensions
      first[axis] = 0
      guard first == others else {
        throw arguments.error("cannot join \(inputs[0]) and \(input) (tensor \(index + 1))")
      }
    }
    let blocks = inputs[0].dimensions[..<axis].reduce(1, *)
    return MadeLayer(
      output: Shape(extents), flopsPerRow: 0, operation: ConcatenationOperator(blocks: blocks))
  }
}

/// Shapes: [blocks, n₁, rows], [blocks, n₂, rows], … -> [blocks, n₁ + n₂ + …, rows].
struct ConcatenationOperator: LayerOperator {
  /// The product of the extents before the axis.
  let blocks: Int

  func forward(_ run: LayerRun) {
    var target = run.output
    for block in 0..<blocks {
      for operand in run.operands {
        let count = operand.width / blocks * run.stride
        target.update(from: operand.values + block * count, count: count)
        target += count
      }
    }
  }

  func backward(_ run: LayerRun) {
    var source = run.outputGradient
    for block in 0..<blocks {
      for operand in run.operands {
        let count = operand.width / blocks * run.stride
        if let gradient = operand.gradient {
          (gradient + block * count).update(from: source, count: count)
        }
        source += count
      }
    }
  }
}
