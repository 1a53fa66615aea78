import Columnar
import Diagnostics
import Planner
import Storage

/// ON CONFLICT: finds for each row to insert the row that has its key already.
final class ConflictProvider: RunnableRowProvider {
  let lookup: ConflictLookup
  let target: any WriteTarget

  init(_ lookup: ConflictLookup, _ target: any WriteTarget) {
    self.lookup = lookup
    self.target = target
  }

  var title: String { "Look up conflicts" }

  var details: [String] {
    let definition = lookup.table.definition
    return lookup.keys.map { index in
      "("
        + definition.keys[index].columns.map { quotedIdentifier(definition.columns[$0].name) }
        .joined(separator: ", ") + ")"
    }
  }

  var schema: [Field] { lookup.outputFields }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    guard let input, let version = lookup.table as? TableVersion,
      let table = target.table(version.key)
    else { throw SQLError(.internal, "ON CONFLICT has nothing to read") }
    return ConflictSource(table: table, keys: lookup.keys, input: input)
  }
}

private final class ConflictSource: BatchSource {
  private let table: TableVersion
  private let keys: [Int]
  private let input: any BatchSource
  /// Rows that came before: of rows that share a key the first counts.
  private var seen: TableData

  init(table: TableVersion, keys: [Int], input: any BatchSource) {
    self.table = table
    self.keys = keys
    self.input = input
    seen = TableData(types: table.data.types)
    seen.indexes = keys.map { KeyIndex(columns: table.definition.keys[$0].columns) }
  }

  func next() throws -> Batch? {
    while let batch = try input.next() {
      let columns = batch.columns.map { $0.flattened() }
      var existing = [Int](repeating: -1, count: batch.rowCount)
      let hashed = keys.map {
        HashedKey(columns, table.definition.keys[$0].columns, batch.rowCount)
      }
      for (key, values) in zip(keys, hashed) {
        let finder = try KeyFinder(table.data, table.data.indexes[key], keys: values.columns)
        for row in 0..<batch.rowCount where !values.isNull[row] && existing[row] < 0 {
          existing[row] = try finder.find(row, hash: values.hashes[row]) ?? -1
        }
      }
      let rows = try remember(columns, hashed, batch.rowCount)
      if rows.isEmpty { continue }
      return try output(columns, rows, rows.map { existing[$0] }, sequence: batch.sequence)
    }
    return nil
  }

  /// A batch's values of one key.
  private struct HashedKey {
    let columns: [Column]
    let hashes: [UInt64]
    /// Keys with a NULL are equal to none.
    let isNull: [Bool]

    init(_ columns: [Column], _ positions: [Int], _ count: Int) {
      self.columns = positions.map { columns[$0] }
      (hashes, isNull) = KeyIndex.hashes(self.columns, count: count)
    }
  }

  /// The rows whose keys were not seen before; `keys` are in the order of the indexes of `seen`.
  private func remember(_ columns: [Column], _ keys: [HashedKey], _ count: Int) throws -> [Int] {
    let first = seen.append([RowGroup(rowCount: count, columns: columns)])
    for (index, key) in keys.enumerated() {
      let entries = (0..<count).filter { !key.isNull[$0] }
      seen.add(entries.map { key.hashes[$0] }, rows: entries.map { first + $0 }, toIndex: index)
    }
    var isRepeat = [Bool](repeating: false, count: count)
    for (index, key) in keys.enumerated() {
      let finder = try KeyFinder(seen, seen.indexes[index], keys: key.columns)
      for row in 0..<count where !key.isNull[row] {
        if try finder.findEarlier(row, hash: key.hashes[row], than: first + row) {
          isRepeat[row] = true
        }
      }
    }
    return (0..<count).filter { !isRepeat[$0] }
  }

  private func output(_ columns: [Column], _ rows: [Int], _ existing: [Int], sequence: Int)
    throws -> Batch
  {
    let numbers = Column(flat: .bigint, count: rows.count)
    for (row, number) in existing.enumerated() {
      numbers.values(as: Int64.self)[row] = Int64(max(number, 0))
      if number < 0 { numbers.setNull(row) }
    }
    let found = existing.filter { $0 >= 0 }
    let old = try table.data.gather(found, Array(table.data.types.indices))
    // NULLs where there is no row yet.
    let picks = Selection(capacity: rows.count)
    var next = 0
    for (row, number) in existing.enumerated() {
      picks.indices[row] = number < 0 ? UInt32(found.count) : UInt32(next)
      if number >= 0 { next += 1 }
    }
    let oldColumns = old.map { Column.dictionary($0.followedByNull(), picks) }
    let own = Batch(columns: columns, rowCount: columns.first?.count ?? 0)
      .selecting(Selection(rows))
    return Batch(
      columns: [numbers] + oldColumns + own.columns, rowCount: rows.count, sequence: sequence)
  }
}
