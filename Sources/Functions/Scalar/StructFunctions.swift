import Columnar
import Diagnostics

/// Functions of STRUCTs: what they give hangs on the names of fields, so that each has a rule for
/// its signature.
enum StructFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "row", category: "struct", summary: "A row of values: a STRUCT whose fields have no names.",
      examples: [("row(1, 'a')", "(1, a)")],
      forms: [FunctionForm(more: "ANY", gives: "TUPLE")],
      signature: { arguments in
        let types = arguments.map(\.type)
        return (StructFields.packing(names: types.map { _ in "" }, types: types), types)
      }),
    ScalarFunction(
      "struct_concat", category: "struct", summary: "The fields of all structs in one.",
      examples: [("struct_concat({'a': 1}, {'b': 2})", "{'a': 1, 'b': 2}")],
      forms: [FunctionForm("STRUCT", more: "STRUCT", gives: "STRUCT")],
      signature: { arguments in
        var fields: [Field] = []
        for argument in arguments { fields += try structure(argument) }
        let named = fields.filter { !$0.name.isEmpty }
        guard !fields.isEmpty, named.isEmpty || named.count == fields.count else {
          throw SQLError(.binder, "struct_concat takes structs that all have names, or all none")
        }
        try checkDistinct(fields)
        return (
          ScalarOverload([], variadic: .any, returns: .structure(fields), nulls: .custom) {
            a, n, t in
            Column(
              flat: t, count: n, children: a.flatMap { column in parts(column, n) })
          }, arguments.map(\.type)
        )
      }),
    ScalarFunction(
      "struct_contains", aliases: ["struct_has"], category: "struct",
      summary: "Whether a row has the value among its fields.",
      examples: [("struct_contains(row(1, 2), 2)", "true")],
      forms: [FunctionForm("TUPLE", "ANY", gives: "BOOLEAN")],
      signature: { arguments in
        let types = try searchable(arguments)
        return (
          ScalarOverload([.any, .any], returns: .boolean) { a, n, _ in
            Kernels.predicate([a[0]], n) { row in find(a[0], a[1], row) != nil }
          }, types
        )
      }),
    ScalarFunction(
      "struct_extract", category: "struct",
      summary: "A field of a struct by its name, or of a row by its position.",
      examples: [("struct_extract({'a': 7}, 'a')", "7"), ("struct_extract(row(4, 5), 2)", "5")],
      forms: [
        FunctionForm("STRUCT", "VARCHAR", gives: "the field's type"),
        FunctionForm("TUPLE", "INTEGER", gives: "the field's type"),
      ],
      signature: { try extraction($0, byName: true) }),
    ScalarFunction(
      "struct_extract_at", category: "struct",
      summary: "A field of a struct by its position from 1.",
      examples: [("struct_extract_at({'a': 7, 'b': 8}, 2)", "8")],
      forms: [FunctionForm("STRUCT", "INTEGER", gives: "the field's type")],
      signature: { try extraction($0, byName: false) }),
    ScalarFunction(
      "struct_insert", category: "struct", summary: "The struct with more fields.",
      examples: [("struct_insert({'a': 1}, b := 2)", "{'a': 1, 'b': 2}")],
      forms: [FunctionForm("STRUCT", more: "name := ANY", gives: "STRUCT")],
      signature: { arguments in try changed(arguments, replaces: false) }),
    ScalarFunction(
      "struct_keys", category: "struct", summary: "The names of a struct's fields.",
      examples: [("struct_keys({'a': 1, 'b': 2})", "[a, b]")],
      forms: [FunctionForm("STRUCT", gives: "VARCHAR[]")],
      signature: { arguments in
        guard let first = arguments.first else { return nil }
        let fields = try structure(first)
        guard fields.isEmpty || ImplicitCast.hasNames(fields) else {
          throw SQLError(.binder, "the fields of a row have no names")
        }
        let names = fields.map { Value.varchar($0.name) }
        return (
          ScalarOverload([.any], returns: .list(.varchar)) { a, n, t in
            try Column.constant(.list(names), t, count: n).flattened().withNulls(of: a[0])
          }, arguments.map(\.type)
        )
      }),
    ScalarFunction(
      "struct_pack", category: "struct", summary: "A struct of named values.",
      examples: [("struct_pack(a := 1, b := 'x')", "{'a': 1, 'b': x}")],
      forms: [FunctionForm(more: "name := ANY", gives: "STRUCT")],
      signature: { arguments in
        let fields = try arguments.map { argument in
          guard let name = argument.name else {
            throw SQLError(
              .binder, "struct_pack needs a name for every value", hint: "as in struct_pack(a := 1)"
            )
          }
          return Field(name, argument.type)
        }
        try checkDistinct(fields)
        let types = arguments.map(\.type)
        return (StructFields.packing(names: fields.map(\.name), types: types), types)
      }),
    ScalarFunction(
      "struct_position", aliases: ["struct_indexof"], category: "struct",
      summary: "Which field of a row, from 1, is the value; NULL when none is.",
      examples: [("struct_position(row(4, 5), 5)", "2")],
      forms: [FunctionForm("TUPLE", "ANY", gives: "INTEGER")],
      signature: { arguments in
        let types = try searchable(arguments)
        return (
          ScalarOverload([.any, .any], returns: .integer, nulls: .custom) { a, n, t in
            Kernels.nullableRows([a[0]], n, t, Int32.self) { row in
              find(a[0], a[1], row).map { Int32(truncatingIfNeeded: $0 + 1) }
            }
          }, types
        )
      }),
    ScalarFunction(
      "struct_update", category: "struct", summary: "The struct with fields replaced or added.",
      examples: [("struct_update({'a': 1, 'b': 2}, b := 3)", "{'a': 1, 'b': 3}")],
      forms: [FunctionForm("STRUCT", more: "name := ANY", gives: "STRUCT")],
      signature: { arguments in try changed(arguments, replaces: true) }),
    ScalarFunction(
      "struct_values", category: "struct", summary: "The struct without the names of its fields.",
      examples: [("struct_values({'a': 1, 'b': 2})", "(1, 2)")],
      forms: [FunctionForm("STRUCT", gives: "TUPLE")],
      signature: { arguments in
        guard let first = arguments.first else { return nil }
        let fields = try structure(first).map { Field("", $0.type) }
        return (
          ScalarOverload([.any], returns: .structure(fields), nulls: .custom) { a, n, t in
            Column(flat: t, count: n, children: parts(a[0], n)).withNulls(of: a[0])
          }, arguments.map(\.type)
        )
      }),
  ]

  // MARK: Signatures

  private typealias Signature = (overload: ScalarOverload, types: [LogicalType])

  static func extraction(
    _ arguments: [CallArgument], byName: Bool
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 else { return nil }
    let fields = try structure(arguments[0])
    let position: Int
    if byName, let name = arguments[1].text {
      guard
        let found = fields.firstIndex(where: { $0.name.lowercased() == name.lowercased() }),
        !name.isEmpty
      else {
        throw SQLError(
          .binder, "the struct has no field \"\(name)\"",
          hint: didYouMean(name, among: fields.map(\.name)))
      }
      position = found
    } else if case .integer(let number) = arguments[1].value {
      guard !byName || fields.allSatisfy({ $0.name.isEmpty }) else {
        throw SQLError(.binder, "a field of a STRUCT with names is read by its name")
      }
      guard number >= 1, number <= Int128(fields.count) else {
        throw SQLError(
          .binder, "the struct has fields 1 to \(fields.count), not a field \(number)")
      }
      position = Int(number) - 1
    } else {
      throw SQLError(
        .binder, "a field of a STRUCT is named by a constant",
        hint: "such as struct_extract(s, 'field')")
    }
    return (StructFields.extracting(position, of: fields), arguments.map(\.type))
  }

  private static func changed(_ arguments: [CallArgument], replaces: Bool) throws -> Signature? {
    guard let first = arguments.first else { return nil }
    let name = replaces ? "struct_update" : "struct_insert"
    var fields = try structure(first)
    let added = arguments.dropFirst()
    guard !added.isEmpty else { throw SQLError(.binder, "\(name) needs fields to put in") }
    /// Which argument each field's values come from; 0 is the struct itself.
    var sources = fields.map { _ in 0 }
    for (position, argument) in added.enumerated() {
      guard let own = argument.name else {
        throw SQLError(
          .binder, "\(name) needs a name for every value", hint: "as in \(name)(s, a := 1)")
      }
      if replaces,
        let known = fields.firstIndex(where: { $0.name.lowercased() == own.lowercased() })
      {
        fields[known] = Field(fields[known].name, argument.type)
        sources[known] = position + 1
      } else {
        fields.append(Field(own, argument.type))
        sources.append(position + 1)
      }
    }
    try checkDistinct(fields)
    let chosen = sources
    let overload = ScalarOverload(
      [.any], variadic: .any, returns: .structure(fields), nulls: .custom
    ) { a, n, t in
      let own = parts(a[0], n)
      return Column(
        flat: t, count: n,
        children: chosen.enumerated().map { field, source in
          source == 0 ? own[field] : a[source].flattened()
        })
    }
    return (overload, arguments.map(\.type))
  }

  private static func structure(_ argument: CallArgument) throws -> [Field] {
    guard case .structure(let fields) = argument.type else {
      throw SQLError(.binder, "a STRUCT is needed, not \(argument.type)")
    }
    return fields
  }

  private static func checkDistinct(_ fields: [Field]) throws {
    var seen: Set<String> = []
    for field in fields where !field.name.isEmpty {
      guard seen.insert(field.name.lowercased()).inserted else {
        throw SQLError(.binder, "the struct would have two fields \"\(field.name)\"")
      }
    }
  }

  /// The types of a search: the fields and the value as one common type.
  private static func searchable(_ arguments: [CallArgument]) throws -> [LogicalType] {
    guard arguments.count == 2 else {
      throw SQLError(.binder, "a search in a row takes the row and a value")
    }
    let fields = try structure(arguments[0])
    guard fields.allSatisfy({ $0.name.isEmpty }) else {
      throw SQLError(.binder, "a search is for rows, not for a STRUCT with names")
    }
    var common = arguments[1].type
    for field in fields {
      guard let joined = ImplicitCast.commonType(common, field.type, force: true) else {
        throw SQLError(.binder, "cannot look for \(arguments[1].type) in \(arguments[0].type)")
      }
      common = joined
    }
    return [.structure(fields.map { _ in Field("", common) }), common]
  }

  // MARK: Kernels

  /// The fields of a struct's rows, NULL where the struct is.
  private static func parts(_ column: Column, _ count: Int) -> [Column] {
    let flat = column.flattened()
    return flat.children.map { $0.withNulls(of: flat).flattened() }
  }

  private static func find(_ rows: Column, _ wanted: Column, _ row: Int) -> Int? {
    let place = rows.valueIndex(row)
    return rows.children.firstIndex {
      NestedComparison.compare($0, place, wanted, row) == 0
    }
  }
}
