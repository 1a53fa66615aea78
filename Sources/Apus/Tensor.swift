import Diagnostics

/// Rows of floats as networks take them: `shape[0]` rows, each of the extents behind it. Values lie
/// row by row, the last extent together.
public struct Tensor: Sendable, Equatable {
  public let shape: [Int]
  public let values: [Float]

  /// An error when there are not as many values as the shape says.
  public init(_ values: [Float], shape: [Int]) throws {
    guard !shape.isEmpty, let count = Tensor.count(of: shape), count == values.count else {
      throw DatabaseError(
        SQLError(.invalidInput, "\(values.count) values are no tensor of shape \(shape)"), in: "")
    }
    self.shape = shape
    self.values = values
  }

  /// One vector a row; an error when they are of different widths.
  public init(rows: [[Float]]) throws {
    let width = rows.first?.count ?? 0
    guard rows.allSatisfy({ $0.count == width }) else {
      throw DatabaseError(
        SQLError(.invalidInput, "the rows of a tensor are of different widths"), in: "")
    }
    try self.init(rows.flatMap { $0 }, shape: [rows.count, width])
  }

  public var rowCount: Int { shape[0] }

  /// Values of each row.
  public var rowWidth: Int { Tensor.count(of: Array(shape.dropFirst())) ?? 0 }

  /// The values of a row.
  public subscript(row: Int) -> [Float] {
    let width = rowWidth
    return Array(values[row * width..<(row + 1) * width])
  }

  /// nil for what nobody has the memory for, and for negative extents.
  static func count(of shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      if overflows || extent < 0 { return nil }
      count = product
    }
    return count
  }
}
