import Columnar
import Diagnostics
import Testing

@testable import Storage

/// All rows of a table in the order of its scan's partitions.
func rowsOfTable(
  _ source: any TableSource, _ columns: [Int]? = nil, _ filters: [ScanFilter] = [],
  batchRows: Int = 100
) throws -> [[Value]] {
  let scan = try source.scan(
    columns: columns ?? Array(source.schema.indices), filters: filters, batchRows: batchRows)
  var result: [[Value]] = []
  for partition in 0..<scan.partitionCount {
    guard let batches = try scan.open(partition) else { continue }
    while let batch = try batches.next() {
      #expect(batch.rowCount > 0 && batch.rowCount <= batchRows)
      for row in 0..<batch.rowCount { result.append(batch.columns.map { $0.value(row) }) }
    }
  }
  return result
}

/// What an error says; "no error" without one.
func messageOf(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch let error as SQLError { return error.message } catch { return "\(error)" }
}
