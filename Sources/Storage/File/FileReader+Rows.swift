import Diagnostics

extension FileReader {
  /// The row groups of a table, by their first row.
  package func partitions(of table: Int64) throws -> [PartitionRecord] {
    try session.rows(
      """
      SELECT id, first_row, row_count FROM partitions
      WHERE table_id = ? AND load_id IS NULL ORDER BY first_row
      """, .integer(table)
    ) { PartitionRecord(id: $0.integer(0), firstRow: $0.integer(1), rowCount: $0.integer(2)) }
  }

  /// What is known of all chunks of a table, by row group, and in it by column number. No bytes are
  /// read.
  package func allChunks(of table: Int64) throws -> [Int64: [ChunkRecord]] {
    var result: [Int64: [ChunkRecord]] = [:]
    try session.forEachRow(
      """
      SELECT chunks.id, column_id, chunks.row_count, null_count, distinct_count, minimum, maximum,
        encoding, byte_count, checksum, partition_id
      FROM partitions JOIN chunks ON partition_id = partitions.id
      WHERE table_id = ? AND load_id IS NULL ORDER BY partition_id, column_id
      """, .integer(table)
    ) { result[$0.integer(10), default: []].append(FileReader.chunk($0)) }
    return result
  }

  private static func chunk(_ row: borrowing SQLiteStatement) -> ChunkRecord {
    ChunkRecord(
      id: row.integer(0), column: row.integer(1), rowCount: row.integer(2),
      nullCount: row.integer(3), distinctCount: row.optionalInteger(4), minimum: row.value(5),
      maximum: row.value(6), encoding: row.text(7), byteCount: row.integer(8),
      checksum: row.integer(9))
  }

  /// The deleted rows of all row groups of a table, by row group.
  package func allDeletes(of table: Int64) throws -> [Int64: DeleteRecord] {
    var result: [Int64: DeleteRecord] = [:]
    try session.forEachRow(
      """
      SELECT partition_id, deleted_count, bitmap
      FROM partitions JOIN deletes ON partition_id = partitions.id
      WHERE table_id = ? AND load_id IS NULL
      """, .integer(table)
    ) {
      result[$0.integer(0)] = DeleteRecord(
        deletedCount: $0.integer(1), bitmap: $0.withBytes(2) { Array($0) })
    }
    return result
  }

  /// Whether this snapshot has the bytes of a chunk.
  func hasChunk(_ id: Int64) throws -> Bool {
    try !session.rows("SELECT 1 FROM chunk_bytes WHERE chunk_id = ?", .integer(id)) { _ in true }
      .isEmpty
  }

  /// The sketch (or the sample) of each of the chunks that has one, by chunk. A file of an older
  /// version that was opened to be read has no such table.
  func statistics(of chunks: [Int64], sample: Bool) -> [Int64: [UInt8]] {
    var result: [Int64: [UInt8]] = [:]
    let column = sample ? "sample" : "sketch"
    for chunk in chunks {
      let found = try? session.rows(
        "SELECT \(column) FROM chunk_statistics WHERE chunk_id = ?", .integer(chunk)
      ) { row in row.isNull(0) ? [] : row.withBytes(0) { Array($0) } }
      guard let found else { return result }
      if let bytes = found.first, !bytes.isEmpty { result[chunk] = bytes }
    }
    return result
  }

  /// Fills `target`, of `chunk.byteCount` bytes, with a chunk's bytes; an error when they are not
  /// those that were written.
  package func readBytes(
    of chunk: ChunkRecord, into target: UnsafeMutableRawBufferPointer
  ) throws {
    let isWhole = try session.withChunkBytes(chunk.id) { blob -> Bool in
      guard blob.byteCount == target.count, Int64(target.count) == chunk.byteCount else {
        return false
      }
      try blob.read(at: 0, into: target)
      return ChunkChecksum.of(UnsafeRawBufferPointer(target)) == chunk.checksum
    }
    if !isWhole { throw damaged("chunk \(chunk.id) is not what was written") }
  }

  /// A chunk's bytes.
  package func bytes(of chunk: ChunkRecord) throws -> [UInt8] {
    // SQLite's own limit of a blob: a damaged count must not ask for more memory than that.
    guard let count = Int(exactly: chunk.byteCount), 0...1_000_000_000 ~= count else {
      throw damaged("chunk \(chunk.id) has \(chunk.byteCount) bytes")
    }
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      try readBytes(
        of: chunk, into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      filled = count
    }
  }

  /// The rows of the row delta, by number, with the cells of the columns named, in their order.
  package func deltaRows(of table: Int64, columns: [Int64]) throws -> [DeltaRow] {
    let names = columns.map { ", c\($0)" }.joined()
    return try session.rows(
      "SELECT row_number\(names) FROM delta_\(table) ORDER BY row_number"
    ) { statement in
      var cells: [StoredValue] = []
      cells.reserveCapacity(columns.count)
      for index in columns.indices { cells.append(statement.value(index + 1)) }
      return DeltaRow(number: statement.integer(0), cells: cells)
    }
  }

  private func damaged(_ reason: String) -> SQLError {
    SQLError(.io, "cannot read \"\(session.connection.path)\": the file is damaged (\(reason))")
  }
}
