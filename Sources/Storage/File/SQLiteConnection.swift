import CSQLite
import Diagnostics

/// One connection to an SQLite file; it ends when its owner does.
///
/// SAFETY: SQLite's serialised mode lets any thread call, and the pointer never leaves this file and
/// its neighbours. Statements may outlive the connection: `close_v2` waits for the last of them.
struct SQLiteConnection: ~Copyable, @unchecked Sendable {
  enum Mode {
    case readOnly, readWrite
    /// Makes the file when there is none.
    case create
  }

  /// As the user gave it; every error names it.
  let path: String
  let handle: OpaquePointer

  /// Opens the file; nothing of it is read before the first statement. `vfs` names a file system
  /// registered with SQLite, nil the system's own.
  init(path: String, mode: Mode, vfs: String? = nil) throws {
    let flags =
      switch mode {
      case .readOnly: SQLITE_OPEN_READONLY
      case .readWrite: SQLITE_OPEN_READWRITE
      case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
      }
    var opened: OpaquePointer?
    // A leading "./" keeps SQLite from taking ":memory:" or the empty name for a private database.
    let place = path.hasPrefix("/") ? path : "./" + path
    let code = sqlite3_open_v2(
      place, &opened, flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE, vfs)
    guard code == SQLITE_OK, let opened else {
      let message = String(cString: opened.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
      let reason = SQLiteFailure.error(
        code, message: message, systemError: opened.map { sqlite3_system_errno($0) } ?? 0,
        path: path, action: "open")
      sqlite3_close_v2(opened)
      throw reason
    }
    if apus_distrust_schema(opened) != SQLITE_OK {
      let reason = SQLiteFailure.error(opened, path: path, action: "open")
      sqlite3_close_v2(opened)
      throw reason
    }
    self.path = path
    handle = opened
  }

  deinit { sqlite3_close_v2(handle) }

  /// How long a lock of others is waited for before a statement fails.
  func setBusyTimeout(milliseconds: Int) {
    sqlite3_busy_timeout(handle, Int32(clamping: milliseconds))
  }

  /// Compiles one statement.
  func prepare(_ sql: String, action: String = "read") throws -> SQLiteStatement {
    try SQLiteStatement(self, sql, action: action)
  }

  /// Runs one statement to its end, whatever rows it gives.
  func execute(_ sql: String, action: String = "write to") throws {
    let statement = try prepare(sql, action: action)
    while try statement.step() {}
  }

  /// The first column of the first row as an integer; nil when there is no row or it is NULL.
  func integer(_ sql: String) throws -> Int64? {
    let statement = try prepare(sql)
    return try statement.step() && !statement.isNull(0) ? statement.integer(0) : nil
  }

  /// Whether a transaction is open.
  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Rows that the last INSERT, UPDATE or DELETE changed.
  var changedRows: Int { Int(sqlite3_changes64(handle)) }

  /// The row number that the last INSERT gave.
  var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

  /// Lets queries read views, which our own files have none of.
  func allowViews() throws {
    if apus_allow_views(handle) != SQLITE_OK {
      throw SQLiteFailure.error(handle, path: path, action: "open")
    }
  }

  func setCheckpointOnClose(_ isOn: Bool) { _ = apus_checkpoint_on_close(handle, isOn ? 1 : 0) }
}
