import Columnar
import Diagnostics
import Synchronization

/// Rows on their way into a table: row groups that nobody sees until a transaction publishes them.
/// Each is written by a small transaction of its own, so the log stays short however much is loaded;
/// other writers may come between. Any number of threads may add.
///
/// What is not published when this object ends is removed; what a killed process leaves is swept by
/// the next program that opens the file to write.
package final class BulkLoad: Sendable {
  /// The number that its row groups have until they are published.
  package let id: Int64
  private let file: DatabaseFile
  private let lock: LoadLock
  private let session: Mutex<FileSession>

  fileprivate init(_ file: DatabaseFile) throws {
    if file.isReadOnly { throw FileTransaction.readOnly(file.path) }
    self.file = file
    // Before the first orphan is written, or a sweep could take it.
    lock = try LoadLock(loadingInto: file.path)
    let session = try file.take()
    do {
      try session.run("INSERT INTO loads (started_at) VALUES (datetime('now'))")
      // The commit that publishes syncs the log, and all that is in it.
      try session.connection.execute("PRAGMA synchronous = NORMAL")
    } catch {
      file.give(session)
      throw error
    }
    id = session.connection.lastInsertedRow
    self.session = Mutex(session)
  }

  deinit {
    session.withLock { session in
      session.connection.setBusyTimeout(milliseconds: file.busyTimeout)
      // What cannot be removed now is swept later.
      try? session.inTransaction {
        let orphans = try session.rows(
          "SELECT id FROM partitions WHERE load_id = ?", .integer(id)
        ) { $0.integer(0) }
        for partition in orphans { try session.removePartition(partition) }
        try session.run("DELETE FROM loads WHERE id = ?", .integer(id))
      }
      session.rollBack()
      if (try? session.connection.execute("PRAGMA synchronous = FULL")) != nil {
        file.give(session)
      }
    }
  }

  /// Writes a row group; gives its number. Chunks name their columns by number, so the table itself
  /// may be made by the transaction that publishes.
  package func add(rowCount: Int64, chunks: [NewChunk]) throws -> Int64 {
    try insert(rowCount: rowCount, chunks: chunks).partition
  }

  /// Encodes a row group on the thread that calls and writes it; gives it as the file has it.
  package func add(_ columns: [Column], columnIDs: [Int64], store: ChunkStore) throws -> RowGroup {
    let rowCount = columns.first?.count ?? 0
    let chunks = try zip(columns, columnIDs).map { try NewChunk($0, columnID: $1) }
    let written = try insert(rowCount: Int64(rowCount), chunks: chunks)
    let slots = zip(zip(chunks, written.chunks), columns).map { pair, column in
      ColumnSlot(
        type: column.type,
        chunk: StoredChunk(record: pair.0.written(as: pair.1), store: store))
    }
    return RowGroup(
      rowCount: rowCount, slots: slots, place: .loading(self, partition: written.partition))
  }

  private func insert(rowCount: Int64, chunks: [NewChunk]) throws -> (
    partition: Int64, chunks: [Int64]
  ) {
    try session.withLock { session in
      session.connection.setBusyTimeout(milliseconds: file.busyTimeout)
      return try session.inTransaction {
        try session.run(
          "INSERT INTO partitions (row_count, load_id) VALUES (?, ?)", .integer(rowCount),
          .integer(id))
        let partition = session.connection.lastInsertedRow
        return (partition, try chunks.map { try session.insertChunk($0, partition: partition) })
      }
    }
  }
}

extension DatabaseFile {
  /// Begins to load rows that a later transaction publishes.
  package func beginLoading() throws -> BulkLoad { try BulkLoad(self) }
}

extension FileTransaction {
  /// Puts a row group of a load into a table, its rows numbered from `firstRow` on.
  package func publish(
    _ load: BulkLoad, partition: Int64, in table: Int64, firstRow: Int64
  ) throws {
    let changed = try session.run(
      "UPDATE partitions SET table_id = ?, first_row = ?, load_id = NULL WHERE id = ? AND load_id = ?",
      .integer(table), .integer(firstRow), .integer(partition), .integer(load.id))
    if changed != 1 {
      throw SQLError(.internal, "row group \(partition) is not one of the load")
    }
  }
}

extension FileSession {
  /// Runs `body` in a write transaction that is no commit of the engine's: nobody sees a difference.
  func inTransaction<Result>(_ body: () throws -> Result) throws -> Result {
    try connection.execute("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try connection.execute("COMMIT", action: "commit to")
      return result
    } catch {
      rollBack()
      throw error
    }
  }
}
