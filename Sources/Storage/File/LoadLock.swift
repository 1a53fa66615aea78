import Diagnostics
import Glibc

/// Tells whether a bulk load is alive in any process: loads share the lock of the file `….db-load`,
/// and who sweeps their orphans must have it alone. The system drops it with the process, so a load
/// that was killed is known to be dead. (Locks on the database file itself are SQLite's: closing any
/// other descriptor of it would drop those.)
struct LoadLock: ~Copyable {
  private let descriptor: Int32
  private let path: String

  /// The lock of a load; waits for a sweep to end.
  init(loadingInto database: String) throws {
    path = database + "-load"
    while true {
      let opened = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      if opened < 0 { throw LoadLock.failure(path) }
      var status = stat()
      // Who swept may have removed the file between the two calls; then nobody else will see it.
      if flock(opened, LOCK_SH) == 0, fstat(opened, &status) == 0, status.st_nlink > 0 {
        descriptor = opened
        return
      }
      let reason = errno
      Glibc.close(opened)
      if status.st_nlink > 0 || reason == ENOLCK {
        errno = reason
        throw LoadLock.failure(path)
      }
    }
  }

  /// The lock of a sweep; nil while a load is alive.
  init?(sweeping database: String) throws {
    path = database + "-load"
    let opened = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    if opened < 0 { throw LoadLock.failure(path) }
    var status = stat()
    guard flock(opened, LOCK_EX | LOCK_NB) == 0, fstat(opened, &status) == 0, status.st_nlink > 0
    else {
      Glibc.close(opened)
      return nil
    }
    descriptor = opened
  }

  /// The last one to leave takes the file along.
  deinit {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
    Glibc.close(descriptor)
  }

  private static func failure(_ path: String) -> SQLError {
    SQLError(.io, "cannot lock \"\(path)\": \(String(cString: strerror(errno)))")
  }
}
