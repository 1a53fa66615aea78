import Columnar
import Diagnostics
import Planner
import Storage

/// One version of a table: what it is and the rows it has. Immutable; a write makes another.
final class TableVersion: StoredTable, Sendable {
  let key: CatalogState.Key
  let definition: TableDefinition
  let data: TableData
  /// What the table's file knows it by; nil until it is written there.
  let fileID: Int64?
  /// Shared by the versions of one layout.
  private let statistics: StatisticsCache
  /// Likewise.
  private let lookups: LookupIndexes

  init(
    key: CatalogState.Key, definition: TableDefinition, data: TableData,
    fileID: Int64? = nil, statistics: StatisticsCache = StatisticsCache(),
    lookups: LookupIndexes = LookupIndexes()
  ) {
    lookups.forget(allBut: data)
    self.lookups = lookups
    self.fileID = fileID
    self.key = key
    self.definition = definition
    self.data = data
    self.statistics = statistics
  }

  /// A table without rows.
  convenience init(key: CatalogState.Key, definition: TableDefinition) {
    var data = TableData(types: definition.columns.map(\.type))
    for key in definition.keys { data.indexes.append(KeyIndex(columns: key.columns)) }
    self.init(key: key, definition: definition, data: data)
  }

  var schema: [Field] { definition.fields }
  var estimatedRowCount: Int? { data.rowCount }

  func columnStatistics(_ position: Int) -> ColumnStatistics? {
    guard position < definition.columns.count else { return nil }
    var known = statistics.statistics(of: position, in: data.parts.map(\.group))
    // Of rows that are deleted too: there are no more values than rows.
    known.distinctCount = known.distinctCount.map { min($0, Double(data.rowCount)) }
    return known
  }

  /// Whether its distinct values come from sketches, and not from a sample of the rows.
  func hasSketch(_ position: Int) -> Bool {
    TableStatistics.sketch(of: position, in: data.parts.map(\.group)) != nil
  }

  var canSkipRows: Bool { true }
  var exactRowCount: Int? { data.rowCount }

  func exactRange(of position: Int) -> ExactRange? {
    position < definition.columns.count ? data.exactRange(of: position) : nil
  }

  func sample(columns: [Int]) -> [Column]? {
    guard columns.allSatisfy({ $0 < definition.columns.count }) else { return nil }
    return statistics.sample(of: columns, in: data.parts.map(\.group))
  }

  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan {
    if let rows = try lookups.rows(filters, keys: definition.lookupColumns, in: data) {
      return data.scan(rows: rows, columns: columns)
    }
    return data.scan(columns: columns, filters: filters, batchRows: batchRows)
  }

  /// What the rows take in memory.
  var byteCount: Int { data.byteCount }

  func with(_ data: TableData) -> TableVersion {
    TableVersion(
      key: key, definition: definition, data: data, fileID: fileID, statistics: statistics,
      lookups: lookups)
  }

  /// The same table with another definition, under another key if one is given.
  func altered(
    _ definition: TableDefinition, _ data: TableData, key: CatalogState.Key? = nil
  ) -> TableVersion {
    TableVersion(key: key ?? self.key, definition: definition, data: data, fileID: fileID)
  }

  /// The same table as a file has it.
  func stored(_ data: TableData, fileID: Int64) -> TableVersion {
    TableVersion(
      key: key, definition: definition, data: data, fileID: fileID, statistics: statistics,
      lookups: lookups)
  }

  /// Whether the two differ in rows only.
  func isSameLayout(as other: TableVersion) -> Bool { statistics === other.statistics }

  /// The error for a key that two rows would have.
  func error(_ duplicate: DuplicateKey) -> SQLError {
    let key = definition.keys[duplicate.index]
    let what: String
    switch key.kind {
    case .primary: what = "primary key constraint"
    case .unique: what = "unique constraint"
    case .index(let name): what = "unique index \"\(name)\""
    }
    return SQLError(
      .constraint,
      "duplicate key \"\(pairs(key.columns, duplicate.values))\" violates \(what) of table \"\(definition.name)\""
    )
  }

  /// `a: 1, b: x`.
  func pairs(_ columns: [Int], _ values: [String]) -> String {
    zip(columns, values).map { "\(definition.columns[$0].name): \($1)" }.joined(separator: ", ")
  }
}
