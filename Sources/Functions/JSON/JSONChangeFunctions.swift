import Columnar
import Diagnostics
import JSONReading

/// Functions that change one place of a document.
enum JSONChangeFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "json_insert", category: "json",
      summary: "The document with a value put where a path finds none.",
      examples: [("json_insert('{\"a\": 1}', '$.b', '[2]')", "{\"a\":1,\"b\":[2]}")],
      overloads: [changing(.insert)]),
    ScalarFunction(
      "json_remove", category: "json", summary: "The document without the value at a path.",
      examples: [("json_remove('{\"a\": 1, \"b\": 2}', '$.a')", "{\"b\":2}")],
      overloads: [changing(.remove)]),
    ScalarFunction(
      "json_replace", category: "json", summary: "The document with another value at a path.",
      examples: [("json_replace('{\"a\": 1}', '$.a', 'true')", "{\"a\":true}")],
      overloads: [changing(.replace)]),
    ScalarFunction(
      "json_set", category: "json",
      summary: "The document with a value at a path, whether there was one or not.",
      examples: [
        ("json_set('{\"a\": 1}', '$.a', to_json(2))", "{\"a\":2}"),
        ("json_set('{}', '$.a[0]', to_json('x'))", "{\"a\":[\"x\"]}"),
      ],
      overloads: [changing(.set)]),
  ]

  private static func changing(_ form: JSONChange.Form) -> ScalarOverload {
    let takesValue = form != .remove
    let parameters: [TypePattern] = [.exactly(.json), .exactly(.varchar)]
    return ScalarOverload(
      takesValue ? parameters + [.exactly(.json)] : parameters, resultFrom: { _ in .json },
      coerce: { types in
        guard types[1] == .varchar || types[1] == .json || types[1] == .null else {
          throw SQLError(.binder, "a JSON path is VARCHAR, not \(types[1])")
        }
        var wanted = [JSONExtractFunctions.documentType(types[0]), .varchar]
        if takesValue {
          wanted.append(JSONExtractFunctions.documentType(types[2]))
        }
        return wanted
      }
    ) { a, n, t in
      let readers = a.map { ColumnReader<StringView>($0) }
      let heap = StringHeap()
      let result = Column(flat: t, count: n, heaps: [heap])
      for argument in a { result.addNulls(of: argument) }
      let target = result.values(as: StringView.self)
      var known = JSONExtractFunctions.KnownPaths()
      var tape = JSONTape()
      var buffer = TextBuffer()
      for row in 0..<n {
        target[row] = StringView()
        if readers.contains(where: { $0.isNull(row) }) { continue }
        tape.removeAll()
        buffer.removeAll()
        let root = try JSONDocuments.read(readers[0].pointer(row).buffer, &tape)
        let path = try known.path(readers[1].pointer(row))
        let value =
          takesValue ? try JSONDocuments.read(readers[2].pointer(row).buffer, &tape) : root
        if form == .remove, path.steps.isEmpty {
          result.setNull(row)
          continue
        }
        let change = JSONChange(form: form, steps: path.steps, value: value)
        change.append(tape, root, depth: 0, to: &buffer)
        target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
      }
      return result
    }
  }
}

/// Writes a document with one place changed.
struct JSONChange {
  enum Form { case insert, remove, replace, set }

  let form: Form
  let steps: [JSONPath.Step]
  let value: Int

  private var adds: Bool { form == .insert || form == .set }
  private var overwrites: Bool { form == .replace || form == .set }

  /// The value at `index`, which the steps before `depth` lead to.
  func append(
    _ tape: borrowing JSONTape, _ index: Int, depth: Int, to buffer: inout TextBuffer
  ) {
    if depth == steps.count {
      JSONText.append(tape, overwrites ? value : index, to: &buffer)
      return
    }
    let node = tape[index]
    switch (node.kind, steps[depth]) {
    case (.object, .key(let key)), (.object, .token(let key, _)):
      appendObject(tape, index, key, depth, to: &buffer)
    case (.array, .index(let position)):
      appendArray(tape, index, position, depth, to: &buffer)
    case (.array, .fromEnd(let back)) where back <= Int(node.count):
      appendArray(tape, index, Int(node.count) - back, depth, to: &buffer)
    case (.array, .token(let key, let position)):
      let end = key == [0x2D] ? Int(node.count) : nil
      if let position = position ?? end {
        appendArray(tape, index, position, depth, to: &buffer)
      } else {
        JSONText.append(tape, index, to: &buffer)
      }
    default: JSONText.append(tape, index, to: &buffer)
    }
  }

  private func isLast(_ depth: Int) -> Bool { depth == steps.count - 1 }

  private func appendObject(
    _ tape: borrowing JSONTape, _ index: Int, _ wanted: [UInt8], _ depth: Int,
    to buffer: inout TextBuffer
  ) {
    buffer.append(0x7B)
    var isFirst = true
    var isFound = false
    var key = index + 1
    for _ in 0..<tape[index].count {
      let isIt = wanted.withUnsafeBufferPointer { tape.isString(key, $0) }
      // A key that is there twice becomes one.
      let isDropped =
        isIt && isLast(depth) && (form == .remove || (isFound && overwrites))
      if !isDropped {
        if !isFirst { buffer.append(0x2C) }
        isFirst = false
        JSONText.append(tape, key, to: &buffer)
        buffer.append(0x3A)
        if isIt && !isFound {
          append(tape, key + 1, depth: depth + 1, to: &buffer)
        } else {
          JSONText.append(tape, key + 1, to: &buffer)
        }
      }
      if isIt { isFound = true }
      key = Int(tape[key + 1].next)
    }
    if !isFound, adds, isCreatable(from: depth + 1) {
      if !isFirst { buffer.append(0x2C) }
      appendNew(key: wanted, tape, depth, to: &buffer)
    }
    buffer.append(0x7D)
  }

  private func appendArray(
    _ tape: borrowing JSONTape, _ index: Int, _ position: Int, _ depth: Int,
    to buffer: inout TextBuffer
  ) {
    buffer.append(0x5B)
    var isFirst = true
    var item = index + 1
    let count = Int(tape[index].count)
    for number in 0..<count {
      if !(number == position && isLast(depth) && form == .remove) {
        if !isFirst { buffer.append(0x2C) }
        isFirst = false
        if number == position {
          append(tape, item, depth: depth + 1, to: &buffer)
        } else {
          JSONText.append(tape, item, to: &buffer)
        }
      }
      item = Int(tape[item].next)
    }
    if position == count, adds, isCreatable(from: depth + 1) {
      if !isFirst { buffer.append(0x2C) }
      appendCreated(tape, depth + 1, to: &buffer)
    }
    buffer.append(0x5D)
  }

  /// Whether the rest of the path can be made anew: arrays only with their first element.
  private func isCreatable(from depth: Int) -> Bool {
    steps[depth...].allSatisfy { step in
      switch step {
      case .key, .token: true
      case .index(let position): position == 0
      case .fromEnd(let back): back == 0
      case .everyMember, .everyElement, .everyItem, .everyLevel: false
      }
    }
  }

  private func appendCreated(
    _ tape: borrowing JSONTape, _ depth: Int, to buffer: inout TextBuffer
  ) {
    guard depth < steps.count else {
      JSONText.append(tape, value, to: &buffer)
      return
    }
    switch steps[depth] {
    case .key(let key), .token(let key, _):
      buffer.append(0x7B)
      appendNew(key: key, tape, depth, to: &buffer)
      buffer.append(0x7D)
    case .index, .fromEnd, .everyMember, .everyElement, .everyItem, .everyLevel:
      buffer.append(0x5B)
      appendCreated(tape, depth + 1, to: &buffer)
      buffer.append(0x5D)
    }
  }

  private func appendNew(
    key: [UInt8], _ tape: borrowing JSONTape, _ depth: Int, to buffer: inout TextBuffer
  ) {
    key.withUnsafeBufferPointer { JSONText.append(quoted: $0, to: &buffer) }
    buffer.append(0x3A)
    appendCreated(tape, depth + 1, to: &buffer)
  }
}
