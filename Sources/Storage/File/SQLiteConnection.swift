import CSQLite
import Diagnostics
import Glibc

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
    var flags =
      switch mode {
      case .readOnly: SQLITE_OPEN_READONLY
      case .readWrite: SQLITE_OPEN_READWRITE
      case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
      }
    var opened: OpaquePointer?
    // A leading "./" keeps SQLite from taking ":memory:" or the empty name for a private database.
    var place = path.hasPrefix("/") ? path : "./" + path
    if case .readOnly = mode, vfs == nil, SQLiteConnection.cannotChange(place) {
      place = SQLiteConnection.immutable(place)
      flags |= SQLITE_OPEN_URI
    }
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

  /// Whether the file lies where nothing can be written, and no log beside it: SQLite's shared memory
  /// cannot be made there, nor is it needed.
  private static func cannotChange(_ path: String) -> Bool {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    return access(folder.isEmpty ? "/" : folder, W_OK) != 0 && access(path + "-wal", F_OK) != 0
      && access(path + "-shm", F_OK) != 0 && access(path, R_OK) == 0
  }

  /// The name under which SQLite takes a file for one that nobody changes.
  private static func immutable(_ path: String) -> String {
    var escaped = "file:"
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "%"), UInt8(ascii: "?"), UInt8(ascii: "#"), 0..<0x20, 0x7F...:
        escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
      default: escaped.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return escaped + "?immutable=1"
  }

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

  /// Lets triggers run too: rows of other programs' tables are to be written as they would write them.
  func allowTriggersAndViews() throws {
    try allowViews()
    if apus_allow_triggers(handle) != SQLITE_OK {
      throw SQLiteFailure.error(handle, path: path, action: "open")
    }
  }

  func setCheckpointOnClose(_ isOn: Bool) { _ = apus_checkpoint_on_close(handle, isOn ? 1 : 0) }
}
