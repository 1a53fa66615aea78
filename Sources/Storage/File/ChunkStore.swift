import Columnar
import Diagnostics

/// The chunks of one file, decoded.
package final class ChunkStore: Sendable {
  package let file: DatabaseFile
  package let cache: ChunkCache

  /// What is decoded is kept with the leave of `memory`.
  package init(_ file: DatabaseFile, memory: any CacheMemory) {
    self.file = file
    cache = ChunkCache(memory: memory)
  }

  /// Reads and decodes a chunk. Whoever asks holds a snapshot that has it, or has written it: a chunk
  /// that a later commit removed is still in the older snapshot.
  func read(_ record: ChunkRecord, type: LogicalType) throws -> Column {
    var missing: SQLError?
    for snapshot in file.openSnapshots {
      do {
        if let column = try snapshot.withReader({ try decode(record, type, $0) }) { return column }
      } catch let error as SQLError where error.code == .io {
        missing = error
      }
    }
    // Written by a load that no snapshot sees yet.
    let fresh = try file.snapshot()
    if let column = try fresh.withReader({ try decode(record, type, $0) }) { return column }
    throw missing
      ?? SQLError(
        .io, "cannot read \"\(file.path)\": the file is damaged (no chunk \(record.id))")
  }

  /// The sketch (or the sample) of each of the chunks that has one, by chunk. What cannot be read is
  /// missing: these are for guesses.
  func statistics(of chunks: [Int64], sample: Bool) -> [Int64: [UInt8]] {
    var result: [Int64: [UInt8]] = [:]
    var rest = chunks
    for snapshot in file.openSnapshots where !rest.isEmpty {
      let found = try? snapshot.withReader { $0.statistics(of: rest, sample: sample) }
      result.merge(found ?? [:]) { old, _ in old }
      rest.removeAll { result[$0] != nil }
    }
    if rest.isEmpty { return result }
    // Written by a load that no snapshot sees yet.
    guard let fresh = try? file.snapshot() else { return result }
    let found = try? fresh.withReader { $0.statistics(of: rest, sample: sample) }
    return result.merging(found ?? [:]) { old, _ in old }
  }

  /// nil when the reader's snapshot does not have the chunk.
  private func decode(_ record: ChunkRecord, _ type: LogicalType, _ reader: FileReader) throws
    -> Column?
  {
    guard try reader.hasChunk(record.id) else { return nil }
    let bytes = try reader.bytes(of: record)
    let column = try bytes.withUnsafeBytes { try ColumnChunk.decode($0, type: type) }
    guard column.count == Int(clamping: record.rowCount) else {
      throw SQLError(
        .io,
        "cannot read \"\(file.path)\": the file is damaged (chunk \(record.id) has \(column.count) rows)"
      )
    }
    return column
  }
}
