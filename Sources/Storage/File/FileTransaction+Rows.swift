import Diagnostics
import Synchronization

extension FileTransaction {
  // MARK: Row groups

  /// Adds a row group with a chunk for each column; gives its number and those of the chunks.
  package func insertPartition(
    of table: Int64, firstRow: Int64, rowCount: Int64, chunks: [NewChunk]
  ) throws -> (partition: Int64, chunks: [Int64]) {
    try session.run(
      "INSERT INTO partitions (table_id, first_row, row_count) VALUES (?, ?, ?)",
      .integer(table), .integer(firstRow), .integer(rowCount))
    let partition = session.connection.lastInsertedRow
    return (partition, try chunks.map { try session.insertChunk($0, partition: partition) })
  }

  /// Puts a chunk in the place of the one that its column has in a row group, if any.
  package func replaceChunk(of partition: Int64, with chunk: NewChunk) throws -> Int64 {
    let old = "SELECT id FROM chunks WHERE partition_id = ? AND column_id = ?"
    try session.run(
      "DELETE FROM chunk_bytes WHERE chunk_id = (\(old))", .integer(partition),
      .integer(chunk.record.column))
    try session.run(
      "DELETE FROM chunk_statistics WHERE chunk_id = (\(old))", .integer(partition),
      .integer(chunk.record.column))
    try session.run(
      "DELETE FROM chunks WHERE partition_id = ? AND column_id = ?", .integer(partition),
      .integer(chunk.record.column))
    return try session.insertChunk(chunk, partition: partition)
  }

  package func removePartition(_ id: Int64) throws { try session.removePartition(id) }

  /// Removes all rows of a table: row groups and row delta.
  package func removeRows(of table: Int64) throws {
    let partitions = try session.rows(
      "SELECT id FROM partitions WHERE table_id = ?", .integer(table)
    ) { $0.integer(0) }
    for partition in partitions { try session.removePartition(partition) }
    try session.run("DELETE FROM delta_\(table)")
  }

  /// Says which rows of a row group are deleted; nil for none.
  package func setDeletes(of partition: Int64, _ deletes: DeleteRecord?) throws {
    if let deletes {
      try session.run(
        "REPLACE INTO deletes VALUES (?, ?, ?)", .integer(partition),
        .integer(deletes.deletedCount), .blob(deletes.bitmap))
    } else {
      try session.run("DELETE FROM deletes WHERE partition_id = ?", .integer(partition))
    }
  }

  // MARK: Row delta

  /// Adds rows to the row delta, or replaces those of the same numbers. Cells of columns that are not
  /// named are NULL.
  package func setDeltaRows(
    of table: Int64, columns: [Int64], _ rows: [DeltaRow]
  ) throws {
    let names = columns.map { ", c\($0)" }.joined()
    let marks = String(repeating: ", ?", count: columns.count)
    let sql = "REPLACE INTO delta_\(table) (row_number\(names)) VALUES (?\(marks))"
    try session.withStatement(sql, action: "write to") { statement in
      for row in rows {
        guard row.cells.count == columns.count else {
          throw SQLError(.internal, "a row of the delta has \(row.cells.count) cells")
        }
        try statement.bind(1, row.number)
        for (index, cell) in row.cells.enumerated() { try statement.bind(index + 2, cell) }
        _ = try statement.step()
        statement.reset()
      }
    }
  }

  /// Removes rows of the row delta; gives how many were there.
  @discardableResult
  package func removeDeltaRows(of table: Int64, _ numbers: [Int64]) throws -> Int {
    var count = 0
    for number in numbers {
      count += try session.run(
        "DELETE FROM delta_\(table) WHERE row_number = ?", .integer(number))
    }
    return count
  }
}

/// The last chunk number given in this process, of any file. Numbers of a transaction that is rolled
/// back come back with SQLite's counter; a cache may have them by then, so they are not used again.
private let lastChunk = Atomic<Int64>(0)

extension FileSession {
  /// Writes a chunk within the open transaction; gives its number.
  func insertChunk(_ chunk: NewChunk, partition: Int64) throws -> Int64 {
    let record = chunk.record
    let stored = try rows("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'") { $0.integer(0) }
    let id = try nextChunkNumber(after: stored.first ?? 0)
    let checksum = chunk.bytes.withUnsafeBytes { ChunkChecksum.of($0) }
    try run(
      "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", .integer(id),
      .integer(partition), .integer(record.column), .integer(record.rowCount),
      .integer(record.nullCount), StoredValue(record.distinctCount), record.minimum,
      record.maximum, .text(record.encoding), .integer(Int64(chunk.bytes.count)),
      .integer(checksum))
    try chunk.bytes.withUnsafeBytes { bytes in
      try withStatement("INSERT INTO chunk_bytes VALUES (?, ?)", action: "write to") { statement in
        try statement.bind(1, id)
        try statement.bind(2, borrowing: bytes)
        _ = try statement.step()
        // Before the bytes are gone.
        statement.reset()
      }
    }
    if let statistics = chunk.statistics {
      try run(
        "INSERT INTO chunk_statistics VALUES (?, ?, ?)", .integer(id), .blob(statistics.sketch),
        statistics.sample.map { .blob($0) } ?? .null)
    }
    return id
  }

  private func nextChunkNumber(after stored: Int64) throws -> Int64 {
    var known = lastChunk.load(ordering: .relaxed)
    while true {
      let (next, isTooMany) = max(known, stored).addingReportingOverflow(1)
      if isTooMany {
        throw SQLError(.io, "cannot write to \"\(connection.path)\": chunk numbers are used up")
      }
      let result = lastChunk.compareExchange(
        expected: known, desired: next, ordering: .relaxed)
      if result.exchanged { return next }
      known = result.original
    }
  }
}
