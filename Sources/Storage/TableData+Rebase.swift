import Columnar

/// Two writers changed the same row.
package struct RowConflict: Error {}

/// What one writer changed of a table's rows.
private struct RowDifference {
  /// Rows of the base that are gone, ascending.
  var deleted: [Int] = []
  /// Rows of the base whose value in a column is another, ascending.
  var updated: [(position: Int, rows: [Int])] = []

  var touched: Set<Int> { Set(deleted).union(updated.flatMap(\.rows)) }
}

extension TableData {
  /// This data with the changes that were made from `base` to `mine`, in the rows' own terms: rows
  /// added get new numbers here, changed and deleted ones must be as they were in `base`
  /// (`RowConflict`), and keys must stay unique (`DuplicateKey`).
  package func applying(from base: TableData, to mine: TableData) throws -> TableData {
    let own = try base.difference(to: mine)
    let touched = own.touched
    if !touched.isEmpty {
      let others = try base.difference(to: self).touched
      if !touched.isDisjoint(with: others) { throw RowConflict() }
    }
    var result = self
    for (position, rows) in own.updated {
      try result.update(rows, position, try mine.gather(rows, [position])[0])
    }
    var sets: [Int: RowSet] = [:]
    for row in own.deleted {
      guard let part = result.partIndex(of: row) else { throw RowConflict() }
      sets[part, default: RowSet(rowCount: result.parts[part].group.rowCount)]
        .insert(row - result.parts[part].firstRow)
    }
    result.delete(sets)
    let changed = Set(own.updated.map(\.position))
    let rows = own.updated.flatMap(\.rows)
    if !rows.isEmpty {
      let distinct = Array(Set(rows)).sorted()
      let columns = try result.gather(distinct, Array(types.indices))
      try result.index(rows: distinct, { columns[$0] }) { !changed.isDisjoint(with: $0.columns) }
    }
    for group in try mine.added(since: base.nextRow) {
      let first = result.append([group])
      try result.index(
        rows: Array(first..<(first + group.rowCount)), { try group.column($0) },
        touched: { _ in true })
    }
    return result
  }

  /// The live rows from a number on.
  private func added(since first: Int) throws -> [RowGroup] {
    var groups: [RowGroup] = []
    for part in parts where part.endRow > first {
      let start = max(0, first - part.firstRow)
      let live = (start..<part.group.rowCount).filter { !(part.deleted?.contains($0) ?? false) }
      if live.isEmpty { continue }
      if live.count == part.group.rowCount {
        groups.append(part.group)
        continue
      }
      let batch = try part.group.batch().selecting(Selection(live))
      groups.append(
        RowGroup(rowCount: live.count, columns: batch.columns.map { $0.flattened() }))
    }
    return groups
  }

  private func difference(to other: TableData) throws -> RowDifference {
    var result = RowDifference()
    var updated = [[Int]](repeating: [], count: types.count)
    for part in parts {
      let live = (0..<part.group.rowCount).lazy.filter {
        !(part.deleted?.contains($0) ?? false)
      }
      guard let index = other.partIndex(of: part.firstRow),
        other.parts[index].endRow >= part.endRow
      else {
        for row in live { result.deleted.append(part.firstRow + row) }
        continue
      }
      let match = other.parts[index]
      let offset = part.firstRow - match.firstRow
      if match.deleted !== part.deleted {
        for row in live where match.deleted?.contains(offset + row) ?? false {
          result.deleted.append(part.firstRow + row)
        }
      }
      for position in types.indices {
        if part.group.slots[position] === match.group.slots[position] { continue }
        let before = try part.group.column(position)
        let after = try match.group.column(position)
        let comparator = ColumnComparator(before, after)
        for row in live where comparator.compare(row, offset + row, nullsFirst: false) != 0 {
          if !(match.deleted?.contains(offset + row) ?? false) {
            updated[position].append(part.firstRow + row)
          }
        }
      }
    }
    for (position, rows) in updated.enumerated() where !rows.isEmpty {
      result.updated.append((position, rows))
    }
    return result
  }

  /// New values of one column for rows that are there, ascending.
  private mutating func update(_ rows: [Int], _ position: Int, _ values: Column) throws {
    var start = 0
    while start < rows.count {
      guard let index = partIndex(of: rows[start]) else { return }
      let part = parts[index]
      var end = start
      let picks = Selection(capacity: part.group.rowCount)
      for row in 0..<part.group.rowCount { picks.indices[row] = UInt32(row) }
      while end < rows.count, rows[end] < part.endRow {
        picks.indices[rows[end] - part.firstRow] = UInt32(part.group.rowCount + end - start)
        end += 1
      }
      var builder = ColumnBuilder(types[position], capacity: part.group.rowCount + end - start)
      builder.append(try part.group.column(position))
      builder.append(values.slice(start, end - start))
      replace(
        part: index,
        [(position, Column.dictionary(builder.finish(), picks).flattened())])
      start = end
    }
  }
}
