import Columnar
import Diagnostics
import JSONReading

/// `json_each` and `json_tree`: what is in a document as rows. In FROM they are unnested to a table;
/// elsewhere they give the rows as a list of structs.
enum JSONRowsFunctions {
  static let fields = [
    Field("key", .varchar), Field("value", .json), Field("type", .varchar), Field("atom", .json),
    Field("id", .ubigint), Field("parent", .ubigint), Field("fullkey", .varchar),
    Field("path", .varchar),
  ]

  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "json_each", category: "json",
      summary: "The elements or members of the document (at a path), a row each; for FROM.",
      examples: [
        ("list_transform(json_each('{\"a\": 1, \"b\": [2]}'), lambda e: e.key)", "[a, b]")
      ],
      overloads: shown, signature: { try signature($0, isTree: false) }),
    ScalarFunction(
      "json_tree", category: "json",
      summary: "All values in the document (at a path), each before what is in it; for FROM.",
      examples: [
        ("list_transform(json_tree('{\"a\": [1]}'), lambda e: e.fullkey)", "[$, $.a, '$.a[0]']")
      ],
      overloads: shown, signature: { try signature($0, isTree: true) }),
  ]

  private static let shown = [
    ScalarOverload([.exactly(.json)], returns: .list(.structure(fields))) { _, n, t in
      Column.nulls(t, count: n)
    },
    ScalarOverload([.exactly(.json), .exactly(.varchar)], returns: .list(.structure(fields))) {
      _, n, t in Column.nulls(t, count: n)
    },
  ]

  private static func signature(
    _ arguments: [CallArgument], isTree: Bool
  ) throws -> (overload: ScalarOverload, types: [LogicalType])? {
    guard (1...2).contains(arguments.count) else { return nil }
    let name = isTree ? "json_tree" : "json_each"
    let document = JSONExtractFunctions.documentType(arguments[0].type)
    var text = "$"
    if arguments.count == 2 {
      guard let given = arguments[1].text else {
        throw SQLError(.binder, "the path of \(name) is a constant")
      }
      text = given
    }
    guard text.hasPrefix("$") else {
      throw SQLError(.binder, "the path of \(name) begins with $, unlike '\(text)'")
    }
    let path = try JSONPath(text)
    if path.isPattern { throw SQLError(.binder, "the path of \(name) is no pattern") }
    let rootPath = Array(text.utf8)
    let overload = ScalarOverload(
      arguments.map { _ in .any }, returns: .list(.structure(fields))
    ) { a, n, t in
      let reader = ColumnReader<StringView>(a[0])
      var table = JSONRowTable(isTree: isTree, rootPath: rootPath)
      var entries = JSONValues<ListEntry>()
      var tape = JSONTape(capacity: 256)
      for row in 0..<n {
        let start = table.count
        guard !reader.isNull(row) else {
          entries.appendNull(ListEntry(offset: start, length: 0))
          continue
        }
        tape.removeAll()
        let root = try JSONDocuments.read(reader.pointer(row).buffer, &tape)
        if let found = path.find(tape, root) { table.add(tape, root, found) }
        entries.append(ListEntry(offset: start, length: table.count - start))
      }
      return entries.column(t, children: [table.finish(a[0])])
    }
    return (overload, arguments.count == 2 ? [document, .varchar] : [document])
  }
}

/// The rows of json_each and json_tree as they are collected.
private struct JSONRowTable {
  private let isTree: Bool
  private let rootPath: [UInt8]
  private var keys = JSONValues<StringView>()
  private var values = JSONTextSink<JSONForm>(.json)
  private var types = JSONTextSink<JSONTypeForm>(.varchar)
  private var atoms = JSONTextSink<JSONScalarForm>(.json)
  private var ids = JSONValues<UInt64>()
  private var parents = JSONValues<UInt64>()
  private var fullKeys = JSONValues<StringView>()
  private var paths = JSONValues<StringView>()
  private let heap = StringHeap()

  init(isTree: Bool, rootPath: [UInt8]) {
    self.isTree = isTree
    self.rootPath = rootPath
  }

  var count: Int { ids.values.count }

  mutating func add(_ tape: borrowing JSONTape, _ document: Int, _ root: Int) {
    let isContainer = tape[root].kind.isContainer
    if isTree || !isContainer {
      append(tape, document, root, key: nil, parent: nil, path: rootPath, fullKey: rootPath)
    }
    if isContainer { addItems(tape, document, root, rootPath) }
  }

  private mutating func addItems(
    _ tape: borrowing JSONTape, _ document: Int, _ container: Int, _ path: [UInt8]
  ) {
    let isObject = tape[container].kind == .object
    var item = container + 1
    for position in 0..<Int(tape[container].count) {
      var fullKey = path
      let key: StringView
      if isObject {
        let name = Array(tape.string(item).utf8)
        fullKey += JSONRowTable.step(name)
        key = name.withUnsafeBufferPointer { bytes in
          bytes.baseAddress.map { heap.store($0, bytes.count) } ?? StringView()
        }
        item += 1
      } else {
        let number = String(position)
        fullKey += Array("[\(number)]".utf8)
        key = heap.store(number)
      }
      append(
        tape, document, item, key: key, parent: isTree ? container : nil, path: path,
        fullKey: fullKey)
      if isTree, tape[item].kind.isContainer { addItems(tape, document, item, fullKey) }
      item = Int(tape[item].next)
    }
  }

  /// `.key`, in quotes where a path needs them.
  private static func step(_ name: [UInt8]) -> [UInt8] {
    let isWord =
      !name.isEmpty
      && name.allSatisfy {
        ($0 | 32 >= 97 && $0 | 32 <= 122) || $0 == 95 || ($0 >= 48 && $0 <= 57) || $0 >= 128
      }
    if isWord { return [0x2E] + name }
    var quoted: [UInt8] = [0x2E, 0x22]
    for byte in name {
      if byte == 0x22 || byte == 0x5C { quoted.append(0x5C) }
      quoted.append(byte)
    }
    return quoted + [0x22]
  }

  private mutating func append(
    _ tape: borrowing JSONTape, _ document: Int, _ index: Int, key: StringView?, parent: Int?,
    path: [UInt8], fullKey: [UInt8]
  ) {
    if let key { keys.append(key) } else { keys.appendNull(StringView()) }
    values.append(tape, index)
    types.append(tape, index)
    atoms.append(tape, index)
    ids.append(UInt64(index - document))
    if let parent { parents.append(UInt64(parent - document)) } else { parents.appendNull(0) }
    fullKey.withUnsafeBufferPointer { bytes in
      fullKeys.append(bytes.baseAddress.map { heap.store($0, bytes.count) } ?? StringView())
    }
    path.withUnsafeBufferPointer { bytes in
      paths.append(bytes.baseAddress.map { heap.store($0, bytes.count) } ?? StringView())
    }
  }

  mutating func finish(_ owner: AnyObject) -> Column {
    Column(
      flat: .structure(JSONRowsFunctions.fields), count: count,
      children: [
        keys.column(.varchar, owners: [heap]), values.finish(owner), types.finish(owner),
        atoms.finish(owner), ids.column(.ubigint), parents.column(.ubigint),
        fullKeys.column(.varchar, owners: [heap]), paths.column(.varchar, owners: [heap]),
      ])
  }
}
