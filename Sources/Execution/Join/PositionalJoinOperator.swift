import Columnar

/// The rows of two inputs side by side, the n-th with the n-th; the shorter side ends in NULLs. Runs
/// on one worker: only there do rows have numbers.
final class PositionalJoinOperator: BatchSource {
  private var left: Side
  private var right: Side
  private var sequence = 0

  private struct Side {
    let source: any BatchSource
    let types: [LogicalType]
    var batch: Batch?
    var offset = 0
    var isDone = false

    /// Rows at hand; 0 at the end.
    mutating func fill() throws -> Int {
      while !isDone {
        if let batch, offset < batch.rowCount { return batch.rowCount - offset }
        offset = 0
        batch = try source.next()
        if batch == nil { isDone = true }
      }
      return 0
    }

    mutating func take(_ count: Int) -> [Column] {
      guard let batch, !isDone else { return types.map { Column.nulls($0, count: count) } }
      defer { offset += count }
      return batch.slice(offset, count).columns
    }
  }

  init(
    left: any BatchSource, right: any BatchSource, leftTypes: [LogicalType],
    rightTypes: [LogicalType]
  ) {
    self.left = Side(source: left, types: leftTypes)
    self.right = Side(source: right, types: rightTypes)
  }

  func next() throws -> Batch? {
    let (a, b) = (try left.fill(), try right.fill())
    let count = a == 0 ? b : b == 0 ? a : min(a, b)
    if count == 0 { return nil }
    sequence += 1
    return Batch(
      columns: left.take(count) + right.take(count), rowCount: count, sequence: sequence)
  }
}
