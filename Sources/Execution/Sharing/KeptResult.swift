import Columnar

/// A statement's rows, all of them: kept until their reader comes, on disk when they fill the memory.
package final class KeptResult: BatchSource {
  private static let partBytes = 4 << 20

  private let query: QueryContext
  private let memory: MemoryHolder
  private var parts: [SharedPart] = []
  private var bytes = 0
  private var spilled: SpilledRows?
  private let types: [LogicalType]
  private var nextPart = 0
  private var current: Batch?
  private var offset = 0

  /// Runs the source, which has given two batches already, to its end.
  init(
    _ first: Batch, _ second: Batch, _ source: any BatchSource, types: [LogicalType],
    batchRows: Int, memory broker: MemoryBroker
  ) throws {
    query = QueryContext(batchRows: batchRows, memory: broker)
    memory = MemoryHolder(broker, "query result")
    self.types = types
    // Copied: a row of a batch may hold a whole chunk of a file.
    var open = RowCollector(types)
    open.append(first.columns, rowCount: first.rowCount)
    open.append(second.columns, rowCount: second.rowCount)
    while let batch = try source.next() {
      open.append(batch.columns, rowCount: batch.rowCount)
      if open.byteCount >= KeptResult.partBytes { close(&open) }
      if !memory.holdOrSpill(bytes + open.byteCount) {
        close(&open)
        try spill()
      }
    }
    close(&open)
    if spilled != nil || !memory.holdOrSpill(bytes) { try spill() }
    memory.keep()
    query.closeSpillFile()
  }

  private func close(_ open: inout RowCollector) {
    let count = open.rowCount
    if count == 0 { return }
    parts.append(.memory(Batch(columns: open.finish(), rowCount: count)))
    bytes += parts.last?.heldBytes ?? 0
  }

  private func spill() throws {
    var rows = try spilled ?? SpilledRows(query.spillFile(), types: types)
    let encoder = BlockEncoder()
    var result: [SharedPart] = []
    for part in parts {
      guard case .memory(let batch) = part else {
        result.append(part)
        continue
      }
      result += try rows.parts(of: batch, encoder: encoder, query: query)
    }
    parts = result
    spilled = rows
    bytes = 0
    memory.keep()
    try memory.hold(0)
    returnFreedMemory()
  }

  package func next() throws -> Batch? {
    while true {
      if let part = current, offset < part.rowCount {
        let count = min(query.batchRows, part.rowCount - offset)
        defer { offset += count }
        return part.slice(offset, count)
      }
      current = nil
      if nextPart == parts.count {
        parts = []
        nextPart = 0
        spilled = nil
        memory.holdRegardless(0)
        return nil
      }
      let part = parts[nextPart]
      current = try part.batch()
      part.free()
      // Whoever reads has its rows; the rest is what is still to come.
      parts[nextPart] = .memory(Batch(columns: [], rowCount: 0))
      memory.holdRegardless(max(0, memory.bytes - part.heldBytes))
      nextPart += 1
      offset = 0
    }
  }
}

extension Session {
  /// Runs the rest of a statement now; its rows can be read afterwards, whatever other statements do.
  package func keep(_ source: any BatchSource, types: [LogicalType]) throws -> any BatchSource {
    if source is BatchListSource || source is KeptResult { return source }
    guard let first = try source.next() else { return BatchListSource([]) }
    guard let second = try source.next() else { return BatchListSource([first]) }
    return try KeptResult(
      first, second, source, types: types, batchRows: settings.batchSize, memory: database.memory)
  }
}
