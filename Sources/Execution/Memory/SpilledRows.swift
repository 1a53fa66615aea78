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

  /// The same rows in parts of about `bytes`, a block at least.
  func parts(of bytes: Int) -> [SpilledRows] {
    var result: [SpilledRows] = []
    var part = SpilledRows(file, types: types)
    var size = 0
    for block in blocks {
      if size > 0 && size + block.byteCount > bytes {
        result.append(part)
        part = SpilledRows(file, types: types)
        size = 0
      }
      part.blocks.append(block)
      part.rowCount += block.rowCount
      size += block.byteCount
    }
    if size > 0 { result.append(part) }
    return result
  }

  var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }

  func read(_ block: SpilledBlock) throws -> Batch { try file.read(block, types: types) }
}

/// Reads spilled rows, and gives their room back on the way unless they are to be read again.
final class SpilledRowsSource: BatchSource {
  private let rows: SpilledRows
  private let query: QueryContext
  private let isLast: Bool
  private var nextBlock = 0
  private var current: Batch?
  private var offset = 0

  init(_ rows: SpilledRows, query: QueryContext, isLast: Bool = true) {
    self.rows = rows
    self.query = query
    self.isLast = isLast
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
      if isLast { rows.file.free(block) }
    }
  }
}

/// Several sources, one after the other, each made when the one before has ended.
final class ChainedSource: BatchSource {
  private var makers: ArraySlice<() -> any BatchSource>
  private var current: (any BatchSource)?

  init(_ makers: [() -> any BatchSource]) { self.makers = makers[...] }

  func next() throws -> Batch? {
    while true {
      if let batch = try current?.next() { return batch }
      current = nil
      guard let make = makers.popFirst() else { return nil }
      current = make()
    }
  }
}
