import Columnar
import Diagnostics
import JSONReading

/// Functions of whole documents.
enum JSONFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "json", category: "json", summary: "The document without space, checked.",
      examples: [("json('{\"a\": [1, 2.50]}')", "{\"a\":[1,2.5]}")],
      overloads: [
        document(returns: .json) { a, n, t in
          try JSONDocuments.whole(a[0], n, t, JSONTextSink<JSONForm>.self)
        }
      ]),
    ScalarFunction(
      "json_contains", category: "json",
      summary:
        "Whether the second document is somewhere in the first; objects by some of their keys.",
      examples: [
        ("json_contains('{\"a\": {\"b\": 1, \"c\": 2}}', '{\"b\": 1}')", "true"),
        ("json_contains('[1, 2]', '3')", "false"),
      ],
      overloads: [
        ScalarOverload(
          [.exactly(.json), .exactly(.json)], resultFrom: { _ in .boolean },
          coerce: { $0.map(JSONExtractFunctions.documentType) }
        ) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          var tape = JSONTape()
          return try Kernels.predicate(a, n) { row in
            tape.removeAll()
            let haystack = try JSONDocuments.read(x.pointer(row).buffer, &tape)
            let needle = try JSONDocuments.read(y.pointer(row).buffer, &tape)
            return JSONComparison.contains(tape, haystack, needle)
          }
        }
      ]),
    ScalarFunction(
      "json_pretty", category: "json", summary: "The document with a value a line, indented.",
      examples: [("json_pretty('[1,{}]')", "[\n    1,\n    {}\n]")],
      overloads: [
        document(returns: .varchar) { a, n, t in
          try texts(a[0], n, t) { tape, root, buffer in
            JSONText.appendPretty(tape, root, to: &buffer)
          }
        }
      ]),
    ScalarFunction(
      "json_structure", category: "json",
      summary: "The types in the document, in the form that json_transform takes.",
      examples: [
        ("json_structure('{\"a\": 1, \"b\": [\"x\"]}')", "{\"a\":\"UBIGINT\",\"b\":[\"VARCHAR\"]}")
      ],
      overloads: [
        document(returns: .json) { a, n, t in
          try texts(a[0], n, t) { tape, root, buffer in
            var structure = JSONStructure()
            try structure.add(tape, root)
            structure.append(to: &buffer)
          }
        }
      ]),
    ScalarFunction(
      "json_valid", category: "json", summary: "Whether the text is JSON.",
      examples: [("json_valid('{\"a\": 1}')", "true"), ("json_valid('{a}')", "false")],
      overloads: [
        document(returns: .boolean) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          var tape = JSONTape()
          return Kernels.predicate(a, n) { row in
            tape.removeAll()
            return (try? tape.read(x.pointer(row).buffer, .sql)) != nil
          }
        }
      ]),
  ]

  /// An overload that takes one document.
  static func document(
    returns result: LogicalType, _ kernel: @escaping ScalarOverload.Kernel
  ) -> ScalarOverload {
    ScalarOverload(
      [.exactly(.json)], resultFrom: { _ in result },
      coerce: { [JSONExtractFunctions.documentType($0[0])] }, kernel: kernel)
  }

  /// New text from each document.
  static func texts(
    _ column: Column, _ count: Int, _ type: LogicalType,
    _ body: (borrowing JSONTape, Int, inout TextBuffer) throws -> Void
  ) throws -> Column {
    let heap = StringHeap()
    let result = Column(flat: type, count: count, heaps: [heap])
    result.addNulls(of: column)
    let target = result.values(as: StringView.self)
    target.update(repeating: StringView(), count: count)
    var buffer = TextBuffer()
    try JSONDocuments.forEach(column, count) { row, tape, root in
      buffer.removeAll()
      try body(tape, root, &buffer)
      target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
    }
    return result
  }
}

enum JSONComparison {
  /// Whether two values are the same: numbers by kind and value, objects by key; of a key that is
  /// there twice the first goes with the first.
  static func areEqual(_ tape: borrowing JSONTape, _ a: Int, _ b: Int) -> Bool {
    let (x, y) = (tape[a], tape[b])
    if x.kind != y.kind {
      // -0 is 0, although negative.
      return isZero(x) && isZero(y)
    }
    switch x.kind {
    case .null, .false, .true: return true
    case .unsigned, .signed, .wide: return x.bytes.elementsEqual(y.bytes)
    case .double: return TextParsing.double(x.bytes) == TextParsing.double(y.bytes)
    case .string: return areEqualStrings(tape, a, b)
    case .array:
      if x.count != y.count { return false }
      var (i, j) = (a + 1, b + 1)
      for _ in 0..<x.count {
        if !areEqual(tape, i, j) { return false }
        (i, j) = (Int(tape[i].next), Int(tape[j].next))
      }
      return true
    case .object:
      return x.count == y.count && haveEqualMembers(tape, a, b)
    }
  }

  private static func isZero(_ node: JSONNode) -> Bool {
    (node.kind == .unsigned && node.length == 1 && node.text[0] == 0x30)
      || (node.kind == .signed && !node.isPlain)
  }

  /// Looks for each key from behind the one before, so that objects in one order are one walk.
  private static func haveEqualMembers(_ tape: borrowing JSONTape, _ a: Int, _ b: Int) -> Bool {
    let count = Int(tape[a].count)
    var own = a + 1
    var place = 0
    var key = b + 1
    for _ in 0..<count {
      var isFound = false
      for _ in 0..<count where !isFound {
        if place == count {
          place = 0
          own = a + 1
        }
        isFound = areEqualStrings(tape, own, key)
        if isFound, !areEqual(tape, own + 1, key + 1) { return false }
        own = Int(tape[own + 1].next)
        place += 1
      }
      if !isFound { return false }
      key = Int(tape[key + 1].next)
    }
    return true
  }

  /// Whether the needle is the haystack, a part of it, or in a value of it. An array contains
  /// another when it has a place for each of its elements, an object when it has its members.
  static func contains(_ tape: borrowing JSONTape, _ haystack: Int, _ needle: Int) -> Bool {
    if matches(tape, haystack, needle) { return true }
    let node = tape[haystack]
    guard node.kind.isContainer else { return false }
    var item = haystack + 1
    for _ in 0..<node.count {
      if node.kind == .object { item += 1 }
      if contains(tape, item, needle) { return true }
      item = Int(tape[item].next)
    }
    return false
  }

  private static func matches(_ tape: borrowing JSONTape, _ haystack: Int, _ needle: Int) -> Bool {
    let (x, y) = (tape[haystack], tape[needle])
    if areEqual(tape, haystack, needle) { return true }
    switch (x.kind, y.kind) {
    case (.array, .array):
      var wanted = needle + 1
      for _ in 0..<y.count {
        var item = haystack + 1
        var isFound = false
        for _ in 0..<x.count where !isFound {
          isFound = matches(tape, item, wanted)
          item = Int(tape[item].next)
        }
        if !isFound { return false }
        wanted = Int(tape[wanted].next)
      }
      return true
    case (.object, .object): return hasMembers(tape, haystack, needle) { matches(tape, $0, $1) }
    default: return false
    }
  }

  private static func hasMembers(
    _ tape: borrowing JSONTape, _ object: Int, _ wanted: Int, _ agree: (Int, Int) -> Bool
  ) -> Bool {
    var key = wanted + 1
    for _ in 0..<tape[wanted].count {
      guard let found = member(tape, object, key), agree(found, key + 1) else { return false }
      key = Int(tape[key + 1].next)
    }
    return true
  }

  /// The value of an object's member with the key that another node is.
  static func member(_ tape: borrowing JSONTape, _ object: Int, _ key: Int) -> Int? {
    if tape[key].isPlain { return tape.member(object, tape[key].content) }
    var name = tape.string(key)
    return name.withUTF8 { tape.member(object, $0) }
  }

  static func areEqualStrings(_ tape: borrowing JSONTape, _ a: Int, _ b: Int) -> Bool {
    if tape[a].isPlain { return tape.isString(b, tape[a].content) }
    var text = tape.string(a)
    return text.withUTF8 { tape.isString(b, $0) }
  }
}
