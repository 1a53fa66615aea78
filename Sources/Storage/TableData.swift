import Columnar
import Diagnostics

/// The rows of one version of a table: a value, immutable to all who share it. Every row keeps its
/// number (`rowid`) for as long as it lives; numbers grow with every row added and are not used
/// twice.
package struct TableData: Sendable {
  /// A row group, the number of its first row, and which of its rows are deleted.
  package struct Part: Sendable {
    package var group: RowGroup
    package var firstRow: Int
    package var deleted: RowMask?
    /// Rows of a row group of the file whose newest values lie in the row delta.
    var patched: RowMask?

    package var endRow: Int { firstRow + group.rowCount }
    package var liveCount: Int { group.rowCount - (deleted?.count ?? 0) }
  }

  package let types: [LogicalType]
  /// What the file knows the columns by, whatever they are called: from 1, never used twice.
  package let columnIDs: [Int64]
  /// The next column's.
  package let nextColumnID: Int64
  /// By `firstRow`, ascending.
  package private(set) var parts: [Part] = []
  /// The number of the next row added.
  package private(set) var nextRow = 0
  /// Rows that are not deleted.
  package private(set) var rowCount = 0
  /// The indexes of the table's keys, in the order of its definition.
  package var indexes: [KeyIndex] = []

  package init(types: [LogicalType]) {
    self.init(
      types: types, columnIDs: (0..<types.count).map { Int64($0) + 1 },
      nextColumnID: Int64(types.count) + 1)
  }

  init(types: [LogicalType], columnIDs: [Int64], nextColumnID: Int64) {
    self.types = types
    self.columnIDs = columnIDs
    self.nextColumnID = nextColumnID
  }

  /// Rows that are there already, in order and apart from each other.
  init(
    types: [LogicalType], columnIDs: [Int64], nextColumnID: Int64, parts: [Part], nextRow: Int
  ) {
    self.init(types: types, columnIDs: columnIDs, nextColumnID: nextColumnID)
    self.parts = parts
    self.nextRow = nextRow
    rowCount = parts.reduce(0) { $0 + $1.liveCount }
  }

  /// Bytes in memory, and in the file where the rows are only there.
  package var byteCount: Int { parts.reduce(0) { $0 + $1.group.byteCount } }

  // MARK: Finding rows

  /// The part that holds a row, deleted or not; nil when the row is gone.
  package func partIndex(of row: Int) -> Int? {
    var low = 0
    var high = parts.count
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].endRow <= row { low = middle + 1 } else { high = middle }
    }
    return low < parts.count && parts[low].firstRow <= row ? low : nil
  }

  // MARK: Adding rows

  /// Adds row groups; gives the number of the first new row. Keys are not checked here.
  ///
  /// Small groups at the end are joined while the last is at least half the one before it: many
  /// single-row INSERTs cost each row a logarithmic number of copies and leave few groups.
  @discardableResult
  package mutating func append(_ added: [RowGroup]) -> Int {
    let first = nextRow
    for group in added where group.rowCount > 0 {
      parts.append(Part(group: group, firstRow: nextRow))
      nextRow += group.rowCount
      rowCount += group.rowCount
    }
    while parts.count >= 2 {
      let last = parts[parts.count - 1]
      let previous = parts[parts.count - 2]
      guard last.group.place == nil, previous.group.place == nil,
        last.group.rowCount * 2 >= previous.group.rowCount,
        last.group.rowCount + previous.group.rowCount <= EngineLimits.rowGroupRows / 4,
        previous.endRow == last.firstRow, let part = try? joined([previous, last])
      else { break }
      parts.removeLast(2)
      parts.append(part)
    }
    return first
  }

  // MARK: Deleting and updating

  /// Deletes rows of parts; those deleted already do not count twice. Parts left without a row go.
  package mutating func delete(_ rows: [Int: RowSet]) {
    for (index, set) in rows where set.count > 0 {
      let before = parts[index].liveCount
      parts[index].deleted =
        parts[index].deleted?.union(set)
        ?? RowMask(set.words, rowCount: parts[index].group.rowCount)
      rowCount -= before - parts[index].liveCount
    }
    if rows.contains(where: { parts[$0.key].liveCount == 0 }) {
      parts.removeAll { $0.liveCount == 0 }
    }
  }

  /// Puts new columns into a part, of as many rows.
  package mutating func replace(part: Int, _ changed: [(position: Int, column: Column)]) {
    parts[part].group = parts[part].group.replacing(changed)
  }

  // MARK: Changing the layout

  /// The same rows with other columns: each an old one by position, or made for each part.
  func rebuilt(
    types: [LogicalType], columnIDs: [Int64], indexes: [KeyIndex],
    _ slots: (Part) throws -> [ColumnSlot]
  ) rethrows -> TableData {
    var result = TableData(
      types: types, columnIDs: columnIDs,
      nextColumnID: columnIDs.reduce(nextColumnID) { max($0, $1 + 1) })
    result.parts = try parts.map { part in
      var made = part
      made.group = RowGroup(
        rowCount: part.group.rowCount, slots: try slots(part), place: part.group.place)
      return made
    }
    result.nextRow = nextRow
    result.rowCount = rowCount
    result.indexes = indexes
    return result
  }

  /// The same rows with some of the columns, in this order.
  package func picking(_ positions: [Int], indexes: [KeyIndex]) -> TableData {
    rebuilt(
      types: positions.map { types[$0] }, columnIDs: positions.map { columnIDs[$0] },
      indexes: indexes
    ) { part in positions.map { part.group.slots[$0] } }
  }
}
