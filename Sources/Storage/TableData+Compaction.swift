import Columnar

extension TableData {
  /// Parts of fewer rows are joined with their neighbours.
  private static let smallRows = EngineLimits.rowGroupRows / 2

  /// How many parts are small row groups of the file, which each cost a scan as much as a large one.
  package var smallGroupCount: Int {
    parts.reduce(0) { $0 + ($1.group.place != nil && $1.group.rowCount < Self.smallRows ? 1 : 0) }
  }

  /// The same rows in fewer parts: small neighbours are joined, and with `all` row groups with rows in
  /// the row delta or many deleted ones are to be written anew. Rows in memory alone stay as they are
  /// while they are few.
  ///
  /// What is behind the first `most` rows of row groups that are joined or written anew stays as it
  /// is, so that a step is short; one run of neighbours is done at least.
  package func compacted(most: Int, all: Bool = true) throws -> TableData {
    var result: [Part] = []
    var run: [Part] = []
    var rows = 0
    var written = 0
    func joinRun() throws {
      let isWanted =
        run.count > 1 || all && run.contains { $0.patched != nil || isHollow($0) }
      if isWanted, written < most {
        for part in run where part.group.place != nil { written += part.group.rowCount }
        let part = try emptied(try joined(run))
        if part.group.rowCount > 0 { result.append(part) }
      } else {
        result += run
      }
      run = []
      rows = 0
    }
    for part in parts {
      let isNext = run.last.map { $0.endRow == part.firstRow } ?? true
      let isSmall = part.group.rowCount < Self.smallRows || isHollow(part)
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

  /// Rows in parts that another version of the table does not have.
  package func rowCount(notIn other: TableData) -> Int {
    let known = Set(other.parts.flatMap { $0.group.slots.map { ObjectIdentifier($0) } })
    return parts.reduce(0) { sum, part in
      let isKnown = part.group.slots.allSatisfy { known.contains(ObjectIdentifier($0)) }
      return sum + (isKnown ? 0 : part.group.rowCount)
    }
  }

  /// Whether so many rows of a row group are deleted that it is worth writing anew, and what they
  /// held is still there.
  private func isHollow(_ part: Part) -> Bool {
    guard let deleted = part.deleted, part.group.place != nil,
      part.liveCount < part.group.rowCount / 4 * 3
    else { return false }
    return part.group.slots.contains { slot in
      slot.chunk.map { $0.record.nullCount < Int64(deleted.count) } ?? true
    }
  }

  /// The rows of neighbours, one after the other, as a part of no row group.
  func joined(_ run: [Part]) throws -> Part {
    let count = run.reduce(0) { $0 + $1.group.rowCount }
    let columns = try types.indices.map { position -> Column in
      var builder = ColumnBuilder(types[position], capacity: count)
      for part in run { builder.append(try part.group.column(position)) }
      return builder.finish()
    }
    var joined = Part(
      group: RowGroup(rowCount: count, columns: columns), firstRow: run.first?.firstRow ?? nextRow)
    if run.contains(where: { $0.deleted != nil }) {
      var deleted = RowSet(rowCount: count)
      var offset = 0
      for part in run {
        part.deleted?.shifted(by: offset, into: &deleted)
        offset += part.group.rowCount
      }
      joined.deleted = RowMask(deleted.words, rowCount: count)
    }
    return joined
  }

  /// The same without what deleted rows hold: those at the ends are left out, those between live
  /// ones are NULL, which takes no room.
  private func emptied(_ part: Part) throws -> Part {
    guard let deleted = part.deleted else { return part }
    let count = part.group.rowCount
    let live = (0..<count).filter { !deleted.contains($0) }
    let first = live.first ?? 0
    let kept = (live.last ?? -1) + 1 - first
    let picks = Selection(capacity: kept)
    var gone = RowSet(rowCount: kept)
    for row in 0..<kept {
      let isGone = deleted.contains(first + row)
      picks.indices[row] = UInt32(isGone ? count : first + row)
      if isGone { gone.insert(row) }
    }
    let columns = try part.group.columns().map {
      Column.dictionary($0.followedByNull(), picks).flattened()
    }
    var result = Part(
      group: RowGroup(rowCount: kept, columns: columns), firstRow: part.firstRow + first)
    if live.count < kept { result.deleted = RowMask(gone) }
    return result
  }
}
