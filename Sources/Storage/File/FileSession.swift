import Diagnostics

/// A connection with the statements it has compiled: what one reader or writer works with. One
/// thread at a time uses it.
///
/// SAFETY: `DatabaseFile` hands it to one owner at a time, and SQLite serialises calls anyway.
final class FileSession: @unchecked Sendable {
  let connection: SQLiteConnection
  private var statements: [String: CompiledStatement] = [:]
  private var chunkBytes: BlobReader?

  init(_ connection: consuming SQLiteConnection) { self.connection = connection }

  /// Runs a statement that is kept for the next time; gives the rows it changed.
  @discardableResult
  func run(_ sql: String, _ values: StoredValue...) throws -> Int {
    try withStatement(sql, action: "write to") { statement in
      for (index, value) in values.enumerated() { try statement.bind(index + 1, value) }
      while try statement.step() {}
    }
    return connection.changedRows
  }

  /// Calls `body` for each row.
  func forEachRow(
    _ sql: String, _ values: StoredValue..., body: (borrowing SQLiteStatement) throws -> Void
  ) throws {
    try withStatement(sql, action: "read") { statement in
      for (index, value) in values.enumerated() { try statement.bind(index + 1, value) }
      while try statement.step() { try body(statement) }
    }
  }

  /// The rows of a query, each made into a value.
  func rows<Row>(
    _ sql: String, _ values: StoredValue..., make: (borrowing SQLiteStatement) throws -> Row
  ) throws -> [Row] {
    var result: [Row] = []
    try withStatement(sql, action: "read") { statement in
      for (index, value) in values.enumerated() { try statement.bind(index + 1, value) }
      while try statement.step() { result.append(try make(statement)) }
    }
    return result
  }

  /// Lends a compiled statement, reset before and after. A statement must not be lent while it is.
  func withStatement<Result>(
    _ sql: String, action: String, _ body: (borrowing SQLiteStatement) throws -> Result
  ) throws -> Result {
    let compiled: CompiledStatement
    if let known = statements[sql] {
      compiled = known
    } else {
      compiled = CompiledStatement(try connection.prepare(sql, action: action))
      // Statements over delta tables are as many as there are tables: not all of them are kept.
      if statements.count >= 256 { statements.removeAll() }
      statements[sql] = compiled
    }
    defer { compiled.statement.reset() }
    return try body(compiled.statement)
  }

  /// Lends the bytes of a chunk, to be read by pieces.
  func withChunkBytes<Result>(
    _ id: Int64, _ body: (borrowing BlobReader) throws -> Result
  ) throws -> Result {
    if chunkBytes != nil {
      do { try chunkBytes?.move(to: id) } catch {
        chunkBytes = nil
        throw error
      }
    }
    let reader: BlobReader
    if let open = chunkBytes.take() {
      reader = open
    } else {
      reader = try BlobReader(connection, table: "chunk_bytes", column: "bytes", row: id)
    }
    do {
      let result = try body(reader)
      chunkBytes = consume reader
      return result
    }
  }

  /// The commit that the open transaction sees.
  func commitNumber() throws -> Int64 {
    let found = try rows("SELECT value FROM apus_meta WHERE key = 'commit'") { $0.integer(0) }
    guard let commit = found.first else {
      throw SQLError(.io, "cannot read \"\(connection.path)\": the file is damaged (no commit)")
    }
    return commit
  }

  /// Ends the open transaction, if any, without what it changed.
  func rollBack() {
    // An open blob would keep the snapshot alive.
    chunkBytes = nil
    // SQLite may have rolled back already, on a full disk for one.
    if connection.isInTransaction { try? connection.execute("ROLLBACK") }
  }

  func endReading() { rollBack() }
}

/// A statement in a place that dictionaries can hold.
private final class CompiledStatement {
  let statement: SQLiteStatement

  init(_ statement: consuming SQLiteStatement) { self.statement = statement }
}
