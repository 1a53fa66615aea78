import Diagnostics
import Glibc

extension DatabaseFile {
  /// How often a checkpoint is tried while others read or write, and microseconds between.
  private static let checkpointTries = 5
  private static let checkpointPause: UInt32 = 10_000
  /// Pages that VACUUM moves in one transaction: other writers come between.
  private static let vacuumPages = 1024

  /// Moves the log into the file, and cuts the log where no reader needs it. False when a reader or
  /// writer kept some of it from moving: the next checkpoint will.
  @discardableResult
  package func checkpoint() throws -> Bool {
    let session = try take()
    defer { give(session) }
    return try moveLog(session)
  }

  /// SQLite itself would wait for readers up to the busy time-out with the writer's lock in its hand,
  /// and no commit could come between. So it is told not to wait, and is asked again instead.
  private func moveLog(_ session: FileSession) throws -> Bool {
    session.connection.setBusyTimeout(milliseconds: 0)
    for attempt in 0..<DatabaseFile.checkpointTries {
      if attempt > 0 { usleep(DatabaseFile.checkpointPause) }
      let busy = try session.rows("PRAGMA wal_checkpoint(TRUNCATE)") { $0.integer(0) }
      if busy.first == 0 { return true }
    }
    return false
  }

  /// Gives the space of what was deleted back to the file system.
  package func vacuum() throws {
    if isReadOnly { throw FileTransaction.readOnly(path) }
    try sweepOrphans()
    let session = try take()
    defer { give(session) }
    var free = try session.connection.integer("PRAGMA freelist_count") ?? 0
    while free > 0 {
      try session.connection.execute(
        "PRAGMA incremental_vacuum(\(DatabaseFile.vacuumPages))", action: "vacuum")
      let left = try session.connection.integer("PRAGMA freelist_count") ?? 0
      if left >= free { break }
      free = left
    }
    _ = try moveLog(session)
  }

  /// What SQLite finds wrong with the file: empty when it is sound.
  package func integrityErrors() throws -> [String] {
    let session = try take()
    defer { give(session) }
    return try session.rows("PRAGMA integrity_check") { $0.text(0) }.filter { $0 != "ok" }
  }

  /// Removes the row groups of bulk loads that have died, one small transaction each. It leaves them
  /// to the next writer while another load is alive or another writer has the file.
  func sweepOrphans() throws {
    let session = try take()
    defer { give(session) }
    let hasOrphans = try session.rows(
      "SELECT EXISTS (SELECT 1 FROM partitions WHERE load_id IS NOT NULL)"
    ) { $0.integer(0) != 0 }
    guard hasOrphans == [true], let lock = try LoadLock(sweeping: path) else { return }
    session.connection.setBusyTimeout(milliseconds: 0)
    do {
      // Only now: a load may have ended, and published, between the question and the lock.
      let orphans = try session.rows("SELECT id FROM partitions WHERE load_id IS NOT NULL") {
        $0.integer(0)
      }
      for partition in orphans {
        try session.run("BEGIN IMMEDIATE")
        try session.removePartition(partition)
        try session.run("COMMIT")
      }
      try session.run("DELETE FROM loads")
    } catch let error as SQLError where error.code == .transaction {
      session.rollBack()
    }
    _ = consume lock
  }
}

extension FileSession {
  /// Removes a row group with all that belongs to it.
  func removePartition(_ id: Int64) throws {
    try run(
      "DELETE FROM chunk_bytes WHERE chunk_id IN (SELECT id FROM chunks WHERE partition_id = ?)",
      .integer(id))
    try run(
      "DELETE FROM chunk_statistics WHERE chunk_id IN (SELECT id FROM chunks WHERE partition_id = ?)",
      .integer(id))
    try run("DELETE FROM chunks WHERE partition_id = ?", .integer(id))
    try run("DELETE FROM deletes WHERE partition_id = ?", .integer(id))
    try run("DELETE FROM partitions WHERE id = ?", .integer(id))
  }
}
