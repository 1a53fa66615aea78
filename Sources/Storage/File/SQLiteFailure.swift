import CSQLite
import Diagnostics
import Glibc

/// What SQLite says went wrong, as an error that names the file and what was being done.
enum SQLiteFailure {
  /// The error for a result code. `action` completes "cannot …": `write to`, `read`, `open`.
  static func error(
    _ code: Int32, message: String, systemError: Int32, path: String, action: String
  ) -> SQLError {
    let place = "cannot \(action) \"\(path)\""
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED:
      return SQLError(
        .transaction, "\(place): database is locked by another writer",
        hint: "wait until it has committed, or raise the busy time-out")
    case SQLITE_FULL:
      return SQLError(.io, "\(place): the disk is full")
    case SQLITE_READONLY:
      return code == apus_readonly_directory
        ? SQLError(.io, "\(place): its directory is read-only")
        : SQLError(.io, "\(place): the file is read-only")
    case SQLITE_CORRUPT:
      return SQLError(.io, "\(place): the file is damaged (\(message))")
    case SQLITE_NOTADB:
      return SQLError(.io, "\(place): the file is no database")
    case SQLITE_PERM, SQLITE_AUTH:
      return SQLError(.io, "\(place): permission denied")
    case SQLITE_CANTOPEN, SQLITE_IOERR:
      if code == apus_ioerr_nomem { return outOfMemory(place) }
      let reason = systemError == 0 ? message : String(cString: strerror(systemError))
      return SQLError(.io, "\(place): \(reason)")
    case SQLITE_NOMEM: return outOfMemory(place)
    case SQLITE_INTERRUPT: return SQLError(.interrupted, "\(place): interrupted")
    case SQLITE_CONSTRAINT: return SQLError(.constraint, "\(place): \(message)")
    case SQLITE_TOOBIG: return SQLError(.outOfRange, "\(place): \(message)")
    default: return SQLError(.io, "\(place): \(message)")
    }
  }

  /// The error of the last call on a connection.
  static func error(_ connection: OpaquePointer?, path: String, action: String) -> SQLError {
    error(
      sqlite3_extended_errcode(connection), message: String(cString: sqlite3_errmsg(connection)),
      systemError: sqlite3_system_errno(connection), path: path, action: action)
  }

  private static func outOfMemory(_ place: String) -> SQLError {
    SQLError(.outOfMemory, "\(place): out of memory")
  }
}
