import Diagnostics
import Glibc

extension DatabaseFile {
  /// A connection to the file, made, checked and migrated by the first one.
  static func open(_ path: String, _ options: Options, isFirst: Bool) throws -> FileSession {
    let mode: SQLiteConnection.Mode =
      options.isReadOnly ? .readOnly : isFirst ? .create : .readWrite
    try refuseTiny(path)
    let connection = try SQLiteConnection(path: path, mode: mode, vfs: options.fileSystem)
    connection.setBusyTimeout(milliseconds: options.busyTimeout)
    // Until the file is known to be ours, nothing of it may change, its log included.
    connection.setCheckpointOnClose(false)
    if try isEmpty(connection) {
      if options.isReadOnly { throw notOurs(path, isEmpty: true) }
      try prepareEmpty(connection)
    } else {
      try check(connection, options.schema)
    }
    connection.setCheckpointOnClose(!options.isReadOnly)
    try configure(connection, options)
    if !options.isReadOnly, isFirst { try migrate(connection, options.schema) }
    return FileSession(connection)
  }

  /// SQLite takes a file of a few bytes for an empty one, and would write over it.
  private static func refuseTiny(_ path: String) throws {
    var status = stat()
    if stat(path, &status) == 0, 1..<512 ~= status.st_size,
      status.st_mode & S_IFMT == S_IFREG
    {
      throw SQLError(.io, "cannot open \"\(path)\": the file is no database")
    }
  }

  /// Whether nothing is in the file: it is new, or whoever made it died before the first commit.
  private static func isEmpty(_ connection: borrowing SQLiteConnection) throws -> Bool {
    try connection.integer("SELECT count(*) FROM sqlite_schema") == 0
      && connection.integer("PRAGMA application_id") == 0
      && connection.integer("PRAGMA user_version") == 0
  }

  /// Refuses a file that is not ours, or that a newer program has written.
  private static func check(_ connection: borrowing SQLiteConnection, _ schema: FileSchema) throws {
    guard try connection.integer("PRAGMA application_id") == FileSchema.applicationID else {
      throw notOurs(connection.path, isEmpty: false)
    }
    let version = try connection.integer("PRAGMA user_version") ?? 0
    if version > schema.version || version < 1 {
      throw isNewer(connection.path, version, schema.version)
    }
  }

  /// What can be chosen only before the first table. Pages of 32 KiB make blobs of half a megabyte
  /// short chains. Incremental vacuum lets VACUUM give space back by moving pages, without a second
  /// copy of the file; its price is one page of pointers in 6,500.
  private static func prepareEmpty(_ connection: borrowing SQLiteConnection) throws {
    try connection.execute("PRAGMA page_size = 32768")
    try connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    try connection.execute("PRAGMA journal_mode = WAL")
  }

  /// What holds for one connection.
  ///
  /// Every commit is synced (FULL): one that was acknowledged outlives a loss of power. Bulk loads
  /// alone do without until their last commit. Nothing is mapped into memory: a file that another
  /// program cuts short would be a SIGBUS instead of an error.
  private static func configure(_ connection: borrowing SQLiteConnection, _ options: Options)
    throws
  {
    try connection.execute("PRAGMA mmap_size = 0", action: "open")
    try connection.execute("PRAGMA cell_size_check = ON", action: "open")
    try connection.execute("PRAGMA cache_size = -8192", action: "open")
    if options.isReadOnly { return }
    try connection.execute("PRAGMA synchronous = FULL", action: "open")
    // The distribution may overwrite deleted content with zeros, at the price of writing it all.
    try connection.execute("PRAGMA secure_delete = OFF", action: "open")
    try connection.execute("PRAGMA wal_autocheckpoint = 1000", action: "open")
    try connection.execute("PRAGMA journal_size_limit = 67108864", action: "open")
  }

  /// Brings the file to the schema's version, in one transaction.
  private static func migrate(_ connection: borrowing SQLiteConnection, _ schema: FileSchema) throws
  {
    if try connection.integer("PRAGMA user_version") == schema.version { return }
    try connection.execute("BEGIN IMMEDIATE", action: "migrate")
    do {
      // Another process may have done it while this one waited for the lock.
      let version = try connection.integer("PRAGMA user_version") ?? 0
      if version > schema.version || version < 0 {
        throw isNewer(connection.path, version, schema.version)
      }
      for step in schema.migrations[Int(version)...] {
        for sql in step { try connection.execute(sql, action: "migrate") }
      }
      try connection.execute("PRAGMA application_id = \(FileSchema.applicationID)")
      try connection.execute("PRAGMA user_version = \(schema.version)")
      try connection.execute("COMMIT", action: "migrate")
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      throw error
    }
  }

  private static func notOurs(_ path: String, isEmpty: Bool) -> SQLError {
    isEmpty
      ? SQLError(
        .io, "cannot open \"\(path)\": the database is empty, and read-only mode cannot make one")
      : SQLError(
        .io, "cannot open \"\(path)\": it is an SQLite database, but not one of Apus",
        hint: "ATTACH '\(path)' (TYPE sqlite) reads its tables")
  }

  private static func isNewer(_ path: String, _ found: Int64, _ known: Int64) -> SQLError {
    SQLError(
      .io,
      "cannot open \"\(path)\": its format is version \(found), and this program knows versions 1 to \(known)",
      hint: "open it with a newer version of Apus")
  }
}
