import Diagnostics
import Synchronization

/// One commit of a file, held still for as long as this object lives. Any number of threads read it,
/// each through a connection of its own. The writer is never kept waiting; the log cannot be cut
/// while a snapshot needs it.
package final class ReadSnapshot: Sendable {
  /// The number of the commit that it sees.
  package let commit: Int64
  /// Those it was made with.
  let readers: [FileReader]
  private let file: DatabaseFile
  /// Always there: when others have committed since, no more readers can be had.
  private let first: Mutex<FileReader>
  private let more: Mutex<(idle: [FileReader], isLate: Bool)>

  fileprivate init(file: DatabaseFile, commit: Int64, first: FileReader, more: [FileReader]) {
    self.file = file
    self.commit = commit
    readers = [first] + more
    self.first = Mutex(first)
    self.more = Mutex((more, false))
  }

  deinit {
    for reader in more.withLock({ $0.idle }) { file.give(reader.session) }
    first.withLock { file.give($0.session) }
  }

  /// Lends a reader that no other thread has.
  package func withReader<Result>(_ body: (FileReader) throws -> Result) throws -> Result {
    let (idle, isLate) = more.withLock { state in (state.idle.popLast(), state.isLate) }
    if let idle {
      defer { more.withLock { $0.idle.append(idle) } }
      return try body(idle)
    }
    if let lent = try first.withLockIfAvailable({ try body($0) }) { return lent }
    if !isLate, let reader = try anotherReader() {
      defer { more.withLock { $0.idle.append(reader) } }
      return try body(reader)
    }
    return try first.withLock { try body($0) }
  }

  /// A connection that sees the same commit; nil when others have committed since.
  private func anotherReader() throws -> FileReader? {
    let session = try file.take()
    do {
      if try DatabaseFile.beginReading(session) == commit { return FileReader(session) }
    } catch {
      file.give(session)
      throw error
    }
    file.give(session)
    more.withLock { $0.isLate = true }
    return nil
  }
}

/// Reads the catalog and the rows of one snapshot. One thread at a time uses it.
package final class FileReader: Sendable {
  let session: FileSession

  init(_ session: FileSession) { self.session = session }
}

extension DatabaseFile {
  /// The newest commit, seen by up to `readers` connections alike from the start.
  ///
  /// SQLite gives every connection a snapshot of its own; those that see an older commit than the
  /// newest begin again. Where writers commit faster than that, there are fewer readers, never none.
  package func snapshot(readers wanted: Int = 1) throws -> ReadSnapshot {
    var sessions: [FileSession] = []
    do {
      for _ in 0..<max(1, wanted) { sessions.append(try take()) }
      var commits = try sessions.map { try DatabaseFile.beginReading($0) }
      for _ in 0..<50 {
        let newest = commits.max() ?? 0
        let late = commits.indices.filter { commits[$0] != newest }
        if late.isEmpty { break }
        for index in late {
          sessions[index].endReading()
          commits[index] = try DatabaseFile.beginReading(sessions[index])
        }
      }
      let newest = commits.max() ?? 0
      var readers: [FileReader] = []
      for (session, commit) in zip(sessions, commits) {
        if commit == newest { readers.append(FileReader(session)) } else { give(session) }
      }
      let snapshot = ReadSnapshot(
        file: self, commit: newest, first: readers[0], more: Array(readers.dropFirst()))
      note(snapshot)
      return snapshot
    } catch {
      for session in sessions { give(session) }
      throw error
    }
  }

  /// Begins a read transaction; gives the commit that it sees.
  static func beginReading(_ session: FileSession) throws -> Int64 {
    try session.connection.execute("BEGIN", action: "read")
    return try session.commitNumber()
  }
}
