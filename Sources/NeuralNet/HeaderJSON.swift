import JSONReading

/// The little of JSON that tensor files need, read from untrusted bytes: nil for anything malformed
/// or nested deeper than such a file ever is.
indirect enum HeaderJSON {
  case object([(key: String, value: HeaderJSON)])
  case array([HeaderJSON])
  case text(String)
  case number(Double)
  case other

  static func parse(_ bytes: ArraySlice<UInt8>) -> HeaderJSON? {
    var rules = JSONRules.strict
    rules.maximumDepth = 16
    return bytes.withUnsafeBufferPointer { input in
      var tape = JSONTape()
      guard let root = try? tape.read(input, rules) else { return nil }
      return value(tape, root)
    }
  }

  subscript(key: String) -> HeaderJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// Whole numbers from 0 up; nil when this is no array of such.
  var integers: [Int]? {
    guard case .array(let items) = self else { return nil }
    var result: [Int] = []
    for item in items {
      guard case .number(let number) = item, let integer = Int(exactly: number), integer >= 0
      else { return nil }
      result.append(integer)
    }
    return result
  }

  private static func value(_ tape: borrowing JSONTape, _ index: Int) -> HeaderJSON {
    let node = tape[index]
    switch node.kind {
    case .object:
      var members: [(key: String, value: HeaderJSON)] = []
      var key = index + 1
      for _ in 0..<node.count {
        members.append((tape.string(key), value(tape, key + 1)))
        key = Int(tape[key + 1].next)
      }
      return .object(members)
    case .array:
      var items: [HeaderJSON] = []
      var item = index + 1
      for _ in 0..<node.count {
        items.append(value(tape, item))
        item = Int(tape[item].next)
      }
      return .array(items)
    case .string: return .text(tape.string(index))
    case .unsigned, .signed, .double, .wide:
      return Double(String(decoding: node.bytes, as: UTF8.self)).map { .number($0) } ?? .other
    case .null, .false, .true: return .other
    }
  }
}
