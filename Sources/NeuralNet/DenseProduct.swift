import CVectorMath

/// Y = W X + b on feature vectors of a tile: what linear, convolutions, recurrent cells and
/// attention are made of. Shapes: W [outputs, inputs], X [inputs, rows], Y [outputs, rows]; the
/// vectors of X and Y lie `pitch` floats apart.
struct DenseProduct {
  let inputs: Int
  let outputs: Int

  typealias Vector = UnsafePointer<Float>
  typealias Target = UnsafeMutablePointer<Float>

  /// SAFETY for all three: the caller's pointers cover the shapes, rows padded to 16.
  func forward(
    _ weights: Vector, _ bias: Vector?, _ input: Vector, inputPitch: Int, _ output: Target,
    outputPitch: Int, rows: Int, accumulates: Bool = false, relu: Bool = false
  ) {
    var product = apus_product()
    product.a = weights
    product.a_row = inputs
    product.a_column = 1
    product.b = input
    product.b_row = inputPitch
    product.c = output
    product.c_row = outputPitch
    product.bias = bias
    product.m = outputs
    product.n = rows
    product.k = inputs
    product.accumulate = accumulates ? 1 : 0
    product.relu = relu ? 1 : 0
    MatrixProduct.multiply(&product)
  }

  /// dX = Wᵀ dY.
  func inputGradient(
    _ weights: Vector, _ slope: Vector, slopePitch: Int, _ inputSlope: Target, inputPitch: Int,
    rows: Int, accumulates: Bool = false
  ) {
    var product = apus_product()
    product.a = weights
    product.a_row = 1
    product.a_column = inputs
    product.b = slope
    product.b_row = slopePitch
    product.c = inputSlope
    product.c_row = inputPitch
    product.m = inputs
    product.n = rows
    product.k = outputs
    product.accumulate = accumulates ? 1 : 0
    MatrixProduct.multiply(&product)
  }

  /// dW [outputs, inputs] += dY Xᵀ: as dot products along the rows for thin layers, else as a
  /// product with a transposed copy of X in `scratch`. The choice depends on the shapes alone,
  /// never on the data or threads. Behind `counted` rows (nil: all) the gradient is zero.
  func weightGradient(
    _ slope: Vector, slopePitch: Int, _ input: Vector, inputPitch: Int, _ gradients: Target,
    scratch: Target, rows: Int, counted: Int? = nil
  ) {
    if usesDotProducts(rows: rows) {
      apus_multiply_transposed(
        slope, slopePitch, input, inputPitch, gradients, inputs, outputs, inputs, rows)
      return
    }
    let pitch = transposedPitch
    apus_transpose(input, inputPitch, inputs, rows, scratch, pitch)
    var product = apus_product()
    product.a = slope
    product.a_row = slopePitch
    product.a_column = 1
    product.b = UnsafePointer(scratch)
    product.b_row = pitch
    product.c = gradients
    product.c_row = inputs
    product.m = outputs
    product.n = inputs
    product.k = counted ?? rows
    product.accumulate = 1
    MatrixProduct.multiply(&product)
  }

  /// Floats of scratch that `weightGradient` needs.
  func scratchCount(stride: Int) -> Int {
    transposedPitch * stride
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
}
