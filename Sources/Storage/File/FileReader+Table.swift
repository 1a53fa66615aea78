import Columnar
import Diagnostics

extension FileReader {
  /// The rows of a table; chunks are read when somebody asks for their values. What `old`, the same
  /// table at another commit, has in memory is taken over.
  ///
  /// `keys` are the columns of each index, by position.
  package func tableData(
    of table: TableRecord, columns: [ColumnRecord], types: [LogicalType], keys: [[Int]],
    store: ChunkStore, reusing old: TableData?
  ) throws -> TableData {
    try TableRowsReader(
      reader: self, table: table, columnIDs: columns.map(\.id), types: types, store: store,
      old: old
    ).read(keys: keys)
  }
}

/// Puts a table together of its row groups and its row delta.
private struct TableRowsReader {
  let reader: FileReader
  let table: TableRecord
  let columnIDs: [Int64]
  let types: [LogicalType]
  let store: ChunkStore
  let old: TableData?

  /// Rows of the row delta with numbers so far apart are kept in parts of their own.
  private static let largestGap = 1024

  func read(keys: [[Int]]) throws -> TableData {
    let partitions = try reader.partitions(of: table.id)
    let chunks = try reader.allChunks(of: table.id)
    let deletes = try reader.allDeletes(of: table.id)
    let delta = try reader.deltaRows(of: table.id, columns: columnIDs)
    let known = oldSlots()
    var parts: [TableData.Part] = []
    var position = 0
    var end = 0
    for partition in partitions {
      guard let first = Int(exactly: partition.firstRow), first >= end,
        let count = Int(exactly: partition.rowCount), 0...EngineLimits.rowGroupRows ~= count
      else { throw damaged("row group \(partition.id) is out of place") }
      let start = position
      while position < delta.count, delta[position].number < partition.firstRow { position += 1 }
      try append(delta[start..<position], to: &parts)
      let firstPatch = position
      while position < delta.count, delta[position].number < partition.firstRow + Int64(count) {
        position += 1
      }
      parts.append(
        try part(
          partition, count, chunks[partition.id] ?? [], deletes[partition.id],
          delta[firstPatch..<position], known))
      end = first + count
    }
    try append(delta[position...], to: &parts)
    guard let nextRow = Int(exactly: table.nextRow), nextRow >= parts.last?.endRow ?? 0 else {
      throw damaged("the rows of table \"\(table.name)\" are more than were written")
    }
    var data = TableData(
      types: types, columnIDs: columnIDs, nextColumnID: table.nextColumn, parts: parts,
      nextRow: nextRow)
    data.indexes = keys.enumerated().map { index(of: $1, data, $0) }
    return data
  }

  /// Reuses what an older index has read, as far as the row groups are still the same.
  private func index(of columns: [Int], _ data: TableData, _ position: Int) -> KeyIndex {
    guard let old, position < old.indexes.count else {
      return KeyIndex(columns: columns, over: data.parts)
    }
    return KeyIndex(columns: columns, over: data.parts, reusing: old.indexes[position])
  }

  private func oldSlots() -> [Int64: ColumnSlot] {
    var result: [Int64: ColumnSlot] = [:]
    for part in old?.parts ?? [] {
      for slot in part.group.slots where slot.isWholeChunk {
        if let chunk = slot.chunk { result[chunk.record.id] = slot }
      }
    }
    return result
  }

  private func part(
    _ partition: PartitionRecord, _ count: Int, _ chunks: [ChunkRecord], _ deletes: DeleteRecord?,
    _ delta: ArraySlice<DeltaRow>, _ known: [Int64: ColumnSlot]
  ) throws -> TableData.Part {
    let firstRow = Int(partition.firstRow)
    let rows = delta.map { Int($0.number) - firstRow }
    let slots = try columnIDs.enumerated().map { position, id -> ColumnSlot in
      guard let record = chunks.first(where: { $0.column == id }), record.rowCount == count else {
        throw damaged("row group \(partition.id) has no chunk of column \(id)")
      }
      let type = types[position]
      if rows.isEmpty, let slot = known[record.id], slot.type == type { return slot }
      let chunk = StoredChunk(record: record, store: store)
      if rows.isEmpty { return ColumnSlot(type: type, chunk: chunk) }
      let values = try DeltaCodec.column(type, delta.map { $0.cells[position] })
      return ColumnSlot(type: type, chunk: chunk, patch: ColumnPatch(rows: rows, values: values))
    }
    var part = TableData.Part(
      group: RowGroup(rowCount: count, slots: slots, place: .stored(partition: partition.id)),
      firstRow: firstRow)
    part.deleted = try deletes.map { try mask($0, partition, count) }
    if !rows.isEmpty {
      var set = RowSet(rowCount: count)
      for row in rows { set.insert(row) }
      part.patched = RowMask(set)
    }
    return part
  }

  private func mask(_ record: DeleteRecord, _ partition: PartitionRecord, _ count: Int) throws
    -> RowMask
  {
    guard record.bitmap.count == (count + 7) / 8 else {
      throw damaged("the deleted rows of row group \(partition.id) are not as many as its rows")
    }
    var set = RowSet(rowCount: count)
    for row in 0..<count where record.bitmap[row >> 3] >> UInt8(row & 7) & 1 != 0 {
      set.insert(row)
    }
    return RowMask(set)
  }

  /// Makes parts of rows that are in no row group; numbers that are missing are deleted rows.
  private func append(_ rows: ArraySlice<DeltaRow>, to parts: inout [TableData.Part]) throws {
    var start = rows.startIndex
    while start < rows.endIndex {
      guard let first = Int(exactly: rows[start].number), first >= 0 else {
        throw damaged("a row of table \"\(table.name)\" has the number \(rows[start].number)")
      }
      var end = start + 1
      while end < rows.endIndex,
        rows[end].number - rows[end - 1].number <= Int64(Self.largestGap),
        rows[end].number - rows[start].number < Int64(EngineLimits.rowGroupRows / 4)
      {
        end += 1
      }
      parts.append(try part(rows[start..<end], firstRow: first))
      start = end
    }
  }

  private func part(_ rows: ArraySlice<DeltaRow>, firstRow: Int) throws -> TableData.Part {
    let count = Int(rows[rows.endIndex - 1].number) - firstRow + 1
    var columns = try types.indices.map { position in
      try DeltaCodec.column(types[position], rows.map { $0.cells[position] })
    }
    var gone: RowSet?
    if count > rows.count {
      var missing = RowSet(rowCount: count)
      let picks = Selection(capacity: count)
      for row in 0..<count { picks.indices[row] = UInt32(rows.count) }
      for (index, row) in rows.enumerated() {
        picks.indices[Int(row.number) - firstRow] = UInt32(index)
      }
      for row in 0..<count where picks.indices[row] == UInt32(rows.count) { missing.insert(row) }
      columns = columns.map { Column.dictionary($0.followedByNull(), picks).flattened() }
      gone = missing
    }
    var part = TableData.Part(
      group: RowGroup(rowCount: count, columns: columns), firstRow: firstRow)
    part.deleted = gone.map { RowMask($0) }
    return part
  }

  private func damaged(_ reason: String) -> SQLError {
    SQLError(.io, "cannot read \"\(store.file.path)\": the file is damaged (\(reason))")
  }
}
