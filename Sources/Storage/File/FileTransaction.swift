import Diagnostics

/// The one writer of a file, from BEGIN IMMEDIATE to `commit`; what has not been committed when it
/// ends is rolled back. The catalog's rows are written by `FileTransaction+Catalog`, those of tables
/// by `+Rows`, models by `+Models`.
package struct FileTransaction: ~Copyable {
  let file: DatabaseFile
  let session: FileSession

  init(_ file: DatabaseFile) throws {
    if file.isReadOnly { throw FileTransaction.readOnly(file.path) }
    let taken = try file.take()
    do {
      try taken.connection.execute("BEGIN IMMEDIATE")
    } catch {
      file.give(taken)
      throw error
    }
    self.file = file
    session = taken
  }

  deinit { file.give(session) }

  /// The newest commit of others: nothing can come between it and this transaction's own.
  package var baseCommit: Int64 {
    get throws { try session.commitNumber() }
  }

  /// The number that its own commit will have.
  package var nextCommit: Int64 {
    get throws { try baseCommit + 1 }
  }

  /// Reads what the file has, this transaction's changes included.
  package var reader: FileReader { FileReader(session) }

  /// Makes everything written visible to all, at once; gives the number of the commit. After an error
  /// nothing of it is there.
  package consuming func commit() throws -> Int64 {
    try session.run("UPDATE apus_meta SET value = value + 1 WHERE key = 'commit'")
    let number = try session.commitNumber()
    try session.connection.execute("COMMIT", action: "commit to")
    return number
  }

  static func readOnly(_ path: String) -> SQLError {
    SQLError(.io, "cannot write to \"\(path)\": it was opened read-only")
  }
}

extension DatabaseFile {
  /// Becomes the writer, and waits for another one up to the busy time-out.
  package func beginWriting() throws -> FileTransaction { try FileTransaction(self) }
}
