import Columnar
import Diagnostics
import JSONReading

/// Functions of a document and the places in it that a path, a list of paths, a pattern or a
/// position names.
enum JSONExtractFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "json_array_length", category: "json",
      summary: "The number of elements of an array, 0 for what is no array.",
      examples: [
        ("json_array_length('[1, 2]')", "2"),
        ("json_array_length('{\"a\": [1, 2, 3]}', '$.a')", "3"),
      ],
      overloads: shown(.ubigint),
      signature: { try signature($0, .ubigint, JSONLengthSink.self, needsPath: false) }),
    ScalarFunction(
      "json_exists", category: "json", summary: "Whether there is a value at the path.",
      examples: [("json_exists('{\"a\": null}', '$.a')", "true")],
      overloads: shown(.boolean, needsPath: true),
      signature: { try signature($0, .boolean, JSONExistsSink.self) }),
    ScalarFunction(
      "json_extract", aliases: ["json_extract_path", "->"], category: "json",
      summary:
        "The value at a path, position or key as JSON; a list for several paths or a pattern.",
      examples: [
        ("json_extract('{\"a\": [1, 2]}', '$.a[0]')", "1"),
        ("json_extract('{\"a\": [1, 2]}', '$.a[*]')", "[1, 2]"),
        ("json_extract('{\"a\": 1}', ['/a', '/b'])", "[1, NULL]"),
        ("'{\"a\": {\"b\": 5}}' -> 'a'", "{\"b\":5}"),
      ],
      overloads: shown(.json, needsPath: true),
      signature: { try signature($0, .json, JSONTextSink<JSONForm>.self) }),
    ScalarFunction(
      "json_extract_string", aliases: ["json_extract_path_text", "->>"], category: "json",
      summary: "As json_extract, strings without their quotes and null as NULL.",
      examples: [
        ("json_extract_string('{\"a\": \"x\"}', '$.a')", "x"),
        ("'{\"a\": {\"b\": \"y\"}}' ->> '$.a.b'", "y"),
      ],
      overloads: shown(.varchar, needsPath: true),
      signature: { try signature($0, .varchar, JSONTextSink<JSONStringForm>.self) }),
    ScalarFunction(
      "json_keys", category: "json", summary: "The keys of an object, none for what is no object.",
      examples: [
        ("json_keys('{\"a\": 1, \"b\": 2}')", "[a, b]"),
        ("json_keys('{\"a\": {\"c\": 1}}', '$.a')", "[c]"),
      ],
      overloads: shown(.list(.varchar)),
      signature: { try signature($0, .list(.varchar), JSONKeysSink.self, needsPath: false) }),
    ScalarFunction(
      "json_type", category: "json",
      summary:
        "ARRAY, BIGINT (negative), BOOLEAN, DOUBLE, NULL, OBJECT, UBIGINT or VARCHAR, as the value is.",
      examples: [
        ("json_type('{\"a\": 1}')", "OBJECT"), ("json_type('{\"a\": 1}', '$.a')", "UBIGINT"),
      ],
      overloads: shown(.varchar),
      signature: { try signature($0, .varchar, JSONTextSink<JSONTypeForm>.self, needsPath: false) }),
    ScalarFunction(
      "json_value", category: "json",
      summary: "As json_extract, but NULL for arrays, objects and null.",
      examples: [
        ("json_value('{\"a\": 1}', '$.a')", "1"), ("json_value('{\"a\": [1]}', '$.a')", "NULL"),
      ],
      overloads: shown(.varchar, needsPath: true),
      signature: { try signature($0, .varchar, JSONTextSink<JSONScalarForm>.self) }),
  ]

  // MARK: Signatures

  /// The overloads as the reference shows them; the signature decides.
  private static func shown(_ result: LogicalType, needsPath: Bool = false) -> [ScalarOverload] {
    let kernel: ScalarOverload.Kernel = { _, n, t in Column.nulls(t, count: n) }
    var overloads = [
      ScalarOverload([.exactly(.json), .exactly(.varchar)], returns: result, kernel: kernel),
      ScalarOverload(
        [.exactly(.json), .exactly(.list(.varchar))], returns: .list(result), kernel: kernel),
    ]
    if needsPath {
      overloads.append(
        ScalarOverload([.exactly(.json), .exactly(.bigint)], returns: result, kernel: kernel))
    } else {
      overloads.insert(
        ScalarOverload([.exactly(.json)], returns: result, kernel: kernel), at: 0)
    }
    return overloads
  }

  static func extraction(
    _ arguments: [CallArgument]
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    try signature(arguments, .json, JSONTextSink<JSONForm>.self)
  }

  /// What a document may be given as: text is read, every other value is made JSON.
  static func documentType(_ type: LogicalType) -> LogicalType {
    type == .varchar ? .varchar : .json
  }

  private static func signature<Sink: JSONSink>(
    _ arguments: [CallArgument], _ result: LogicalType, _ sink: Sink.Type, needsPath: Bool = true
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard arguments.count == 2 || (arguments.count == 1 && !needsPath) else { return nil }
    let document = documentType(arguments[0].type)
    if arguments.count == 1 {
      let overload = ScalarOverload([.any], returns: result) { a, n, t in
        try JSONDocuments.whole(a[0], n, t, sink)
      }
      return (overload, [document])
    }
    let path = arguments[1]
    switch path.type {
    case .null: return (noRows(result), [document, .varchar])
    case .list, .array:
      return (try several(path, result, sink), [document, .list(.varchar)])
    case _ where path.type.isInteger:
      let overload = ScalarOverload([.any, .any], returns: result) { a, n, t in
        let positions = ColumnReader<Int64>(a[1])
        return try JSONDocuments.single(a[0], n, t, sink) { row in
          positions.isNull(row)
            ? nil : JSONPath(position: Int(clamping: positions[row]))
        }
      }
      return (overload, [document, .bigint])
    case .varchar, .json:
      return (try single(path, result, sink), [document, .varchar])
    default: return nil
    }
  }

  private static func noRows(_ result: LogicalType) -> ScalarOverload {
    ScalarOverload([.any, .any], returns: result) { _, n, t in Column.nulls(t, count: n) }
  }

  private static func single<Sink: JSONSink>(
    _ path: CallArgument, _ result: LogicalType, _ sink: Sink.Type
  ) throws -> ScalarOverload {
    guard let text = path.text else {
      return ScalarOverload([.any, .any], returns: result) { a, n, t in
        let paths = ColumnReader<StringView>(a[1])
        var known = KnownPaths()
        return try JSONDocuments.single(a[0], n, t, sink) { row in
          paths.isNull(row) ? nil : try known.path(paths.pointer(row))
        }
      }
    }
    let constant = try JSONPath(text)
    if constant.isPattern {
      return ScalarOverload([.any, .any], returns: .list(result)) { a, n, t in
        try JSONDocuments.matches(a[0], n, t, sink, constant)
      }
    }
    return ScalarOverload([.any, .any], returns: result) { a, n, t in
      try JSONDocuments.single(a[0], n, t, sink) { _ in constant }
    }
  }

  private static func several<Sink: JSONSink>(
    _ paths: CallArgument, _ result: LogicalType, _ sink: Sink.Type
  ) throws -> ScalarOverload {
    if case .list(let values) = paths.value {
      let constants = try values.map { value -> JSONPath in
        guard case .varchar(let text) = value else {
          throw SQLError(.binder, "a JSON path is text that is not NULL")
        }
        let path = try JSONPath(text)
        if path.isPattern {
          throw SQLError(
            .binder, "among several JSON paths there can be no pattern such as \(text)")
        }
        return path
      }
      return ScalarOverload([.any, .any], returns: .list(result)) { a, n, t in
        try JSONDocuments.several(a[0], n, t, sink) { _ in constants }
      }
    }
    return ScalarOverload([.any, .any], returns: .list(result)) { a, n, t in
      let lists = ColumnReader<ListEntry>(a[1])
      let items = ColumnReader<StringView>(a[1].children[0])
      var known = KnownPaths()
      return try JSONDocuments.several(a[0], n, t, sink) { row in
        if lists.isNull(row) { return nil }
        let entry = lists[row]
        return try (entry.offset..<(entry.offset + entry.length)).map { item in
          if items.isNull(item) {
            throw SQLError(.invalidInput, "a JSON path is text that is not NULL")
          }
          return try known.path(items.pointer(item))
        }
      }
    }
  }

  /// Paths of a column, each parsed once while it does not change from row to row.
  struct KnownPaths {
    private var text: [UInt8] = []
    private var path: JSONPath?

    mutating func path(_ view: UnsafePointer<StringView>) throws -> JSONPath {
      let bytes = view.buffer
      if let path, bytes.elementsEqual(text) { return path }
      text = Array(bytes)
      let parsed = try JSONPath(String(decoding: bytes, as: UTF8.self))
      if parsed.isPattern {
        throw SQLError(
          .invalidInput,
          "the JSON path \(String(decoding: bytes, as: UTF8.self)) is a pattern and no constant",
          hint: "a pattern gives a list, and the type must be known before the rows are")
      }
      path = parsed
      return parsed
    }
  }
}
