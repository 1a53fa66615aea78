import Columnar
import Glibc

/// The system's clock, UTC.
package enum Clock {
  /// Microseconds since 1970.
  package static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  /// The moment of the statement or its transaction: one for all rows.
  package static func statement() -> Int64 { SessionTime.current.now ?? now() }

  /// What the session's clock shows at that moment.
  package static func local() -> Int64 {
    var cursor = SessionTime.cursor
    return cursor.local(statement()) ?? statement()
  }
}
