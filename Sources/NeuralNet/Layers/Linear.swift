import CVectorMath
import Diagnostics

extension LayerDefinition {
  static let linear = LayerDefinition(
    "linear", aliases: ["dense", "fc"],
    parameters: [
      LayerParameter("in", isOptional: true), LayerParameter("out"),
      LayerParameter("bias", .boolean(true)),
    ],
    shortForm: ["out"],
    summary: "y = x Wᵀ + b; W [out, in], b [out]. The input width is inferred, or checked.",
    example: "linear(64)"
  ) { arguments, input in
    guard input.dimensions.count == 1 else {
      throw arguments.error("expects a vector, got shape \(input)", hint: "put flatten() before it")
    }
    let width = input.dimensions[0]
    if let expected = try arguments.integer("in"), expected != width {
      throw arguments.error("expects an input of shape \(Shape([expected])), got \(input)")
    }
    guard let out = try arguments.integer("out") else {
      throw arguments.error("needs the argument \"out\"")
    }
    let hasBias = try arguments.boolean("bias")
    var parameters = [
      ParameterSpec(
        name: "weight", shape: [out, width], role: .weight(fanIn: width, fanOut: out))
    ]
    if hasBias {
      parameters.append(ParameterSpec(name: "bias", shape: [out], role: .bias(fanIn: width)))
    }
    return MadeLayer(
      output: Shape([out]), parameters: parameters,
      operation: LinearOperator(inputs: width, outputs: out, hasBias: hasBias, relu: false))
  }
}

/// Y = W X + b, with a following relu fused in. Shapes: W [out, in], X [in, rows], Y [out, rows].
struct LinearOperator: LayerOperator {
  let inputs: Int
  let outputs: Int
  let hasBias: Bool
  let relu: Bool

  var outputUse: OutputUse { relu ? .sign : .none }

  func forward(_ run: LayerRun) {
    var product = apus_product()
    product.a = run.parameters
    product.a_row = inputs
    product.a_column = 1
    product.b = UnsafePointer(run.input)
    product.b_row = run.stride
    product.c = run.output
    product.c_row = run.stride
    product.bias = hasBias ? run.parameters + inputs * outputs : nil
    product.m = outputs
    product.n = run.rows
    product.k = inputs
    product.relu = relu ? 1 : 0
    MatrixProduct.multiply(&product)
  }

  func backward(_ run: LayerRun) {
    let slope = run.outputGradient
    if relu {
      apus_relu_backward(run.output, slope, slope, outputs, run.rows, run.stride)
    }
    if hasBias {
      apus_add_row_sums(slope, outputs, run.rows, run.stride, run.gradients + inputs * outputs)
    }
    weightGradient(run)
    if let inputGradient = run.inputGradient {
      var product = apus_product()
      product.a = run.parameters
      product.a_row = 1
      product.a_column = inputs
      product.b = UnsafePointer(slope)
      product.b_row = run.stride
      product.c = inputGradient
      product.c_row = run.stride
      product.m = inputs
      product.n = run.rows
      product.k = outputs
      MatrixProduct.multiply(&product)
    }
  }

  /// dW [out, in] += dY Xᵀ: as dot products along the rows for thin layers, else as a product with
  /// a transposed copy of X. The choice depends on the shapes alone, never on the data or threads.
  private func weightGradient(_ run: LayerRun) {
    if usesDotProducts(rows: run.rows) {
      apus_multiply_transposed(
        run.outputGradient, run.stride, run.input, run.stride, run.gradients, inputs, outputs,
        inputs, run.rows)
      return
    }
    let pitch = transposedPitch
    apus_transpose(run.input, run.stride, inputs, run.rows, run.scratch, pitch)
    var product = apus_product()
    product.a = UnsafePointer(run.outputGradient)
    product.a_row = run.stride
    product.a_column = 1
    product.b = UnsafePointer(run.scratch)
    product.b_row = pitch
    product.c = run.gradients
    product.c_row = inputs
    product.m = outputs
    product.n = inputs
    product.k = run.rows
    product.accumulate = 1
    MatrixProduct.multiply(&product)
  }

  /// Multiply-adds of 16 lanes, plus about 8 for each horizontal sum.
  private func usesDotProducts(rows: Int) -> Bool {
    let dots = outputs * inputs * (rows / 16 + 8)
    let outer = outputs * rows * (roundedUpTo16(inputs) / 16) + rows * inputs / 4
    return dots <= outer
  }

  /// An odd number of cache lines, so that the rows do not fall on the same cache sets.
  private var transposedPitch: Int {
    let lines = roundedUpTo16(inputs) / 16
    return (lines > 2 ? lines | 1 : lines) * 16
  }

  func scratchCount(stride: Int) -> Int {
    transposedPitch * stride
  }

  func fused(with next: any LayerOperator) -> (any LayerOperator)? {
    guard !relu, next is ReluOperator else { return nil }
    return LinearOperator(inputs: inputs, outputs: outputs, hasBias: hasBias, relu: true)
  }
}
