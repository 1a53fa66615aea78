import Columnar
import Diagnostics
import JSONReading

/// Documents as values of the types that a structure names: `{"a": "BIGINT", "b": ["VARCHAR"]}`.
enum JSONTransformFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "json_transform", aliases: ["from_json"], category: "json",
      summary: "The document as the types of a structure; what does not fit is NULL.",
      examples: [
        (
          "json_transform('{\"a\": 1, \"b\": \"x\"}', '{\"a\": \"BIGINT\", \"b\": [\"VARCHAR\"]}')",
          "{'a': 1, 'b': NULL}"
        )
      ],
      overloads: shown,
      signature: { try signature($0, isStrict: false) }),
    ScalarFunction(
      "json_transform_strict", aliases: ["from_json_strict"], category: "json",
      summary: "As json_transform, with an error for what does not fit and for missing keys.",
      examples: [("json_transform_strict('{\"a\": [1]}', '{\"a\": [\"BIGINT\"]}')", "{'a': [1]}")],
      overloads: shown,
      signature: { try signature($0, isStrict: true) }),
  ]

  private static let shown = [
    ScalarOverload([.exactly(.json), .exactly(.json)], returns: .null) { _, n, t in
      Column.nulls(t, count: n)
    }
  ]

  private static func signature(
    _ arguments: [CallArgument], isStrict: Bool
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 else { return nil }
    let document = JSONExtractFunctions.documentType(arguments[0].type)
    if arguments[1].type == .null || arguments[1].value == .null {
      let nothing = ScalarOverload([.any, .any], returns: .null, nulls: .custom) { _, n, t in
        Column.nulls(t, count: n)
      }
      return (nothing, [document, arguments[1].type])
    }
    guard let value = arguments[1].value else {
      throw SQLError(.binder, "the structure of json_transform is a constant")
    }
    let constant = try Column.constant(value, arguments[1].type, count: 1)
    guard case .varchar(var text) = try Cast.column(constant, to: .json).value(0) else {
      return nil
    }
    let type = try text.withUTF8 { bytes in
      var tape = JSONTape()
      return try structure(tape.readValid(bytes), &tape)
    }
    var rules = JSONTransformRules()
    rules.isStrict = isStrict
    rules.readsPlainText = isStrict
    rules.refusesMissingKeys = isStrict
    rules.refusesDuplicateKeys = isStrict
    rules.code = .invalidInput
    let settled = rules
    let overload = ScalarOverload([.any, .any], returns: type) { a, n, t in
      let reader = ColumnReader<StringView>(a[0])
      var tape = JSONTape(capacity: n * 4)
      var places: [JSONTransform.Place] = []
      for row in 0..<n {
        let place =
          reader.isNull(row) ? -1 : try JSONDocuments.read(reader.pointer(row).buffer, &tape)
        places.append(JSONTransform.Place(truncatingIfNeeded: place))
      }
      return try JSONTransform(settled, owner: a[0]).column(tape, places, t)
    }
    return (overload, [document, arguments[1].type])
  }

  private static func structure(_ root: Int, _ tape: inout JSONTape) throws -> LogicalType {
    try type(tape, root)
  }

  private static func type(_ tape: borrowing JSONTape, _ index: Int) throws -> LogicalType {
    let node = tape[index]
    switch node.kind {
    case .string: return try TypeText.type(named: tape.string(index))
    case .array:
      guard node.count == 1 else {
        throw SQLError(.binder, "an array in a JSON structure has one type, not \(node.count)")
      }
      return .list(try type(tape, index + 1))
    case .object:
      guard node.count > 0 else {
        throw SQLError(.binder, "an object in a JSON structure has at least one key")
      }
      var fields: [Field] = []
      var key = index + 1
      for _ in 0..<node.count {
        let name = tape.string(key)
        if name.isEmpty { throw SQLError(.binder, "a key in the JSON structure is empty") }
        if fields.contains(where: { $0.name == name }) {
          throw SQLError(.binder, "the key \"\(name)\" is twice in the JSON structure")
        }
        fields.append(Field(name, try type(tape, key + 1)))
        key = Int(tape[key + 1].next)
      }
      return .structure(fields)
    case .null, .false, .true, .unsigned, .signed, .double, .wide:
      throw SQLError(.binder, "a JSON structure holds the names of types")
    }
  }
}

extension JSONTape {
  fileprivate mutating func readValid(_ bytes: UnsafeBufferPointer<UInt8>) throws -> Int {
    try JSONDocuments.read(bytes, &self)
  }
}
