@_spi(_Unicode) import Swift

import Columnar
import Diagnostics

/// Bars, sizes, whole characters (grapheme clusters), accents, patterns of file names.
enum TextFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "bar", category: "string",
      summary: "A bar whose length shows where x lies from min to max, of so many characters (80).",
      examples: [("bar(5, 0, 10, 4)", "██  ")],
      overloads: [
        .taking([.double, .double, .double], returns: .varchar) { a, n, _ in try bars(a, n) },
        .taking([.double, .double, .double, .double], returns: .varchar) { a, n, _ in
          try bars(a, n)
        },
      ]),
    ScalarFunction(
      "collated", category: "string",
      summary: "The text itself, as COLLATE marks it for comparisons and sorting.",
      examples: [("collated('aB', 'nocase')", "aB")],
      overloads: [.taking([.varchar, .varchar], returns: .varchar) { a, _, _ in a[0] }]),
    ScalarFunction(
      "collation_key", category: "string",
      summary: "What a text is compared by under the collations nocase and noaccent.",
      examples: [("collation_key('Äb', 'nocase.noaccent')", "ab")],
      overloads: [
        .taking([.varchar, .varchar], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          let rules = ColumnReader<StringView>(a[1])
          return try Kernels.texts(a, n) { row, buffer in
            let names = rules[row].string.split(separator: ".")
            var text = x[row].string
            if names.contains("noaccent") { text = withoutAccents(text) }
            if names.contains("nocase") { text = text.lowercased() }
            try buffer.append(text)
          }
        }
      ]),
    sizes(
      "format_bytes", aliases: ["formatReadableSize", "formatreadablesize", "pg_size_pretty"],
      "A number of bytes in KiB, MiB, …", "1.9 KiB", unit: 1024,
      names: ["KiB", "MiB", "GiB", "TiB", "PiB"]),
    sizes(
      "formatReadableDecimalSize", aliases: ["formatreadabledecimalsize"],
      "A number of bytes in kB, MB, …", "2.0 kB", unit: 1000,
      names: ["kB", "MB", "GB", "TB", "PB"]),
    ScalarFunction(
      "glob", aliases: ["~~~"], category: "string",
      summary: "Whether a string matches a pattern of * (anything), ? (a character) and [a-z].",
      examples: [("glob('banana', 'b*[m-o]a')", "true")],
      overloads: [
        .taking([.varchar, .varchar], returns: .boolean) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          return Kernels.predicate(a, n) { row in
            GlobPattern.matches(x.pointer(row).buffer, y.pointer(row).buffer)
          }
        }
      ]),
    graphemes("left_grapheme", "The first n whole characters.", "a", example: "('abc', 1)") {
      text, count in
      String(count >= 0 ? text.prefix(count) : text.dropLast(0 - count))
    },
    ScalarFunction(
      "length_grapheme", category: "string", summary: "How many whole characters there are.",
      examples: [("length_grapheme('abc')", "3")],
      overloads: [
        .taking([.varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return Kernels.rows(a, n, t, Int64.self) { Int64(x[$0].string.count) }
        }
      ]),
    normalizing("nfc_normalize", "The string in Unicode's normal form C.", "('ä')", "ä") { text in
      var scalars = String.UnicodeScalarView()
      scalars.append(contentsOf: text._nfc)
      return String(scalars)
    },
    ScalarFunction(
      "overlay", category: "string",
      summary: "The string with another in place of a part, from a position, of a length.",
      examples: [("overlay('abcdef', 'XX', 2, 3)", "aXXef"), ("overlay('abcd', 'XX', 2)", "aXXd")],
      overloads: [
        .taking([.varchar, .varchar, .bigint], returns: .varchar) { a, n, _ in try overlaid(a, n) },
        .taking([.varchar, .varchar, .bigint, .bigint], returns: .varchar) { a, n, _ in
          try overlaid(a, n)
        },
      ]),
    ScalarFunction(
      "parse_formatted_bytes", category: "string",
      summary: "The number of bytes that a text such as '1.5 KiB' or '2GB' says.",
      examples: [("parse_formatted_bytes('1.5 KiB')", "1536")],
      overloads: [
        .taking([.varchar], returns: .ubigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.rows(a, n, t, UInt64.self) { try bytes(x[$0].string) }
        }
      ]),
    graphemes("right_grapheme", "The last n whole characters.", "c", example: "('abc', 1)") {
      text, count in
      String(count >= 0 ? text.suffix(count) : text.dropFirst(0 - count))
    },
    normalizing("strip_accents", "The string without accents.", "('mühle')", "muhle") { text in
      withoutAccents(text)
    },
    ScalarFunction(
      "substring_grapheme", category: "string",
      summary: "The whole characters from a position on, so many of them.",
      examples: [("substring_grapheme('abcd', 2, 2)", "bc")],
      overloads: [
        .taking([.varchar, .bigint], returns: .varchar) { a, n, _ in try cut(a, n) },
        .taking([.varchar, .bigint, .bigint], returns: .varchar) { a, n, _ in try cut(a, n) },
      ]),
  ]

  static func withoutAccents(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text._nfd where scalar.properties.generalCategory != .nonspacingMark {
      scalars.append(scalar)
    }
    var composed = String.UnicodeScalarView()
    composed.append(contentsOf: String(scalars)._nfc)
    return String(composed)
  }

  private static func normalizing(
    _ name: String, _ summary: String, _ example: String, _ result: String,
    _ change: @escaping @Sendable (String) -> String
  ) -> ScalarFunction {
    ScalarFunction(
      name, category: "string", summary: summary, examples: [(name + example, result)],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            let bytes = x.pointer(row).buffer
            if UTF8Text.isASCII(bytes) {
              try buffer.append(bytes)
            } else {
              try buffer.append(change(x[row].string))
            }
          }
        }
      ])
  }

  private static func graphemes(
    _ name: String, _ summary: String, _ result: String, example: String,
    _ part: @escaping @Sendable (String, Int) -> String
  ) -> ScalarFunction {
    ScalarFunction(
      name, category: "string", summary: summary, examples: [(name + example, result)],
      overloads: [
        .taking([.varchar, .bigint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          let counts = ColumnReader<Int64>(a[1])
          return try Kernels.texts(a, n) { row, buffer in
            // Beyond the length of any string a count means the same.
            let count = max(-ResultText.limit, min(ResultText.limit, Int(counts[row])))
            try buffer.append(part(x[row].string, count))
          }
        }
      ])
  }

  private static func cut(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let starts = ColumnReader<Int64>(a[1])
    let lengths = a.count > 2 ? ColumnReader<Int64>(a[2]) : nil
    return try Kernels.texts(a, count) { row, buffer in
      let characters = Array(x[row].string)
      let range = Substrings.range(
        start: starts[row], length: lengths?[row], count: characters.count)
      try buffer.append(String(characters[range]))
    }
  }

  private static func overlaid(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let y = ColumnReader<StringView>(a[1])
    let starts = ColumnReader<Int64>(a[2])
    let lengths = a.count > 3 ? ColumnReader<Int64>(a[3]) : nil
    return try Kernels.texts(a, count) { row, buffer in
      let bytes = x.pointer(row).buffer
      let limit = Int64(ResultText.limit)
      let start = max(-limit, min(limit, starts[row])) - 1
      let length = lengths.map { max(-limit, min(limit, $0[row])) }
      // No length, or a negative one, is that of what is put in.
      let own = Int64(UTF8Text.count(y.pointer(row).buffer))
      let cut = length.map { $0 < 0 ? own : $0 } ?? own
      let head = UTF8Text.offset(bytes, of: Int(max(0, start)))
      let tail = UTF8Text.offset(bytes, of: Int(max(0, start + cut)))
      try buffer.append(UTF8Text.part(bytes, 0..<head))
      try buffer.append(y.pointer(row))
      try buffer.append(UTF8Text.part(bytes, tail..<bytes.count))
    }
  }

  // MARK: Bars and sizes

  private static func bars(_ a: [Column], _ count: Int) throws -> Column {
    let readers = a.map { ColumnReader<Double>($0) }
    let partial = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return try Kernels.texts(a, count) { row, buffer in
      let (x, low, high) = (readers[0][row], readers[1][row], readers[2][row])
      let limit = readers.count > 3 ? readers[3][row] : 80
      guard limit >= 1, limit <= 1000 else {
        throw SQLError(.outOfRange, "a bar is 1 to 1000 characters wide, not \(limit)")
      }
      var width = 0.0
      if x.isNaN || low.isNaN || high.isNaN || x <= low {
        width = 0
      } else if x >= high {
        width = limit
      } else {
        width = limit * (x - low) / (high - low)
      }
      guard width.isFinite else { throw SQLError(.outOfRange, "a bar's width must be finite") }
      let eighths = Int(width * 8)
      var used = eighths / 8
      for _ in 0..<used { try buffer.append("█") }
      if eighths % 8 > 0 {
        try buffer.append(partial[eighths % 8])
        used += 1
      }
      for _ in 0..<max(0, Int(limit) - used) { try buffer.append(UInt8(0x20)) }
    }
  }

  private static func sizes(
    _ name: String, aliases: [String], _ summary: String, _ result: String, unit: UInt64,
    names: [String]
  ) -> ScalarFunction {
    ScalarFunction(
      name, aliases: aliases, category: "string", summary: summary,
      examples: [("\(name)(2000)", result)],
      overloads: [
        .taking([.bigint], returns: .varchar) { a, n, _ in
          let x = ColumnReader<Int64>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            if x[row] < 0 { try buffer.append(UInt8(0x2D)) }
            var whole = x[row].magnitude
            var rest: UInt64 = 0
            var power = 0
            while whole >= unit && power < names.count {
              rest = whole % unit
              whole /= unit
              power += 1
            }
            if power == 0 {
              try buffer.append("\(whole) \(whole == 1 ? "byte" : "bytes")")
            } else {
              try buffer.append("\(whole).\(rest * 10 / unit) \(names[power - 1])")
            }
          }
        }
      ])
  }

  private static func bytes(_ text: String) throws -> UInt64 {
    let trimmed = text.drop { $0 == " " }
    guard trimmed.first != "-" else { throw notBytes(text, "it is negative") }
    let digits = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "e") }
    guard let number = Double(digits), number.isFinite else {
      throw notBytes(text, "it does not begin with a number")
    }
    var unit = trimmed.dropFirst(digits.count).lowercased().filter { $0 != " " }
    if unit.hasSuffix("bytes") || unit == "byte" { unit = "b" }
    let powers = ["k": 1, "m": 2, "g": 3, "t": 4]
    var factor = 1.0
    switch unit {
    case "b": break
    default:
      guard let first = unit.first, let power = powers[String(first)],
        ["", "b", "ib"].contains(unit.dropFirst())
      else { throw notBytes(text, "'\(unit)' is no unit") }
      let base = unit.hasSuffix("ib") ? 1024.0 : 1000.0
      for _ in 0..<power { factor *= base }
    }
    guard let value = UInt64(exactly: (number * factor).rounded(.down)) else {
      throw notBytes(text, "it is too large")
    }
    return value
  }

  private static func notBytes(_ text: String, _ reason: String) -> SQLError {
    SQLError(
      .invalidInput, "'\(text)' is no number of bytes: \(reason)",
      hint: "write a number and B, KB, MB, GB, TB, KiB, MiB, GiB or TiB")
  }
}
