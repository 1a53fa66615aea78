import Columnar
import Diagnostics

/// Functions that make lists longer, shorter or flat. A NULL list counts as no list where
/// elements are added.
enum ListBuildingFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "array_pop_back", category: "list", summary: "The list without its last element.",
      examples: [("array_pop_back([1, 2, 3])", "[1, 2]")],
      overloads: [cutting { ListEntry(offset: $0.offset, length: max(0, $0.length - 1)) }]),
    ScalarFunction(
      "array_pop_front", category: "list", summary: "The list without its first element.",
      examples: [("array_pop_front([1, 2, 3])", "[2, 3]")],
      overloads: [
        cutting { ListEntry(offset: $0.offset + min(1, $0.length), length: max(0, $0.length - 1)) }
      ]),
    ScalarFunction(
      "array_to_string", category: "list",
      summary: "The elements that are not NULL as text, with a separator between them.",
      examples: [("array_to_string([1, NULL, 3], '-')", "1-3")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { _ in .varchar }, coerce: textsAndSeparator, nulls: .custom,
          kernel: { a, n, _ in try joined(a[0], a[1], n) })
      ]),
    ScalarFunction(
      "array_to_string_comma_default", category: "list",
      summary: "As array_to_string; the separator is a comma when it is not given.",
      examples: [("array_to_string_comma_default([1, 2])", "1,2")],
      overloads: [
        ScalarOverload(
          [.any], variadic: .any, resultFrom: { _ in .varchar }, coerce: textsAndSeparator,
          nulls: .custom, kernel: { a, n, _ in try joined(a[0], a.count > 1 ? a[1] : nil, n) })
      ]),
    ScalarFunction(
      "flatten", aliases: ["list_flatten", "array_flatten"], category: "list",
      summary: "The elements of the lists of a list, one list after the other.",
      examples: [("flatten([[1, 2], NULL, [3]])", "[1, 2, 3]")],
      overloads: [
        ScalarOverload(
          [.any], resultFrom: { $0[0].elementType ?? .list(.null) }, coerce: listOfLists,
          kernel: { a, n, t in flattened(a[0], n, t) })
      ],
      forms: [FunctionForm("LIST of lists", gives: "LIST")]),
    ScalarFunction(
      "list_append", aliases: ["array_append", "array_push_back"], category: "list",
      summary: "The list with one more element at its end.",
      examples: [("list_append([1, 2], 3)", "[1, 2, 3]")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: { try listAndElement($0, list: 0) },
          nulls: .custom,
          kernel: { a, n, t in concatenated([a[0], ListKernels.lists(of: [a[1]], n, t)], n, t) })
      ],
      forms: [FunctionForm("LIST", "T", gives: "LIST")]),
    ScalarFunction(
      "list_concat", aliases: ["list_cat", "array_concat", "array_cat"], category: "list",
      summary: "The elements of all lists, one list after the other; NULLs are left out.",
      examples: [
        ("list_concat([1], [2, 3])", "[1, 2, 3]"), ("list_concat([1], NULL)", "[1]"),
      ],
      overloads: [
        ScalarOverload(
          [.any], variadic: .any, resultFrom: { $0[0] }, coerce: allLists, nulls: .custom,
          kernel: { a, n, t in concatenated(a, n, t) })
      ]),
    ScalarFunction(
      "list_prepend", aliases: ["array_prepend"], category: "list",
      summary: "The list with one more element before its first.",
      examples: [("list_prepend(0, [1, 2])", "[0, 1, 2]")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[1] }, coerce: { try listAndElement($0, list: 1) },
          nulls: .custom,
          kernel: { a, n, t in concatenated([ListKernels.lists(of: [a[0]], n, t), a[1]], n, t) })
      ],
      forms: [FunctionForm("T", "LIST", gives: "LIST")]),
    ScalarFunction(
      "array_push_front", category: "list",
      summary: "The list with one more element before its first.",
      examples: [("array_push_front([1, 2], 0)", "[0, 1, 2]")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: { try listAndElement($0, list: 0) },
          nulls: .custom,
          kernel: { a, n, t in concatenated([ListKernels.lists(of: [a[1]], n, t), a[0]], n, t) })
      ],
      forms: [FunctionForm("LIST", "T", gives: "LIST")]),
    ScalarFunction(
      "list_resize", aliases: ["array_resize"], category: "list",
      summary: "The list cut to a length, or filled up to it with NULL or the third argument.",
      examples: [
        ("list_resize([1, 2, 3], 2)", "[1, 2]"), ("list_resize([1], 3, 0)", "[1, 0, 0]"),
      ],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: resizable, nulls: .custom,
          kernel: { a, n, t in try resized(a, n, t) }),
        ScalarOverload(
          [.any, .any, .any], resultFrom: { $0[0] }, coerce: resizable, nulls: .custom,
          kernel: { a, n, t in try resized(a, n, t) }),
      ],
      forms: [
        FunctionForm("LIST", "BIGINT", gives: "LIST"),
        FunctionForm("LIST", "BIGINT", "T", gives: "LIST"),
      ]),
    ScalarFunction(
      "list_zip", aliases: ["array_zip"], category: "list",
      summary: "A list of rows of the lists' elements; the longest sets its length, or the "
        + "shortest when a last argument is true.",
      examples: [
        ("list_zip([1, 2], ['a'])", "[(1, a), (2, NULL)]"),
        ("list_zip([1, 2], ['a'], true)", "[(1, a)]"),
      ],
      overloads: [
        ScalarOverload(
          [.any], variadic: .any, resultFrom: zippedType, coerce: zippable, nulls: .custom,
          kernel: { a, n, t in zipped(a, n, t) })
      ],
      forms: [FunctionForm("LIST", more: "LIST | BOOLEAN", gives: "LIST of TUPLE")]),
  ]

  // MARK: Types

  private static func list(_ type: LogicalType) -> LogicalType? {
    type == .null ? .list(.null) : type.elementType.map { .list($0) }
  }

  private static func needsList(_ type: LogicalType) -> SQLError {
    SQLError(.binder, "a list is needed, not \(type)")
  }

  private static func textsAndSeparator(_ types: [LogicalType]) throws -> [LogicalType] {
    guard list(types[0]) != nil else { throw needsList(types[0]) }
    guard types.count <= 2 else { throw SQLError(.binder, "one separator is enough") }
    return [.list(.varchar)] + types.dropFirst().map { _ in .varchar }
  }

  private static func listOfLists(_ types: [LogicalType]) throws -> [LogicalType] {
    guard let outer = list(types[0]), let inner = outer.elementType, let item = list(inner) else {
      throw SQLError(.binder, "a list of lists is needed, not \(types[0])")
    }
    return [.list(item)]
  }

  private static func listAndElement(_ types: [LogicalType], list place: Int) throws
    -> [LogicalType]
  {
    guard let known = list(types[place])?.elementType else { throw needsList(types[place]) }
    guard let common = ImplicitCast.commonType(known, types[1 - place]) else {
      throw SQLError(.binder, "cannot put \(types[1 - place]) into \(types[place])")
    }
    var result = [LogicalType](repeating: common, count: 2)
    result[place] = .list(common)
    return result
  }

  private static func allLists(_ types: [LogicalType]) throws -> [LogicalType] {
    var common = LogicalType.list(.null)
    for type in types {
      guard let one = list(type), let joined = ImplicitCast.commonType(common, one) else {
        throw SQLError(.binder, "cannot concatenate \(common) and \(type)")
      }
      common = joined
    }
    return types.map { _ in common }
  }

  /// What `+` takes of lists: both must be.
  static func twoLists(_ types: [LogicalType]) throws -> [LogicalType] {
    guard types.contains(where: { $0.elementType != nil }) else { throw needsList(types[0]) }
    return try allLists(types)
  }

  private static func resizable(_ types: [LogicalType]) throws -> [LogicalType] {
    guard let known = list(types[0])?.elementType else { throw needsList(types[0]) }
    guard types[1].elementType == nil, types[1] != .blob else {
      throw SQLError(.binder, "a length is an integer, not \(types[1])")
    }
    if types.count == 2 { return [.list(known), .bigint] }
    // The list keeps its type; what fills it up is cast.
    let element = known == .null ? types[2] : known
    return [.list(element), .bigint, element]
  }

  private static func zippable(_ types: [LogicalType]) throws -> [LogicalType] {
    try types.enumerated().map { position, type in
      if type == .boolean && position > 0 && position == types.count - 1 { return type }
      guard let one = list(type) else { throw needsList(type) }
      return one
    }
  }

  private static func zippedType(_ types: [LogicalType]) -> LogicalType {
    .list(.structure(types.compactMap { $0.elementType.map { Field("", $0) } }))
  }

  // MARK: Kernels

  private static func cutting(
    _ cut: @escaping @Sendable (ListEntry) -> ListEntry
  ) -> ScalarOverload {
    ScalarOverload([.anyList], resultFrom: { $0[0] }) { a, n, t in
      let x = ColumnReader<ListEntry>(a[0])
      let result = Kernels.rows(a, n, t, ListEntry.self) { cut(x[$0]) }
      result.replaceChildren(a[0].children)
      return result
    }
  }

  private static func joined(_ lists: Column, _ separator: Column?, _ count: Int) throws -> Column {
    let x = ColumnReader<ListEntry>(lists)
    let items = ColumnReader<StringView>(lists.children[0])
    let between = separator.map { ColumnReader<StringView>($0) }
    let cancellation = Cancellation.current
    return try Kernels.nullableTexts([lists], count) { row, buffer in
      var isFirst = true
      for place in x[row].offset..<(x[row].offset + x[row].length) where !items.isNull(place) {
        if !isFirst {
          if let between, !between.isNull(row) {
            try buffer.append(between.pointer(row))
          } else {
            try buffer.append(UInt8(0x2C))
          }
        }
        isFirst = false
        try cancellation.check()
        try buffer.append(items.pointer(place))
      }
      // Nothing but NULLs is NULL; nothing at all is the empty text.
      return !isFirst || x[row].length == 0
    }
  }

  private static func flattened(_ column: Column, _ count: Int, _ type: LogicalType) -> Column {
    let outer = ColumnReader<ListEntry>(column)
    let middle = column.children[0]
    let inner = ColumnReader<ListEntry>(middle)
    guard let leaves = middle.children.first else { return Column.nulls(type, count: count) }
    var picks: [Int] = []
    let result = Kernels.rows([column], count, type, ListEntry.self) { row in
      let start = picks.count
      for place in outer[row].offset..<(outer[row].offset + outer[row].length)
      where !inner.isNull(place) {
        picks.append(contentsOf: inner[place].offset..<(inner[place].offset + inner[place].length))
      }
      return ListEntry(offset: start, length: picks.count - start)
    }
    result.replaceChildren([Column.dictionary(leaves, Selection(picks)).flattened()])
    return result
  }

  /// Each row's lists one after the other, NULL ones left out; bare NULLs alone give NULL.
  static func concatenated(_ lists: [Column], _ count: Int, _ type: LogicalType) -> Column {
    let element = type.elementType ?? .null
    var builder = ColumnBuilder(element, capacity: 64)
    var starts: [Int] = []
    for list in lists {
      starts.append(builder.count)
      builder.append(list.children[0])
    }
    let all = builder.finish()
    let readers = lists.map { ColumnReader<ListEntry>($0) }
    var picks: [Int] = []
    let result = Kernels.nullableRows([], count, type, ListEntry.self) { row in
      let start = picks.count
      var isNull = element == .null
      for (position, reader) in readers.enumerated() where !reader.isNull(row) {
        isNull = false
        let from = starts[position] + reader[row].offset
        picks.append(contentsOf: from..<(from + reader[row].length))
      }
      return isNull ? nil : ListEntry(offset: start, length: picks.count - start)
    }
    result.replaceChildren([Column.dictionary(all, Selection(picks)).flattened()])
    return result
  }

  private static func resized(_ a: [Column], _ count: Int, _ type: LogicalType) throws -> Column {
    let element = type.elementType ?? .null
    // The fillers lie behind the elements, a NULL behind those.
    var builder = ColumnBuilder(element, capacity: 64)
    builder.append(a[0].children[0])
    let fillers = builder.count
    if a.count > 2 { builder.append(a[2]) }
    let null = builder.count
    builder.appendNull()
    let all = builder.finish()
    let x = ColumnReader<ListEntry>(a[0])
    let lengths = ColumnReader<Int64>(a[1])
    var picks: [Int] = []
    let result = try Kernels.rows([a[0]], count, type, ListEntry.self) { row in
      let start = picks.count
      let length = lengths.isNull(row) ? 0 : lengths[row]
      guard length >= 0 else {
        throw SQLError(.outOfRange, "a list cannot have the length \(length)")
      }
      try ListKernels.checkRoom(start, Int(length))
      let kept = min(Int(length), x[row].length)
      picks.append(contentsOf: x[row].offset..<(x[row].offset + kept))
      let filler = a.count > 2 ? fillers + row : null
      picks.append(contentsOf: repeatElement(filler, count: Int(length) - kept))
      return ListEntry(offset: start, length: Int(length))
    }
    result.replaceChildren([Column.dictionary(all, Selection(picks)).flattened()])
    return result
  }

  private static func zipped(_ a: [Column], _ count: Int, _ type: LogicalType) -> Column {
    let lists = a.filter { $0.type.elementType != nil }
    let truncates = a.count > lists.count ? ColumnReader<UInt8>(a[a.count - 1]) : nil
    let readers = lists.map { ColumnReader<ListEntry>($0) }
    var picks = [[Int]](repeating: [], count: lists.count)
    var total = 0
    let result = Kernels.rows([], count, type, ListEntry.self) { row in
      let lengths = readers.map { $0.isNull(row) ? 0 : $0[row].length }
      var isCut = false
      if let truncates, !truncates.isNull(row) { isCut = truncates[row] != 0 }
      let length = (isCut ? lengths.min() : lengths.max()) ?? 0
      for (position, reader) in readers.enumerated() {
        for item in 0..<length {
          picks[position].append(item < lengths[position] ? reader[row].offset + item : -1)
        }
      }
      total += length
      return ListEntry(offset: total - length, length: length)
    }
    let fields = zip(lists, picks).map { list, places in
      ListKernels.picked(list.children[0], total) { places[$0] < 0 ? nil : places[$0] }.flattened()
    }
    let element = type.elementType ?? .null
    result.replaceChildren([Column(flat: element, count: total, children: fields)])
    return result
  }
}
