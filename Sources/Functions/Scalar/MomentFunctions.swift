import Columnar
import Diagnostics

/// More of dates: parts as a struct, months' lengths, the local clock, bins.
enum MomentFunctions {
  static let rows: [ScalarFunction] =
    [
      ScalarFunction(
        "current_localtime", aliases: ["localtime"], category: "date",
        summary: "The time of day by the session's clock.",
        examples: [],
        overloads: [
          ScalarOverload([], returns: .time, isVolatile: true) { _, n, t in
            try Column.constant(.time(Calendar.split(Clock.local()).microseconds), t, count: n)
          }
        ]),
      ScalarFunction(
        "current_localtimestamp", aliases: ["localtimestamp"], category: "date",
        summary: "What the session's clock shows.",
        examples: [],
        overloads: [
          ScalarOverload([], returns: .timestamp, isVolatile: true) { _, n, t in
            try Column.constant(.timestamp(Clock.local()), t, count: n)
          }
        ]),
      ScalarFunction(
        "days_in_month", category: "date", summary: "How many days the month has.",
        examples: [("days_in_month(DATE '2024-02-10')", "29")],
        overloads: [
          .taking([.date], returns: .bigint) { a, n, t in
            Kernels.ofFinite(a[0], n, t, Int32.self, Int64.self) { length($0) }
          },
          .taking([.timestamp], returns: .bigint) { a, n, t in
            Kernels.ofFinite(a[0], n, t, Int64.self, Int64.self) {
              length(Calendar.split($0).days)
            }
          },
        ].andInSessionZone),
      ScalarFunction(
        "normalized_interval", category: "date",
        summary: "The interval with hours carried over into days, and days into months.",
        examples: [
          ("normalized_interval(INTERVAL '40 days 25 hours')", "1 month 11 days 01:00:00")
        ],
        overloads: [
          .taking([.interval], returns: .interval) { a, n, t in
            let x = ColumnReader<Interval>(a[0])
            return try Kernels.rows(a, n, t, Interval.self) { row in
              let parts = x[row].normalized
              guard let months = Int32(exactly: parts.months), let days = Int32(exactly: parts.days)
              else { throw TemporalArithmetic.outOfRange(.interval) }
              return Interval(months: months, days: days, microseconds: parts.microseconds)
            }
          }
        ]),
    ]

  private static func length(_ days: Int32) -> Int64 {
    let date = Calendar.civil(days)
    return Int64(Calendar.daysInMonth(date.year, date.month))
  }

  // MARK: date_part

  /// With a list of parts a struct of them; epoch and julian, which have fractions, as DOUBLE.
  static func partSignature(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 else { return nil }
    if let name = arguments[0].text, let part = DatePart(named: name),
      part == .epoch || part == .julian, part.isPart(of: arguments[1].type)
    {
      let found = try ScalarFunctions.resolve(
        name: part.functionName, arguments: [arguments[1].type])
      let kernel = found.overload.kernel
      return (
        ScalarOverload([.any, .any], returns: .double) { a, n, t in try kernel([a[1]], n, t) },
        [.varchar, found.argumentTypes[0]]
      )
    }
    guard case .list(let names)? = arguments[0].value else { return nil }
    var fields: [Field] = []
    var parts: [NamedPart] = []
    for case .varchar(let name) in names {
      guard let part = DatePart(named: name) else {
        throw SQLError(.invalidInput, "there is no date part '\(name)'")
      }
      let found = try resolved(part, of: arguments[1].type)
      fields.append(Field(name, found.resultType))
      parts.append(found)
    }
    guard !fields.isEmpty else { throw SQLError(.binder, "date_part needs a part") }
    let (type, children) = (LogicalType.structure(fields), parts)
    return (
      ScalarOverload([.any, .any], returns: type) { a, n, t in
        let children = try children.map { part in
          try part.overload.kernel(
            [try Cast.column(a[1], to: part.argumentType)], n, part.resultType
          ).flattened()
        }
        let result = Column(flat: t, count: n, children: children)
        result.addNulls(of: a[1])
        return result
      }, [.list(.varchar), arguments[1].type]
    )
  }

  /// The function of the part; one that refuses all but NULL where the type does not have it, for
  /// the error is of the row.
  private static func resolved(
    _ part: DatePart, of type: LogicalType
  ) throws -> NamedPart {
    if !part.isPart(of: type) {
      return NamedPart(
        overload: DatePartFunctions.refusing(part, type), argumentType: type, resultType: .bigint)
    }
    let found = try ScalarFunctions.resolve(name: part.functionName, arguments: [type])
    return NamedPart(
      overload: found.overload, argumentType: found.argumentTypes[0], resultType: found.resultType)
  }
}

/// What gives a field of date_part with a list of names.
private struct NamedPart {
  let overload: ScalarOverload
  let argumentType: LogicalType
  let resultType: LogicalType
}
