import Columnar
import Diagnostics
import Storage

/// Rows of a table that a write has taken hold of, each once.
struct ClaimedRows {
  /// Rows of one of `groups` that go to one part of the table.
  struct Piece {
    var group: Int
    var rows: [Int]
    /// Where they are in the part.
    var offsets: [Int]

    /// Whether they are all rows of the part, in order.
    func coversAll(_ rowCount: Int) -> Bool {
      offsets.count == rowCount && offsets.indices.allSatisfy { offsets[$0] == $0 }
    }

    /// Whether they are all rows of the group, in order.
    func isWhole(_ rowCount: Int) -> Bool {
      rows.count == rowCount && rows.indices.allSatisfy { rows[$0] == $0 }
    }
  }

  /// The write's rows without repeats.
  var groups: [RowGroup] = []
  /// By part of the table.
  var pieces: [Int: [Piece]] = [:]
  /// The same as sets of offsets.
  var sets: [Int: RowSet] = [:]
  /// The rows' numbers, in the write's order.
  var rows: [Int] = []
  fileprivate var rowNumber = 0

  func numbers(of group: RowGroup) throws -> [Int] {
    let column = try group.column(rowNumber)
    let values = ColumnReader<Int64>(column)
    return withExtendedLifetime(column) { (0..<group.rowCount).map { Int(values[$0]) } }
  }
}

/// Finds the rows that a write names by number.
struct RowChanges {
  private let data: TableData
  private let rowNumber: Int
  private var claimed: [Int: RowSet] = [:]

  init(data: TableData, rowNumber: Int) {
    self.data = data
    self.rowNumber = rowNumber
  }

  /// Whether no number comes twice.
  func areDistinct(_ groups: [RowGroup]) throws -> Bool {
    var seen = self
    let total = groups.reduce(0) { $0 + $1.rowCount }
    return try seen.claim(groups).rows.count == total
  }

  /// Takes hold of rows that nobody has yet; of rows with one number the last counts. Rows that are
  /// gone are left out.
  mutating func claim(_ groups: [RowGroup]) throws -> ClaimedRows {
    var result = ClaimedRows()
    result.rowNumber = rowNumber
    var newGroups: [RowGroup] = []
    for group in groups.reversed() {
      let column = try group.column(rowNumber)
      let numbers = ColumnReader<Int64>(column)
      var kept: [Int] = []
      kept.reserveCapacity(group.rowCount)
      var part = -1
      // The set of the part at hand is taken out of the dictionary, not copied for each row.
      var taken = RowSet(rowCount: 0)
      for row in stride(from: group.rowCount - 1, through: 0, by: -1) {
        let number = Int(numbers[row])
        if part < 0 || number < data.parts[part].firstRow || number >= data.parts[part].endRow {
          guard let found = data.partIndex(of: number) else { continue }
          if part >= 0 { claimed[part] = taken }
          part = found
          taken = claimed[part] ?? RowSet(rowCount: data.parts[part].group.rowCount)
        }
        let offset = number - data.parts[part].firstRow
        if data.parts[part].deleted?.contains(offset) ?? false { continue }
        if taken.insert(offset) { kept.append(row) }
      }
      if part >= 0 { claimed[part] = taken }
      withExtendedLifetime(column) {}
      if kept.isEmpty { continue }
      if kept.count == group.rowCount {
        newGroups.append(group)
      } else {
        let batch = try group.batch().selecting(Selection(Array(kept.reversed())))
        newGroups.append(
          RowGroup(rowCount: kept.count, columns: batch.columns.map { $0.flattened() }))
      }
    }
    result.groups = Array(newGroups.reversed())
    try place(&result)
    return result
  }

  private func place(_ result: inout ClaimedRows) throws {
    for (index, group) in result.groups.enumerated() {
      let numbers = try result.numbers(of: group)
      result.rows += numbers
      var part = -1
      var piece = ClaimedRows.Piece(group: index, rows: [], offsets: [])
      var set = RowSet(rowCount: 0)
      func flush() {
        if piece.rows.isEmpty { return }
        result.pieces[part, default: []].append(piece)
        result.sets[part] = set
        piece = ClaimedRows.Piece(group: index, rows: [], offsets: [])
      }
      for (row, number) in numbers.enumerated() {
        if part < 0 || number < data.parts[part].firstRow || number >= data.parts[part].endRow {
          flush()
          guard let found = data.partIndex(of: number) else { continue }
          part = found
          set = result.sets[part] ?? RowSet(rowCount: data.parts[part].group.rowCount)
        }
        let offset = number - data.parts[part].firstRow
        piece.rows.append(row)
        piece.offsets.append(offset)
        set.insert(offset)
      }
      flush()
    }
  }
}
