import Columnar
import Diagnostics
import Glibc

/// A LIKE pattern made ready for many strings: the usual forms become one comparison or search.
struct LikePattern {
  private enum Form {
    /// No wildcard.
    case exact
    /// x%, %x, %x%: `parts` holds x.
    case prefix, suffix, contains
    /// Runs between %s, no _: first and last are anchored, those between are searched in order.
    case runs
    /// With _: matched step by step.
    case general
  }

  /// One step of a general pattern.
  private enum Step {
    case byte(UInt8)
    case one, any
  }

  private let form: Form
  private let parts: [[UInt8]]
  private let steps: [Step]
  /// All parts in one, and where each ends in it.
  private let joined: [UInt8]
  private let ends: [Int]

  /// `.invalidInput` error when the pattern ends in the middle of an escape.
  init(_ pattern: UnsafeBufferPointer<UInt8>, escape: UInt8?) throws {
    var steps: [Step] = []
    var parts: [[UInt8]] = [[]]
    var hasOne = false
    var position = 0
    while position < pattern.count {
      let byte = pattern[position]
      position += 1
      if byte == escape {
        guard position < pattern.count else { throw LikePattern.danglingEscape() }
        steps.append(.byte(pattern[position]))
        parts[parts.count - 1].append(pattern[position])
        position += 1
      } else if byte == 0x25 {
        if case .any? = steps.last { continue }
        steps.append(.any)
        parts.append([])
      } else if byte == 0x5F {
        steps.append(.one)
        hasOne = true
      } else {
        steps.append(.byte(byte))
        parts[parts.count - 1].append(byte)
      }
    }
    if hasOne {
      form = .general
    } else if parts.count == 1 {
      form = .exact
    } else if parts.count == 2 && parts[1].isEmpty {
      form = .prefix
    } else if parts.count == 2 && parts[0].isEmpty {
      form = .suffix
      parts.removeFirst()
    } else if parts.count == 3 && parts[0].isEmpty && parts[2].isEmpty {
      form = .contains
      parts = [parts[1]]
    } else {
      form = .runs
    }
    self.parts = parts
    joined = Array(parts.joined())
    // A search is the runs '', x and ''.
    let lengths = form == .contains ? [0, joined.count, 0] : parts.map(\.count)
    ends = lengths.indices.map { lengths[...$0].reduce(0, +) }
    self.steps = form == .general ? steps : []
  }

  /// The part, at the text's start, at its end, both or anywhere.
  init(_ part: [UInt8], isAtStart: Bool, isAtEnd: Bool) {
    form = isAtStart ? (isAtEnd ? .exact : .prefix) : isAtEnd ? .suffix : .contains
    parts = [part]
    joined = part
    ends = form == .contains ? [0, part.count, part.count] : [part.count]
    steps = []
  }

  func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    switch form {
    case .exact:
      return parts[0].withUnsafeBufferPointer {
        $0.count == bytes.count && UTF8Text.hasPrefix(bytes, $0)
      }
    case .prefix: return parts[0].withUnsafeBufferPointer { UTF8Text.hasPrefix(bytes, $0) }
    case .suffix: return parts[0].withUnsafeBufferPointer { UTF8Text.hasSuffix(bytes, $0) }
    case .contains:
      return parts[0].withUnsafeBufferPointer { UTF8Text.find($0, in: bytes) != nil }
    case .runs: return matchesRuns(bytes)
    case .general: return matchesSteps(bytes)
    }
  }

  private func matchesRuns(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    withRuns { $0.matches(bytes) }
  }

  /// The parts of a pattern with %s one after the other, and where each ends: nothing to retain or
  /// to look up for each string.
  struct Runs {
    let bytes: UnsafeBufferPointer<UInt8>
    let ends: UnsafeBufferPointer<Int>

    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
      let last = ends.count - 1
      var position = ends[0]
      var start = position
      let suffix = UTF8Text.part(bytes, ends[last - 1]..<ends[last])
      let end = text.count - suffix.count
      guard position <= end, UTF8Text.hasPrefix(text, UTF8Text.part(bytes, 0..<start)),
        UTF8Text.hasSuffix(text, suffix)
      else { return false }
      let middle = UTF8Text.part(text, 0..<end)
      for index in 1..<last {
        let part = UTF8Text.part(bytes, start..<ends[index])
        guard let found = UTF8Text.find(part, in: middle, from: position) else { return false }
        position = found + part.count
        start = ends[index]
      }
      return true
    }
  }

  private func withRuns<R>(_ body: (Runs) throws -> R) rethrows -> R {
    try joined.withUnsafeBufferPointer { bytes in
      try ends.withUnsafeBufferPointer { try body(Runs(bytes: bytes, ends: $0)) }
    }
  }

  /// Greedy with one place to go back to: the last %. O(pattern * string) at worst.
  private func matchesSteps(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    steps.withUnsafeBufferPointer { steps in
      var position = 0
      var step = 0
      var retryStep = -1
      var retryPosition = 0
      while position < bytes.count {
        if step < steps.count {
          switch steps[step] {
          case .any:
            step += 1
            retryStep = step
            retryPosition = position
            continue
          case .one:
            position += UTF8Text.width(bytes, position)
            step += 1
            continue
          case .byte(let wanted):
            if bytes[position] == wanted {
              position += 1
              step += 1
              continue
            }
          }
        }
        if retryStep < 0 { return false }
        retryPosition += UTF8Text.width(bytes, retryPosition)
        position = retryPosition
        step = retryStep
      }
      while step < steps.count {
        guard case .any = steps[step] else { return false }
        step += 1
      }
      return true
    }
  }

  /// The predicate over the first argument, NULL where any is: for a pattern of one part, where one
  /// test a row is all, and nothing is decided or retained there; nil of other patterns.
  func matchPart(_ arguments: [Column], _ count: Int, negated: Bool) -> Column? {
    let strings = ColumnReader<StringView>(arguments[0])
    guard parts.count == 1 || form == .prefix else { return nil }
    return parts[0].withUnsafeBufferPointer { part in
      switch form {
      case .exact:
        return Kernels.predicate(arguments, count) { row in
          let bytes = strings.pointer(row).buffer
          return (bytes.count == part.count && UTF8Text.hasPrefix(bytes, part)) != negated
        }
      case .prefix:
        return Kernels.predicate(arguments, count) { row in
          UTF8Text.hasPrefix(strings.pointer(row).buffer, part) != negated
        }
      case .suffix:
        return Kernels.predicate(arguments, count) { row in
          UTF8Text.hasSuffix(strings.pointer(row).buffer, part) != negated
        }
      case .contains:
        return Kernels.predicate(arguments, count) { row in
          (UTF8Text.find(part, in: strings.pointer(row).buffer) != nil) != negated
        }
      case .runs, .general: return nil
      }
    }
  }

  /// The kernel of LIKE: string, pattern, and perhaps the escape character.
  static func match(
    _ arguments: [Column], _ count: Int, negated: Bool, ignoringCase: Bool
  ) throws -> Column {
    let strings = ColumnReader<StringView>(arguments[0])
    let patterns = ColumnReader<StringView>(arguments[1])
    let escapes = arguments.count > 2 ? ColumnReader<StringView>(arguments[2]) : nil
    let isFixed = arguments.dropFirst().allSatisfy(\.isConstant)
    var lowered = ResultText()
    var scratch = ResultText()

    func compile(_ row: Int) throws -> LikePattern {
      var escape: UInt8?
      if let escapes {
        let bytes = escapes.pointer(row).buffer
        guard bytes.count <= 1, bytes.first.map({ $0 < 0x80 }) ?? true else {
          throw longEscape()
        }
        escape = bytes.first
      }
      let pattern = patterns.pointer(row).buffer
      if !ignoringCase { return try LikePattern(pattern, escape: escape) }
      lowered.count = 0
      try UTF8Text.appendCase(pattern, upper: false, to: &lowered)
      return try LikePattern(
        UnsafeBufferPointer(start: lowered.start, count: lowered.count),
        escape: escape.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 })
    }

    var fixed: LikePattern?
    if isFixed, count > 0, !arguments.dropFirst().contains(where: \.isConstantNull) {
      fixed = try compile(0)
    }
    if let fixed, !ignoringCase, let answer = fixed.matchPart(arguments, count, negated: negated) {
      return answer
    }
    if let fixed, fixed.form == .runs || fixed.form == .contains {
      return try fixed.withRuns { runs in
        try Kernels.predicate(arguments, count) { row in
          let text = strings.pointer(row).buffer
          if !ignoringCase { return runs.matches(text) != negated }
          scratch.count = 0
          try UTF8Text.appendCase(text, upper: false, to: &scratch)
          return runs.matches(
            UnsafeBufferPointer(start: scratch.start, count: scratch.count)) != negated
        }
      }
    }
    return try Kernels.predicate(arguments, count) { row in
      let pattern = try fixed ?? compile(row)
      var bytes = strings.pointer(row).buffer
      if ignoringCase {
        scratch.count = 0
        try UTF8Text.appendCase(bytes, upper: false, to: &scratch)
        bytes = UnsafeBufferPointer(start: scratch.start, count: scratch.count)
      }
      return pattern.matches(bytes) != negated
    }
  }

  private static func danglingEscape() -> SQLError {
    SQLError(.invalidInput, "a LIKE pattern must not end with its escape character")
  }

  private static func longEscape() -> SQLError {
    SQLError(.invalidInput, "the escape of LIKE must be a single character or empty")
  }
}
