import Columnar
import Diagnostics

/// regexp_…: PCRE2 patterns (RE2's, which DuckDB uses, are nearly a subset).
enum RegexFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "regexp_escape", category: "regex", summary: "The string with special characters escaped.",
      examples: [("regexp_escape('a.b')", "a\\.b")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          return try Kernels.texts(a, n) { row, buffer in
            for byte in x.pointer(row).buffer {
              let isWord =
                (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5F || byte >= 0x80
              if !isWord { try buffer.append(0x5C) }
              try buffer.append(byte)
            }
          }
        }
      ]),
    ScalarFunction(
      "regexp_extract", category: "regex",
      summary: "The first match of the pattern, or of one of its groups; '' without a match.",
      examples: [
        ("regexp_extract('a12b3', '[0-9]+')", "12"),
        ("regexp_extract('k=v', '(.)=(.)', 2)", "v"),
      ],
      overloads: extracting(.varchar) { try extract($0, $1) } + [
        .taking([.varchar, .varchar, .varchar], returns: .varchar) { a, n, _ in
          let whole = try Column.constant(.integer(0), .integer, count: n)
          return try extract([a[0], a[1], whole, a[2]], n)
        }
      ],
      signature: { try RegexGroups.first($0) }),
    ScalarFunction(
      "regexp_extract_all", category: "regex",
      summary: "All matches of the pattern, or of one of its groups.",
      examples: [("regexp_extract_all('a12b3', '[0-9]+')", "[12, 3]")],
      overloads: extracting(.list(.varchar)) { try extractAll($0, $1) },
      signature: { try RegexGroups.all($0) }),
    ScalarFunction(
      "regexp_full_match", category: "regex", summary: "Whether the whole string matches.",
      examples: [("regexp_full_match('abc', 'b')", "false")], overloads: matching(full: true)),
    ScalarFunction(
      "regexp_matches", aliases: ["regexp_like", "rlike"], category: "regex",
      summary: "Whether a part of the string matches.",
      examples: [
        ("regexp_matches('abc', 'b.')", "true"), ("regexp_matches('ABC', 'b', 'i')", "true"),
      ],
      overloads: matching(full: false)),
    ScalarFunction(
      "regexp_replace", category: "regex",
      summary: "The first match (all with option 'g') replaced; \\1 stands for a group.",
      examples: [("regexp_replace('banana', '(a)n', '\\1m', 'g')", "bamama")],
      overloads: [
        .taking([.varchar, .varchar, .varchar], returns: .varchar) { a, n, _ in try replace(a, n) },
        .taking([.varchar, .varchar, .varchar, .varchar], returns: .varchar) { a, n, _ in
          try replace(a, n)
        },
      ]),
    ScalarFunction(
      "regexp_split_to_array", aliases: ["string_split_regex", "str_split_regex"],
      category: "regex", summary: "The parts of the string between matches.",
      examples: [("regexp_split_to_array('a1b22c', '[0-9]+')", "[a, b, c]")],
      overloads: [
        .taking([.varchar, .varchar], returns: .list(.varchar)) { a, n, _ in try split(a, n) },
        .taking([.varchar, .varchar, .varchar], returns: .list(.varchar)) { a, n, _ in
          try split(a, n)
        },
      ]),
  ]

  /// Gives the compiled pattern of each row: compiled once when pattern and options are constant.
  struct Patterns {
    let patterns: ColumnReader<StringView>
    let options: ColumnReader<StringView>?
    let full: Bool
    let takesGlobal: Bool
    var fixed: RegularExpression?

    init(
      _ pattern: Column, _ options: Column?, full: Bool = false, takesGlobal: Bool = false
    ) throws {
      patterns = ColumnReader<StringView>(pattern)
      self.options = options.map { ColumnReader<StringView>($0) }
      self.full = full
      self.takesGlobal = takesGlobal
      let isFixed = pattern.isConstant && (options?.isConstant ?? true)
      if isFixed, pattern.count > 0, !pattern.isNull(0), !(options?.isNull(0) ?? false) {
        fixed = try compiled(0)
      }
    }

    func compiled(_ row: Int) throws -> RegularExpression {
      if let fixed { return fixed }
      return try RegularExpression.compiled(
        patterns.pointer(row).buffer, options: options?.pointer(row).buffer, full: full,
        takesGlobal: takesGlobal)
    }
  }

  private static func matching(full: Bool) -> [ScalarOverload] {
    let kernel: ScalarOverload.Kernel = { a, n, _ in
      let x = ColumnReader<StringView>(a[0])
      let patterns = try Patterns(a[1], a.count > 2 ? a[2] : nil, full: full)
      if let found = patterns.fixed?.plain?.matchPart(a, n, negated: false) { return found }
      let matcher = try RegexMatcher()
      if let fixed = patterns.fixed {
        return try Kernels.predicate(a, n) { try matcher.matches(fixed, x.pointer($0).buffer) }
      }
      return try Kernels.predicate(a, n) { row in
        let expression = try patterns.compiled(row)
        let bytes = x.pointer(row).buffer
        return try expression.plain?.matches(bytes) ?? matcher.matches(expression, bytes)
      }
    }
    return [
      .taking([.varchar, .varchar], returns: .boolean, kernel),
      .taking([.varchar, .varchar, .varchar], returns: .boolean, kernel),
    ]
  }

  private static func extracting(
    _ type: LogicalType, _ kernel: @escaping @Sendable ([Column], Int) throws -> Column
  ) -> [ScalarOverload] {
    [
      .taking([.varchar, .varchar], returns: type) { a, n, _ in try kernel(a, n) },
      .taking([.varchar, .varchar, .integer], returns: type) { a, n, _ in try kernel(a, n) },
      .taking([.varchar, .varchar, .integer, .varchar], returns: type) { a, n, _ in
        try kernel(a, n)
      },
    ]
  }

  private static func checkedGroup(_ number: Int32, _ expression: RegularExpression) throws -> Int?
  {
    guard (0...9).contains(number) else {
      throw SQLError(.invalidInput, "the number of a group is from 0 to 9, not \(number)")
    }
    // A group that the pattern does not have matches nothing.
    return Int(number) > expression.groupCount ? nil : Int(number)
  }

  static func extract(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let groups = a.count > 2 ? ColumnReader<Int32>(a[2]) : nil
    let patterns = try Patterns(a[1], a.count > 3 ? a[3] : nil)
    let matcher = try RegexMatcher()
    return try Kernels.rows(a, count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      let expression = try patterns.compiled(row)
      let group = try checkedGroup(groups?[row] ?? 0, expression)
      guard let group, try matcher.matches(expression, bytes), let range = matcher.group(group)
      else {
        return StringView()
      }
      return UTF8Text.view(bytes, range.lowerBound, range.upperBound)
    }
  }

  /// Calls `body` after each match in order; an empty match advances by a character.
  @inline(__always)
  static func forEachMatch(
    _ matcher: borrowing RegexMatcher, _ expression: RegularExpression,
    _ bytes: UTF8Text.Bytes, _ body: (Range<Int>) throws -> Bool
  ) throws {
    var position = 0
    while position <= bytes.count, try matcher.matches(expression, bytes, from: position),
      let whole = matcher.group(0)
    {
      if try !body(whole) { return }
      position = whole.upperBound
      if whole.isEmpty {
        if position >= bytes.count { return }
        position += UTF8Text.width(bytes, position)
      }
    }
  }

  private static func extractAll(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let groups = a.count > 2 ? ColumnReader<Int32>(a[2]) : nil
    let patterns = try Patterns(a[1], a.count > 3 ? a[3] : nil)
    let matcher = try RegexMatcher()
    var parts = ColumnBuilder(.varchar, capacity: count)
    let result = try Kernels.rows(a, count, .list(.varchar), ListEntry.self) { row in
      let bytes = x.pointer(row).buffer
      let expression = try patterns.compiled(row)
      let group = try checkedGroup(groups?[row] ?? 0, expression)
      let start = parts.count
      try forEachMatch(matcher, expression, bytes) { _ in
        let range = group.flatMap { matcher.group($0) } ?? 0..<0
        parts.append(bytes: UTF8Text.part(bytes, range))
        try ListKernels.checkParts(parts)
        return true
      }
      return ListEntry(offset: start, length: parts.count - start)
    }
    result.replaceChildren([parts.finish()])
    return result
  }

  private static func split(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let patterns = try Patterns(a[1], a.count > 2 ? a[2] : nil)
    let matcher = try RegexMatcher()
    var parts = ColumnBuilder(.varchar, capacity: count)
    let result = try Kernels.rows(a, count, .list(.varchar), ListEntry.self) { row in
      let bytes = x.pointer(row).buffer
      let start = parts.count
      var position = 0
      let expression = try patterns.compiled(row)
      while position < bytes.count, try matcher.matches(expression, bytes, from: position),
        let match = matcher.group(0), match.lowerBound >= position
      {
        var end = match.lowerBound
        var next = match.upperBound
        if match.isEmpty && end == position {
          // Where nothing matches, a character is a part.
          end += UTF8Text.width(bytes, position)
          next = end
          if end >= bytes.count { break }
        }
        parts.append(bytes: UTF8Text.part(bytes, position..<end))
        position = next
        try ListKernels.checkParts(parts)
      }
      parts.append(bytes: UTF8Text.part(bytes, position..<bytes.count))
      return ListEntry(offset: start, length: parts.count - start)
    }
    result.replaceChildren([parts.finish()])
    return result
  }

  /// A backslash stands before a digit or another backslash, and `\\3` needs a third group: asked of
  /// every row, also of those without a match.
  private static func checkReplacement(
    _ replacement: UTF8Text.Bytes, _ expression: RegularExpression
  ) throws {
    var index = 0
    while index < replacement.count {
      guard replacement[index] == 0x5C else {
        index += 1
        continue
      }
      guard index + 1 < replacement.count else {
        throw malformedReplacement("ends in a backslash")
      }
      let digit = replacement[index + 1] &- 0x30
      guard digit < 10 || replacement[index + 1] == 0x5C else {
        throw malformedReplacement("has a backslash before what is no digit and no backslash")
      }
      if digit < 10, Int(digit) > expression.groupCount {
        throw SQLError(
          .invalidInput,
          "the replacement asks for group \(digit), the pattern has \(expression.groupCount)")
      }
      index += 2
    }
  }

  private static func malformedReplacement(_ what: String) -> SQLError {
    SQLError(
      .invalidInput, "the replacement of regexp_replace \(what)",
      hint: "\\1 stands for a group, \\\\ for a backslash")
  }

  private static func replace(_ a: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(a[0])
    let replacements = ColumnReader<StringView>(a[2])
    let options = a.count > 3 ? ColumnReader<StringView>(a[3]) : nil
    let patterns = try Patterns(a[1], a.count > 3 ? a[3] : nil, takesGlobal: true)
    let matcher = try RegexMatcher()
    return try Kernels.texts(a, count) { row, buffer in
      let bytes = x.pointer(row).buffer
      let expression = try patterns.compiled(row)
      let replacement = replacements.pointer(row).buffer
      let all = options?.pointer(row).buffer.contains(0x67) ?? false
      try checkReplacement(replacement, expression)
      var position = 0
      var isFirst = true
      try forEachMatch(matcher, expression, bytes) { whole in
        // An empty match right behind another does not count.
        if !isFirst && whole.isEmpty && whole.lowerBound == position { return all }
        isFirst = false
        try buffer.append(UTF8Text.part(bytes, position..<whole.lowerBound))
        var index = 0
        while index < replacement.count {
          let byte = replacement[index]
          index += 1
          if byte == 0x5C, index < replacement.count {
            let next = replacement[index]
            index += 1
            if next &- 0x30 < 10 {
              if let range = matcher.group(Int(next - 0x30)),
                Int(next - 0x30) <= expression.groupCount
              {
                try buffer.append(UTF8Text.part(bytes, range))
              }
            } else {
              try buffer.append(next)
            }
          } else {
            try buffer.append(byte)
          }
        }
        position = whole.upperBound
        return all
      }
      try buffer.append(UTF8Text.part(bytes, position..<bytes.count))
    }
  }
}
