import Columnar
import Synchronization

/// Hash tables that find the rows of one key without a scan, a table for each part that was asked
/// often enough: what a key or CREATE INDEX is good for in reading. Parts never change, so a table
/// made once is good for every version of the rows that has the part.
package final class LookupIndexes: Sendable {
  /// So often a key is looked for by scanning before its tables are made.
  private static let scansBefore = 3
  /// Fewer rows are scanned as fast.
  private static let fewRows = 2 * EngineLimits.batchRows

  private struct Known {
    var demand = 0
    /// By the slot of the first key column, which it keeps alive.
    var tables: [ObjectIdentifier: (slots: [ColumnSlot], table: KeyTable)] = [:]
  }

  private let known = Mutex<[[Int]: Known]>([:])

  package init() {}

  /// The numbers of the live rows that equality filters leave, ascending; nil when a scan is the
  /// better way. `keys` are lists of columns worth an index.
  package func rows(_ filters: [ScanFilter], keys: [[Int]], in data: TableData) throws -> [Int]? {
    if keys.isEmpty || data.rowCount <= Self.fewRows { return nil }
    var wanted: [Int: Value] = [:]
    for filter in filters where filter.operator == .equal { wanted[filter.column] = filter.value }
    let usable = keys.filter { $0.allSatisfy { wanted[$0] != nil } }
    guard let columns = usable.max(by: { $0.count < $1.count }) else { return nil }
    let parts = data.parts.filter { part in
      filters.allSatisfy {
        $0.column >= data.types.count
          || part.group.slots[$0.column].zone?.mayPass($0) ?? true
      }
    }
    if parts.reduce(0, { $0 + $1.group.rowCount }) <= Self.fewRows { return nil }
    guard let tables = try tables(of: parts, columns) else { return nil }
    let values = try columns.map { column in
      try Column.constant(wanted[column] ?? .null, data.types[column], count: 1).flattened()
    }
    let hash = KeyIndex.hashes(values, count: 1).hashes[0]
    var found: [Int] = []
    for (part, table) in zip(parts, tables) {
      try find(hash, values, columns, part, table, into: &found)
    }
    return found.sorted()
  }

  private func find(
    _ hash: UInt64, _ values: [Column], _ columns: [Int], _ part: TableData.Part,
    _ table: KeyTable, into found: inout [Int]
  ) throws {
    var comparators: [ColumnComparator] = []
    _ = try table.first(hash) { offset in
      if part.deleted?.contains(offset) ?? false { return false }
      if comparators.isEmpty {
        comparators = try zip(values, columns).map {
          ColumnComparator($0, try part.group.column($1))
        }
      }
      if comparators.allSatisfy({ $0.compare(0, offset) == 0 }) {
        found.append(part.firstRow + offset)
      }
      return false
    }
  }

  /// The tables of parts; nil while that is not worth it.
  private func tables(of parts: [TableData.Part], _ columns: [Int]) throws -> [KeyTable]? {
    let (made, demand) = known.withLock { known in
      var entry = known[columns] ?? Known()
      let made = parts.map { entry.tables[ObjectIdentifier($0.group.slots[columns[0]])] }
      entry.demand += 1
      known[columns] = entry
      return (made, entry.demand)
    }
    var result: [KeyTable] = []
    result.reserveCapacity(parts.count)
    for (part, made) in zip(parts, made) {
      let slots = columns.map { part.group.slots[$0] }
      if let made, zip(made.slots, slots).allSatisfy({ $0 === $1 }) {
        result.append(made.table)
        continue
      }
      if demand <= Self.scansBefore { return nil }
      // Offsets, and deleted rows too: the table outlives this version of the rows.
      let group = TableData.Part(group: part.group, firstRow: 0)
      let table = try KeyTable(columns: columns, parts: [group])
      known.withLock {
        $0[columns]?.tables[ObjectIdentifier(slots[0])] = (slots, table)
      }
      result.append(table)
    }
    return result
  }

  /// Forgets tables of parts that are no more, now and then.
  package func forget(allBut data: TableData) {
    known.withLock { known in
      for (columns, entry) in known where entry.tables.count > 2 * data.parts.count + 16 {
        let living = Set(data.parts.map { ObjectIdentifier($0.group.slots[columns[0]]) })
        known[columns]?.tables = entry.tables.filter { living.contains($0.key) }
      }
    }
  }
}

extension TableData {
  /// A scan of a few rows by their numbers, ascending.
  package func scan(rows: [Int], columns: [Int]) -> any PartitionedScan {
    RowListScan(data: self, rows: rows, columns: columns)
  }
}

private struct RowListScan: PartitionedScan {
  let data: TableData
  let rows: [Int]
  let columns: [Int]

  var partitionCount: Int { 1 }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    if rows.isEmpty { return nil }
    let stored = columns.filter { $0 != data.rowNumberPosition }
    let gathered = try data.gather(rows, stored)
    var values: [Column] = []
    var next = 0
    for column in columns {
      if column == data.rowNumberPosition {
        let numbers = Column(flat: .bigint, count: rows.count)
        for (index, row) in rows.enumerated() {
          numbers.values(as: Int64.self)[index] = Int64(row)
        }
        values.append(numbers)
      } else {
        values.append(gathered[next])
        next += 1
      }
    }
    let batch = Batch(columns: values, rowCount: rows.count, sequence: 0)
    return RowList(batch.pieces(of: EngineLimits.batchRows))
  }
}

private final class RowList: BatchSource {
  private var batches: ArraySlice<Batch>

  init(_ batches: [Batch]) { self.batches = batches[...] }

  func next() throws -> Batch? { batches.popFirst() }
}
