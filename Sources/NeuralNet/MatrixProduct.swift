import CVectorMath

/// The products of dense layers: own kernels, or OpenBLAS where it is the faster of the two.
///
/// Measured with 128 columns (a tile), GFLOP/s own / sgemm: with AVX-512 114 / 102 from 256x100 to
/// 2048x2048; with AVX2 109 / 106 at 256x100, 105 / 108 at 512x512, 82 / 105 at 2048x2048.
enum MatrixProduct {
  /// Weights from which OpenBLAS wins on processors without AVX-512.
  static let largeProduct = 512 * 512

  /// As `apus_multiply`. The choice depends on shapes and processor alone, so that a training gives
  /// the same bits for any number of threads.
  static func multiply(_ product: inout apus_product) {
    if product.m * product.k >= largeProduct, apus_vector_level() == 3,
      product.a_column == 1 || product.a_row == 1, let library = OpenBLAS.product
    {
      multiplyByBLAS(product, library)
    } else {
      apus_multiply(&product)
    }
  }

  /// SAFETY: the caller's pointers cover the product's shape, as `apus_multiply` needs them to.
  static func multiplyByBLAS(_ product: apus_product, _ multiply: OpenBLAS.Product) {
    guard let a = product.a, let b = product.b, let c = product.c else { return }
    var beta: Float = product.accumulate != 0 ? 1 : 0
    if let bias = product.bias {
      for row in 0..<product.m {
        let values = c + row * product.c_row
        for column in 0..<product.n {
          values[column] = bias[row] + (beta == 0 ? 0 : values[column])
        }
      }
      beta = 1
    }
    let isTransposed = product.a_column != 1
    multiply(
      OpenBLAS.rowMajor, isTransposed ? OpenBLAS.transposed : OpenBLAS.plain, OpenBLAS.plain,
      Int32(product.m), Int32(product.n), Int32(product.k), 1, a,
      Int32(isTransposed ? product.a_column : product.a_row), b, Int32(product.b_row), beta, c,
      Int32(product.c_row))
    if product.relu != 0 {
      for row in 0..<product.m {
        let values = c + row * product.c_row
        for column in 0..<product.n { values[column] = max(0, values[column]) }
      }
    }
  }
}
