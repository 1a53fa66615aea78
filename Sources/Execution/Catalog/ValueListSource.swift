import Columnar
import Diagnostics
import Planner

/// A few rows of values as a table: what the catalog knows about itself.
final class ValueListSource: TableSource, Sendable {
  let schema: [Field]
  private let rows: [[Value]]

  init(_ schema: [Field], _ rows: [[Value]]) {
    self.schema = schema
    self.rows = rows
  }

  var estimatedRowCount: Int? { rows.count }

  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan {
    var builders = columns.map { ColumnBuilder(schema[$0].type, capacity: rows.count) }
    for row in rows {
      for (target, column) in columns.enumerated() { try builders[target].append(row[column]) }
    }
    let whole = Batch(
      columns: builders.indices.map { builders[$0].finish() }, rowCount: rows.count)
    return OneBatchScan(batch: whole, batchRows: batchRows)
  }
}

private struct OneBatchScan: PartitionedScan {
  let batch: Batch
  let batchRows: Int

  var partitionCount: Int { batch.rowCount > 0 ? 1 : 0 }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    OneBatchReader(batch: batch, batchRows: batchRows)
  }
}

/// Cuts the rows into batches of the session's size.
private final class OneBatchReader: BatchSource {
  private let batch: Batch
  private let batchRows: Int
  private var position = 0

  init(batch: Batch, batchRows: Int) {
    self.batch = batch
    self.batchRows = batchRows
  }

  func next() throws -> Batch? {
    let count = min(batchRows, batch.rowCount - position)
    if count <= 0 { return nil }
    if count == batch.rowCount {
      position = count
      return batch
    }
    let columns = try batch.columns.map { column in
      var builder = ColumnBuilder(column.type, capacity: count)
      for row in position..<(position + count) { try builder.append(column.value(row)) }
      return builder.finish()
    }
    position += count
    return Batch(columns: columns, rowCount: count)
  }
}
