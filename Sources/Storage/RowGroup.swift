import Columnar

/// Up to `EngineLimits.rowGroupRows` rows, immutable.
package struct RowGroup: Sendable {
  /// Where a database file has a row group.
  package enum Place: Sendable {
    /// Written, but not yet published in a table.
    case loading(BulkLoad, partition: Int64)
    case stored(partition: Int64)
  }

  package let rowCount: Int
  package let slots: [ColumnSlot]
  /// nil: in memory, and perhaps in the row delta of a file.
  package let place: Place?

  /// Rows in memory.
  package init(rowCount: Int, columns: [Column]) {
    self.init(rowCount: rowCount, slots: columns.map { ColumnSlot($0) })
  }

  package init(rowCount: Int, slots: [ColumnSlot], place: Place? = nil) {
    self.rowCount = rowCount
    self.slots = slots
    self.place = place
  }

  /// The values of one column; they may come from the file.
  package func column(_ position: Int) throws -> Column { try slots[position].load() }

  /// The values of all columns.
  package func columns() throws -> [Column] { try slots.map { try $0.load() } }

  /// All rows.
  package func batch() throws -> Batch { Batch(columns: try columns(), rowCount: rowCount) }

  /// See `ColumnSlot.byteCount`.
  package var byteCount: Int { slots.reduce(0) { $0 + $1.byteCount } }

  /// The number of the row group in the file, once it is published.
  package var partition: Int64? {
    if case .stored(let partition)? = place { return partition }
    return nil
  }

  /// With some columns replaced.
  func replacing(_ changed: [(position: Int, column: Column)]) -> RowGroup {
    var slots = slots
    for (position, column) in changed { slots[position] = ColumnSlot(column) }
    return RowGroup(rowCount: rowCount, slots: slots, place: place)
  }

  /// With only some columns, in a new order.
  func picking(_ positions: [Int]) -> RowGroup {
    RowGroup(rowCount: rowCount, slots: positions.map { slots[$0] }, place: place)
  }
}

/// Gathers batches into row groups for one table.
package struct RowGroupWriter {
  private let types: [LogicalType]
  /// None before the first row: many writers get a row or two.
  private var builders: [ColumnBuilder] = []
  private var pending = 0
  package private(set) var finished: [RowGroup] = []
  package private(set) var rowCount = 0

  package init(types: [LogicalType]) {
    self.types = types
  }

  /// Appends a batch whose columns have the table's types.
  package mutating func append(_ batch: Batch) {
    var offset = 0
    while offset < batch.rowCount {
      let count = min(batch.rowCount - offset, EngineLimits.rowGroupRows - pending)
      let part = batch.slice(offset, count)
      if builders.isEmpty {
        builders = types.map { ColumnBuilder($0, capacity: min(count, EngineLimits.batchRows)) }
      }
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
    for column in builders.indices { columns.append(builders[column].finish()) }
    builders = []
    finished.append(RowGroup(rowCount: pending, columns: columns))
    pending = 0
  }

  /// The groups that are full, once; nil when there are none.
  package mutating func takeFinished() -> [RowGroup]? {
    if finished.isEmpty { return nil }
    defer { finished = [] }
    return finished
  }

  package mutating func finish() -> [RowGroup] {
    flush()
    defer { finished = [] }
    return finished
  }
}
