import CVectorMath
import Testing

@testable import NeuralNet

/// Both ways to multiply give the same product, up to rounding.
@Suite struct MatrixProductTests {
  @Test(arguments: [false, true], [false, true])
  func blasAgreesWithOwnKernels(isTransposed: Bool, accumulates: Bool) throws {
    let (m, n, k) = (70, 64, 50)
    func values(_ count: Int, _ seed: Int) -> [Float] {
      (0..<count).map { Float(($0 &* 2_654_435 &+ seed) % 1000) / 500 - 1 }
    }
    let a = values(m * k, 1)
    let b = values(k * n, 2)
    let bias = values(m, 3)
    func run(_ multiply: (inout apus_product) -> Void) -> [Float] {
      var c = values(m * n, 4)
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          bias.withUnsafeBufferPointer { bias in
            c.withUnsafeMutableBufferPointer { c in
              var product = apus_product()
              product.a = a.baseAddress
              product.a_row = isTransposed ? 1 : k
              product.a_column = isTransposed ? m : 1
              product.b = b.baseAddress
              product.b_row = n
              product.c = c.baseAddress
              product.c_row = n
              product.bias = accumulates ? nil : bias.baseAddress
              product.m = m
              product.n = n
              product.k = k
              product.accumulate = accumulates ? 1 : 0
              product.relu = accumulates ? 0 : 1
              multiply(&product)
            }
          }
        }
      }
      return c
    }
    let own = run { apus_multiply(&$0) }
    let library = try #require(OpenBLAS.product)
    let blas = run { MatrixProduct.multiplyByBLAS($0, library) }
    for (x, y) in zip(own, blas) { #expect(abs(x - y) <= 1e-4) }
    #expect(own.contains { $0 != 0 })
  }
}
