import Columnar
import Diagnostics

/// Functions of MAPs.
enum MapFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "cardinality", category: "map", summary: "The number of entries of a map, or of elements.",
      examples: [("cardinality(MAP {'a': 1, 'b': 2})", "2")],
      overloads: [
        ScalarOverload([.anyMap], returns: .ubigint, kernel: length),
        ScalarOverload([.anyList], returns: .ubigint, kernel: length),
      ]),
    ScalarFunction(
      "map", category: "map", summary: "A map of a list of keys and a list of their values.",
      examples: [("map(['a', 'b'], [1, 2])", "{a=1, b=2}"), ("map()", "{}")],
      overloads: [
        ScalarOverload([], returns: .map(key: .null, value: .null)) { _, n, t in
          try Column.constant(.list([]), t, count: n)
        },
        ScalarOverload(
          [.anyList, .anyList],
          resultFrom: { .map(key: $0[0].elementType ?? .null, value: $0[1].elementType ?? .null) }
        ) { a, n, t in try MapKernels.paired(a, n, t) },
      ]),
    ScalarFunction(
      "map_concat", category: "map",
      summary: "The entries of all maps in one; of equal keys the last map's value counts.",
      examples: [("map_concat(MAP {'a': 1}, MAP {'b': 2, 'a': 3})", "{a=3, b=2}")],
      overloads: [
        ScalarOverload(
          [.anyMap, .anyMap], variadic: .anyMap, resultFrom: { $0[0] },
          coerce: { types in
            var common = LogicalType.null
            for type in types {
              _ = try map(type)
              guard let joined = ImplicitCast.commonType(common, type) else {
                throw SQLError(.binder, "map_concat cannot join \(common) and \(type)")
              }
              common = joined
            }
            if common == .null { common = .map(key: .null, value: .null) }
            return types.map { _ in common }
          }, nulls: .custom
        ) { a, n, t in MapKernels.concatenated(a, n, t) }
      ]),
    ScalarFunction(
      "map_contains", category: "map", summary: "Whether the map has the key.",
      examples: [("map_contains(MAP {'a': 1}, 'a')", "true")], overloads: [containing]),
    ScalarFunction(
      "map_contains_entry", category: "map",
      summary: "Whether the map has the key with the value; NULL is a value like others here.",
      examples: [("map_contains_entry(MAP {'a': 1}, 'a', 2)", "false")],
      overloads: [
        ScalarOverload(
          [.anyMap, .any, .any], resultFrom: { _ in .boolean },
          coerce: { types in
            let (key, value) = try map(types[0])
            let joined = try (joined(key, types[1]), joined(value, types[2]))
            return [.map(key: joined.0, value: joined.1), joined.0, joined.1]
          }, nulls: .custom
        ) { a, n, _ in
          let places = MapKernels.places(a[0], a[1], n)
          let values = MapKernels.parts(a[0]).values
          return Kernels.predicate([a[0]], n) { row in
            places[row] >= 0 && NestedComparison.compare(values, places[row], a[2], row) == 0
          }
        }
      ]),
    ScalarFunction(
      "map_contains_value", category: "map", summary: "Whether the map has the value.",
      examples: [("map_contains_value(MAP {'a': 1}, 1)", "true")],
      overloads: [
        ScalarOverload(
          [.anyMap, .any], resultFrom: { _ in .boolean },
          coerce: { types in
            let (key, value) = try map(types[0])
            let joined = try joined(value, types[1])
            return [.map(key: key, value: joined), joined]
          }
        ) { a, n, _ in
          let values = MapKernels.rewrapped(
            a[0], as: .list(a[1].type), over: MapKernels.parts(a[0]).values)
          let places = ElementSearch.places(of: a[1], in: values, n)
          return Kernels.predicate(a, n) { places[$0] >= 0 }
        }
      ]),
    ScalarFunction(
      "map_entries", category: "map", summary: "The entries as a list of structs `key`, `value`.",
      examples: [("map_entries(MAP {'a': 1})", "[{'key': a, 'value': 1}]")],
      overloads: [
        listing {
          .mapEntry($0, $1)
        } _: {
          $0.children[0].flattened()
        }
      ]),
    ScalarFunction(
      "map_extract", aliases: ["element_at"], category: "map",
      summary: "A list of the key's value; an empty one when the map has no such key.",
      examples: [("map_extract(MAP {'a': 1}, 'a')", "[1]")],
      overloads: [
        ScalarOverload(
          [.anyMap, .any], resultFrom: { .list(try map($0[0]).value) }, coerce: sought,
          nulls: .custom
        ) { a, n, t in
          let places = MapKernels.places(a[0], a[1], n)
          let result = Kernels.rows([a[0]], n, t, ListEntry.self) { row in
            places[row] < 0
              ? ListEntry(offset: 0, length: 0) : ListEntry(offset: places[row], length: 1)
          }
          result.replaceChildren([MapKernels.parts(a[0]).values])
          return result
        }
      ]),
    ScalarFunction(
      "map_extract_value", category: "map",
      summary: "The value of a key; NULL when the map has no such key. m[key] is the same.",
      examples: [("map_extract_value(MAP {'a': 1}, 'a')", "1"), ("MAP {'a': 1}['a']", "1")],
      overloads: [
        ScalarOverload(
          [.anyMap, .any], resultFrom: { try map($0[0]).value }, coerce: sought, nulls: .custom
        ) { a, n, _ in
          let places = MapKernels.places(a[0], a[1], n)
          return ListKernels.picked(MapKernels.parts(a[0]).values, n) { row in
            places[row] < 0 ? nil : places[row]
          }
        }
      ]),
    ScalarFunction(
      "map_from_entries", category: "map",
      summary: "A map of a list of structs or rows of a key and its value.",
      examples: [("map_from_entries([('a', 1), ('b', 2)])", "{a=1, b=2}")],
      overloads: [
        ScalarOverload(
          [.anyList], resultFrom: { try fromEntries($0[0]) },
          coerce: { types in
            _ = try fromEntries(types[0])
            if types[0] == .null { return [.list(.null)] }
            return [types[0].elementType.map { .list($0) } ?? types[0]]
          }
        ) { a, n, t in try map(fromEntries: a[0], t) }
      ], forms: [FunctionForm("LIST of STRUCT", gives: "MAP")]),
    ScalarFunction(
      "map_keys", category: "map", summary: "The keys as a list.",
      examples: [("map_keys(MAP {'a': 1, 'b': 2})", "[a, b]")],
      overloads: [
        listing { key, _ in
          key
        } _: {
          MapKernels.parts($0).keys
        }
      ]),
    ScalarFunction(
      "map_values", category: "map", summary: "The values as a list.",
      examples: [("map_values(MAP {'a': 1, 'b': 2})", "[1, 2]")],
      overloads: [
        listing {
          $1
        } _: {
          MapKernels.parts($0).values
        }
      ]),
  ]

  /// Whether a map has a key.
  static let containing = ScalarOverload(
    [.anyMap, .any], resultFrom: { _ in .boolean }, coerce: sought
  ) { a, n, _ in
    let places = MapKernels.places(a[0], a[1], n)
    return Kernels.predicate(a, n) { places[$0] >= 0 }
  }

  // MARK: Types

  private static func map(_ type: LogicalType) throws -> (key: LogicalType, value: LogicalType) {
    switch type {
    case .map(let key, let value): return (key, value)
    case .null: return (.null, .null)
    default: throw SQLError(.binder, "a MAP is needed, not \(type)")
    }
  }

  private static func joined(_ a: LogicalType, _ b: LogicalType) throws -> LogicalType {
    guard let common = ImplicitCast.commonType(a, b) else {
      throw SQLError(.binder, "a map of \(a) has no place for \(b)")
    }
    return common
  }

  /// A map and a key, the keys as their common type.
  private static func sought(_ types: [LogicalType]) throws -> [LogicalType] {
    let (key, value) = try map(types[0])
    let common = try joined(key, types[1])
    return [.map(key: common, value: value), common]
  }

  private static func fromEntries(_ type: LogicalType) throws -> LogicalType {
    switch type == .null ? .null : type.elementType ?? .boolean {
    case .null: return .map(key: .null, value: .null)
    case .structure(let fields) where fields.count == 2:
      return .map(key: fields[0].type, value: fields[1].type)
    default:
      throw SQLError(.binder, "map_from_entries takes a list of structs of two fields, not \(type)")
    }
  }

  // MARK: Kernels

  private static let length: ScalarOverload.Kernel = { a, n, t in
    let runs = ColumnReader<ListEntry>(a[0])
    return Kernels.rows(a, n, t, UInt64.self) { UInt64(runs[$0].length) }
  }

  /// A list of something of each entry.
  private static func listing(
    _ element: @escaping @Sendable (LogicalType, LogicalType) -> LogicalType,
    _ child: @escaping @Sendable (Column) -> Column
  ) -> ScalarOverload {
    ScalarOverload(
      [.anyMap],
      resultFrom: { types in
        let (key, value) = try map(types[0])
        return .list(element(key, value))
      }
    ) { a, _, t in MapKernels.rewrapped(a[0], as: t, over: child(a[0])) }
  }

  private static func map(fromEntries list: Column, _ type: LogicalType) throws -> Column {
    let structs = list.children[0].flattened()
    guard structs.children.count == 2 else {
      // A list without elements, or of bare NULLs.
      let runs = ColumnReader<ListEntry>(list)
      for row in 0..<list.count where !runs.isNull(row) && runs[row].length > 0 {
        throw MapKernels.nullKey()
      }
      return MapKernels.rewrapped(
        list, as: type, over: Column(flat: type.listElement ?? .null, count: 0))
    }
    let parts = structs.children.map { $0.withNulls(of: structs).flattened() }
    let result = MapKernels.rewrapped(
      list, as: type, over: MapKernels.entries(type, parts[0], parts[1]))
    try MapKernels.check(result)
    return result
  }
}
