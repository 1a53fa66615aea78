import Columnar
import Diagnostics
import Planner
import Storage

/// Checks foreign keys of one write in both directions, after its rows are in place.
final class ForeignKeyCheck {
  private let table: TableVersion
  private let target: any WriteTarget
  /// Foreign keys of other tables (or this one) to this one.
  private let references: [(child: TableVersion, key: TableDefinition.ForeignKey)]
  /// Per reference: the key columns of rows that went or changed.
  private var lost: [[[Column]]]

  /// Only a write that `losesRows` (by deleting or changing them) can break others' keys.
  init(table: TableVersion, target: any WriteTarget, losesRows: Bool) {
    self.table = table
    self.target = target
    references =
      table.definition.keys.isEmpty || !losesRows
      ? []
      : target.referencing(table.key).flatMap { child in
        child.definition.foreignKeys.filter { table.key.refers(to: $0) }.map { (child, $0) }
      }
    lost = references.map { _ in [] }
  }

  private func referenced(_ key: TableDefinition.ForeignKey, in parent: TableDefinition) -> [Int] {
    key.referenced.compactMap { parent.position(of: $0) }
  }

  /// Keeps the keys that rows had; `positions` limits it to changes of these columns.
  func remember(old: TableData, rows: [Int], positions: Set<Int>?) throws {
    if references.isEmpty || rows.isEmpty { return }
    for (index, reference) in references.enumerated() {
      let columns = referenced(reference.key, in: table.definition)
      if let positions, positions.isDisjoint(with: columns) { continue }
      lost[index].append(try old.gather(rows, columns))
    }
  }

  /// `newRows` are columns of rows inserted or changed, by position.
  func check(_ table: TableVersion, newRows: [[Int: Column]], changed: Set<Int>) throws {
    for key in table.definition.foreignKeys where !changed.isDisjoint(with: key.columns) {
      try checkParent(table, key, newRows)
    }
    for (index, reference) in references.enumerated() where !lost[index].isEmpty {
      let child =
        reference.child.key == table.key
        ? table : (target.table(reference.child.key) ?? reference.child)
      for columns in lost[index] { try checkChild(table, child, reference.key, columns) }
    }
  }

  /// Every new row's key is a row of the table referred to.
  private func checkParent(
    _ table: TableVersion, _ key: TableDefinition.ForeignKey, _ rows: [[Int: Column]]
  ) throws {
    let parentKey = CatalogState.Key(.relation, schema: key.schema, key.table)
    guard let parent = parentKey == table.key ? table : target.table(parentKey),
      let finder = KeyLookup(parent, columns: referenced(key, in: parent.definition))
    else {
      throw SQLError(.constraint, "the table \"\(key.table)\" of a foreign key is gone")
    }
    for columns in rows {
      let keys = key.columns.compactMap { columns[$0] }
      guard keys.count == key.columns.count, let count = keys.first?.count else { continue }
      if let row = try finder.firstMissing(keys, count: count) {
        throw SQLError(
          .constraint,
          "violates foreign key constraint because key \""
            + parent.pairs(finder.columns, keys.map { TableData.text($0, row) })
            + "\" does not exist in the referenced table \"\(parent.definition.name)\"")
      }
    }
  }

  /// No row of the child has a key that went.
  private func checkChild(
    _ parent: TableVersion, _ child: TableVersion, _ key: TableDefinition.ForeignKey,
    _ lost: [Column]
  ) throws {
    guard let count = lost.first?.count,
      let present = KeyLookup(parent, columns: referenced(key, in: parent.definition))
    else { return }
    // Keys that are there still (or again) are no loss.
    var gone = TableData(types: lost.map(\.type))
    let missing = try present.missing(lost, count: count)
    if missing.isEmpty { return }
    gone.append([
      RowGroup(
        rowCount: missing.count,
        columns: lost.map { Column.dictionary($0, Selection(missing)).flattened() })
    ])
    gone.indexes = [KeyIndex(columns: Array(lost.indices))]
    try gone.rebuildIndex(0)
    for part in child.data.parts {
      let keys = try key.columns.map { try part.group.column($0) }
      let (hashes, isNull) = KeyIndex.hashes(keys, count: part.group.rowCount)
      let finder = try KeyFinder(gone, gone.indexes[0], keys: keys)
      for row in hashes.indices
      where try !isNull[row] && !(part.deleted?.contains(row) ?? false)
        && finder.find(row, hash: hashes[row]) != nil
      {
        throw SQLError(
          .constraint,
          "violates foreign key constraint because key \""
            + child.pairs(key.columns, keys.map { TableData.text($0, row) })
            + "\" is still referenced by a foreign key in table \"\(child.definition.name)\"")
      }
    }
  }
}

/// Looks keys up in the index of a table over these columns, in any order.
struct KeyLookup {
  /// Of the table, in the order that keys are given.
  let columns: [Int]
  private let data: TableData
  private let index: KeyIndex
  /// Which of the given keys is the index's first, second, …
  private let order: [Int]

  /// nil when the table has no key over these columns.
  init?(_ table: TableVersion, columns: [Int]) {
    guard
      let found = table.definition.keys.firstIndex(where: {
        $0.columns.count == columns.count && Set($0.columns) == Set(columns)
      })
    else { return nil }
    self.columns = columns
    data = table.data
    index = table.data.indexes[found]
    order = index.columns.compactMap { columns.firstIndex(of: $0) }
  }

  func firstMissing(_ keys: [Column], count: Int) throws -> Int? {
    try missing(keys, count: count, limit: 1).first
  }

  /// Rows whose key has no NULL and is not in the table.
  func missing(_ keys: [Column], count: Int, limit: Int = .max) throws -> [Int] {
    let ordered = order.map { keys[$0] }
    let (hashes, isNull) = KeyIndex.hashes(ordered, count: count)
    let finder = try KeyFinder(data, index, keys: ordered)
    var result: [Int] = []
    for row in 0..<count where try !isNull[row] && finder.find(row, hash: hashes[row]) == nil {
      result.append(row)
      if result.count == limit { break }
    }
    return result
  }
}

extension CatalogState.Key {
  func refers(to key: TableDefinition.ForeignKey) -> Bool {
    self == CatalogState.Key(.relation, schema: key.schema, key.table)
  }
}
