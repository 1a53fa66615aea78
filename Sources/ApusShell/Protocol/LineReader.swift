import Glibc

/// Lines from a file descriptor, of any length, as bytes without their end.
struct LineReader {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  /// Up to where the buffer is known to hold no line end: a long line is searched once.
  private var searched = 0
  private var isAtEnd = false

  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// The next line; nil after the last. The last line needs no line end.
  mutating func next() -> ArraySlice<UInt8>? {
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer {
          start = end + 1
          searched = start
        }
        return buffer[start..<end]
      }
      searched = buffer.count
      if isAtEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return buffer[start...]
      }
      fill()
    }
  }

  private mutating func fill() {
    if start > 0 {
      buffer.removeFirst(start)
      searched -= start
      start = 0
    }
    let old = buffer.count
    let room = max(64 * 1024, old)
    buffer.append(contentsOf: repeatElement(0, count: room))
    var count = 0
    repeat {
      count = buffer.withUnsafeMutableBytes { raw in
        raw.baseAddress.map { read(descriptor, $0 + old, room) } ?? 0
      }
    } while count < 0 && errno == EINTR
    buffer.removeLast(room - max(0, count))
    isAtEnd = count <= 0
  }
}
