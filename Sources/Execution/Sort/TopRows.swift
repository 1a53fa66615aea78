import Columnar
import Diagnostics

/// Collects the first `wanted` rows by the keys, holding at most a few times as many: full, it sorts
/// and keeps the best. From then on rows that come after the worst kept row by their first key are
/// dropped before they are copied.
struct TopRows {
  let types: [LogicalType]
  let keys: [SortKey]
  let wanted: Int
  let memory: MemoryHolder
  let query: QueryContext

  func collect(_ input: any BatchSource) throws -> RowCollector {
    var collector = RowCollector(types)
    var boundary: Column?
    var arrival: Int64 = 0
    let capacity = max(wanted * 3, wanted + 8 * query.batchRows)
    while let batch = try input.next() {
      try query.checkCancelled()
      if wanted == 0 { continue }
      let place = Column(flat: .bigint, count: batch.rowCount)
      for row in 0..<batch.rowCount { place.values(as: Int64.self)[row] = arrival + Int64(row) }
      arrival += Int64(batch.rowCount)
      let sequence = Column(flat: .bigint, count: batch.rowCount)
      sequence.values(as: Int64.self).update(
        repeating: Int64(batch.sequence), count: batch.rowCount)
      var rows = Batch(columns: batch.columns + [sequence, place], rowCount: batch.rowCount)
      if let boundary {
        let passing = Self.notAfter(boundary, rows.columns[keys[0].column], keys[0])
        if passing.count == 0 { continue }
        rows = rows.selecting(passing)
      }
      collector.append(rows.columns, rowCount: rows.rowCount)
      if collector.rowCount >= capacity {
        boundary = try cut(&collector)
      }
      try memory.hold(collector.byteCount)
    }
    if collector.rowCount > wanted { _ = try cut(&collector) }
    return collector
  }

  /// Keeps the best; gives the worst kept row's first key.
  private func cut(_ collector: inout RowCollector) throws -> Column? {
    let count = collector.rowCount
    let columns = collector.finish()
    var order = try RowSorter.order(
      SortOperator.sortColumns(keys, columns, isTop: true), rowCount: count, query: query)
    order.count = min(wanted, count)
    collector.append(columns.map { Column.dictionary($0, order) }, rowCount: order.count)
    if keys.isEmpty { return nil }
    var worst = ColumnBuilder(types[keys[0].column], capacity: 1)
    worst.append(columns[keys[0].column].slice(Int(order.indices[order.count - 1]), 1))
    return worst.finish()
  }

  /// The rows whose key does not come after the boundary.
  private static func notAfter(_ boundary: Column, _ column: Column, _ key: SortKey) -> Selection {
    var rows = Selection(capacity: column.count)
    var count = 0
    let boundaryIsNull = boundary.isNull(0)
    func scan<T: Comparable & BitwiseCopyable>(_ type: T.Type) {
      let reader = ColumnReader<T>(column)
      let worst = boundary.values(as: T.self)[0]
      for row in 0..<column.count {
        let value = reader[row]
        let passes = key.descending ? !(value < worst) : !(worst < value)
        rows.indices[count] = UInt32(truncatingIfNeeded: row)
        count += passes ? 1 : 0
      }
    }
    if boundaryIsNull || column.mayHaveNulls {
      compareEach()
    } else {
      switch column.type.physical {
      case .int16: scan(Int16.self)
      case .int32: scan(Int32.self)
      case .int64: scan(Int64.self)
      case .uint32: scan(UInt32.self)
      case .uint64: scan(UInt64.self)
      case .int128: scan(Int128.self)
      case .bool, .int8, .uint8, .uint16, .uint128, .float, .double, .string, .interval, .list,
        .array, .structure:
        compareEach()
      }
    }
    func compareEach() {
      let comparator = ColumnComparator(column, boundary)
      for row in 0..<column.count {
        let result: Int
        if boundaryIsNull || column.isNull(row) {
          result = comparator.compare(row, 0, nullsFirst: key.nullsFirst)
        } else {
          let plain = comparator.compare(row, 0)
          result = key.descending ? -plain : plain
        }
        rows.indices[count] = UInt32(truncatingIfNeeded: row)
        count += result <= 0 ? 1 : 0
      }
    }
    rows.count = count
    return rows
  }
}
