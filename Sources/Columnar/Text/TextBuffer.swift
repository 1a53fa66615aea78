import Diagnostics
import Glibc

/// Bytes that grow at the end: what rows are printed into. Raw memory, because an array's
/// uniqueness and bounds checks are most of the cost of appending three bytes.
@frozen
@usableFromInline package struct TextBuffer: ~Copyable {
  @usableFromInline package private(set) var start: UnsafeMutablePointer<UInt8>
  @usableFromInline package var count = 0
  @usableFromInline var capacity: Int
  /// From so many bytes on, no more elements are appended.
  package var limit = Int.max
  /// Elements were left out: the text is nobody's.
  package private(set) var isCut = false

  package init(capacity: Int = 256) {
    self.capacity = max(capacity, 64)
    start = .allocate(capacity: self.capacity)
  }

  deinit { start.deallocate() }

  /// Whether it is of no use to append more elements: the statement is cancelled, or the text too
  /// long. Where there is a limit `check` is asked at the end.
  package mutating func mustStop() -> Bool {
    if limit < .max, count > limit || Cancellation.current.isRequested { isCut = true }
    return isCut
  }

  /// Throws what has stopped it, or should have.
  package func check() throws {
    try Cancellation.current.check()
    if count <= limit && !isCut { return }
    try SessionTime.current.memory.check(count)
    throw TextBuffer.tooLong()
  }

  /// What a text may take with the buffer that grows for it and the copy that is kept, and what a
  /// view can count.
  package static var longest: Int {
    min(Int(UInt32.max) - (1 << 16), SessionTime.current.memory.left / 3)
  }

  /// The bytes so far; not to be used after the next append.
  package var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// The bytes so far as a Swift string. For the edges.
  package var string: String { String(decoding: bytes, as: UTF8.self) }

  @inlinable
  package mutating func removeAll() { count = 0 }

  /// Where at least `more` bytes may be written; then `count` is to be raised.
  @inlinable
  package mutating func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if capacity &- count < more { grow(more) }
    return start + count
  }

  @usableFromInline
  mutating func grow(_ more: Int) {
    let larger = max(capacity * 2, count + more)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.update(from: start, count: count)
    start.deallocate()
    start = moved
    capacity = larger
  }

  @inlinable
  package mutating func append(_ byte: UInt8) {
    reserve(1).pointee = byte
    count &+= 1
  }

  @inlinable
  package mutating func append(_ bytes: UnsafePointer<UInt8>, _ length: Int) {
    if length == 0 { return }
    memcpy(reserve(length), bytes, length)
    count &+= length
  }

  @inlinable
  package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let first = bytes.baseAddress { append(first, bytes.count) }
  }

  @inlinable
  package mutating func append(_ text: StaticString) {
    append(text.utf8Start, text.utf8CodeUnitCount)
  }

  package mutating func append(string: String) {
    var text = string
    text.withUTF8 { append($0) }
  }

  /// A number in decimal digits, at least `digits` of them.
  @inlinable
  package mutating func append(decimal value: UInt64, digits: Int = 1) {
    // The room below holds 32; more than the 20 digits of a value are zeros in front.
    if digits > 32 {
      for _ in 32..<digits { append(0x30) }
    }
    let digits = min(digits, 32)
    let room = reserve(32)
    var end = 32
    var rest = value
    // Written from the back of the reserved room, then moved to its front.
    while rest >= 100 {
      let pair = Int(truncatingIfNeeded: rest % 100) &* 2
      rest /= 100
      end &-= 2
      room[end] = digitPairs.utf8Start[pair]
      room[end &+ 1] = digitPairs.utf8Start[pair &+ 1]
    }
    if rest >= 10 {
      let pair = Int(truncatingIfNeeded: rest) &* 2
      end &-= 2
      room[end] = digitPairs.utf8Start[pair]
      room[end &+ 1] = digitPairs.utf8Start[pair &+ 1]
    } else {
      end &-= 1
      room[end] = 0x30 &+ UInt8(truncatingIfNeeded: rest)
    }
    while 32 &- end < digits {
      end &-= 1
      room[end] = 0x30
    }
    memmove(room, room + end, 32 &- end)
    count &+= 32 &- end
  }

  /// Any integer in decimal.
  @inlinable
  package mutating func append<T: FixedWidthInteger>(integer value: T) {
    if T.isSigned && value < 0 { append(0x2D) }
    if T.bitWidth <= 64 {
      append(decimal: UInt64(truncatingIfNeeded: value.magnitude))
    } else {
      append(wide: UInt128(truncatingIfNeeded: value.magnitude))
    }
  }

  @usableFromInline
  package mutating func append(wide value: UInt128, digits: Int = 1) {
    let chunk: UInt128 = 1_000_000_000_000_000_000
    if value < chunk && digits <= 18 {
      append(decimal: UInt64(value), digits: max(1, digits))
    } else {
      append(wide: value / chunk, digits: digits - 18)
      append(decimal: UInt64(value % chunk), digits: 18)
    }
  }

  /// Two digits; `value` is 0 to 99.
  @inlinable
  package mutating func append(twoDigits value: Int) {
    let room = reserve(2)
    room[0] = digitPairs.utf8Start[value &* 2]
    room[1] = digitPairs.utf8Start[value &* 2 &+ 1]
    count &+= 2
  }
}

@usableFromInline let digitPairs: StaticString = """
  0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
  5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
  """

extension TextBuffer {
  fileprivate static func tooLong() -> SQLError {
    SQLError(
      .outOfMemory, "the text of a value is longer than 4 GiB, or than memory_limit has room for",
      hint: "raise the limit with SET memory_limit = '…'")
  }
}
