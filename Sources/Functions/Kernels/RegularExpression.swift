import CPCRE2
import Columnar
import Diagnostics
import Synchronization

/// A compiled PCRE2 pattern, shared by threads; each kernel call matches through a `Matcher`.
///
/// Matching is bounded: a pattern that backtracks without end is an error within about a second
/// instead of a query that never ends.
final class RegularExpression: @unchecked Sendable {
  fileprivate let code: OpaquePointer
  let groupCount: Int
  /// The pattern as a search, when it is plain text with perhaps ^ before and $ after it.
  let plain: LikePattern?

  /// SAFETY: compiled code, JIT code included, is read-only; freed once, in `deinit`.
  private init(code: OpaquePointer, plain: LikePattern?) {
    self.code = code
    self.plain = plain
    var groups: UInt32 = 0
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
    groupCount = Int(groups)
  }

  deinit { pcre2_code_free_8(code) }

  private struct Key: Hashable {
    let pattern: [UInt8]
    let options: UInt32
  }

  /// Recent patterns of all queries. Emptied when full: simpler than ageing, and as good for the
  /// few patterns that a workload has.
  private static let cache = Mutex<[Key: RegularExpression]>([:])
  private static let cacheLimit = 128

  /// The compiled pattern; `.invalidInput` error for a malformed one. `full` anchors it at both
  /// ends. Options, a letter each, the later one decides: i ignores case, c does not; s lets . match
  /// newlines, m, n and p do not; l takes the pattern literally; g, all matches, is for the caller
  /// that takes it. As in RE2, ^ and $ are the text's ends: for those of lines write (?m).
  static func compiled(
    _ pattern: UnsafeBufferPointer<UInt8>, options letters: UnsafeBufferPointer<UInt8>? = nil,
    full: Bool = false, takesGlobal: Bool = false
  ) throws -> RegularExpression {
    var options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY
    if full { options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED }
    for letter in letters ?? UnsafeBufferPointer(start: nil, count: 0) {
      switch letter {
      case 0x69: options |= PCRE2_CASELESS
      case 0x63: options &= ~PCRE2_CASELESS
      case 0x73: options |= PCRE2_DOTALL
      case 0x6C: options |= PCRE2_LITERAL
      case 0x6D, 0x6E, 0x70: options &= ~PCRE2_DOTALL
      case 0x67 where takesGlobal, 0x20, 0x09, 0x0A: break
      case 0x67: throw globalElsewhere()
      default: throw unknownOption(letter)
      }
    }
    if options & PCRE2_LITERAL != 0 {
      options &= ~PCRE2_MATCH_INVALID_UTF & ~PCRE2_DOTALL & ~PCRE2_DOLLAR_ENDONLY
    }
    let key = Key(pattern: Array(pattern), options: options)
    if let known = cache.withLock({ $0[key] }) { return known }
    var problem: Int32 = 0
    var place = 0
    let empty: [UInt8] = [0]
    let code = empty.withUnsafeBufferPointer { fallback in
      pcre2_compile_8(
        pattern.baseAddress ?? fallback.baseAddress, pattern.count, options, &problem, &place, nil)
    }
    guard let code else { throw malformed(pattern, problem, place) }
    // Without JIT (some platforms) the interpreter matches the same, only slower.
    _ = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
    let made = RegularExpression(code: code, plain: plainPattern(pattern, options))
    cache.withLock { known in
      if known.count >= cacheLimit { known.removeAll() }
      known[key] = made
    }
    return made
  }

  /// What `plain` says of a pattern that compiles; nil when it has operators, or ignores case.
  private static func plainPattern(
    _ pattern: UnsafeBufferPointer<UInt8>, _ options: UInt32
  ) -> LikePattern? {
    if options & PCRE2_CASELESS != 0 { return nil }
    let isFull = options & PCRE2_ENDANCHORED != 0
    if options & PCRE2_LITERAL != 0 {
      return LikePattern(Array(pattern), isAtStart: isFull, isAtEnd: isFull)
    }
    let isAtStart = pattern.first == UInt8(ascii: "^")
    var text: [UInt8] = []
    var isEscaped = false
    for (place, byte) in pattern.enumerated().dropFirst(isAtStart ? 1 : 0) {
      let isWord = (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte >= 0x80
      // A letter or digit behind \ is an operator; any other byte is itself.
      if isEscaped && isWord { return nil }
      if !isEscaped && byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if !isEscaped && operators.contains(byte) {
        guard byte == UInt8(ascii: "$"), place == pattern.count - 1 else { return nil }
        return LikePattern(text, isAtStart: isAtStart || isFull, isAtEnd: true)
      } else {
        text.append(byte)
        isEscaped = false
      }
    }
    return LikePattern(text, isAtStart: isAtStart || isFull, isAtEnd: isFull)
  }

  private static let operators: Set<UInt8> = Set("^$.[]{}()*+?|".utf8)

  // MARK: Messages

  private static func unknownOption(_ letter: UInt8) -> SQLError {
    SQLError(
      .invalidInput,
      "there is no regular expression option '\(Character(Unicode.Scalar(letter)))'",
      hint: "options are i, c, s, m, n, p, l and g")
  }

  private static func globalElsewhere() -> SQLError {
    SQLError(.invalidInput, "the option 'g' (all matches) is only for regexp_replace")
  }

  private static func malformed(
    _ pattern: UnsafeBufferPointer<UInt8>, _ problem: Int32, _ place: Int
  ) -> SQLError {
    let text = String(decoding: pattern, as: UTF8.self)
    return SQLError(
      .invalidInput, "the regular expression '\(text)' is malformed at \(place): \(words(problem))")
  }

  fileprivate static func words(_ problem: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = pcre2_get_error_message_8(problem, &buffer, buffer.count)
    return length > 0
      ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "error \(problem)"
  }
}

/// The working memory of matching, for one thread; reused for all rows of a batch.
struct RegexMatcher: ~Copyable {
  private let data: OpaquePointer
  private let context: OpaquePointer
  private let stack: OpaquePointer?
  /// Asked before each match: one ends soon by its limit, but a batch has thousands.
  private let cancellation = Cancellation.current
  private static let backtrackLimit: UInt32 = 2_000_000
  private static let groups: UInt32 = 64

  init() throws {
    guard let data = pcre2_match_data_create_8(RegexMatcher.groups, nil) else {
      throw RegexMatcher.noMemory()
    }
    guard let context = pcre2_match_context_create_8(nil) else {
      pcre2_match_data_free_8(data)
      throw RegexMatcher.noMemory()
    }
    self.data = data
    self.context = context
    stack = pcre2_jit_stack_create_8(32 * 1024, 8 * 1024 * 1024, nil)
    pcre2_set_match_limit_8(context, RegexMatcher.backtrackLimit)
    pcre2_set_depth_limit_8(context, RegexMatcher.backtrackLimit)
    pcre2_set_heap_limit_8(context, 64 * 1024)
    if let stack { pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
  }

  deinit {
    if let stack { pcre2_jit_stack_free_8(stack) }
    pcre2_match_context_free_8(context)
    pcre2_match_data_free_8(data)
  }

  /// Whether the pattern matches at or after `start`; the groups are then in `group`.
  func matches(
    _ expression: RegularExpression, _ bytes: UnsafeBufferPointer<UInt8>, from start: Int = 0
  ) throws -> Bool {
    try cancellation.check()
    var nothing: UInt8 = 0
    let found = withUnsafePointer(to: &nothing) {
      pcre2_match_8(
        expression.code, bytes.baseAddress ?? $0, bytes.count, start, 0, data, context)
    }
    if found >= 0 { return true }
    if found == PCRE2_ERROR_NOMATCH { return false }
    throw RegexMatcher.failed(found)
  }

  /// Where group `number` of the last match lies; nil when it took no part.
  func group(_ number: Int) -> Range<Int>? {
    guard number < Int(RegexMatcher.groups), let offsets = pcre2_get_ovector_pointer_8(data) else {
      return nil
    }
    let start = offsets[2 * number]
    let end = offsets[2 * number + 1]
    return start == Int.max || start > end || start < 0 ? nil : start..<end
  }

  private static func noMemory() -> SQLError {
    SQLError(.outOfMemory, "there is no memory for matching a regular expression")
  }

  private static func failed(_ problem: Int32) -> SQLError {
    SQLError(
      .invalidInput, "the regular expression gave up: \(RegularExpression.words(problem))",
      hint: "nested repetitions such as (a+)+ take exponential time")
  }
}
