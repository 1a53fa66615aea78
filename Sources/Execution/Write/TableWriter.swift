import Columnar
import Diagnostics
import Planner
import Storage

/// Makes the next version of one table from rows laid out as a `TableWrite` says.
final class TableWriter {
  private let table: TableVersion
  private let write: TableWrite
  private let target: any WriteTarget
  private var data: TableData
  /// Rows inserted, updated or deleted.
  private(set) var count = 0
  private var definition: TableDefinition { table.definition }

  init(table: TableVersion, write: TableWrite, target: any WriteTarget) {
    self.table = table
    self.write = write
    self.target = target
    data = table.data
  }

  /// Applies the rows, checks keys, publishes the table; gives the rows for RETURNING.
  func apply(_ groups: [RowGroup]) throws -> [RowGroup] {
    var inserted: [RowGroup] = []
    var updated: [RowGroup] = []
    var deleted: [RowGroup] = []
    switch write.verb {
    case .insert where write.action == nil: inserted = groups
    case .update: updated = groups
    case .delete: deleted = groups
    case .insert, .merge:
      for group in groups {
        inserted += try split(group, .insert)
        updated += try split(group, .update)
        deleted += try split(group, .delete)
      }
    }
    var changes = RowChanges(data: table.data, rowNumber: write.rowNumber ?? 0)
    if write.refusesRepeats, !(try changes.areDistinct(updated + deleted)) {
      throw SQLError(
        .invalidInput,
        "MERGE INTO cannot affect the same target row more than once",
        hint: "a target row matches several source rows: make the source's rows distinct")
    }
    let foreign = ForeignKeyCheck(
      table: table, target: target, losesRows: !updated.isEmpty || !deleted.isEmpty)
    do {
      let gone = try changes.claim(deleted)
      let kept = try changes.claim(updated)
      // Old keys that others may refer to.
      try foreign.remember(old: table.data, rows: gone.rows, positions: nil)
      try foreign.remember(old: table.data, rows: kept.rows, positions: write.changed)
      try update(kept)
      data.delete(gone.sets)
      try insert(inserted)
      count += gone.rows.count + kept.rows.count
      try index(kept)
      let next = table.with(data)
      target.publish(next)
      try foreign.check(next, newRows: try newColumns(inserted, kept), changed: changedColumns)
      guard write.returnsRows else { return [] }
      return try returned(gone.groups, .delete) + returned(kept.groups, .update)
        + returned(inserted, .insert)
    } catch let duplicate as DuplicateKey {
      throw table.error(duplicate)
    }
  }

  private var changedColumns: Set<Int> {
    write.verb == .update ? write.changed : Set(definition.columns.indices)
  }

  /// The rows of one action.
  private func split(_ group: RowGroup, _ action: TableWrite.Action) throws -> [RowGroup] {
    guard let position = write.action else { return [] }
    let column = try group.column(position)
    let codes = ColumnReader<Int32>(column)
    let rows = (0..<group.rowCount).filter {
      !codes.isNull($0) && codes[$0] == Int32(action.rawValue)
    }
    return try withExtendedLifetime(column) { try pick(group, rows) }
  }

  private func pick(_ group: RowGroup, _ rows: [Int]) throws -> [RowGroup] {
    if rows.isEmpty { return [] }
    if rows.count == group.rowCount { return [group] }
    let batch = try group.batch().selecting(Selection(rows))
    return [RowGroup(rowCount: rows.count, columns: batch.columns.map { $0.flattened() })]
  }

  // MARK: Inserting

  private func insert(_ groups: [RowGroup]) throws {
    if groups.isEmpty { return }
    let width = definition.columns.count
    let stored = groups.map { group -> RowGroup in
      if group.slots.count == width, write.firstValue == 0 { return group }
      return RowGroup(
        rowCount: group.rowCount,
        slots: Array(group.slots[write.firstValue..<(write.firstValue + width)]))
    }
    var first = data.append(stored)
    count += stored.reduce(0) { $0 + $1.rowCount }
    if data.indexes.isEmpty { return }
    for group in stored {
      try data.index(
        rows: Array(first..<(first + group.rowCount)), { try group.column($0) },
        touched: { _ in true }
      )
      first += group.rowCount
    }
  }

  // MARK: Updating

  /// Where a table's column is in the rows of the write.
  private func input(of position: Int) -> Int? {
    write.columns.firstIndex(of: position).map { write.firstValue + $0 }
  }

  private func update(_ rows: ClaimedRows) throws {
    for (part, pieces) in rows.pieces {
      let old = data.parts[part].group
      var changed: [(position: Int, column: Column)] = []
      let picks = Selection(capacity: old.rowCount)
      for row in 0..<old.rowCount { picks.indices[row] = UInt32(row) }
      var next = old.rowCount
      for piece in pieces {
        for offset in piece.offsets {
          picks.indices[offset] = UInt32(next)
          next += 1
        }
      }
      for position in write.changed.sorted() {
        guard let input = input(of: position) else { continue }
        if pieces.count == 1, pieces[0].coversAll(old.rowCount) {
          let source = try rows.groups[pieces[0].group].column(input)
          changed.append(
            (
              position,
              pieces[0].isWhole(source.count)
                ? source : Column.dictionary(source, Selection(pieces[0].rows)).flattened()
            ))
          continue
        }
        var builder = ColumnBuilder(definition.columns[position].type, capacity: next)
        builder.append(try old.column(position))
        for piece in pieces {
          builder.append(
            Column.dictionary(
              try rows.groups[piece.group].column(input), Selection(piece.rows)))
        }
        changed.append((position, Column.dictionary(builder.finish(), picks).flattened()))
      }
      data.replace(part: part, changed)
    }
  }

  private func index(_ rows: ClaimedRows) throws {
    guard data.indexes.contains(where: { !write.changed.isDisjoint(with: $0.columns) }) else {
      return
    }
    for group in rows.groups {
      try data.index(
        rows: try rows.numbers(of: group),
        { try group.column(self.input(of: $0) ?? 0) },
        touched: { !write.changed.isDisjoint(with: $0.columns) })
    }
  }

  // MARK: Answers

  /// Columns of foreign keys in rows that are new or changed, by position in the table.
  private func newColumns(_ inserted: [RowGroup], _ kept: ClaimedRows) throws
    -> [[Int: Column]]
  {
    let keys = Set(definition.foreignKeys.flatMap(\.columns))
    return try (inserted + kept.groups).map { group in
      var columns: [Int: Column] = [:]
      for position in write.columns where keys.contains(position) {
        if let input = input(of: position) { columns[position] = try group.column(input) }
      }
      return columns
    }
  }

  private func returned(_ groups: [RowGroup], _ action: TableWrite.Action) throws -> [RowGroup] {
    try groups.map { group in
      var columns = try (write.firstValue..<(write.firstValue + write.columns.count)).map {
        try group.column($0)
      }
      if let number = write.rowNumber { columns.append(try group.column(number)) }
      if write.action != nil {
        let name: String
        switch action {
        case .insert: name = "INSERT"
        case .update: name = "UPDATE"
        case .delete: name = "DELETE"
        }
        columns.append(text(name, group.rowCount))
      }
      return RowGroup(rowCount: group.rowCount, columns: columns)
    }
  }

  private func text(_ text: String, _ count: Int) -> Column {
    var builder = ColumnBuilder(.varchar, capacity: 1)
    var copy = text
    copy.withUTF8 { builder.append(bytes: $0) }
    return Column(repeating: builder.finish(), count: count).flattened()
  }
}
