import Columnar

/// Which rows of a row group are deleted: a bit per row, immutable once published.
package final class RowMask: @unchecked Sendable {
  package let count: Int
  private let rowCount: Int
  private let words: [UInt64]

  /// SAFETY: nothing changes after `init`.
  init(_ words: [UInt64], rowCount: Int) {
    self.words = words
    self.rowCount = rowCount
    count = words.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  package func contains(_ row: Int) -> Bool { words[row >> 6] >> UInt64(row & 63) & 1 != 0 }

  /// The rows of a range that are not deleted, counted from its start; nil when none is deleted.
  func live(_ start: Int, _ rows: Int) -> Selection? {
    var deleted = 0
    for row in start..<(start + rows) where contains(row) { deleted += 1 }
    if deleted == 0 { return nil }
    let result = Selection(capacity: rows - deleted)
    var position = 0
    for row in 0..<rows where !contains(start + row) {
      result.indices[position] = UInt32(truncatingIfNeeded: row)
      position += 1
    }
    return result
  }

  /// The mask with more rows deleted.
  func union(_ more: RowSet) -> RowMask {
    var joined = words
    for word in joined.indices { joined[word] |= more.words[word] }
    return RowMask(joined, rowCount: rowCount)
  }

  /// The mask of a group that holds this one's rows at `offset` of `total` rows.
  func shifted(by offset: Int, into target: inout RowSet) {
    for row in 0..<rowCount where contains(row) { target.insert(offset + row) }
  }
}

/// A set of row numbers of one row group, being filled.
package struct RowSet {
  private(set) var words: [UInt64]
  package private(set) var count = 0

  package init(rowCount: Int) { words = Array(repeating: 0, count: max(1, (rowCount + 63) >> 6)) }

  /// Whether the row was not in it yet.
  @discardableResult
  package mutating func insert(_ row: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(row & 63)
    if words[row >> 6] & bit != 0 { return false }
    words[row >> 6] |= bit
    count += 1
    return true
  }

  package func contains(_ row: Int) -> Bool { words[row >> 6] >> UInt64(row & 63) & 1 != 0 }
}
