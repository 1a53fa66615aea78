import Columnar
import Diagnostics

/// Functions that make JSON of other values.
enum JSONCreationFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "array_to_json", category: "json", summary: "A list as a JSON array.",
      examples: [("array_to_json([1, NULL])", "[1,null]")],
      overloads: [
        creation("array_to_json takes a LIST or an array") { type in
          switch type {
          case .list, .array, .null: true
          default: false
          }
        }
      ]),
    ScalarFunction(
      "json_array", category: "json", summary: "A JSON array of the arguments.",
      examples: [("json_array(1, 'a', NULL)", "[1,\"a\",null]"), ("json_array()", "[]")],
      overloads: [
        ScalarOverload([], variadic: .any, returns: .json, nulls: .custom) { a, n, _ in
          let writers = try a.map { try JSONValueWriter($0) }
          return try documents(n) { row, buffer in
            buffer.append(0x5B)
            for (position, writer) in writers.enumerated() {
              if position > 0 { buffer.append(0x2C) }
              try writer.append(row, to: &buffer)
            }
            buffer.append(0x5D)
          }
        }
      ]),
    ScalarFunction(
      "json_object", category: "json", summary: "A JSON object of keys and values by turns.",
      examples: [("json_object('a', 1, 'b', [2])", "{\"a\":1,\"b\":[2]}")],
      overloads: [
        ScalarOverload(
          [], variadic: .any, resultFrom: { _ in .json }, coerce: { try objectTypes($0) },
          nulls: .custom
        ) { a, n, _ in
          let keys = stride(from: 0, to: a.count, by: 2).map { ColumnReader<StringView>(a[$0]) }
          let values = try stride(from: 1, to: a.count, by: 2).map { try JSONValueWriter(a[$0]) }
          return try documents(n) { row, buffer in
            buffer.append(0x7B)
            for (position, key) in keys.enumerated() {
              if key.isNull(row) { throw SQLError(.invalidInput, "a key of json_object is NULL") }
              if position > 0 { buffer.append(0x2C) }
              JSONText.append(quoted: key.pointer(row).buffer, to: &buffer)
              buffer.append(0x3A)
              try values[position].append(row, to: &buffer)
            }
            buffer.append(0x7D)
          }
        }
      ], forms: [FunctionForm("VARCHAR", "ANY", more: "VARCHAR, ANY", gives: "JSON")]),
    ScalarFunction(
      "row_to_json", category: "json", summary: "A struct as a JSON object.",
      examples: [("row_to_json({'a': 1, 'b': NULL})", "{\"a\":1,\"b\":null}")],
      overloads: [
        creation("row_to_json takes a STRUCT") { type in
          switch type {
          case .structure, .null: true
          default: false
          }
        }
      ]),
    ScalarFunction(
      "to_json", aliases: ["json_quote"], category: "json",
      summary: "The value as JSON: structs and maps as objects, lists as arrays.",
      examples: [
        ("to_json({'a': [1, NULL], 'b': 'x'})", "{\"a\":[1,null],\"b\":\"x\"}"),
        ("to_json('a \"b\"')", "\"a \\\"b\\\"\""), ("to_json(DATE '2020-02-01')", "\"2020-02-01\""),
      ],
      overloads: [creation("") { _ in true }]),
  ]

  private static func creation(
    _ refusal: String, _ accepts: @escaping @Sendable (LogicalType) -> Bool
  ) -> ScalarOverload {
    ScalarOverload(
      [.any], resultFrom: { _ in .json },
      coerce: { types in
        guard accepts(types[0]) else {
          throw SQLError(.binder, "\(refusal), not \(types[0])")
        }
        return types
      }
    ) { a, n, _ in try JSONCreation.column(a[0], n) }
  }

  private static func objectTypes(_ types: [LogicalType]) throws -> [LogicalType] {
    guard types.count % 2 == 0 else {
      throw SQLError(.binder, "json_object takes keys and values by turns: an even number")
    }
    var result = types
    for position in stride(from: 0, to: types.count, by: 2) {
      guard types[position] == .varchar || types[position] == .json else {
        throw SQLError(
          .binder, "a key of json_object is VARCHAR, not \(types[position])",
          hint: "cast it explicitly")
      }
      result[position] = .varchar
    }
    return result
  }

  static func documents(
    _ count: Int, _ body: (Int, inout TextBuffer) throws -> Void
  ) throws -> Column {
    try nullableDocuments(count) { row, buffer in
      try body(row, &buffer)
      return true
    }
  }

  /// A document per row; NULL where the body gives false.
  static func nullableDocuments(
    _ count: Int, _ body: (Int, inout TextBuffer) throws -> Bool
  ) throws -> Column {
    let heap = StringHeap()
    let result = Column(flat: .json, count: count, heaps: [heap])
    let target = result.values(as: StringView.self)
    var buffer = TextBuffer()
    for row in 0..<count {
      buffer.removeAll()
      if try body(row, &buffer) {
        target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
      } else {
        target[row] = StringView()
        result.setNull(row)
      }
    }
    return result
  }
}
