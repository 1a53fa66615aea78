import Columnar

extension TableData {
  /// Parts of fewer rows are joined with their neighbours.
  private static let smallRows = EngineLimits.rowGroupRows / 2

  /// How many parts are small row groups of the file, which each cost a scan as much as a large one.
  package var smallGroupCount: Int {
    parts.reduce(0) { $0 + ($1.group.place != nil && $1.group.rowCount < Self.smallRows ? 1 : 0) }
  }

  /// The same rows in fewer parts: small neighbours are joined, and row groups with rows in the row
  /// delta are to be written anew. Rows in memory alone stay as they are while they are few.
  package func compacted() throws -> TableData {
    var result: [Part] = []
    var run: [Part] = []
    var rows = 0
    func joinRun() throws {
      if run.count > 1 {
        result.append(try joined(run))
      } else if let only = run.first {
        result.append(only.patched == nil ? only : try rewritten(only))
      }
      run = []
      rows = 0
    }
    for part in parts {
      let isNext = run.last.map { $0.endRow == part.firstRow } ?? true
      let isSmall = part.group.rowCount < Self.smallRows
      if !isNext || rows + part.group.rowCount > EngineLimits.rowGroupRows || !isSmall {
        try joinRun()
      }
      run.append(part)
      rows += part.group.rowCount
      if !isSmall { try joinRun() }
    }
    try joinRun()
    var data = TableData(
      types: types, columnIDs: columnIDs, nextColumnID: nextColumnID, parts: result,
      nextRow: nextRow)
    data.indexes = indexes
    return data
  }

  /// Whether the rows lie in the very same parts.
  package func hasSameParts(as other: TableData) -> Bool {
    parts.count == other.parts.count
      && zip(parts, other.parts).allSatisfy { one, two in
        one.firstRow == two.firstRow
          && zip(one.group.slots, two.group.slots).allSatisfy { $0 === $1 }
      }
  }

  /// A part of no row group, to become a new one.
  private func joined(_ run: [Part]) throws -> Part {
    let count = run.reduce(0) { $0 + $1.group.rowCount }
    var deleted = RowSet(rowCount: count)
    var offset = 0
    for part in run {
      part.deleted?.shifted(by: offset, into: &deleted)
      offset += part.group.rowCount
    }
    let columns = try types.indices.map { position in
      var builder = ColumnBuilder(types[position], capacity: count)
      for part in run { builder.append(try part.group.column(position)) }
      return builder.finish()
    }
    var part = Part(
      group: RowGroup(rowCount: count, columns: columns), firstRow: run[0].firstRow)
    if deleted.count > 0 { part.deleted = RowMask(deleted) }
    return part
  }

  private func rewritten(_ part: Part) throws -> Part {
    var result = Part(
      group: RowGroup(rowCount: part.group.rowCount, columns: try part.group.columns()),
      firstRow: part.firstRow)
    result.deleted = part.deleted
    return result
  }
}
