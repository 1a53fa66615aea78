import Columnar
import Diagnostics

// IN over several columns, or with a further condition: whether rows that do not match are false or NULL
// hangs on rows with NULLs, whose hash says nothing. Build rows with a NULL among their keys are therefore
// part of every partition, and probe rows with one are compared with all build rows, part by part.

extension HashJoinOperator {
  /// Whether rows with NULLs among their keys are kept apart.
  var comparesNulls: Bool { kind == .mark && (buildKeys.count > 1 || residual != nil) }

  /// The rows without NULLs among these keys; the others are written to `apart`.
  func withoutNullKeys(
    _ batch: Batch, _ keys: [Int], _ apart: inout RowPartitioner?
  ) throws -> Batch {
    var isNull = [Bool](repeating: false, count: batch.rowCount)
    var count = 0
    KeyNulls.forEach(
      keys.map { batch.columns[$0] }, nullSafe: nullSafe, rows: batch.rowCount
    ) { row in
      if !isNull[row] { count += 1 }
      isNull[row] = true
    }
    if count == 0 { return batch }
    let types = batch.columns.map(\.type)
    // Without keys all rows are one partition.
    let partitioner = try apart ?? RowPartitioner(types, keys: [], level: 0, query: worker.query)
    apart = partitioner
    let rows = isNull.indices
    try partitioner.append(batch.selecting(Selection(rows.filter { isNull[$0] })))
    return batch.selecting(Selection(rows.filter { !isNull[$0] }))
  }

  /// The probe rows with NULLs; nil for none, or when another worker has them.
  func nullProbePass() throws -> (any BatchSource)? {
    guard let (build, probe) = shared.spilled.claimNullProbe() else { return nil }
    let count = probe.reduce(0) { $0 + $1.rowCount }
    if count == 0 { return nil }
    var isUnknown = [Bool](repeating: false, count: count)
    try memory.hold(count)
    let bytes = max(1 << 14, worker.query.memory.limit / 16)
    for part in build.flatMap({ $0.parts(of: bytes) }) {
      let joined = join([part], probe, isLast: false, level: PartitionHash.levels)
      var first = 0
      while let batch = try joined.next() {
        guard let mark = batch.columns.last else { break }
        for row in 0..<batch.rowCount where mark.isNull(row) { isUnknown[first + row] = true }
        first += batch.rowCount
      }
    }
    let query = worker.query
    return MarkedRows(
      ChainedSource(probe.map { rows in { SpilledRowsSource(rows, query: query) } }), isUnknown)
  }
}

/// Rows that match nothing, with the BOOLEAN of a mark join: NULL or false.
private final class MarkedRows: BatchSource {
  private let rows: any BatchSource
  private let isUnknown: [Bool]
  private var first = 0

  init(_ rows: any BatchSource, _ isUnknown: [Bool]) {
    self.rows = rows
    self.isUnknown = isUnknown
  }

  func next() throws -> Batch? {
    guard let batch = try rows.next() else { return nil }
    let mark = Column(flat: .boolean, count: batch.rowCount)
    mark.values(as: UInt8.self).update(repeating: 0, count: batch.rowCount)
    for row in 0..<batch.rowCount where isUnknown[first + row] { mark.setNull(row) }
    first += batch.rowCount
    return Batch(
      columns: batch.columns + [mark], rowCount: batch.rowCount, sequence: batch.sequence)
  }
}
