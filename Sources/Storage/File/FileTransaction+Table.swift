import Columnar
import Diagnostics

/// Writes what the rows of one table have become since the last commit.
///
/// Row groups of the file stay as they are: a changed row goes to the row delta under its number, a
/// deleted one into the bitmap. New rows go to the row delta until there are enough of them for a
/// row group, and a row group of which too much was changed is written anew.
struct TableRowsWriter {
  /// From so many rows on, rows in memory become a row group.
  static let groupRows = 8192
  /// A row group is written anew when more than this share of its rows was changed.
  static let changedShare = 8

  let table: Int64
  /// What the file has.
  let base: TableData?
  let next: TableData
  let store: ChunkStore

  private var firstNewRow: Int { base?.nextRow ?? 0 }
  private var hasBaseLayout: Bool { base.map { $0.columnIDs == next.columnIDs } ?? true }
  /// Where a column was in the base.
  private func basePosition(_ position: Int) -> Int? {
    base?.columnIDs.firstIndex(of: next.columnIDs[position])
  }

  /// Writes; gives the same rows as the file has them now.
  func write(_ file: borrowing FileTransaction) throws -> TableData {
    var known: [Int64: TableData.Part] = [:]
    var kept: Set<Int64> = []
    for part in base?.parts ?? [] {
      if let partition = part.group.partition { known[partition] = part }
    }
    // Before any row is written: the numbers of rows that are moved to the row delta stay the same.
    for partition in next.parts.compactMap(\.group.partition) { kept.insert(partition) }
    for (partition, part) in known where !kept.contains(partition) {
      try file.removePartition(partition)
      if part.patched != nil { try file.removeDeltaRows(of: table, part.firstRow..<part.endRow) }
    }
    var parts: [TableData.Part] = []
    parts.reserveCapacity(next.parts.count)
    for part in next.parts {
      switch part.group.place {
      case .stored(let partition):
        guard let before = known[partition] else {
          throw SQLError(.internal, "row group \(partition) is of another table")
        }
        parts.append(try write(changed: part, before, partition, file))
      case .loading(let load, let partition):
        try file.publish(load, partition: partition, in: table, firstRow: Int64(part.firstRow))
        parts.append(try write(loaded: part, partition, file))
      case nil:
        parts.append(
          part.group.rowCount >= Self.groupRows
            ? try write(group: part, file) : try write(delta: part, file))
      }
    }
    try removeLostRows(file)
    var result = TableData(
      types: next.types, columnIDs: next.columnIDs, nextColumnID: next.nextColumnID, parts: parts,
      nextRow: next.nextRow)
    result.indexes = next.indexes
    return result
  }

  // MARK: Row groups

  private func write(group part: TableData.Part, _ file: borrowing FileTransaction) throws
    -> TableData.Part
  {
    let columns = try part.group.columns()
    let chunks = try columns.enumerated().map {
      try NewChunk($1, columnID: next.columnIDs[$0])
    }
    let written = try file.insertPartition(
      of: table, firstRow: Int64(part.firstRow), rowCount: Int64(part.group.rowCount),
      chunks: chunks)
    if part.firstRow < firstNewRow {
      try file.removeDeltaRows(of: table, part.firstRow..<part.endRow)
    }
    if let deleted = part.deleted {
      try file.setDeletes(of: written.partition, deleted.record)
    }
    var result = part
    result.group = RowGroup(
      rowCount: part.group.rowCount,
      slots: zip(zip(chunks, written.chunks), columns).map {
        slot($0.0.written(as: $0.1), $1)
      }, place: .stored(partition: written.partition))
    return result
  }

  /// A row group of a load, with what was changed since it was written.
  private func write(
    loaded part: TableData.Part, _ partition: Int64, _ file: borrowing FileTransaction
  ) throws -> TableData.Part {
    var slots = part.group.slots
    for (position, slot) in slots.enumerated() where !slot.isWholeChunk {
      slots[position] = try rewrite(position, try slot.load(), partition, file)
    }
    if let deleted = part.deleted { try file.setDeletes(of: partition, deleted.record) }
    var result = part
    result.group = RowGroup(
      rowCount: part.group.rowCount, slots: slots, place: .stored(partition: partition))
    return result
  }

  private func write(
    changed part: TableData.Part, _ before: TableData.Part, _ partition: Int64,
    _ file: borrowing FileTransaction
  ) throws -> TableData.Part {
    var result = part
    if part.deleted !== before.deleted {
      try file.setDeletes(of: partition, part.deleted?.record)
    }
    let changed = next.types.indices.filter { position in
      basePosition(position).map { part.group.slots[position] !== before.group.slots[$0] } ?? true
    }
    var patched = RowSet(rowCount: part.group.rowCount)
    before.patched?.shifted(by: 0, into: &patched)
    if changed.isEmpty, hasBaseLayout {
      if part.deleted !== before.deleted, let old = before.patched {
        let lost = patched.rows.filter { part.deleted?.contains($0) ?? false }
        try file.removeDeltaRows(of: table, lost.map { Int64(part.firstRow + $0) })
        result.patched = old.subtracting(part.deleted)
      }
      return result
    }
    var updated = RowSet(rowCount: part.group.rowCount)
    for position in changed {
      if let old = basePosition(position) {
        try note(part, before, position, old, into: &updated)
      }
    }
    let all = patched.union(updated).subtracting(part.deleted)
    var slots = part.group.slots
    if all.count > part.group.rowCount / Self.changedShare {
      for (position, slot) in slots.enumerated() where !slot.isWholeChunk {
        slots[position] = try rewrite(position, try slot.load(), partition, file)
      }
      // Patched rows of columns that nobody changed now.
      try file.removeDeltaRows(of: table, part.firstRow..<part.endRow)
      result.patched = nil
    } else {
      let lost = patched.rows.filter { part.deleted?.contains($0) ?? false }
      try file.removeDeltaRows(of: table, lost.map { Int64(part.firstRow + $0) })
      let newest = hasBaseLayout ? updated.subtracting(part.deleted) : all
      if newest.count > 0 {
        try file.setDeltaRows(
          of: table, columns: next.columnIDs,
          try DeltaCodec.rows(try part.group.columns(), newest.rows, firstRow: part.firstRow))
      }
      let rows = all.rows
      for position in changed {
        let column = try part.group.column(position)
        guard let old = basePosition(position), let chunk = before.group.slots[old].chunk else {
          slots[position] = try rewrite(position, column, partition, file)
          continue
        }
        let values = Column.dictionary(column, Selection(rows)).flattened()
        slots[position] = ColumnSlot(
          type: next.types[position], chunk: chunk, patch: ColumnPatch(rows: rows, values: values))
        slots[position].remember(column)
      }
      result.patched = all.count == 0 ? nil : RowMask(all)
    }
    result.group = RowGroup(
      rowCount: part.group.rowCount, slots: slots, place: .stored(partition: partition))
    return result
  }

  /// Marks the live rows whose value in a column is another.
  private func note(
    _ part: TableData.Part, _ before: TableData.Part, _ position: Int, _ old: Int,
    into rows: inout RowSet
  ) throws {
    let comparator = ColumnComparator(
      try before.group.column(old), try part.group.column(position))
    for row in 0..<part.group.rowCount
    where comparator.compare(row, row, nullsFirst: false) != 0
      && !(part.deleted?.contains(row) ?? false)
    {
      rows.insert(row)
    }
  }

  private func rewrite(
    _ position: Int, _ column: Column, _ partition: Int64, _ file: borrowing FileTransaction
  ) throws -> ColumnSlot {
    let chunk = try NewChunk(column, columnID: next.columnIDs[position])
    return slot(chunk.written(as: try file.replaceChunk(of: partition, with: chunk)), column)
  }

  private func slot(_ record: ChunkRecord, _ column: Column) -> ColumnSlot {
    let slot = ColumnSlot(type: column.type, chunk: StoredChunk(record: record, store: store))
    slot.remember(column)
    return slot
  }

  // MARK: Row delta

  private func write(delta part: TableData.Part, _ file: borrowing FileTransaction) throws
    -> TableData.Part
  {
    var offsets: [Int] = []
    if let base, hasBaseLayout {
      var comparisons: [Int: [ColumnComparator]] = [:]
      for offset in 0..<part.group.rowCount where !(part.deleted?.contains(offset) ?? false) {
        let row = part.firstRow + offset
        if row < firstNewRow, let index = base.partIndex(of: row),
          base.parts[index].group.place == nil
        {
          let old = base.parts[index]
          if old.firstRow == part.firstRow, old.group.isSame(as: part.group) { break }
          if comparisons[index] == nil {
            comparisons[index] = try next.types.indices.map {
              ColumnComparator(try old.group.column($0), try part.group.column($0))
            }
          }
          let isSame = comparisons[index]?.allSatisfy {
            $0.compare(row - old.firstRow, offset, nullsFirst: false) == 0
          }
          if isSame ?? false { continue }
        }
        offsets.append(offset)
      }
    } else {
      offsets = (0..<part.group.rowCount).filter { !(part.deleted?.contains($0) ?? false) }
    }
    if !offsets.isEmpty {
      try file.setDeltaRows(
        of: table, columns: next.columnIDs,
        try DeltaCodec.rows(try part.group.columns(), offsets, firstRow: part.firstRow))
    }
    return part
  }

  /// Removes rows of the row delta that are no more.
  private func removeLostRows(_ file: borrowing FileTransaction) throws {
    for part in base?.parts ?? [] where part.group.place == nil {
      var lost: [Int64] = []
      for offset in 0..<part.group.rowCount where !(part.deleted?.contains(offset) ?? false) {
        let row = part.firstRow + offset
        guard let index = next.partIndex(of: row) else {
          lost.append(Int64(row))
          continue
        }
        let now = next.parts[index]
        if now.firstRow == part.firstRow, now.deleted === part.deleted,
          now.group.rowCount == part.group.rowCount
        {
          break
        }
        if now.deleted?.contains(row - now.firstRow) ?? false { lost.append(Int64(row)) }
      }
      try file.removeDeltaRows(of: table, lost)
    }
  }
}

extension RowGroup {
  /// Whether it holds the very same columns.
  fileprivate func isSame(as other: RowGroup) -> Bool {
    rowCount == other.rowCount && slots.count == other.slots.count
      && zip(slots, other.slots).allSatisfy { $0 === $1 }
  }
}

extension FileTransaction {
  /// Writes what the rows of a table have become since `base`, which is what the file has (nil for a
  /// new table); gives them as the file has them now.
  package func writeRows(
    of table: Int64, from base: TableData?, to next: TableData, store: ChunkStore
  ) throws -> TableData {
    try TableRowsWriter(table: table, base: base, next: next, store: store).write(self)
  }

  /// Removes the rows of the row delta with numbers of a range.
  func removeDeltaRows(of table: Int64, _ numbers: Range<Int>) throws {
    try session.run(
      "DELETE FROM delta_\(table) WHERE row_number >= ? AND row_number < ?",
      .integer(Int64(numbers.lowerBound)), .integer(Int64(numbers.upperBound)))
  }
}
