/// Some rows of some columns, in the order of the schema that both sides know. Never empty when it
/// comes from a `BatchSource`.
package struct Batch: Sendable {
  package var columns: [Column]
  package var rowCount: Int
  /// Which morsel of the source the rows come from: exchanges put batches back in this order.
  package var sequence: Int

  package init(columns: [Column], rowCount: Int, sequence: Int = 0) {
    self.columns = columns
    self.rowCount = rowCount
    self.sequence = sequence
  }

  /// The rows at `rows`, without copying values: flat columns become dictionaries over themselves.
  package func selecting(_ rows: Selection) -> Batch {
    if rows.count == rowCount && rows.isIdentity { return self }
    var composed: [(from: UnsafePointer<UInt32>, to: Selection)] = []
    let picked = columns.map { $0.selecting(rows, composed: &composed) }
    return Batch(columns: picked, rowCount: rows.count, sequence: sequence)
  }

  package func slice(_ offset: Int, _ count: Int) -> Batch {
    if offset == 0 && count == rowCount { return self }
    return Batch(
      columns: columns.map { $0.slice(offset, count) }, rowCount: count, sequence: sequence)
  }

  /// The rows in batches of at most `size`; none for none.
  package func pieces(of size: Int) -> [Batch] {
    stride(from: 0, to: rowCount, by: size).map { slice($0, min(size, rowCount - $0)) }
  }
}

/// Rows on demand, a batch at a time. `next` gives nil once at the end and never an empty batch.
package protocol BatchSource: AnyObject {
  func next() throws -> Batch?
}

/// A source that can leave rows out unread: what an OFFSET asks for.
package protocol SkippingSource: BatchSource {
  /// Leaves out the next rows, at most `count`, and says how many: fewer, even 0, where it takes
  /// reading them, or at the end.
  func skip(_ count: Int) throws -> Int
}

/// Leaves out rows of any source that knows how.
package func skip(_ count: Int, of source: any BatchSource) throws -> Int {
  guard let skipping = source as? any SkippingSource else { return 0 }
  return try skipping.skip(count)
}

/// Row numbers of a batch, ascending or not, shared by the columns that were selected together.
package struct Selection: @unchecked Sendable {
  package let indices: UnsafeMutablePointer<UInt32>
  package var count: Int
  package let owner: Buffer
  /// Known to be 0, 1, 2, …
  package var isIdentity = false

  /// SAFETY: the indices live in `owner`; they are written by the maker before anyone reads.
  package init(capacity: Int) {
    owner = Buffer(byteCount: capacity * 4)
    indices = owner.pointer.assumingMemoryBound(to: UInt32.self)
    count = capacity
  }

  package init(_ rows: [Int]) {
    self.init(capacity: rows.count)
    for (position, row) in rows.enumerated() { indices[position] = UInt32(row) }
  }
}

/// Sizes that the whole engine shares.
package enum EngineLimits {
  /// Rows of a batch, unless a setting says otherwise.
  package static let batchRows = 2048
  /// Rows of a partition of a table, a multiple of `batchRows`.
  package static let rowGroupRows = 122_880
}
