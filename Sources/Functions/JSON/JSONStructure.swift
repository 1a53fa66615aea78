import Columnar
import Diagnostics
import JSONReading

/// What types the values of some documents have, gathered value by value: for json_structure and
/// for the columns of JSON files. A place whose values are of several types is JSON.
package struct JSONStructure {
  package enum Kind: Hashable, Sendable {
    case null, boolean, unsigned, signed, double, hugeint, varchar
    case list, object
  }

  /// One type that values of a place have.
  package struct Description {
    package var kind: Kind
    /// Of objects, in the order they came; of a list its elements as the only child.
    package var keys: [String] = []
    package var children: [JSONStructure] = []
    fileprivate var positions: [String: Int] = [:]
    /// What all strings so far can be read as, the first wish last; nil before the first string.
    package var candidates: [LogicalType]?
    /// Whether an integer beyond BIGINT was among them.
    package var isWide = false

    fileprivate init(_ kind: Kind) { self.kind = kind }

    fileprivate mutating func child(_ key: String) -> Int {
      if let known = positions[key] { return known }
      positions[key] = children.count
      keys.append(key)
      children.append(JSONStructure())
      return children.count - 1
    }
  }

  package private(set) var descriptions: [Description] = []
  package private(set) var count = 0
  package private(set) var nullCount = 0

  package init() {}

  /// The description for values of a kind: NULL gives way to others, numbers go together.
  private mutating func place(_ kind: Kind) -> Int {
    if descriptions.isEmpty {
      descriptions.append(Description(kind))
      return 0
    }
    if descriptions.count == 1, descriptions[0].kind == .null {
      descriptions[0].kind = kind
      return 0
    }
    if kind == .null { return descriptions.count - 1 }
    for index in descriptions.indices {
      let known = descriptions[index].kind
      if known == kind { return index }
      if let joined = JSONStructure.joined(known, kind) {
        descriptions[index].kind = joined
        return index
      }
    }
    descriptions.append(Description(kind))
    return descriptions.count - 1
  }

  private static func joined(_ a: Kind, _ b: Kind) -> Kind? {
    let numbers: Set<Kind> = [.unsigned, .signed, .double, .hugeint]
    guard numbers.contains(a), numbers.contains(b) else { return nil }
    if a == .double || b == .double { return .double }
    return a == b ? a : .hugeint
  }

  /// Adds a value. With `candidates`, strings are tried as these types, the last first.
  package mutating func add(
    _ tape: borrowing JSONTape, _ index: Int, candidates: [LogicalType]? = nil
  ) throws {
    count += 1
    let node = tape[index]
    switch node.kind {
    case .null:
      nullCount += 1
      _ = place(.null)
    case .false, .true: _ = place(.boolean)
    case .unsigned:
      let own = place(.unsigned)
      if node.length >= 19, TextParsing.integer(node.bytes, as: Int64.self) == nil {
        descriptions[own].isWide = true
      }
    case .signed: _ = place(.signed)
    case .double, .wide: _ = place(.double)
    case .string:
      let own = place(.varchar)
      if let candidates {
        var left = descriptions[own].candidates ?? candidates
        if !left.isEmpty { JSONStructure.narrow(&left, tape.string(index)) }
        descriptions[own].candidates = left
      }
    case .array:
      let own = place(.list)
      if descriptions[own].children.isEmpty { descriptions[own].children.append(JSONStructure()) }
      var item = index + 1
      for _ in 0..<node.count {
        try descriptions[own].children[0].add(tape, item, candidates: candidates)
        item = Int(tape[item].next)
      }
    case .object:
      let own = place(.object)
      var key = index + 1
      for _ in 0..<node.count {
        let child = descriptions[own].child(tape.string(key))
        try descriptions[own].children[child].add(tape, key + 1, candidates: candidates)
        key = Int(tape[key + 1].next)
      }
    }
  }

  /// Drops the types that the text is not of; only their usual forms count.
  private static func narrow(_ candidates: inout [LogicalType], _ text: String) {
    while let type = candidates.last {
      if TextParsing.withText(text, { fits($0, type) }) { return }
      candidates.removeLast()
    }
  }

  private static func fits(_ text: UnsafeBufferPointer<UInt8>, _ type: LogicalType) -> Bool {
    switch type {
    case .time: return TextParsing.plainTime(text) != nil
    case .date: return TextParsing.plainDate(text) != nil
    case .timestamp:
      return TextParsing.timestamp(text, needsTime: true) != nil && !hasZone(text)
    case .bigint: return TextParsing.integer(text, as: Int64.self) != nil
    case .uuid: return TextParsing.uuid(text) != nil
    default:
      guard
        let column = try? Column.constant(
          .varchar(String(decoding: text, as: UTF8.self)), .varchar, count: 1),
        let cast = try? Cast.column(column, to: type, tryCast: true)
      else { return false }
      return TextParsing.timestamp(text, needsTime: true) != nil && !cast.isNull(0)
    }
  }

  /// `Z`, `+02` or `-02:00` behind the time.
  private static func hasZone(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let colon = text.firstIndex(of: 0x3A) else { return false }
    return text[colon...].contains { $0 | 32 == UInt8(ascii: "z") || $0 == 0x2B || $0 == 0x2D }
  }

  /// As json_structure prints it.
  package func append(to buffer: inout TextBuffer) {
    guard descriptions.count == 1 else {
      buffer.append(descriptions.isEmpty ? "\"NULL\"" : "\"JSON\"")
      return
    }
    let own = descriptions[0]
    switch own.kind {
    case .null: buffer.append("\"NULL\"")
    case .boolean: buffer.append("\"BOOLEAN\"")
    case .unsigned: buffer.append("\"UBIGINT\"")
    case .signed: buffer.append("\"BIGINT\"")
    case .double: buffer.append("\"DOUBLE\"")
    case .hugeint: buffer.append("\"HUGEINT\"")
    case .varchar: buffer.append("\"VARCHAR\"")
    case .list:
      buffer.append(0x5B)
      own.children[0].append(to: &buffer)
      buffer.append(0x5D)
    case .object:
      if own.keys.isEmpty {
        buffer.append("\"JSON\"")
        return
      }
      for (position, child) in own.children.enumerated() {
        buffer.append(position == 0 ? 0x7B : 0x2C)
        var key = own.keys[position]
        key.withUTF8 { JSONText.append(quoted: $0, to: &buffer) }
        buffer.append(0x3A)
        child.append(to: &buffer)
      }
      buffer.append(0x7D)
    }
  }

  /// Merges what another place has: for the value type of a MAP.
  package mutating func merge(_ other: JSONStructure) {
    count += other.count
    nullCount += other.nullCount
    for theirs in other.descriptions {
      let own = place(theirs.kind)
      if theirs.isWide { descriptions[own].isWide = true }
      switch theirs.kind {
      case .list:
        if descriptions[own].children.isEmpty {
          descriptions[own].children.append(JSONStructure())
        }
        for child in theirs.children { descriptions[own].children[0].merge(child) }
      case .object:
        for (key, child) in zip(theirs.keys, theirs.children) {
          let place = descriptions[own].child(key)
          descriptions[own].children[place].merge(child)
        }
      case .varchar:
        guard let left = theirs.candidates else { break }
        if let mine = descriptions[own].candidates, mine.last != left.last {
          descriptions[own].candidates = []
        } else {
          descriptions[own].candidates = left
        }
      case .null, .boolean, .unsigned, .signed, .double, .hugeint: break
      }
    }
  }
}
