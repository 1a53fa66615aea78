import Columnar
import Diagnostics
import Glibc

/// Scratch bytes that a kernel writes one row's string into; reused for all rows of a batch.
struct ResultText: ~Copyable {
  /// No function makes a longer string: an error is better than the end of memory.
  static let limit = 1 << 30

  private(set) var start: UnsafeMutablePointer<UInt8>
  var count = 0
  /// What is allocated; `room` of it may be used without asking.
  private var capacity: Int
  private var room: Int

  init(capacity: Int = 256) {
    self.capacity = capacity
    room = capacity
    start = .allocate(capacity: capacity)
  }

  deinit { start.deallocate() }

  /// Makes room for `more` bytes; `.outOfRange` past the limit.
  @inline(__always)
  mutating func reserve(_ more: Int) throws {
    if more > room - count { try grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) throws {
    guard more >= 0, more <= ResultText.limit - count else { throw textTooLong() }
    if count + more <= capacity {
      // The row becomes a copy in the column's heap. A long one may grow by short pieces: it is asked
      // for when it has become long.
      let isLong = count + more > ResultText.short
      if isLong { try MemoryAllowance.check(count + more) }
      room = isLong ? capacity : min(capacity, ResultText.short)
      return
    }
    let larger = min(max(capacity * 2, count + more), ResultText.limit)
    // While it is moved there is the old text beside the new; later the row's copy.
    if larger > ResultText.short { try MemoryAllowance.check(larger + count + more) }
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    moved.update(from: start, count: count)
    start.deallocate()
    start = moved
    capacity = larger
    room = larger
  }

  /// Rows shorter than this are not asked for: a batch of them is small.
  private static let short = 1 << 16

  /// Empties the buffer for the next row. After a long one the next has to ask for its memory again,
  /// because the copies of a batch's rows add up.
  @inline(__always)
  mutating func startRow() {
    if count > ResultText.short { room = 256 }
    count = 0
  }

  /// `bytes` so many times; `.outOfRange` past the limit.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, times: Int) throws {
    guard let base = bytes.baseAddress, times > 0, !bytes.isEmpty else { return }
    let (total, overflows) = times.multipliedReportingOverflow(by: bytes.count)
    if overflows || total > ResultText.limit { throw textTooLong() }
    try reserve(total)
    let target = start + count
    memcpy(target, base, bytes.count)
    // What is there is doubled.
    var done = bytes.count
    while done < total {
      let more = min(done, total - done)
      memcpy(target + done, target, more)
      done += more
    }
    count += total
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) throws {
    try reserve(1)
    start[count] = byte
    count += 1
  }

  @inline(__always)
  mutating func append(_ bytes: UnsafePointer<UInt8>, _ length: Int) throws {
    if length <= 0 { return }
    try reserve(length)
    memcpy(start + count, bytes, length)
    count += length
  }

  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    if let base = bytes.baseAddress { try append(base, bytes.count) }
  }

  mutating func append(_ view: UnsafePointer<StringView>) throws {
    try append(view.bytes, view.pointee.count)
  }

  mutating func append(_ text: String) throws {
    var text = text
    try text.withUTF8 { try append($0) }
  }

  mutating func append(_ scalar: Unicode.Scalar) throws {
    try reserve(4)
    for unit in Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter {
      start[count] = unit
      count += 1
    }
  }
}

/// A result of more than 1 GiB.
func textTooLong() -> SQLError {
  SQLError(.outOfRange, "the resulting string would be longer than 1 GiB")
}
