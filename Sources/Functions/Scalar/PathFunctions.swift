import Columnar
import Diagnostics

/// Parts of file paths. The separator is 'both_slash' unless 'forward_slash', 'backslash' or
/// 'system' is given.
enum PathFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "parse_dirname", category: "path", summary: "The first folder of a path.",
      examples: [("parse_dirname('a/b/c.csv')", "a")],
      overloads: parts { path, isSeparator in
        guard let end = path.firstIndex(where: isSeparator) else { return 0..<0 }
        return 0..<max(end, 1)
      }),
    ScalarFunction(
      "parse_dirpath", category: "path", summary: "The path without its last part.",
      examples: [("parse_dirpath('a/b/c.csv')", "a/b")],
      overloads: parts { path, isSeparator in
        guard let end = path.lastIndex(where: isSeparator) else { return 0..<0 }
        return 0..<(path.count == 1 ? 1 : end)
      }),
    ScalarFunction(
      "parse_filename", category: "path",
      summary: "The last part of a path; without its extension when the second argument is true.",
      examples: [
        ("parse_filename('a/b/c.csv')", "c.csv"), ("parse_filename('a/b/c.csv', true)", "c"),
      ],
      overloads: [
        .taking([.varchar], returns: .varchar) { a, n, t in try fileNames(a[0], nil, nil, n) },
        .taking([.varchar, .boolean], returns: .varchar) { a, n, t in
          try fileNames(a[0], a[1], nil, n)
        },
        .taking([.varchar, .varchar], returns: .varchar) { a, n, t in
          try fileNames(a[0], nil, a[1], n)
        },
        .taking([.varchar, .boolean, .varchar], returns: .varchar) { a, n, t in
          try fileNames(a[0], a[1], a[2], n)
        },
      ]),
    ScalarFunction(
      "parse_path", category: "path", summary: "The folders and the file of a path as a list.",
      examples: [("parse_path('/a/b.csv')", "[/, a, b.csv]")],
      overloads: [
        .taking([.varchar], returns: .list(.varchar)) { a, n, t in try components(a, n, t) },
        .taking([.varchar, .varchar], returns: .list(.varchar)) { a, n, t in
          try components(a, n, t)
        },
      ]),
  ]

  private typealias Test = (UInt8) -> Bool

  /// Which bytes part a row's path.
  private static func separators(_ names: Column?) throws -> (Int) throws -> Test {
    guard let names else { return { _ in { $0 == 0x2F || $0 == 0x5C } } }
    let reader = ColumnReader<StringView>(names)
    return { row in
      switch reader[row].string {
      case "system", "forward_slash": return { $0 == 0x2F }
      case "backslash": return { $0 == 0x5C }
      // As in DuckDB, any other word is the default.
      default: return { $0 == 0x2F || $0 == 0x5C }
      }
    }
  }

  private static func parts(
    _ part: @escaping @Sendable (UTF8Text.Bytes, (UInt8) -> Bool) -> Range<Int>
  ) -> [ScalarOverload] {
    let kernel: ScalarOverload.Kernel = { a, n, t in
      let x = ColumnReader<StringView>(a[0])
      let test = try separators(a.count > 1 ? a[1] : nil)
      return try Kernels.rows(a, n, t, StringView.self) { row in
        let bytes = x.pointer(row).buffer
        let range = part(bytes, try test(row))
        return UTF8Text.view(bytes, range.lowerBound, range.upperBound)
      }
    }
    return [
      .taking([.varchar], returns: .varchar, kernel),
      .taking([.varchar, .varchar], returns: .varchar, kernel),
    ]
  }

  private static func fileNames(
    _ paths: Column, _ trims: Column?, _ names: Column?, _ count: Int
  ) throws -> Column {
    let x = ColumnReader<StringView>(paths)
    let trim = trims.map { ColumnReader<UInt8>($0) }
    let test = try separators(names)
    let arguments = [paths] + [trims, names].compactMap { $0 }
    return try Kernels.rows(arguments, count, .varchar, StringView.self) { row in
      let bytes = x.pointer(row).buffer
      let start = bytes.lastIndex(where: try test(row)).map { $0 + 1 } ?? 0
      var end = bytes.count
      if let trim, trim[row] != 0, let dot = bytes.lastIndex(of: 0x2E), dot >= start { end = dot }
      return UTF8Text.view(bytes, start, end)
    }
  }

  private static func components(_ a: [Column], _ count: Int, _ type: LogicalType) throws -> Column
  {
    let x = ColumnReader<StringView>(a[0])
    let test = try separators(a.count > 1 ? a[1] : nil)
    var items = ColumnBuilder(.varchar, capacity: 64)
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      let bytes = x.pointer(row).buffer
      let isSeparator = try test(row)
      let begin = items.count
      var position = 0
      if let first = bytes.first, isSeparator(first) {
        items.append(bytes: UTF8Text.part(bytes, 0..<1))
        position = 1
      }
      while position < bytes.count {
        let end = bytes[position...].firstIndex(where: isSeparator) ?? bytes.count
        if end > position { items.append(bytes: UTF8Text.part(bytes, position..<end)) }
        position = end + 1
      }
      return ListEntry(offset: begin, length: items.count - begin)
    }
    result.replaceChildren([items.finish()])
    return result
  }
}
