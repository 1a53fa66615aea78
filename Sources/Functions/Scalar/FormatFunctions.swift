import Columnar
import Diagnostics

/// strftime, strptime, format and printf.
enum FormatFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "format", category: "string",
      summary: "The first argument with {} or {0}, {:.2f}… replaced by the others.",
      examples: [("format('{}: {:.2f}', 'x', 2.5)", "x: 2.50"), ("format('{1}{0}', 1, 2)", "21")],
      overloads: variadic { format, arguments, row, buffer in
        try TextFormat.appendBraces(format, arguments, row, to: &buffer)
      }),
    ScalarFunction(
      "printf", category: "string", summary: "The first argument with %d, %s, %.2f… replaced.",
      examples: [("printf('%s has %03d: %.1f', 'a', 7, 2.25)", "a has 007: 2.2")],
      overloads: variadic { format, arguments, row, buffer in
        try TextFormat.appendPercents(format, arguments, row, to: &buffer)
      }),
    ScalarFunction(
      "strftime", category: "date", summary: "A date or timestamp by a format of % letters.",
      examples: [("strftime(DATE '2024-03-05', '%d.%m.%Y')", "05.03.2024")],
      overloads: [
        .taking([.timestamp, .varchar], returns: .varchar) { a, n, _ in try print(a[0], a[1], n) },
        .taking([.varchar, .timestamp], returns: .varchar) { a, n, _ in try print(a[1], a[0], n) },
      ]),
    ScalarFunction(
      "strptime", category: "date",
      summary: "The timestamp that a text shows by a format, or by the first of a list "
        + "that fits.",
      examples: [("strptime('5.3.2024', '%d.%m.%Y')", "2024-03-05 00:00:00")],
      overloads: [parse(trying: false), parseByAny(trying: false)]),
    ScalarFunction(
      "try_strptime", category: "date", summary: "As strptime, but NULL where the text differs.",
      examples: [("try_strptime('x', '%d')", "NULL")],
      overloads: [parse(trying: true), parseByAny(trying: true)]),
  ]

  private static func print(_ moments: Column, _ formats: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<Int64>(moments)
    let y = ColumnReader<StringView>(formats)
    return try Kernels.texts([moments, formats], count) { row, buffer in
      try TimeFormat.append(x[row], y.pointer(row).buffer, to: &buffer)
    }
  }

  private static func parse(trying: Bool) -> ScalarOverload {
    .taking([.varchar, .varchar], returns: .timestamp) { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      let y = ColumnReader<StringView>(a[1])
      return try Kernels.nullableRows(a, n, t, Int64.self) { row in
        let moment = try TimeFormat.parse(x.pointer(row).buffer, y.pointer(row).buffer)
        guard moment == nil, !trying else { return moment }
        throw SQLError(
          .invalidInput,
          "could not parse string '\(x[row].string)' by the format '\(y[row].string)'")
      }
    }
  }

  private static func parseByAny(trying: Bool) -> ScalarOverload {
    .taking([.varchar, .list(.varchar)], returns: .timestamp) { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      let lists = ColumnReader<ListEntry>(a[1])
      let formats = ColumnReader<StringView>(a[1].children[0])
      return try Kernels.nullableRows(a, n, t, Int64.self) { row in
        let entry = lists[row]
        if entry.length == 0 { throw SQLError(.invalidInput, "strptime needs a format") }
        for place in entry.offset..<(entry.offset + entry.length) where !formats.isNull(place) {
          if let moment = try TimeFormat.parse(
            x.pointer(row).buffer, formats.pointer(place).buffer)
          {
            return moment
          }
        }
        if trying { return nil }
        throw SQLError(.invalidInput, "no format of the list fits '\(x[row].string)'")
      }
    }
  }

  private static func variadic(
    _ body:
      @escaping @Sendable (
        UnsafeBufferPointer<UInt8>, [Column], Int, inout ResultText
      ) throws -> Void
  ) -> [ScalarOverload] {
    [
      ScalarOverload([.exactly(.varchar)], variadic: .any, returns: .varchar) { a, n, _ in
        let formats = ColumnReader<StringView>(a[0])
        let arguments = Array(a.dropFirst())
        return try Kernels.texts(a, n) { row, buffer in
          try body(formats.pointer(row).buffer, arguments, row, &buffer)
        }
      }
    ]
  }
}
