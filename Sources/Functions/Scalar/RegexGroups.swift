import Columnar
import Diagnostics

/// regexp_extract and regexp_extract_all with a list of names: as many groups of a match as a STRUCT.
enum RegexGroups {
  /// Of the first match; a group that took no part is the empty text.
  static func first(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard let names = try names(arguments, of: "regexp_extract") else { return nil }
    let overload = ScalarOverload(
      [.any, .any, .any], variadic: .any,
      returns: .structure(names.map { Field($0, .varchar) })
    ) { a, n, t in
      let children = try names.indices.map { index in
        let group = try Column.constant(.integer(Int128(index + 1)), .integer, count: n)
        return try RegexFunctions.extract([a[0], a[1], group] + a.dropFirst(3), n).flattened()
      }
      let result = Column(flat: t, count: n, children: children)
      for argument in a { result.addNulls(of: argument) }
      return result
    }
    return (overload, types(arguments.count))
  }

  /// A list of those of all matches; a group that took no part is NULL.
  static func all(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard let names = try names(arguments, of: "regexp_extract_all") else { return nil }
    let structure = LogicalType.structure(names.map { Field($0, .varchar) })
    let overload = ScalarOverload([.any, .any, .any], variadic: .any, returns: .list(structure)) {
      a, n, t in
      let x = ColumnReader<StringView>(a[0])
      let patterns = try RegexFunctions.Patterns(a[1], a.count > 3 ? a[3] : nil)
      let matcher = try RegexMatcher()
      var groups = names.map { _ in ColumnBuilder(.varchar, capacity: n) }
      let result = try Kernels.rows(a, n, t, ListEntry.self) { row in
        let bytes = x.pointer(row).buffer
        let expression = try patterns.compiled(row)
        let start = groups[0].count
        try RegexFunctions.forEachMatch(matcher, expression, bytes) { _ in
          for index in groups.indices {
            if index < expression.groupCount, let range = matcher.group(index + 1) {
              groups[index].append(bytes: UTF8Text.part(bytes, range))
            } else {
              groups[index].appendNull()
            }
          }
          try ListKernels.checkParts(groups[0])
          return true
        }
        return ListEntry(offset: start, length: groups[0].count - start)
      }
      let children = groups.indices.map { groups[$0].finish() }
      result.replaceChildren([
        Column(flat: structure, count: children[0].count, children: children)
      ])
      return result
    }
    return (overload, types(arguments.count))
  }

  private static func types(_ count: Int) -> [LogicalType] {
    Array([.varchar, .varchar, .list(.varchar), .varchar].prefix(count))
  }

  /// The names, where the third argument is a list of them.
  private static func names(
    _ arguments: [CallArgument], of function: String
  ) throws -> [String]? {
    guard arguments.count == 3 || arguments.count == 4,
      case .list(let items)? = arguments[2].value
    else { return nil }
    let names = items.compactMap { if case .varchar(let name) = $0 { name } else { nil } }
    guard !names.isEmpty, names.count == items.count else {
      throw SQLError(.binder, "the names of \(function)'s groups are constant texts")
    }
    if case .varchar(var pattern)? = arguments[1].value {
      let groups = try pattern.withUTF8 { try RegularExpression.compiled($0).groupCount }
      if groups < names.count {
        throw SQLError(
          .binder, "the pattern has \(groups) groups for \(names.count) names")
      }
    }
    return names
  }
}
