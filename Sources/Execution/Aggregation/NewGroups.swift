import Columnar
import Functions

/// Finds the rows whose key no row before had.
final class NewGroups {
  private let table: GroupTable
  private var ids: [UInt32] = []
  /// Of the groups that a batch made, which have been met in it.
  private var met: [Bool] = []

  init(_ types: [LogicalType]) { table = GroupTable(types) }

  var byteCount: Int { table.byteCount }

  /// The same after the next rows, if those make the table larger.
  var nextByteCount: Int { table.byteCount + table.nextGrowth }

  /// The keys that have come, a batch at a time.
  func forEachBatch(_ body: (Batch) throws -> Void) throws {
    try forEachChunk(count: table.count) { first, count in
      try body(Batch(columns: table.keys(first: first, count: count), rowCount: count))
    }
  }

  /// The rows that are the first of their key, ascending; nil for none.
  func firstRows(_ columns: [Column], count rows: Int) -> Selection? {
    let known = table.count
    if ids.count < rows { ids = Array(repeating: 0, count: rows) }
    ids.withUnsafeMutableBufferPointer { ids in
      guard let groups = ids.baseAddress else { return }
      table.lookUp(columns, count: rows, groups: groups)
    }
    let added = table.count - known
    if added == 0 { return nil }
    // New groups are not numbered in the order of the rows: NULL comes after the others.
    met.removeAll(keepingCapacity: true)
    met.append(contentsOf: repeatElement(false, count: added))
    var selection = Selection(capacity: added)
    var count = 0
    for row in 0..<rows {
      let group = Int(ids[row]) - known
      if group < 0 || met[group] { continue }
      met[group] = true
      selection.indices[count] = UInt32(truncatingIfNeeded: row)
      count += 1
    }
    selection.count = count
    return selection
  }
}
