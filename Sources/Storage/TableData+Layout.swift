import Columnar

extension TableData {
  /// A column for every part, computed from some columns of its live rows; deleted rows get NULL.
  package func computed(from columns: [Int], _ compute: (Batch) throws -> Column) throws -> [Column]
  {
    try parts.map { part in
      let all = Batch(
        columns: try columns.map { try part.group.column($0) }, rowCount: part.group.rowCount)
      guard let live = part.deleted?.live(0, part.group.rowCount) else {
        return try compute(all).flattened()
      }
      let values = try compute(all.selecting(live)).followedByNull()
      let picks = Selection(capacity: part.group.rowCount)
      for row in 0..<part.group.rowCount { picks.indices[row] = UInt32(live.count) }
      for row in 0..<live.count { picks.indices[Int(live.indices[row])] = UInt32(row) }
      return Column.dictionary(values, picks).flattened()
    }
  }

  /// The table with one more column, given by part.
  package func appending(_ type: LogicalType, _ columns: [Column]) -> TableData {
    var next = 0
    return rebuilt(
      types: types + [type], columnIDs: columnIDs + [nextColumnID], indexes: indexes
    ) { part in
      defer { next += 1 }
      return part.group.slots + [ColumnSlot(columns[next])]
    }
  }

  /// The table with one column replaced, given by part.
  package func replacing(_ position: Int, _ type: LogicalType, _ columns: [Column]) -> TableData {
    var next = 0
    var types = types
    var numbers = columnIDs
    types[position] = type
    numbers[position] = nextColumnID
    return rebuilt(types: types, columnIDs: numbers, indexes: indexes) { part in
      defer { next += 1 }
      var all = part.group.slots
      all[position] = ColumnSlot(columns[next])
      return all
    }
  }

  /// Whether a live row has NULL in a column.
  package func hasNull(_ position: Int) throws -> Bool {
    for part in parts {
      if let zone = part.group.slots[position].zone, zone.nullCount == 0 { continue }
      let column = try part.group.column(position)
      if column.mayHaveNulls,
        (0..<part.group.rowCount).contains(where: {
          column.isNull($0) && !(part.deleted?.contains($0) ?? false)
        })
      {
        return true
      }
    }
    return false
  }

  /// The live rows of each part, one after the other.
  package func forEachLiveBatch(_ body: (Batch) throws -> Void) throws {
    for part in parts {
      let all = try part.group.batch()
      try body(part.deleted?.live(0, part.group.rowCount).map { all.selecting($0) } ?? all)
    }
  }
}
