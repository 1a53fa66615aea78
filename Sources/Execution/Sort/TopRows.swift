import Columnar
import Diagnostics

/// Collects the first `wanted` rows by the keys, holding at most a few times as many: full, it sorts
/// and keeps the best. From then on rows that come after the worst kept row by their first key are
/// dropped before they are copied, in this worker and, by the boundary, wherever else.
struct TopRows {
  let types: [LogicalType]
  let keys: [SortKey]
  let wanted: Int
  let boundary: TopBoundary
  let memory: MemoryHolder
  let query: QueryContext

  /// The boundary that this worker has found.
  private struct Own {
    let worst: Column
    /// The greatest sequence of the rows kept.
    let sequence: Int
    /// Whether no worker has a better one, so far.
    var isBest: Bool
  }

  func collect(_ input: any BatchSource) throws -> RowCollector {
    var collector = RowCollector(types)
    var own: Own?
    var arrival: Int64 = 0
    var last = -1
    var greatest = -1
    let capacity = max(wanted * 3, wanted + 2 * query.batchRows)
    while let batch = try input.next() {
      try query.checkCancelled()
      if wanted == 0 { continue }
      if batch.sequence != last, collector.rowCount >= max(wanted * 2, 64) {
        // Another partition has begun below: what is known may spare the next.
        own = try cut(&collector, sequence: greatest)
      }
      last = batch.sequence
      greatest = max(greatest, last)
      let first = arrival
      arrival += Int64(batch.rowCount)
      let rows = try passing(batch, &own)
      if rows?.count == 0 { continue }
      let kept = placed(batch, rows, first)
      collector.append(kept.columns, rowCount: kept.rowCount)
      if collector.rowCount >= capacity { own = try cut(&collector, sequence: greatest) }
      try memory.hold(collector.byteCount)
    }
    if collector.rowCount > wanted { _ = try cut(&collector, sequence: greatest) }
    return collector
  }

  /// The rows that may be among the first; nil for all.
  private func passing(_ batch: Batch, _ own: inout Own?) throws -> Selection? {
    guard let key = keys.first, let worst = boundary.worst else { return nil }
    var keepsTies = true
    if let mine = own, mine.isBest {
      if mine.worst !== worst { own?.isBest = boundary.tighten(to: mine.worst) }
      // With one key, what comes later loses the tie with all rows that are kept.
      keepsTies = own?.isBest != true || keys.count > 1 || batch.sequence < mine.sequence
    }
    let test = BoundaryTest(
      worst: worst, descending: key.descending, nullsFirst: key.nullsFirst, keepsTies: keepsTies)
    var rows = Selection(capacity: batch.rowCount)
    rows.count = test.select(
      batch.columns[key.column], count: batch.rowCount, from: nil, into: rows.indices)
    return rows.count == batch.rowCount ? nil : rows
  }

  /// The rows with their places in the input: the sequence and, from `first` on, the arrival.
  private func placed(_ batch: Batch, _ rows: Selection?, _ first: Int64) -> Batch {
    let count = rows?.count ?? batch.rowCount
    let place = Column(flat: .bigint, count: count)
    let places = place.values(as: Int64.self)
    for position in 0..<count {
      places[position] = first + Int64(rows?.indices[position] ?? UInt32(position))
    }
    let sequence = Column(flat: .bigint, count: count)
    sequence.values(as: Int64.self).update(repeating: Int64(batch.sequence), count: count)
    let kept = rows.map { batch.selecting($0) } ?? batch
    return Batch(columns: kept.columns + [sequence, place], rowCount: count)
  }

  /// Keeps the best, and tells the worst kept row's first key.
  private func cut(_ collector: inout RowCollector, sequence: Int) throws -> Own? {
    let count = collector.rowCount
    let columns = collector.finish()
    var order = try RowSorter.order(
      SortOperator.sortColumns(keys, columns, isTop: true), rowCount: count, query: query)
    order.count = min(wanted, count)
    collector.append(columns.map { Column.dictionary($0, order) }, rowCount: order.count)
    if keys.isEmpty || order.count < wanted { return nil }
    var builder = ColumnBuilder(types[keys[0].column], capacity: 1)
    builder.append(columns[keys[0].column].slice(Int(order.indices[order.count - 1]), 1))
    let worst = builder.finish()
    return Own(worst: worst, sequence: sequence, isBest: boundary.tighten(to: worst))
  }
}
