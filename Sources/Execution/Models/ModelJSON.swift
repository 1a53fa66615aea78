import JSONReading

/// A JSON value as the state of a model uses it: small, written by us, read from files that others
/// may have changed.
enum ModelJSON: Sendable {
  case null
  case boolean(Bool)
  case number(Double)
  case text(String)
  case array([ModelJSON])
  /// In the order of writing.
  case object([(key: String, value: ModelJSON)])

  /// Nil for anything malformed or deeper than a model's state ever is.
  init?(parsing text: String) {
    var rules = JSONRules.strict
    rules.maximumDepth = 16
    let parsed = Array(text.utf8).withUnsafeBufferPointer { input -> ModelJSON? in
      var tape = JSONTape()
      guard let root = try? tape.read(input, rules) else { return nil }
      return ModelJSON(tape, root)
    }
    guard let parsed else { return nil }
    self = parsed
  }

  private init(_ tape: borrowing JSONTape, _ index: Int) {
    let node = tape[index]
    switch node.kind {
    case .object:
      var members: [(key: String, value: ModelJSON)] = []
      var key = index + 1
      for _ in 0..<node.count {
        members.append((tape.string(key), ModelJSON(tape, key + 1)))
        key = Int(tape[key + 1].next)
      }
      self = .object(members)
    case .array:
      var items: [ModelJSON] = []
      var item = index + 1
      for _ in 0..<node.count {
        items.append(ModelJSON(tape, item))
        item = Int(tape[item].next)
      }
      self = .array(items)
    case .string: self = .text(tape.string(index))
    case .unsigned, .signed, .double, .wide:
      self = Double(String(decoding: node.bytes, as: UTF8.self)).map { .number($0) } ?? .null
    case .true: self = .boolean(true)
    case .false: self = .boolean(false)
    case .null: self = .null
    }
  }

  subscript(key: String) -> ModelJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  var text: String? {
    guard case .text(let text) = self else { return nil }
    return text
  }

  var number: Double? {
    guard case .number(let number) = self else { return nil }
    return number
  }

  var items: [ModelJSON]? {
    guard case .array(let items) = self else { return nil }
    return items
  }

  /// Texts of an array; nil when this is none, or has other things in it.
  var texts: [String]? {
    guard let items else { return nil }
    let found = items.compactMap(\.text)
    return found.count == items.count ? found : nil
  }

  /// As one line. Numbers that JSON does not have become null.
  var written: String {
    switch self {
    case .null: return "null"
    case .boolean(let flag): return flag ? "true" : "false"
    case .number(let number):
      guard number.isFinite else { return "null" }
      let text = "\(number)"
      return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    case .text(let text): return Self.quoted(text)
    case .array(let items): return "[" + items.map(\.written).joined(separator: ",") + "]"
    case .object(let members):
      return "{"
        + members.map { "\(Self.quoted($0.key)):\($0.value.written)" }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
