import Columnar
import Diagnostics

/// Rows in a spill file, in the order they were written.
package struct SpilledRows: Sendable {
  let file: SpillFile
  let types: [LogicalType]
  private(set) var blocks: [SpilledBlock] = []
  private(set) var rowCount = 0

  init(_ file: SpillFile, types: [LogicalType]) {
    self.file = file
    self.types = types
  }

  mutating func append(_ batch: Batch, with encoder: BlockEncoder) throws {
    if batch.rowCount == 0 { return }
    blocks.append(try file.write(batch, with: encoder))
    rowCount += batch.rowCount
  }

  mutating func append(_ other: SpilledRows) {
    blocks += other.blocks
    rowCount += other.rowCount
  }

  var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  func read(_ block: SpilledBlock) throws -> Batch { try file.read(block, types: types) }
}

/// Reads spilled rows once, and gives their room back on the way.
final class SpilledRowsSource: BatchSource {
  private let rows: SpilledRows
  private let query: QueryContext
  private var nextBlock = 0
  private var current: Batch?
  private var offset = 0

  init(_ rows: SpilledRows, query: QueryContext) {
    self.rows = rows
    self.query = query
  }

  func next() throws -> Batch? {
    while true {
      try query.checkCancelled()
      if let batch = current {
        let count = min(query.batchRows, batch.rowCount - offset)
        let piece = batch.slice(offset, count)
        offset += count
        if offset >= batch.rowCount { current = nil }
        if count > 0 { return piece }
      }
      guard nextBlock < rows.blocks.count else { return nil }
      let block = rows.blocks[nextBlock]
      nextBlock += 1
      current = try rows.read(block)
      offset = 0
      rows.file.free(block)
    }
  }
}

/// Several sources, one after the other.
final class ChainedSource: BatchSource {
  private var sources: ArraySlice<any BatchSource>

  init(_ sources: [any BatchSource]) { self.sources = sources[...] }

  func next() throws -> Batch? {
    while let first = sources.first {
      if let batch = try first.next() { return batch }
      sources.removeFirst()
    }
    return nil
  }
}
