import Diagnostics

/// The extents of one row's tensor, batch axis excluded: `[64]`, or `[channels, height, width]`.
package struct Shape: Hashable, Sendable, CustomStringConvertible {
  package let dimensions: [Int]

  package init(_ dimensions: [Int]) {
    self.dimensions = dimensions
  }

  package var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }

  /// The number of values of a row. Errors: a negative extent, or a product above `limit`.
  package func elementCount(limit: Int = Shape.maximumElements) throws -> Int {
    var count = 1
    for extent in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow, product <= limit else {
        throw Self.tooLarge(self, limit: limit)
      }
      count = product
    }
    return count
  }

  /// 2^30 floats (4 GiB): more in one tensor is taken for a mistake, not a wish.
  package static let maximumElements = 1 << 30

  private static func tooLarge(_ shape: Shape, limit: Int) -> SQLError {
    SQLError(.model, "a tensor of shape \(shape) exceeds the limit of \(limit) values")
  }
}
