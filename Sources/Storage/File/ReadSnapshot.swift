import Diagnostics

/// One commit of a file, held still for as long as this object lives, and one or more readers of it:
/// each worker of a scan takes its own. The writer is never kept waiting; the log cannot be cut
/// while a snapshot needs it.
package final class ReadSnapshot: Sendable {
  /// The number of the commit that it sees.
  package let commit: Int64
  package let readers: [FileReader]
  private let file: DatabaseFile

  fileprivate init(file: DatabaseFile, commit: Int64, readers: [FileReader]) {
    self.file = file
    self.commit = commit
    self.readers = readers
  }

  deinit { for reader in readers { file.give(reader.session) } }
}

/// Reads the catalog and the rows of one snapshot. One thread at a time uses it.
package final class FileReader: Sendable {
  let session: FileSession

  init(_ session: FileSession) { self.session = session }
}

extension DatabaseFile {
  /// The newest commit, seen by up to `readers` connections alike.
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
      return ReadSnapshot(file: self, commit: newest, readers: readers)
    } catch {
      for session in sessions { give(session) }
      throw error
    }
  }

  /// Begins a read transaction; gives the commit that it sees.
  private static func beginReading(_ session: FileSession) throws -> Int64 {
    try session.connection.execute("BEGIN", action: "read")
    return try session.commitNumber()
  }
}
