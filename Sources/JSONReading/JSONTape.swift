import Glibc

/// What a JSON value is. A number's kind says what holds it: `unsigned` and `signed` 64 bits,
/// `wide` nothing of ours (an integer beyond them, a number beyond DOUBLE, nan and inf).
@frozen
@usableFromInline package enum JSONKind: UInt8, Sendable {
  case null, `false`, `true`
  /// From 0 up.
  case unsigned
  /// Negative.
  case signed
  case double, wide
  case string, array, object

  @inlinable package var isNumber: Bool { rawValue >= 3 && rawValue <= 6 }
  @inlinable package var isContainer: Bool { rawValue >= 8 }
  @inlinable package var isBoolean: Bool { self == .false || self == .true }
}

/// One value of a document, as the tape holds it.
@frozen
@usableFromInline package struct JSONNode: BitwiseCopyable {
  /// The value's bytes in the input, a string's with its quotes.
  @usableFromInline package var text: UnsafePointer<UInt8>
  @usableFromInline package var length: UInt32
  /// The node behind this value and all that is in it.
  @usableFromInline package internal(set) var next: UInt32
  /// Elements of an array, members of an object.
  @usableFromInline package internal(set) var count: UInt32
  @usableFromInline package var kind: JSONKind
  /// Whether the bytes are already what a writer would write: no space, no escapes, numbers in
  /// their shortest form.
  @usableFromInline package internal(set) var isPlain: Bool

  @inlinable
  package init(
    _ kind: JSONKind, _ text: UnsafePointer<UInt8>, length: UInt32, next: UInt32, isPlain: Bool
  ) {
    self.text = text
    self.length = length
    self.next = next
    self.count = 0
    self.kind = kind
    self.isPlain = isPlain
  }

  @inlinable
  package var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: text, count: Int(length))
  }

  /// Of a string without escapes: what is between its quotes.
  @inlinable
  package var content: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: text + 1, count: Int(length) - 2)
  }
}

/// Parsed JSON: the values of one or more documents in document order, each before what is in it
/// (an object's members as key, value, key, value). No tree, no copy of the text: nodes point into
/// the input, which must outlive them. Used again and again for many documents.
@frozen
@usableFromInline package struct JSONTape: ~Copyable {
  @usableFromInline package internal(set) var nodes: UnsafeMutablePointer<JSONNode>
  @usableFromInline package internal(set) var count = 0
  @usableFromInline var capacity: Int

  package init(capacity: Int = 64) {
    self.capacity = max(capacity, 16)
    nodes = .allocate(capacity: self.capacity)
  }

  deinit { nodes.deallocate() }

  @inlinable
  package subscript(_ index: Int) -> JSONNode { nodes[index] }

  @inlinable
  package mutating func removeAll() { count = 0 }

  @usableFromInline
  mutating func grow() {
    let larger = capacity * 2
    let moved = UnsafeMutablePointer<JSONNode>.allocate(capacity: larger)
    moved.update(from: nodes, count: count)
    nodes.deallocate()
    nodes = moved
    capacity = larger
  }

  @inline(__always)
  mutating func append(_ node: JSONNode) {
    if count == capacity { grow() }
    nodes[count] = node
    count &+= 1
  }

  // MARK: Reading the tape

  /// The value of an object's first member of a key; nil when there is none.
  @inlinable
  package func member(_ object: Int, _ key: UnsafeBufferPointer<UInt8>) -> Int? {
    var left = nodes[object].count
    var index = object + 1
    while left > 0 {
      if isString(index, key) { return index + 1 }
      index = Int(nodes[index + 1].next)
      left -= 1
    }
    return nil
  }

  /// An array's element by its position, which must be less than its count.
  @inlinable
  package func element(_ array: Int, _ position: Int) -> Int {
    var index = array + 1
    for _ in 0..<position { index = Int(nodes[index].next) }
    return index
  }

  /// Whether the string is that text.
  @inlinable
  package func isString(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let node = nodes[index]
    if node.isPlain {
      return Int(node.length) == text.count + 2
        && (text.isEmpty
          || memcmp(node.text + 1, text.baseAddress.unsafelyUnwrapped, text.count) == 0)
    }
    return isEscapedString(node, text)
  }

  @usableFromInline
  func isEscapedString(_ node: JSONNode, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if Int(node.length) < text.count + 2 { return false }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(node.length)) { scratch in
      guard let start = scratch.baseAddress else { return false }
      let length = JSONTape.decode(node, into: start)
      return length == text.count
        && (length == 0
          || memcmp(start, text.baseAddress.unsafelyUnwrapped, length) == 0)
    }
  }

  /// A string's text without quotes and escapes. For the edges.
  package func string(_ index: Int) -> String {
    let node = nodes[index]
    if node.isPlain { return String(decoding: node.content, as: UTF8.self) }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(node.length)) { scratch in
      guard let start = scratch.baseAddress else { return "" }
      let length = JSONTape.decode(node, into: start)
      return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }
  }

  /// Writes a string's text without quotes and escapes; it needs at most `node.length` bytes.
  package static func decode(
    _ node: JSONNode, into target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var from = node.text + 1
    let end = node.text + Int(node.length) - 1
    var to = target
    while from < end {
      let byte = from.pointee
      if byte != 0x5C {
        to.pointee = byte
        from += 1
        to += 1
        continue
      }
      let escape = from[1]
      from += 2
      switch escape {
      case UInt8(ascii: "b"): to.pointee = 8
      case UInt8(ascii: "f"): to.pointee = 12
      case UInt8(ascii: "n"): to.pointee = 10
      case UInt8(ascii: "r"): to.pointee = 13
      case UInt8(ascii: "t"): to.pointee = 9
      case UInt8(ascii: "u"):
        var scalar = JSONTape.fourDigits(from)
        from += 4
        if scalar & 0xFC00 == 0xD800, from + 6 <= end, from[0] == 0x5C,
          from[1] == UInt8(ascii: "u"), JSONTape.fourDigits(from + 2) & 0xFC00 == 0xDC00
        {
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + JSONTape.fourDigits(from + 2) & 0x3FF
          from += 6
        } else if scalar & 0xF800 == 0xD800 {
          scalar = 0xFFFD
        }
        to += JSONTape.encode(scalar, to)
        continue
      default: to.pointee = escape
      }
      to += 1
    }
    return to - target
  }

  /// Four hexadecimal digits that the reader has checked.
  static func fourDigits(_ digits: UnsafePointer<UInt8>) -> UInt32 {
    var value: UInt32 = 0
    for position in 0..<4 {
      let byte = digits[position]
      value = value << 4 | UInt32(byte & 15) + (byte >= 0x40 ? 9 : 0)
    }
    return value
  }

  private static func encode(_ scalar: UInt32, _ to: UnsafeMutablePointer<UInt8>) -> Int {
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift) & 0x3F) }
    if scalar < 0x80 {
      to[0] = UInt8(scalar)
      return 1
    }
    if scalar < 0x800 {
      to[0] = UInt8(0xC0 | scalar >> 6)
      to[1] = continuation(0)
      return 2
    }
    if scalar < 0x10000 {
      to[0] = UInt8(0xE0 | scalar >> 12)
      to[1] = continuation(6)
      to[2] = continuation(0)
      return 3
    }
    to[0] = UInt8(0xF0 | scalar >> 18)
    to[1] = continuation(12)
    to[2] = continuation(6)
    to[3] = continuation(0)
    return 4
  }
}
