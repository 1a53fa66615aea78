import Columnar
import Diagnostics
import Synchronization

/// A table in memory: row groups of flat columns with zone maps. Readers see the groups that were
/// there when their scan began; appends publish whole groups at once.
package final class MemoryTable: TableSource, Sendable {
  package let name: String
  package let schema: [Field]
  /// Columns declared NOT NULL, by position.
  package let requiredColumns: Set<Int>
  private let groups: Mutex<[RowGroup]>
  private let statistics = StatisticsCache()

  package init(name: String, schema: [Field], requiredColumns: Set<Int> = []) {
    self.name = name
    self.schema = schema
    self.requiredColumns = requiredColumns
    groups = Mutex([])
  }

  package var rowCount: Int { groups.withLock { $0.reduce(0) { $0 + $1.rowCount } } }
  package var estimatedRowCount: Int? { rowCount }
  package func columnStatistics(_ position: Int) -> ColumnStatistics? {
    statistics.statistics(of: position, in: groups.withLock { $0 })
  }
  package var byteCount: Int {
    groups.withLock { $0.reduce(0) { $0 + $1.columns.reduce(0) { $0 + $1.byteCount } } }
  }

  /// Publishes row groups made by a `RowGroupWriter`, all or none.
  ///
  /// Small groups at the end are joined while the last is at least half the one before it: many
  /// single-row INSERTs cost each row a logarithmic number of copies and leave few groups.
  package func append(_ added: [RowGroup]) {
    let types = schema.map(\.type)
    groups.withLock { groups in
      groups.append(contentsOf: added)
      while groups.count >= 2 {
        let last = groups[groups.count - 1]
        let previous = groups[groups.count - 2]
        guard last.rowCount * 2 >= previous.rowCount,
          last.rowCount + previous.rowCount <= EngineLimits.rowGroupRows / 4
        else { break }
        var writer = RowGroupWriter(types: types)
        for group in [previous, last] {
          writer.append(Batch(columns: group.columns, rowCount: group.rowCount))
        }
        groups.removeLast(2)
        groups.append(contentsOf: writer.finish())
      }
    }
  }

  package func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws
    -> any PartitionedScan
  {
    MemoryScan(
      groups: groups.withLock { $0 }, columns: columns, filters: filters, batchRows: batchRows)
  }
}

/// Up to `EngineLimits.rowGroupRows` rows, immutable.
package struct RowGroup: Sendable {
  package let rowCount: Int
  package let columns: [Column]
  package let zones: [ZoneMap?]

  package init(rowCount: Int, columns: [Column]) {
    self.rowCount = rowCount
    self.columns = columns
    zones = columns.map { ZoneMap($0) }
  }
}

private struct MemoryScan: PartitionedScan {
  let groups: [RowGroup]
  let columns: [Int]
  let filters: [ScanFilter]
  let batchRows: Int

  var partitionCount: Int { groups.count }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    let group = groups[partition]
    for filter in filters {
      if let zone = group.zones[filter.column], !zone.mayPass(filter) { return nil }
    }
    return RowGroupReader(
      columns: columns.map { group.columns[$0] }, rowCount: group.rowCount, batchRows: batchRows,
      sequence: partition)
  }
}

/// Slices of a row group's columns.
package final class RowGroupReader: BatchSource {
  private let columns: [Column]
  private let rowCount: Int
  private let batchRows: Int
  private let sequence: Int
  private var position = 0

  package init(columns: [Column], rowCount: Int, batchRows: Int, sequence: Int) {
    self.columns = columns
    self.rowCount = rowCount
    self.batchRows = batchRows
    self.sequence = sequence
  }

  package func next() throws -> Batch? {
    if position >= rowCount { return nil }
    let count = min(batchRows, rowCount - position)
    let start = position
    position += count
    return Batch(
      columns: columns.map { $0.slice(start, count) }, rowCount: count, sequence: sequence)
  }
}

/// Smallest and largest value of a chunk and how many are NULL; only for types with a cheap order.
package struct ZoneMap: Sendable {
  package let minimum: Int64
  package let maximum: Int64
  package let nullCount: Int
  package let rowCount: Int

  /// nil for types that have none.
  package init?(_ column: Column) {
    let bounds: (Int64, Int64)?
    switch column.type.physical {
    case .int8: bounds = ZoneMap.range(column, Int8.self)
    case .int16: bounds = ZoneMap.range(column, Int16.self)
    case .int32: bounds = ZoneMap.range(column, Int32.self)
    case .int64: bounds = ZoneMap.range(column, Int64.self)
    case .bool, .uint8, .uint16, .uint32, .uint64, .int128, .uint128, .float, .double, .string,
      .interval, .list, .array, .structure:
      return nil
    }
    guard let bounds else { return nil }
    (minimum, maximum) = bounds
    rowCount = column.count
    nullCount = column.validity.map { column.count - Validity.countValid($0, column.count) } ?? 0
  }

  private static func range<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type
  ) -> (Int64, Int64)? {
    guard column.encoding == .flat else { return nil }
    let values = column.values(as: T.self)
    var low = T.max
    var high = T.min
    if let validity = column.validity {
      for row in 0..<column.count where Validity.isValid(validity, row) {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    } else {
      for row in 0..<column.count {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    }
    return (Int64(low), Int64(high))
  }

  /// Whether some row may pass; true when unsure.
  package func mayPass(_ filter: ScanFilter) -> Bool {
    switch filter.operator {
    case .isNull: return nullCount > 0
    case .isNotNull: return nullCount < rowCount
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    if nullCount == rowCount { return false }
    let wanted: Int128
    switch filter.value {
    case .integer(let v), .decimal(let v): wanted = v
    case .date(let v): wanted = Int128(v)
    case .time(let v), .timestamp(let v): wanted = Int128(v)
    case .null, .boolean, .unsigned, .float, .double, .varchar, .blob, .interval, .list,
      .structure:
      return true
    }
    switch filter.operator {
    case .equal: return wanted >= Int128(minimum) && wanted <= Int128(maximum)
    case .less: return Int128(minimum) < wanted
    case .lessOrEqual: return Int128(minimum) <= wanted
    case .greater: return Int128(maximum) > wanted
    case .greaterOrEqual: return Int128(maximum) >= wanted
    case .isNull, .isNotNull: return true
    }
  }
}

/// Gathers batches into row groups for one table.
package struct RowGroupWriter {
  private let types: [LogicalType]
  private var builders: [ColumnBuilder]
  private var pending = 0
  package private(set) var finished: [RowGroup] = []
  package private(set) var rowCount = 0

  package init(types: [LogicalType]) {
    self.types = types
    builders = types.map { ColumnBuilder($0, capacity: 2048) }
  }

  /// Appends a batch whose columns have the table's types.
  package mutating func append(_ batch: Batch) {
    var offset = 0
    while offset < batch.rowCount {
      let count = min(batch.rowCount - offset, EngineLimits.rowGroupRows - pending)
      let part = batch.slice(offset, count)
      for column in builders.indices { builders[column].append(part.columns[column]) }
      pending += count
      offset += count
      if pending == EngineLimits.rowGroupRows { flush() }
    }
    rowCount += batch.rowCount
  }

  private mutating func flush() {
    if pending == 0 { return }
    var columns: [Column] = []
    for column in builders.indices {
      columns.append(builders[column].finish())
      builders[column] = ColumnBuilder(types[column], capacity: 2048)
    }
    finished.append(RowGroup(rowCount: pending, columns: columns))
    pending = 0
  }

  package mutating func finish() -> [RowGroup] {
    flush()
    defer { finished = [] }
    return finished
  }
}
