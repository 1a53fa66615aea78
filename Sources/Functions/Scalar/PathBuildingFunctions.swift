import Columnar
import Diagnostics

/// Paths made of parts.
enum PathBuildingFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "hive_partition_component", category: "path",
      summary: "The folder `name=value` of a partitioned data set, both encoded as in a URL.",
      examples: [
        ("hive_partition_component('day', DATE '2024-02-29')", "day=2024-02-29"),
        ("hive_partition_component('a', 'x/y')", "a=x%2Fy"),
      ],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { _ in .varchar }, coerce: { _ in [.varchar, .varchar] },
          nulls: .custom
        ) { a, n, t in
          let (names, values) = (
            ColumnReader<StringView>(a[0]), ColumnReader<StringView>(a[1])
          )
          return try Kernels.texts([a[0]], n) { row, buffer in
            try TextEncodingFunctions.appendURL(names.pointer(row).buffer, to: &buffer)
            try buffer.append(UInt8(0x3D))
            if values.isNull(row) {
              try buffer.append("__HIVE_DEFAULT_PARTITION__")
            } else {
              try TextEncodingFunctions.appendURL(values.pointer(row).buffer, to: &buffer)
            }
          }
        }
      ]),
    ScalarFunction(
      "path_join", category: "path",
      summary: "The parts as one path, . and .. resolved; an error where a later part is "
        + "absolute and not below the ones before it.",
      examples: [("path_join('a', '../b/', 'c.csv')", "b/c.csv"), ("path_join('/', 'b/')", "/b/")],
      overloads: [
        ScalarOverload([.exactly(.varchar)], variadic: .exactly(.varchar), returns: .varchar) {
          a, n, _ in
          let readers = a.map { ColumnReader<StringView>($0) }
          return try Kernels.texts(a, n) { row, buffer in
            try buffer.append(try joined(readers.map { $0[row].string }))
          }
        }
      ]),
  ]

  private static func joined(_ paths: [String]) throws -> String {
    let isAbsolute = paths.first?.hasPrefix("/") ?? false
    var parts: [Substring] = []
    for (position, path) in paths.enumerated() {
      let own = path.split(separator: "/")
      guard position > 0, path.hasPrefix("/") else {
        parts = resolved(own, onto: parts, isAbsolute: isAbsolute)
        continue
      }
      // Below what there is, it is that place.
      let whole = resolved(own, onto: [], isAbsolute: true)
      guard isAbsolute, whole.starts(with: parts) else {
        throw SQLError(
          .invalidInput, "the absolute path '\(path)' cannot be joined to a path before it")
      }
      parts = whole
    }
    if parts.isEmpty { return isAbsolute ? "/" : "." }
    let end = paths.last?.hasSuffix("/") ?? false ? "/" : ""
    return (isAbsolute ? "/" : "") + parts.joined(separator: "/") + end
  }

  /// The parts one after the other, `.` and `..` followed; an absolute path does not leave the root.
  private static func resolved(
    _ more: [Substring], onto base: [Substring], isAbsolute: Bool
  ) -> [Substring] {
    var parts = base
    for part in more where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else if part == "..", isAbsolute {
        continue
      } else {
        parts.append(part)
      }
    }
    return parts
  }
}
