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
      for key in keys {
        let parts = table.definition.keys[key].columns.map { columns[$0] }
        let (hashes, isNull) = KeyIndex.hashes(parts, count: batch.rowCount)
        let finder = KeyFinder(table.data, table.data.indexes[key], keys: parts)
        for row in 0..<batch.rowCount where !isNull[row] && existing[row] < 0 {
          existing[row] = finder.find(row, hash: hashes[row]) ?? -1
        }
      }
      let rows = remember(columns, batch.rowCount)
      if rows.isEmpty { continue }
      return output(columns, rows, rows.map { existing[$0] }, sequence: batch.sequence)
    }
    return nil
  }

  /// The rows whose keys were not seen before.
  private func remember(_ columns: [Column], _ count: Int) -> [Int] {
    let first = seen.append([RowGroup(rowCount: count, columns: columns)])
    for index in seen.indexes.indices {
      let parts = seen.indexes[index].columns.map { columns[$0] }
      let (hashes, isNull) = KeyIndex.hashes(parts, count: count)
      let entries = (0..<count).filter { !isNull[$0] }
      seen.add(entries.map { hashes[$0] }, rows: entries.map { first + $0 }, toIndex: index)
    }
    var kept: [Int] = []
    var isRepeat = [Bool](repeating: false, count: count)
    for index in seen.indexes.indices {
      let parts = seen.indexes[index].columns.map { columns[$0] }
      let (hashes, isNull) = KeyIndex.hashes(parts, count: count)
      let finder = KeyFinder(seen, seen.indexes[index], keys: parts)
      for row in 0..<count where !isNull[row] {
        if finder.findEarlier(row, hash: hashes[row], than: first + row) { isRepeat[row] = true }
      }
    }
    for row in 0..<count where !isRepeat[row] { kept.append(row) }
    return kept
  }

  private func output(_ columns: [Column], _ rows: [Int], _ existing: [Int], sequence: Int)
    -> Batch
  {
    let numbers = Column(flat: .bigint, count: rows.count)
    for (row, number) in existing.enumerated() {
      numbers.values(as: Int64.self)[row] = Int64(max(number, 0))
      if number < 0 { numbers.setNull(row) }
    }
    let found = existing.filter { $0 >= 0 }
    let old = table.data.gather(found, Array(table.data.types.indices))
    // NULLs where there is no row yet.
    let picks = Selection(capacity: rows.count)
    var next = 0
    for (row, number) in existing.enumerated() {
      picks.indices[row] = number < 0 ? UInt32(found.count) : UInt32(next)
      if number >= 0 { next += 1 }
    }
    let oldColumns = old.enumerated().map { position, column -> Column in
      var builder = ColumnBuilder(table.data.types[position], capacity: found.count + 1)
      builder.append(column)
      builder.appendNull()
      return Column.dictionary(builder.finish(), picks)
    }
    let own = Batch(columns: columns, rowCount: columns.first?.count ?? 0)
      .selecting(Selection(rows))
    return Batch(
      columns: [numbers] + oldColumns + own.columns, rowCount: rows.count, sequence: sequence)
  }
}
