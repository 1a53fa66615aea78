import Columnar
import Diagnostics

/// Searching in strings: LIKE, contains, prefixes, positions.
enum SearchFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "contains", category: "string",
      summary: "Whether a string contains another, a list an element, or a map a key.",
      examples: [("contains('banana', 'nan')", "true"), ("contains([1, 2], 2)", "true")],
      overloads: [
        predicate { UTF8Text.find($1, in: $0) != nil },
        ListFunctions.containing,
        MapFunctions.containing,
      ]),
    ScalarFunction(
      "ends_with", aliases: ["suffix", "endswith"], category: "string",
      summary: "Whether a string ends with another.",
      examples: [("ends_with('banana', 'ana')", "true")],
      overloads: [predicate { UTF8Text.hasSuffix($0, $1) }]),
    like("ilike", aliases: ["~~*", "ilike_escape"], negated: false, ignoringCase: true),
    like("like", aliases: ["~~", "like_escape"], negated: false, ignoringCase: false),
    like("not_ilike", aliases: ["!~~*", "not_ilike_escape"], negated: true, ignoringCase: true),
    like("not_like", aliases: ["!~~", "not_like_escape"], negated: true, ignoringCase: false),
    ScalarFunction(
      "starts_with", aliases: ["prefix", "startswith", "^@"], category: "string",
      summary: "Whether a string starts with another.",
      examples: [("starts_with('banana', 'ban')", "true")],
      overloads: [predicate { UTF8Text.hasPrefix($0, $1) }]),
    ScalarFunction(
      "strpos", aliases: ["instr", "position"], category: "string",
      summary: "Where the second string first occurs in the first, from 1; 0 when it does not.",
      examples: [("strpos('bänana', 'nan')", "3"), ("strpos('a', 'x')", "0")],
      overloads: [
        .taking([.varchar, .varchar], returns: .bigint) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          return Kernels.rows(a, n, t, Int64.self) { row in
            let bytes = x.pointer(row).buffer
            guard let found = UTF8Text.find(y.pointer(row).buffer, in: bytes) else { return 0 }
            return Int64(UTF8Text.count(UTF8Text.part(bytes, 0..<found))) + 1
          }
        }
      ]),
  ]

  private static func predicate(
    _ holds: @escaping @Sendable (UTF8Text.Bytes, UTF8Text.Bytes) -> Bool
  ) -> ScalarOverload {
    .taking([.varchar, .varchar], returns: .boolean) { a, n, _ in
      let x = ColumnReader<StringView>(a[0])
      let y = ColumnReader<StringView>(a[1])
      return Kernels.predicate(a, n) { row in
        holds(x.pointer(row).buffer, y.pointer(row).buffer)
      }
    }
  }

  private static func like(
    _ name: String, aliases: [String], negated: Bool, ignoringCase: Bool
  ) -> ScalarFunction {
    let kernel: ScalarOverload.Kernel = { a, n, _ in
      try LikePattern.match(a, n, negated: negated, ignoringCase: ignoringCase)
    }
    let holds = negated ? "false" : "true"
    return ScalarFunction(
      name, aliases: aliases, category: "string",
      summary: (negated ? "Not: the" : "Whether the") + " string matches a pattern of % (anything) "
        + "and _ (one character)" + (ignoringCase ? ", ignoring case" : "")
        + "; a third argument escapes these.",
      examples: [
        ("\(name)('banana', '\(ignoringCase ? "B" : "b")%n_')", holds),
        ("\(name)('a%', 'a$%', '$')", holds),
      ],
      overloads: [
        .taking([.varchar, .varchar], returns: .boolean, kernel),
        .taking([.varchar, .varchar, .varchar], returns: .boolean, kernel),
      ])
  }
}
