import Columnar
import Diagnostics
import Planner

/// `pg_timezone_names()`: the time zones, and where their clocks are now.
enum TimeZoneNames {
  static let definition = TableFunctionDefinition(
    name: "pg_timezone_names", aliases: [], summary: "the time zones and their distance from UTC",
    example: "SELECT * FROM pg_timezone_names()"
  ) { arguments, named, _ in
    if let first = arguments.first ?? named.first {
      throw SQLError(.binder, "pg_timezone_names takes no arguments", at: first.span)
    }
    let now = (SessionTime.current.now ?? 0) / 1_000_000
    return ValueListSource(
      fields,
      TimeZones.names.compactMap { name in
        guard let zone = TimeZones.named(name) else { return nil }
        let span = zone.span(at: now)
        let distance = Interval(microseconds: Int64(span.offset) * 1_000_000)
        return [
          .varchar(name), .varchar(span.abbreviation), .interval(distance),
          .boolean(span.isDaylight),
        ]
      })
  }

  private static let fields = [
    Field("name", .varchar), Field("abbrev", .varchar), Field("utc_offset", .interval),
    Field("is_dst", .boolean),
  ]
}
