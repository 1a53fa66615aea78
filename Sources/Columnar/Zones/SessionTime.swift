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

  package init(zone: TimeZoneRules, now: Int64?) {
    self.zone = zone
    self.now = now
  }

  @TaskLocal package static var current = SessionTime(zone: .utc, now: nil)

  /// Runs `body` in that zone, at that moment.
  @inline(__always)
  package static func with<Result>(
    _ time: SessionTime, _ body: () throws -> Result
  ) rethrows -> Result {
    try $current.withValue(time, operation: body)
  }

  /// Looks up offsets of the session's zone.
  package static var cursor: ZoneCursor { ZoneCursor(current.zone) }
}
