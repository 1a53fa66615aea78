import Columnar
import Diagnostics
import JSONReading

/// Functions that make a document of others, key by key.
enum JSONMergeFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "json_deep_merge", category: "json",
      summary:
        "The objects' members in one, objects under the same key likewise; null changes nothing.",
      examples: [
        (
          "json_deep_merge('{\"a\": {\"b\": 1}}', '{\"a\": {\"c\": 2}}')",
          "{\"a\":{\"b\":1,\"c\":2}}"
        )
      ],
      overloads: [merging(.deep)]),
    ScalarFunction(
      "json_merge_patch", category: "json",
      summary: "The first document with the changes of the others (RFC 7396): null removes a key.",
      examples: [
        ("json_merge_patch('{\"a\": 1, \"b\": 2}', '{\"b\": null, \"c\": 3}')", "{\"a\":1,\"c\":3}")
      ],
      overloads: [merging(.patch)]),
    ScalarFunction(
      "json_merge_patch_diff", category: "json",
      summary: "The patch that json_merge_patch needs to make the second document of the first.",
      examples: [
        (
          "json_merge_patch_diff('{\"a\": 1, \"b\": 2}', '{\"a\": 1, \"c\": 3}')",
          "{\"b\":null,\"c\":3}"
        )
      ],
      overloads: [
        ScalarOverload(
          [.exactly(.json), .exactly(.json)], resultFrom: { _ in .json }, coerce: documents,
          nulls: .custom
        ) { a, n, _ in
          let x = ColumnReader<StringView>(a[0])
          let y = ColumnReader<StringView>(a[1])
          var tape = JSONTape()
          return try JSONCreationFunctions.nullableDocuments(n) { row, buffer in
            if y.isNull(row) { return false }
            tape.removeAll()
            let new = try JSONDocuments.read(y.pointer(row).buffer, &tape)
            if x.isNull(row) {
              JSONText.append(tape, new, to: &buffer)
            } else {
              let old = try JSONDocuments.read(x.pointer(row).buffer, &tape)
              JSONMerge.appendDifference(tape, old, new, to: &buffer)
            }
            return true
          }
        }
      ]),
    ScalarFunction(
      "json_normalize", category: "json",
      summary: "The document without space, the keys of its objects in order.",
      examples: [("json_normalize('{\"b\": 1, \"a\": 2.50}')", "{\"a\":2.5,\"b\":1}")],
      overloads: [
        JSONFunctions.document(returns: .varchar) { a, n, t in
          try JSONFunctions.texts(a[0], n, t) { tape, root, buffer in
            JSONMerge.appendSorted(tape, root, to: &buffer)
          }
        }
      ]),
    ScalarFunction(
      "json_strip_nulls", category: "json",
      summary: "The document without the members of objects that are null.",
      examples: [("json_strip_nulls('{\"a\": null, \"b\": [null]}')", "{\"b\":[null]}")],
      overloads: [
        JSONFunctions.document(returns: .json) { a, n, t in
          try JSONFunctions.texts(a[0], n, t) { tape, root, buffer in
            JSONMerge.appendWithoutNulls(tape, root, inArrays: true, to: &buffer)
          }
        }
      ]),
  ]

  private static let documents: @Sendable ([LogicalType]) throws -> [LogicalType] = { types in
    types.map(JSONExtractFunctions.documentType)
  }

  private static func merging(_ form: JSONMerge.Form) -> ScalarOverload {
    ScalarOverload(
      [.exactly(.json), .exactly(.json)], variadic: .exactly(.json), resultFrom: { _ in .json },
      coerce: documents, nulls: .custom
    ) { a, n, _ in
      let readers = a.map { ColumnReader<StringView>($0) }
      var tape = JSONTape()
      return try JSONCreationFunctions.nullableDocuments(n) { row, buffer in
        // Behind a NULL that no document follows there is nothing.
        guard let last = readers.last, !last.isNull(row) else { return false }
        tape.removeAll()
        var made: JSONMerge.Node?
        for reader in readers {
          if reader.isNull(row) {
            made = nil
            continue
          }
          let patch = try JSONDocuments.read(reader.pointer(row).buffer, &tape)
          made = made.map { JSONMerge.merged($0, tape, patch, form) } ?? .tape(patch)
        }
        if let made { JSONMerge.append(made, tape, to: &buffer) }
        return made != nil
      }
    }
  }
}

enum JSONMerge {
  enum Form { case patch, deep }

  /// A value under construction: one of the tape as it is, or an object of such.
  indirect enum Node {
    case tape(Int)
    case object([(key: Int, value: Node)])
  }

  /// `original` with the members of `patch`: first what the patch does not name, then what it does.
  static func merged(
    _ original: Node, _ tape: borrowing JSONTape, _ patch: Int, _ form: Form
  ) -> Node {
    if form == .deep, tape[patch].kind == .null { return original }
    guard tape[patch].kind == .object, case .object(let members)? = opened(original, tape) else {
      return .tape(patch)
    }
    return .object(merged(members, tape, patch, form))
  }

  private static func merged(
    _ members: [(key: Int, value: Node)], _ tape: borrowing JSONTape, _ patch: Int, _ form: Form
  ) -> [(key: Int, value: Node)] {
    var result: [(key: Int, value: Node)] = []
    for member in members {
      let own = JSONComparison.member(tape, patch, member.key)
      // A null removes (RFC 7396) or, merged deeply, changes nothing.
      if own == nil || (form == .deep && own.map { tape[$0].kind } == .null) {
        result.append(member)
      }
    }
    var key = patch + 1
    for _ in 0..<tape[patch].count {
      let value = key + 1
      if tape[value].kind != .null {
        var known: Node?
        for member in members where JSONComparison.areEqualStrings(tape, member.key, key) {
          known = member.value
          break
        }
        result.append((key, merged(below: known, tape, value, form)))
      }
      key = Int(tape[value].next)
    }
    return result
  }

  /// What is no object is patched as an empty one; merged deeply, it is replaced.
  private static func merged(
    below original: Node?, _ tape: borrowing JSONTape, _ patch: Int, _ form: Form
  ) -> Node {
    guard tape[patch].kind == .object else { return .tape(patch) }
    if let original, case .object(let members)? = opened(original, tape) {
      return .object(merged(members, tape, patch, form))
    }
    return form == .deep ? .tape(patch) : .object(merged([], tape, patch, form))
  }

  /// An object with its members apart; nil for what is none.
  private static func opened(_ node: Node, _ tape: borrowing JSONTape) -> Node? {
    guard case .tape(let index) = node else { return node }
    guard tape[index].kind == .object else { return nil }
    var members: [(key: Int, value: Node)] = []
    var key = index + 1
    for _ in 0..<tape[index].count {
      members.append((key, .tape(key + 1)))
      key = Int(tape[key + 1].next)
    }
    return .object(members)
  }

  static func append(_ node: Node, _ tape: borrowing JSONTape, to buffer: inout TextBuffer) {
    switch node {
    case .tape(let index): JSONText.append(tape, index, to: &buffer)
    case .object(let members):
      buffer.append(0x7B)
      for (position, member) in members.enumerated() {
        if position > 0 { buffer.append(0x2C) }
        JSONText.append(tape, member.key, to: &buffer)
        buffer.append(0x3A)
        append(member.value, tape, to: &buffer)
      }
      buffer.append(0x7D)
    }
  }

  /// What makes `new` of `old`.
  static func appendDifference(
    _ tape: borrowing JSONTape, _ old: Int, _ new: Int, to buffer: inout TextBuffer
  ) {
    guard tape[old].kind == .object, tape[new].kind == .object else {
      JSONText.append(tape, new, to: &buffer)
      return
    }
    buffer.append(0x7B)
    var isFirst = true
    func separate(_ buffer: inout TextBuffer) {
      if !isFirst { buffer.append(0x2C) }
      isFirst = false
    }
    var key = old + 1
    for _ in 0..<tape[old].count {
      if JSONComparison.member(tape, new, key) == nil {
        separate(&buffer)
        JSONText.append(tape, key, to: &buffer)
        buffer.append(":null")
      }
      key = Int(tape[key + 1].next)
    }
    key = new + 1
    for _ in 0..<tape[new].count {
      let known = JSONComparison.member(tape, old, key)
      if known.map({ !JSONComparison.areEqual(tape, $0, key + 1) }) ?? true {
        separate(&buffer)
        JSONText.append(tape, key, to: &buffer)
        buffer.append(0x3A)
        if let known {
          appendDifference(tape, known, key + 1, to: &buffer)
        } else {
          JSONText.append(tape, key + 1, to: &buffer)
        }
      }
      key = Int(tape[key + 1].next)
    }
    buffer.append(0x7D)
  }

  /// As JSONText, keys in the order of their bytes.
  static func appendSorted(
    _ tape: borrowing JSONTape, _ index: Int, to buffer: inout TextBuffer
  ) {
    let node = tape[index]
    guard node.kind.isContainer else {
      JSONText.append(tape, index, to: &buffer)
      return
    }
    let isObject = node.kind == .object
    var items: [(key: [UInt8], place: Int)] = []
    var item = index + 1
    for _ in 0..<node.count {
      if isObject {
        items.append((Array(tape.string(item).utf8), item))
        item += 1
      } else {
        items.append(([], item))
      }
      item = Int(tape[item].next)
    }
    if isObject {
      items = items.enumerated().sorted { a, b in
        if a.element.key == b.element.key { return a.offset < b.offset }
        return a.element.key.lexicographicallyPrecedes(b.element.key)
      }.map(\.element)
    }
    buffer.append(isObject ? 0x7B : 0x5B)
    for (position, item) in items.enumerated() {
      if position > 0 { buffer.append(0x2C) }
      if isObject {
        JSONText.append(tape, item.place, to: &buffer)
        buffer.append(0x3A)
      }
      appendSorted(tape, isObject ? item.place + 1 : item.place, to: &buffer)
    }
    buffer.append(isObject ? 0x7D : 0x5D)
  }

  /// As JSONText, without members that are null.
  static func appendWithoutNulls(
    _ tape: borrowing JSONTape, _ index: Int, inArrays: Bool, to buffer: inout TextBuffer
  ) {
    let node = tape[index]
    guard node.kind.isContainer else {
      JSONText.append(tape, index, to: &buffer)
      return
    }
    let isObject = node.kind == .object
    buffer.append(isObject ? 0x7B : 0x5B)
    var isFirst = true
    var item = index + 1
    for _ in 0..<node.count {
      let value = isObject ? item + 1 : item
      if !isObject || tape[value].kind != .null {
        if !isFirst { buffer.append(0x2C) }
        isFirst = false
        if isObject {
          JSONText.append(tape, item, to: &buffer)
          buffer.append(0x3A)
        }
        appendWithoutNulls(tape, value, inArrays: inArrays, to: &buffer)
      }
      item = Int(tape[value].next)
    }
    buffer.append(isObject ? 0x7D : 0x5D)
  }
}
