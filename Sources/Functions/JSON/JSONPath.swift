import Diagnostics
import JSONReading

/// A place, or many places, in a document. `$.a[0]` is a path, `/a/0` a pointer (RFC 6901), any
/// other text a key; `*` and `..` make it a pattern that gives a list.
package struct JSONPath: Hashable, Sendable {
  package enum Step: Hashable, Sendable {
    case key([UInt8])
    case index(Int)
    /// `[#-1]` and `[-1]`: 1 is the last element.
    case fromEnd(Int)
    /// A pointer's token: a key of an object, a position in an array.
    case token([UInt8], position: Int?)
    case everyMember
    case everyElement
    /// Members and elements.
    case everyItem
    /// The value and all that is in it.
    case everyLevel
  }

  package let steps: [Step]
  package let isPattern: Bool

  /// `.binder` for a path that is none.
  package init(_ text: String) throws {
    var parser = Parser(bytes: Array(text.utf8))
    if parser.bytes.first == UInt8(ascii: "$") {
      steps = try parser.path()
    } else if parser.bytes.first == UInt8(ascii: "/") {
      steps = parser.pointer()
    } else {
      steps = parser.bytes.isEmpty ? [] : [.key(parser.bytes)]
    }
    isPattern = steps.contains {
      switch $0 {
      case .everyMember, .everyElement, .everyItem, .everyLevel: true
      case .key, .index, .fromEnd, .token: false
      }
    }
  }

  init(steps: [Step]) {
    self.steps = steps
    isPattern = false
  }

  /// Element `position` of an array, from its end when negative.
  package init(position: Int) {
    steps = [position < 0 ? .fromEnd(Int(clamping: position.magnitude)) : .index(position)]
    isPattern = false
  }

  // MARK: Looking

  /// The value at a path that is no pattern.
  package func find(_ tape: borrowing JSONTape, _ root: Int) -> Int? {
    var place = root
    for step in steps {
      guard let next = JSONPath.follow(step, tape, place) else { return nil }
      place = next
    }
    return place
  }

  /// Calls `body` with each value that a pattern matches, in document order per step.
  package func forEach(_ tape: borrowing JSONTape, _ root: Int, _ body: (Int) -> Void) {
    var places = [root]
    for step in steps {
      var next: [Int] = []
      for place in places {
        let node = tape[place]
        switch step {
        case .everyMember where node.kind == .object, .everyElement where node.kind == .array,
          .everyItem where node.kind.isContainer:
          var item = place + 1
          for _ in 0..<node.count {
            if node.kind == .object { item += 1 }
            next.append(item)
            item = Int(tape[item].next)
          }
        case .everyMember, .everyElement, .everyItem: break
        case .everyLevel: JSONPath.collectAll(tape, place, &next)
        case .key, .index, .fromEnd, .token:
          if let found = JSONPath.follow(step, tape, place) { next.append(found) }
        }
      }
      places = next
    }
    for place in places { body(place) }
  }

  /// The value and all that is in it, level by level.
  private static func collectAll(
    _ tape: borrowing JSONTape, _ place: Int, _ into: inout [Int]
  ) {
    var next = into.count
    into.append(place)
    while next < into.count {
      let container = into[next]
      next += 1
      let node = tape[container]
      guard node.kind.isContainer else { continue }
      var item = container + 1
      for _ in 0..<node.count {
        if node.kind == .object { item += 1 }
        into.append(item)
        item = Int(tape[item].next)
      }
    }
  }

  @inline(__always)
  private static func follow(_ step: Step, _ tape: borrowing JSONTape, _ place: Int) -> Int? {
    let node = tape[place]
    switch step {
    case .key(let key):
      guard node.kind == .object else { return nil }
      return key.withUnsafeBufferPointer { tape.member(place, $0) }
    case .index(let position):
      guard node.kind == .array, position < Int(node.count) else { return nil }
      return tape.element(place, position)
    case .fromEnd(let back):
      guard node.kind == .array, back > 0, back <= Int(node.count) else { return nil }
      return tape.element(place, Int(node.count) - back)
    case .token(let key, let position):
      if node.kind == .object { return key.withUnsafeBufferPointer { tape.member(place, $0) } }
      guard node.kind == .array, let position, position < Int(node.count) else { return nil }
      return tape.element(place, position)
    case .everyMember, .everyElement, .everyItem, .everyLevel: return nil
    }
  }

  // MARK: Parsing

  private struct Parser {
    let bytes: [UInt8]
    var at = 1

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard byte == UInt8(ascii: character) else { return false }
      at += 1
      return true
    }

    /// `/a/0/b`: `~1` stands for a slash, `~0` for a tilde.
    mutating func pointer() -> [Step] {
      let parts = bytes.dropFirst().split(
        separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      return parts.map { part in
        var key: [UInt8] = []
        var isEscape = false
        for byte in part {
          if isEscape, byte == 0x30 || byte == 0x31 {
            key[key.count - 1] = byte == 0x30 ? UInt8(ascii: "~") : UInt8(ascii: "/")
            isEscape = false
          } else {
            key.append(byte)
            isEscape = byte == UInt8(ascii: "~")
          }
        }
        let isNumber =
          key.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && !key.isEmpty && key.count < 19
          && (key.count == 1 || key[0] != 0x30)
        return .token(
          key, position: isNumber ? Int(String(decoding: key, as: UTF8.self)) : nil)
      }
    }

    mutating func path() throws -> [Step] {
      var steps: [Step] = []
      while at < bytes.count {
        let start = at
        if take(".") {
          if take(".") {
            steps.append(.everyLevel)
            if byte == UInt8(ascii: "[") { continue }
            if take("*") {
              if at == bytes.count { steps.append(.everyItem) }
              continue
            }
          }
          steps += try member(start)
        } else if take("[") {
          steps.append(try element(start))
        } else {
          throw JSONPath.mistake(bytes, start)
        }
      }
      return steps
    }

    /// What follows a dot: `*`, `**`, `"a key"` or a key up to the next dot or bracket.
    private mutating func member(_ start: Int) throws -> [Step] {
      if take("*") {
        if take("*") { return at == bytes.count ? [.everyLevel, .everyItem] : [.everyLevel] }
        return [.everyMember]
      }
      var key: [UInt8] = []
      if take("\"") {
        while let next = byte, next != 0x22 {
          if next == 0x5C, at + 1 < bytes.count { at += 1 }
          key.append(bytes[at])
          at += 1
        }
        guard take("\"") else { throw JSONPath.mistake(bytes, start) }
        return [.key(key)]
      }
      while let next = byte, next != UInt8(ascii: "."), next != UInt8(ascii: "[") {
        key.append(next)
        at += 1
      }
      if key.isEmpty { throw JSONPath.mistake(bytes, start) }
      return [.key(key)]
    }

    /// What follows a bracket, with the one that closes it.
    private mutating func element(_ start: Int) throws -> Step {
      if take("*") {
        guard take("]") else { throw JSONPath.mistake(bytes, start) }
        return .everyElement
      }
      let hasMark = take("#")
      if hasMark, take("]") { return .fromEnd(0) }
      let isBack = take("-")
      if hasMark, !isBack { throw JSONPath.mistake(bytes, start) }
      var number = 0
      let first = at
      while let next = byte, next >= 0x30, next <= 0x39, at - first < 18 {
        number = number * 10 + Int(next - 0x30)
        at += 1
      }
      guard at > first, take("]") else { throw JSONPath.mistake(bytes, start) }
      return isBack ? .fromEnd(number) : .index(number)
    }
  }

  private static func mistake(_ bytes: [UInt8], _ from: Int) -> SQLError {
    SQLError(
      .binder,
      "JSON path error near '\(String(decoding: bytes[from...], as: UTF8.self))'",
      hint: "such as $.key[0], /key/0 or key")
  }
}
