import Columnar
import Diagnostics

/// Functions of time zones and of instants.
enum ZoneFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "make_timestamptz", category: "date",
      summary: "The instant of year to second in the session's or the named zone, or of "
        + "microseconds since 1970.",
      examples: [
        (
          "epoch(make_timestamptz(2024, 7, 1, 12, 0, 0, 'Europe/Berlin'))", "1719828000.0"
        )
      ],
      overloads: [
        .taking(Array(repeating: .bigint, count: 5) + [.double], returns: .timestampTZ) { a, n, t in
          let local = try DateFunctions.timestamps(a, n)
          return try Cast.column(local, to: t)
        },
        .taking(
          Array(repeating: .bigint, count: 5) + [.double, .varchar], returns: .timestampTZ
        ) { a, n, t in
          let local = try DateFunctions.timestamps(Array(a.prefix(6)), n)
          return try instants(a[6], local, n, t)
        },
        .taking([.bigint], returns: .timestampTZ) { a, n, t in
          try DateFunctions.checkedTimestamps(a[0], n, t)
        },
      ]),
    ScalarFunction(
      "timetz_byte_comparable", category: "date",
      summary: "A number by which times with zones are ordered.",
      examples: [("timetz_byte_comparable(TIMETZ '00:00:00+00')", "966350864384057599")],
      overloads: [
        .taking([.timeTZ], returns: .ubigint) { a, n, t in
          Kernels.unary(a[0], n, t, UInt64.self, UInt64.self) { bits in
            // DuckDB counts from the farthest east: its bias is that of the offset's limit.
            bits &- 16_777_216_000_000
          }
        }
      ]),
    ScalarFunction(
      "timezone", category: "date",
      summary: "A timestamp as the clocks of a zone showed it, as an instant; of an instant what "
        + "they show (AT TIME ZONE). With one argument, seconds ahead of UTC.",
      examples: [
        (
          "timezone('Europe/Berlin', TIMESTAMPTZ '2024-07-01 12:00:00+00')",
          "2024-07-01 14:00:00"
        )
      ],
      overloads: [
        .taking([.varchar, .timestamp], returns: .timestampTZ) { a, n, t in
          try instants(a[0], a[1], n, t)
        },
        .taking([.varchar, .timestampTZ], returns: .timestamp) { a, n, t in
          let x = ColumnReader<Int64>(a[1])
          return try withZones(a[0]) { zone in
            try Kernels.rows(a, n, t, Int64.self) { row in
              guard let local = try zone(row, { $0.local(x[row]) }) else {
                throw TemporalArithmetic.outOfRange(.timestamp)
              }
              return local
            }
          }
        },
        .taking([.varchar, .timeTZ], returns: .timeTZ) { a, n, t in
          let x = ColumnReader<UInt64>(a[1])
          let now = Clock.statement()
          return try withZones(a[0]) { zone in
            try Kernels.rows(a, n, t, UInt64.self) { row in
              let offset = try zone(row, { $0.offset(at: now) }) ?? 0
              return moved(x[row], toOffset: Int(offset / 1_000_000))
            }
          }
        },
        .taking([.interval, .timeTZ], returns: .timeTZ) { a, n, t in
          let x = ColumnReader<Interval>(a[0])
          let y = ColumnReader<UInt64>(a[1])
          return try Kernels.rows(a, n, t, UInt64.self) { row in
            let offset = x[row].microseconds / 1_000_000
            guard x[row].months == 0, x[row].days == 0,
              offset.magnitude <= UInt64(ZonedTime.offsetLimit)
            else { throw farOffset() }
            return moved(y[row], toOffset: Int(offset))
          }
        },
      ] + DatePartFunctions.overloads(.timezone)),
    DatePartFunctions.part(.timezoneHour, "Whole hours that the zone is ahead of UTC.", "0"),
    DatePartFunctions.part(.timezoneMinute, "Minutes of the zone's distance from UTC.", "0"),
  ]

  /// The instants at which zones' clocks showed these timestamps.
  private static func instants(
    _ zones: Column, _ local: Column, _ count: Int, _ type: LogicalType
  ) throws -> Column {
    let x = ColumnReader<Int64>(local)
    return try withExtendedLifetime(local) {
      try withZones(zones) { zone in
        try Kernels.rows([zones, local], count, type, Int64.self) { row in
          guard let instant = try zone(row, { $0.instant(x[row]) }) else {
            throw TemporalArithmetic.outOfRange(type)
          }
          return instant
        }
      }
    }
  }

  /// Gives `body` a way to ask the zone of each row: looked up once while the name is the same.
  private static func withZones(
    _ names: Column,
    _ body: ((Int, (inout ZoneCursor) -> Int64?) throws -> Int64?) throws -> Column
  ) throws -> Column {
    let reader = ColumnReader<StringView>(names)
    let isConstant = names.isConstant
    var cursor: ZoneCursor?
    var name = ""
    return try body { row, ask in
      if cursor == nil || !isConstant {
        let wanted = reader[row].string
        if cursor == nil || wanted != name {
          cursor = ZoneCursor(try zone(wanted))
          name = wanted
        }
      }
      guard var own = cursor else { return nil }
      defer { cursor = own }
      return ask(&own)
    }
  }

  static func zone(_ name: String) throws -> TimeZoneRules {
    if let zone = TimeZones.named(name) { return zone }
    throw SQLError(
      .invalidInput, "there is no time zone '\(name)'",
      hint: didYouMean(name, among: TimeZones.names))
  }

  /// The same instant by another clock, whose day it wraps around.
  private static func moved(_ bits: UInt64, toOffset offset: Int) -> UInt64 {
    let day = Calendar.microsecondsPerDay
    let local = (ZonedTime.instant(bits) &+ Int64(offset) &* 1_000_000) % day
    return ZonedTime.pack(microseconds: local < 0 ? local &+ day : local, offset: offset)
  }

  private static func farOffset() -> SQLError {
    SQLError(.outOfRange, "an offset from UTC is less than 16 hours")
  }
}
