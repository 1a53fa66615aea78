import Glibc

/// The time zone of the statement that runs here, which TIMESTAMPTZ is shown, read and taken apart
/// in, and the moment that `now()` gives to all of the statement.
///
/// It is ambient, because casts and text forms are called from everywhere with columns only. The
/// session binds it around a statement, each worker around its part, a result around the making of
/// its texts. Kernels ask for it once per batch.
package struct SessionTime: Sendable {
  package var zone: TimeZoneRules
  /// Microseconds since 1970; nil outside statements.
  package var now: Int64?

  /// Not of time, but ambient for the same reason and bound in the same places.
  package var memory: MemoryAllowance

  /// Bound with the others: whoever runs a part of the statement asks it.
  package var cancellation: Cancellation

  package init(
    zone: TimeZoneRules, now: Int64?, memory: MemoryAllowance = .unlimited,
    cancellation: Cancellation = .never
  ) {
    self.zone = zone
    self.now = now
    self.memory = memory
    self.cancellation = cancellation
  }

  @TaskLocal package static var current = SessionTime(zone: .utc, now: nil)

  /// Runs `body` in that zone, at that moment.
  @inline(__always)
  package static func with<Result>(
    _ time: SessionTime, _ body: () throws -> Result
  ) rethrows -> Result {
    try $current.withValue(time, operation: body)
  }

  /// Seconds that the session's clocks are ahead of UTC now: the zone of a time without one.
  package static var currentOffset: Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var cursor = cursor
    return Int(cursor.offset(at: current.now ?? Int64(time.tv_sec) * 1_000_000) / 1_000_000)
  }

  /// Looks up offsets of the session's zone.
  package static var cursor: ZoneCursor { ZoneCursor(current.zone) }
}
