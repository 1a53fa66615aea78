import Columnar

extension TableData {
  /// A column for every part, computed from its live rows; deleted rows get NULL.
  package func computed(_ compute: (Batch) throws -> Column) throws -> [Column] {
    try parts.map { part in
      let all = Batch(columns: part.group.columns, rowCount: part.group.rowCount)
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
    return rebuilt(types: types + [type], indexes: indexes) { part in
      defer { next += 1 }
      return part.group.columns + [columns[next]]
    }
  }

  /// The table with one column replaced, given by part.
  package func replacing(_ position: Int, _ type: LogicalType, _ columns: [Column]) -> TableData {
    var next = 0
    var types = types
    types[position] = type
    return rebuilt(types: types, indexes: indexes) { part in
      defer { next += 1 }
      var all = part.group.columns
      all[position] = columns[next]
      return all
    }
  }

  /// Whether a live row has NULL in a column.
  package func hasNull(_ position: Int) -> Bool {
    parts.contains { part in
      let column = part.group.columns[position]
      return column.mayHaveNulls
        && (0..<part.group.rowCount).contains {
          column.isNull($0) && !(part.deleted?.contains($0) ?? false)
        }
    }
  }

  /// The live rows of each part.
  package var liveBatches: [Batch] {
    parts.map { part in
      let all = Batch(columns: part.group.columns, rowCount: part.group.rowCount)
      guard let live = part.deleted?.live(0, part.group.rowCount) else { return all }
      return all.selecting(live)
    }
  }
}
