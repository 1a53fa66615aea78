import Diagnostics

/// Columns turned into records, a block of rows at a time: each record in one piece, values that are
/// written side by side for each row in turn while the block stays in cache.
struct RecordBlock {
  static let rows = 64

  let width: Int
  private let buffer: FloatBuffer

  /// Of so many words a record.
  init(width: Int) throws {
    self.width = width
    buffer = try FloatBuffer(count: Self.rows * width)
  }

  /// A record of the block.
  func record(_ row: Int) -> UnsafeMutablePointer<Float> { buffer.pointer + row * width }

  /// Copies rows first ..< first + count of columns into the words from `place` on; gives the next
  /// place. At most `rows` of them.
  func fill(
    _ columns: [UnsafePointer<Float>], from place: Int, first: Int, count: Int
  ) -> Int {
    let target = buffer.pointer
    let width = width
    for (index, column) in columns.enumerated() {
      var at = place + index
      for row in first..<first + count {
        target[at] = column[row]
        at += width
      }
    }
    return place + columns.count
  }

  /// The same for numbers, by their bits.
  func fill(_ numbers: [[UInt32]], from place: Int, first: Int, count: Int) -> Int {
    let target = buffer.pointer
    for (index, column) in numbers.enumerated() {
      var at = place + index
      column.withUnsafeBufferPointer { column in
        for row in first..<first + count {
          target[at] = Float(bitPattern: column[row])
          at += width
        }
      }
    }
    return place + numbers.count
  }

  /// The same for weights. Errors: one that is negative or not finite.
  func fill(weights: UnsafePointer<Float>, at place: Int, first: Int, count: Int) throws {
    for row in first..<first + count {
      let weight = weights[row]
      guard weight >= 0, weight.isFinite else { throw TrainingSet.wrongWeight(weight) }
      record(row - first)[place] = weight
    }
  }
}
