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

  convenience init(_ rows: RowSet) { self.init(rows.words, rowCount: rows.rowCount) }

  package func contains(_ row: Int) -> Bool { words[row >> 6] >> UInt64(row & 63) & 1 != 0 }

  /// As the file has it.
  var record: DeleteRecord {
    var bitmap = [UInt8](repeating: 0, count: (rowCount + 7) / 8)
    for byte in bitmap.indices {
      bitmap[byte] = UInt8(truncatingIfNeeded: words[byte >> 3] >> UInt64((byte & 7) * 8))
    }
    return DeleteRecord(deletedCount: Int64(count), bitmap: bitmap)
  }

  /// The rows that are in no other mask; nil when that leaves none.
  func subtracting(_ other: RowMask?) -> RowMask? {
    guard let other else { return self }
    let kept = zip(words, other.words).map { $0 & ~$1 }
    return kept.allSatisfy { $0 == 0 } ? nil : RowMask(kept, rowCount: rowCount)
  }

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
  let rowCount: Int

  package init(rowCount: Int) {
    self.rowCount = rowCount
    words = Array(repeating: 0, count: max(1, (rowCount + 63) >> 6))
  }

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

  /// Ascending.
  var rows: [Int] { (0..<rowCount).filter { contains($0) } }

  func union(_ other: RowSet) -> RowSet {
    var result = self
    for word in words.indices { result.words[word] |= other.words[word] }
    result.count = result.words.reduce(0) { $0 + $1.nonzeroBitCount }
    return result
  }

  func subtracting(_ mask: RowMask?) -> RowSet {
    guard let mask else { return self }
    var result = RowSet(rowCount: rowCount)
    for row in rows where !mask.contains(row) { result.insert(row) }
    return result
  }
}
