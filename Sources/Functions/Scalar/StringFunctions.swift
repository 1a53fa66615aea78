import Columnar
import Diagnostics
import Glibc

/// Functions that make a string of strings: case, trimming, padding, joining.
enum StringFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "concat", category: "string",
      summary: "All arguments as text, one after the other; NULLs are left out.",
      examples: [("concat('a', NULL, 1)", "a1")],
      overloads: [
        ScalarOverload(
          [], variadic: .any, resultFrom: { _ in .varchar }, coerce: allText, nulls: .custom,
          kernel: { a, n, _ in try joined(a[...], nil, n) })
      ],
      signature: { arguments in
        // Lists are put together as lists.
        guard arguments.contains(where: { $0.type.elementType != nil }) else { return nil }
        let found = try ScalarFunctions.resolve(
          name: "list_concat", arguments: arguments.map(\.type))
        return (found.overload, found.argumentTypes)
      }),
    ScalarFunction(
      "concat_ws", category: "string",
      summary: "Arguments after the first, as text, with the first between them; no NULLs. Of a "
        + "list the elements.",
      examples: [
        ("concat_ws(', ', 'a', NULL, 'b')", "a, b"), ("concat_ws('-', [1, 2], 'b')", "1-2-b"),
      ],
      overloads: [
        ScalarOverload(
          [.any], variadic: .any, resultFrom: { _ in .varchar }, coerce: textsAndLists,
          nulls: .custom, kernel: { a, n, _ in try joined(a.dropFirst(), a[0], n) })
      ]),
    ScalarFunction(
      "initcap", category: "string", summary: "Each word with a capital first letter.",
      examples: [("initcap('ab cD')", "Ab Cd")],
      overloads: [.taking([.varchar], returns: .varchar) { try capitalized($0[0], $1, $2) }]),
    ScalarFunction(
      "lower", aliases: ["lcase"], category: "string", summary: "In lower case.",
      examples: [("lower('ÄbC')", "äbc")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in try cased(a[0], n, upper: false) }
      ]),
    ScalarFunction(
      "lpad", category: "string",
      summary: "Padded on the left (or cut off) to a number of characters.",
      examples: [("lpad('7', 3, '0')", "007"), ("lpad('hello', 2, ' ')", "he")],
      overloads: padding(left: true)),
    ScalarFunction(
      "ltrim", category: "string", summary: "Without spaces, or the given characters, on the left.",
      examples: [("ltrim('  a ')", "a "), ("ltrim('xxa', 'x')", "a")],
      overloads: trimming(left: true, right: false)),
    ScalarFunction(
      "repeat", category: "string", summary: "The string, blob or list n times.",
      examples: [
        ("repeat('ab', 3)", "ababab"), ("repeat('ab', -1)", ""),
        ("repeat([1, 2], 2)", "[1, 2, 1, 2]"),
      ],
      overloads: [
        .taking([.varchar, .bigint], returns: .varchar) { a, n, t in try repeated(a, n, t) },
        .taking([.blob, .bigint], returns: .blob) { a, n, t in try repeated(a, n, t) },
        ScalarOverload([.anyList, .exactly(.bigint)], resultFrom: { $0[0] }) { a, n, t in
          try ListKernels.repeated(a[0], a[1], n, t)
        },
      ]),
    ScalarFunction(
      "replace", category: "string", summary: "Every occurrence of one string by another.",
      examples: [("replace('banana', 'an', '-')", "b--a")],
      overloads: [
        .taking([.varchar, .varchar, .varchar], returns: .varchar) { a, n, _ in try replaced(a, n) }
      ]),
    ScalarFunction(
      "reverse", category: "string", summary: "Characters from last to first.",
      examples: [("reverse('abc')", "cba")],
      overloads: [.taking([.varchar], returns: .varchar) { a, n, _ in try reversed(a[0], n) }]),
    ScalarFunction(
      "rpad", category: "string",
      summary: "Padded on the right (or cut off) to a number of characters.",
      examples: [("rpad('7', 3, '.')", "7..")], overloads: padding(left: false)),
    ScalarFunction(
      "rtrim", category: "string",
      summary: "Without spaces, or the given characters, on the right.",
      examples: [("rtrim(' a  ')", " a"), ("rtrim('axx', 'x')", "a")],
      overloads: trimming(left: false, right: true)),
    ScalarFunction(
      "translate", category: "string",
      summary: "Each character of the second string replaced by the one below it in the third.",
      examples: [("translate('12321', '123', 'ab')", "abba")],
      overloads: [
        .taking([.varchar, .varchar, .varchar], returns: .varchar) { a, n, _ in
          try translated(a, n)
        }
      ]),
    ScalarFunction(
      "trim", category: "string",
      summary: "Without spaces, or the given characters, on both sides.",
      examples: [("trim('  a ')", "a"), ("trim('xaxbx', 'x')", "axb")],
      overloads: trimming(left: true, right: true)),
    ScalarFunction(
      "upper", aliases: ["ucase"], category: "string", summary: "In upper case.",
      examples: [("upper('abß')", "ABẞ")],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, _ in try cased(a[0], n, upper: true) }
      ]),
    ScalarFunction(
      "||", category: "operator",
      summary: "Two strings, or two lists, one after the other; NULL when one is NULL.",
      examples: [("'a' || 1", "a1"), ("[1] || [2, 3]", "[1, 2, 3]")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: concatenable,
          kernel: { a, n, type in
            type == .varchar || type == .blob
              ? try concatenated(a[0], a[1], n, type)
              : ListKernels.concatenated(a[0], a[1], n, type)
          })
      ]),
  ]

  private static func allText(_ types: [LogicalType]) throws -> [LogicalType] {
    types.map { _ in .varchar }
  }

  private static func textsAndLists(_ types: [LogicalType]) throws -> [LogicalType] {
    try types.enumerated().map { position, type in
      guard position > 0, let element = type.elementType else { return .varchar }
      if element.elementType != nil {
        throw SQLError(.binder, "concat_ws takes no lists of lists")
      }
      return .list(.varchar)
    }
  }

  private static func concatenable(_ types: [LogicalType]) throws -> [LogicalType] {
    if types == [.blob, .blob] { return types }
    func list(_ type: LogicalType) -> LogicalType? { type.elementType.map { .list($0) } }
    if let a = list(types[0]), types[1] == .null { return [a, a] }
    if let b = list(types[1]), types[0] == .null { return [b, b] }
    if let a = list(types[0]), let b = list(types[1]) {
      guard let common = ImplicitCast.commonType(a, b) else {
        throw SQLError(.binder, "cannot concatenate \(types[0]) and \(types[1])")
      }
      return [common, common]
    }
    if list(types[0]) != nil || list(types[1]) != nil {
      throw SQLError(.binder, "cannot concatenate \(types[0]) and \(types[1])")
    }
    return [.varchar, .varchar]
  }

  private static func concatenated(
    _ a: Column, _ b: Column, _ count: Int, _ type: LogicalType
  ) throws -> Column {
    let x = ColumnReader<StringView>(a)
    let y = ColumnReader<StringView>(b)
    return try Kernels.texts([a, b], count, type) { row, buffer in
      try buffer.append(x.pointer(row))
      try buffer.append(y.pointer(row))
    }
  }

  private static func joined(
    _ parts: ArraySlice<Column>, _ separator: Column?, _ count: Int
  ) throws -> Column {
    let readers = parts.map { part in
      // Of a list the entries, and the texts that they are of.
      part.type.elementType == nil
        ? (texts: ColumnReader<StringView>(part), entries: nil)
        : (
          texts: ColumnReader<StringView>(part.children[0]), entries: ColumnReader<ListEntry>(part)
        )
    }
    let between = separator.map { ColumnReader<StringView>($0) }
    return try Kernels.texts(separator.map { [$0] } ?? [], count) { row, buffer in
      var isFirst = true
      for (texts, entries) in readers {
        if entries?.isNull(row) ?? texts.isNull(row) { continue }
        let range = entries.map { $0[row].offset..<($0[row].offset + $0[row].length) }
        for place in range ?? row..<(row + 1) where !texts.isNull(place) {
          if !isFirst, let between { try buffer.append(between.pointer(row)) }
          isFirst = false
          try buffer.append(texts.pointer(place))
        }
      }
    }
  }

  private static func cased(_ column: Column, _ count: Int, upper: Bool) throws -> Column {
    let x = ColumnReader<StringView>(column)
    return try Kernels.texts([column], count) { row, buffer in
      try UTF8Text.appendCase(x.pointer(row).buffer, upper: upper, to: &buffer)
    }
  }

  private static func capitalized(_ column: Column, _ count: Int, _ type: LogicalType) throws
    -> Column
  {
    let x = ColumnReader<StringView>(column)
    return try Kernels.texts([column], count) { row, buffer in
      var inWord = false
      for scalar in UTF8Text.scalars(x.pointer(row).buffer) {
        let properties = scalar.properties
        let belongs = properties.isAlphabetic || properties.numericType != nil
        if belongs {
          try buffer.append(
            inWord ? properties.lowercaseMapping : properties.titlecaseMapping)
        } else {
          try buffer.append(scalar)
        }
        inWord = belongs
      }
    }
  }

  private static func repeated(
    _ arguments: [Column], _ count: Int, _ type: LogicalType
  ) throws -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let times = ColumnReader<Int64>(arguments[1])
    return try Kernels.texts(arguments, count, type) { row, buffer in
      try buffer.append(x.pointer(row).buffer, times: Int(times[row]))
    }
  }

  private static func replaced(_ arguments: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let from = ColumnReader<StringView>(arguments[1])
    let to = ColumnReader<StringView>(arguments[2])
    return try Kernels.texts(arguments, count) { row, buffer in
      let bytes = x.pointer(row).buffer
      let sought = from.pointer(row).buffer
      var position = 0
      if !sought.isEmpty {
        while let found = UTF8Text.find(sought, in: bytes, from: position) {
          try buffer.append(UTF8Text.part(bytes, position..<found))
          try buffer.append(to.pointer(row))
          position = found + sought.count
        }
      }
      try buffer.append(UTF8Text.part(bytes, position..<bytes.count))
    }
  }

  private static func reversed(_ column: Column, _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(column)
    return try Kernels.texts([column], count) { row, buffer in
      let bytes = x.pointer(row).buffer
      if UTF8Text.isASCII(bytes) {
        try buffer.reserve(bytes.count)
        for byte in bytes.reversed() { try buffer.append(byte) }
      } else {
        // By grapheme, so that accents stay on their letters.
        try buffer.append(String(String(decoding: bytes, as: UTF8.self).reversed()))
      }
    }
  }

  private static func translated(_ arguments: [Column], _ count: Int) throws -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let from = ColumnReader<StringView>(arguments[1])
    let to = ColumnReader<StringView>(arguments[2])
    return try Kernels.texts(arguments, count) { row, buffer in
      let sources = UTF8Text.scalars(from.pointer(row).buffer)
      let targets = UTF8Text.scalars(to.pointer(row).buffer)
      // A scan of a few is quick, of a million it is not.
      var places: [Unicode.Scalar: Int] = [:]
      if sources.count > 32 {
        for (place, scalar) in sources.enumerated() where places[scalar] == nil {
          places[scalar] = place
        }
      }
      for scalar in UTF8Text.scalars(x.pointer(row).buffer) {
        guard let place = places.isEmpty ? sources.firstIndex(of: scalar) : places[scalar] else {
          try buffer.append(scalar)
          continue
        }
        if place < targets.count { try buffer.append(targets[place]) }
      }
    }
  }

  // MARK: Padding

  private static func padding(left: Bool) -> [ScalarOverload] {
    [
      .taking([.varchar, .bigint, .varchar], returns: .varchar) { a, n, _ in
        try padded(a, n, left: left)
      },
      .taking([.varchar, .bigint], returns: .varchar) { a, n, _ in
        try padded(a + [Column.constant(.varchar(" "), .varchar, count: n)], n, left: left)
      },
    ]
  }

  private static func padded(_ arguments: [Column], _ count: Int, left: Bool) throws -> Column {
    let x = ColumnReader<StringView>(arguments[0])
    let width = ColumnReader<Int64>(arguments[1])
    let fill = ColumnReader<StringView>(arguments[2])
    return try Kernels.texts(arguments, count) { row, buffer in
      let bytes = x.pointer(row).buffer
      let pad = fill.pointer(row).buffer
      let wanted = Int(max(0, width[row]))
      let length = UTF8Text.count(bytes)
      if wanted <= length {
        try buffer.append(UTF8Text.part(bytes, 0..<UTF8Text.offset(bytes, of: wanted)))
        return
      }
      let missing = wanted - length
      if pad.isEmpty { throw nothingToPadWith(left ? "lpad" : "rpad") }
      if missing > ResultText.limit { throw textTooLong() }
      if !left { try buffer.append(bytes) }
      let period = UTF8Text.count(pad)
      try buffer.append(pad, times: missing / period)
      try buffer.append(
        UTF8Text.part(pad, 0..<UTF8Text.offset(pad, of: missing % period)))
      if left { try buffer.append(bytes) }
    }
  }

  // MARK: Trimming

  private static func trimming(left: Bool, right: Bool) -> [ScalarOverload] {
    [
      .taking([.varchar], returns: .varchar) { a, n, _ in
        trimmed(a[0], n, left: left, right: right)
      },
      .taking([.varchar, .varchar], returns: .varchar) { a, n, _ in
        trimmed(a, n, left: left, right: right)
      },
    ]
  }

  private static func trimmed(_ column: Column, _ count: Int, left: Bool, right: Bool) -> Column {
    let x = ColumnReader<StringView>(column)
    return Kernels.rows([column], count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      var start = 0
      var end = bytes.count
      if left { while start < end, bytes[start] == 32 { start += 1 } }
      if right { while end > start, bytes[end - 1] == 32 { end -= 1 } }
      return UTF8Text.view(bytes, start, end)
    }
  }

  private static func trimmed(_ arguments: [Column], _ count: Int, left: Bool, right: Bool)
    -> Column
  {
    let x = ColumnReader<StringView>(arguments[0])
    let characters = ColumnReader<StringView>(arguments[1])
    return Kernels.rows(arguments, count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      var set = UTF8Text.scalars(characters.pointer(row).buffer)
      // What is scanned for each character is kept short: a scalar once.
      if set.count > 32 { set = Array(Set(set)) }
      var start = 0
      var end = bytes.count
      if left {
        while start < end, set.contains(UTF8Text.scalar(bytes, start)) {
          start += UTF8Text.width(bytes, start)
        }
      }
      if right {
        while end > start {
          var last = end - 1
          while last > start, bytes[last] & 0xC0 == 0x80 { last -= 1 }
          guard set.contains(UTF8Text.scalar(bytes, last)) else { break }
          end = last
        }
      }
      return UTF8Text.view(bytes, start, end)
    }
  }

  private static func nothingToPadWith(_ function: String) -> SQLError {
    SQLError(.invalidInput, "\(function) has an empty string to pad with")
  }
}
