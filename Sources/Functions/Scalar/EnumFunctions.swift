import Columnar
import Diagnostics

/// Functions about the labels of an ENUM type; but for `enum_code` they look at the argument's type
/// and not at its value, so that `NULL::mood` stands for all of it.
enum EnumFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "enum_code", category: "enum", summary: "The position of an ENUM's value, from 0.",
      examples: [("enum_code('b'::ENUM('a', 'b'))", "1")],
      overloads: [
        ScalarOverload(
          [.any], resultFrom: { codeType($0[0]) }, coerce: { [.enumeration(try one($0))] }
        ) { a, _, t in a[0].reinterpreted(as: t) }
      ]),
    ScalarFunction(
      "enum_first", category: "enum", summary: "The first label of an ENUM type.",
      examples: [("enum_first(NULL::ENUM('a', 'b'))", "a")],
      overloads: [label { $0.first }]),
    ScalarFunction(
      "enum_last", category: "enum", summary: "The last label of an ENUM type.",
      examples: [("enum_last(NULL::ENUM('a', 'b'))", "b")],
      overloads: [label { $0.last }]),
    ScalarFunction(
      "enum_range", category: "enum", summary: "All labels of an ENUM type, in their order.",
      examples: [("enum_range(NULL::ENUM('a', 'b'))", "[a, b]")],
      overloads: [
        ScalarOverload(
          [.any], resultFrom: { _ in .list(.varchar) }, coerce: { [.enumeration(try one($0))] },
          nulls: .custom
        ) { a, n, t in
          try Column.constant(
            .list(labels(a[0].type).map { .varchar($0) }), t, count: n)
        }
      ]),
    ScalarFunction(
      "enum_range_boundary", category: "enum",
      summary: "The labels from one to another, both included; NULL is the type's end there.",
      examples: [
        ("enum_range_boundary('b'::ENUM('a', 'b', 'c'), NULL)", "[b, c]"),
        ("enum_range_boundary(NULL, 'b'::ENUM('a', 'b', 'c'))", "[a, b]"),
      ],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { _ in .list(.varchar) },
          coerce: { types in
            let shared = LogicalType.enumeration(try one(types))
            return [shared, shared]
          }, nulls: .custom
        ) { a, n, t in
          let labels = labels(a[0].type)
          let all = try Column.constant(.list(labels.map { .varchar($0) }), t, count: 1)
          let result = Column(flat: t, count: n, children: all.children)
          let entries = result.values(as: ListEntry.self)
          for row in 0..<n {
            let low = a[0].isNull(row) ? 0 : a[0].enumPosition(a[0].valueIndex(row))
            let high = a[1].isNull(row) ? labels.count - 1 : a[1].enumPosition(a[1].valueIndex(row))
            entries[row] = ListEntry(offset: low, length: max(0, high - low + 1))
          }
          return result
        }
      ]),
  ]

  private static func labels(_ type: LogicalType) -> [String] {
    if case .enumeration(let labels) = type { labels.labels } else { [] }
  }

  private static func codeType(_ type: LogicalType) -> LogicalType {
    switch type.physical {
    case .uint8: .utinyint
    case .uint16: .usmallint
    default: .uinteger
    }
  }

  private static func label(_ pick: @escaping @Sendable ([String]) -> String?) -> ScalarOverload {
    ScalarOverload(
      [.any], resultFrom: { _ in .varchar }, coerce: { [.enumeration(try one($0))] },
      nulls: .custom
    ) { a, n, t in
      guard let label = pick(labels(a[0].type)) else { return Column.nulls(t, count: n) }
      return try Column.constant(.varchar(label), t, count: n)
    }
  }

  /// The one ENUM type among types that are it or NULL.
  private static func one(_ types: [LogicalType]) throws -> EnumLabels {
    var found: EnumLabels?
    for type in types where type != .null {
      guard case .enumeration(let labels) = type else { throw needsEnum(type) }
      if let found, found != labels {
        throw SQLError(.binder, "the two values are of different ENUM types")
      }
      found = labels
    }
    guard let found else { throw needsEnum(.null) }
    return found
  }

  private static func needsEnum(_ type: LogicalType) -> SQLError {
    SQLError(.binder, "a value of an ENUM type is needed, not \(type)")
  }
}
