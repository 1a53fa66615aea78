import Columnar

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

  private init(rowCount: Int, columns: [Column], zones: [ZoneMap?]) {
    self.rowCount = rowCount
    self.columns = columns
    self.zones = zones
  }

  /// With some columns replaced.
  func replacing(_ changed: [(position: Int, column: Column)]) -> RowGroup {
    var columns = columns
    var zones = zones
    for (position, column) in changed {
      columns[position] = column
      zones[position] = ZoneMap(column)
    }
    return RowGroup(rowCount: rowCount, columns: columns, zones: zones)
  }

  /// With only some columns, in a new order.
  func picking(_ positions: [Int]) -> RowGroup {
    RowGroup(
      rowCount: rowCount, columns: positions.map { columns[$0] },
      zones: positions.map { zones[$0] })
  }

  /// With one more column.
  func appending(_ column: Column) -> RowGroup {
    RowGroup(
      rowCount: rowCount, columns: columns + [column], zones: zones + [ZoneMap(column)])
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
