import Columnar
import Diagnostics

/// The rows that one worker of a breaker has consumed, as one growing flat column per input column.
package struct RowCollector {
  package let types: [LogicalType]
  package private(set) var rowCount = 0
  private var builders: [ColumnBuilder]

  package init(_ types: [LogicalType], capacity: Int = 1024) {
    self.types = types
    builders = types.map { ColumnBuilder($0, capacity: capacity) }
  }

  /// Bytes held, strings and unused room included.
  package var byteCount: Int { builders.reduce(0) { $0 + $1.byteCount } }

  /// Copies all rows: the batch's bytes may go afterwards.
  package mutating func append(_ columns: [Column], rowCount rows: Int) {
    for position in builders.indices { builders[position].append(columns[position]) }
    rowCount += rows
  }

  package mutating func appendNullRow() {
    for position in builders.indices { builders[position].appendNull() }
    rowCount += 1
  }

  /// The rows so far; the collector starts empty again.
  package mutating func finish() -> [Column] {
    var columns: [Column] = []
    for position in builders.indices { columns.append(builders[position].finish()) }
    rowCount = 0
    return columns
  }
}

/// Puts what all workers collected into one contiguous set of flat columns, so that a row has one
/// number and an output column is a dictionary over the store. Parts follow in worker order.
///
/// Phases, with a barrier after each: `deposit`, then `copyPart`. Column by column, so that of the
/// rows that are there twice for a while most are not.
package final class RowAssembly: @unchecked Sendable {
  private let workers: Int
  private let types: [LogicalType]
  private let nullRow: Bool
  private let lock = Lock()
  /// By worker and column, until they have been copied.
  private var parts: [[Column?]]
  private var counts: [Int]
  /// The store, complete after the barrier that follows `copyPart`.
  package private(set) var columns: [Column] = []
  /// Rows collected, without the row of NULLs.
  package private(set) var rowCount = 0

  /// SAFETY: `parts` and `counts` are written under `lock`; `prepare` runs once for each column
  /// under it; `copyPart` writes disjoint ranges of values; readers come after the last barrier.
  ///
  /// With `nullRow`, row number `rowCount` is NULL in every column: what outer joins pad with.
  package init(types: [LogicalType], workers: Int, nullRow: Bool) {
    self.types = types
    self.workers = workers
    self.nullRow = nullRow
    parts = Array(repeating: [], count: workers)
    counts = Array(repeating: 0, count: workers)
  }

  /// Takes over a worker's rows. More than 2³¹ − 1 rows in all is an error: row
  /// links and slot numbers have 32 bits.
  package func deposit(_ collector: inout RowCollector, worker: Int) throws {
    let rows = collector.rowCount
    if workers == 1 && nullRow { collector.appendNullRow() }
    let columns = collector.finish()
    let total = lock.withLock {
      parts[worker] = columns
      counts[worker] = rows
      rowCount += rows
      return rowCount
    }
    if total >= Int(Int32.max) { throw RowAssembly.tooManyRows() }
  }

  /// Copies this worker's rows to their place and lets go of its own columns (the store keeps the
  /// strings); the first to come to a column lays it out.
  package func copyPart(worker: Int) {
    if workers == 1 {
      columns = parts[0].compactMap { $0 }
      parts = [[]]
      return
    }
    var start = 0
    for before in 0..<worker { start += counts[before] }
    for position in types.indices {
      let (target, part) = lock.withLock {
        if columns.count == position { columns.append(prepare(position)) }
        return (columns[position], parts[worker][position])
      }
      if let part, !types[position].isNested {
        let width = types[position].physical.width
        (target.data + start * width).copyMemory(
          from: part.data, byteCount: counts[worker] * width)
      }
      lock.withLock { parts[worker][position] = nil }
    }
  }

  /// Lets go of the store, which nobody reads any more.
  func releaseColumns() { columns = [] }

  /// Room for a column with its NULLs; a nested one is copied at once.
  private func prepare(_ position: Int) -> Column {
    let type = types[position]
    let pieces = parts.compactMap { $0[position] }
    if type.isNested {
      var builder = ColumnBuilder(type, capacity: rowCount + 1)
      for piece in pieces { builder.append(piece) }
      if nullRow { builder.appendNull() }
      return builder.finish()
    }
    let column = Column(
      flat: type, count: rowCount + (nullRow ? 1 : 0),
      heaps: pieces.flatMap { $0.stringHeaps })
    var start = 0
    for (worker, piece) in pieces.enumerated() {
      if piece.mayHaveNulls {
        for row in 0..<counts[worker] where piece.isNull(row) { column.setNull(start + row) }
      }
      start += counts[worker]
    }
    if nullRow {
      let width = type.physical.width
      (column.data + rowCount * width).initializeMemory(
        as: UInt8.self, repeating: 0, count: width)
      column.setNull(rowCount)
    }
    return column
  }

  private static func tooManyRows() -> SQLError {
    SQLError(.outOfMemory, "a join or sort holds at most 2147483646 rows")
  }
}
