import Glibc

/// A buffered stream of bytes to a file descriptor. A reader who has gone away (`apus … | head`)
/// ends the program quietly, with the status a shell gives for a broken pipe.
final class Output {
  /// Standard output of the process.
  // SAFETY: written by the main thread alone.
  nonisolated(unsafe) static let standard = Output(descriptor: STDOUT_FILENO)

  /// Called before bytes leave the buffer: the progress bar takes itself off the terminal here.
  var willFlush: (() -> Void)?

  private let descriptor: Int32
  private let closesAtEnd: Bool
  private var buffer: [UInt8] = []
  private static let capacity = 64 * 1024

  init(descriptor: Int32, closesAtEnd: Bool = false) {
    self.descriptor = descriptor
    self.closesAtEnd = closesAtEnd
    buffer.reserveCapacity(Self.capacity + 4096)
  }

  deinit {
    flush()
    if closesAtEnd { close(descriptor) }
  }

  /// A file made new, or emptied; nil when it cannot be opened (see `errno`).
  convenience init?(creating path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return nil }
    self.init(descriptor: descriptor, closesAtEnd: true)
  }

  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal; nil when the output is none.
  var terminalWidth: Int? {
    guard isTerminal else { return nil }
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    flushIfFull()
  }

  func write(_ bytes: some Collection<UInt8>) {
    buffer.append(contentsOf: bytes)
    flushIfFull()
  }

  /// Lets a renderer append straight into the buffer.
  func write(_ body: (inout [UInt8]) -> Void) {
    body(&buffer)
    flushIfFull()
  }

  func flush() {
    guard !buffer.isEmpty else { return }
    willFlush?()
    Self.writeAll(buffer, to: descriptor)
    buffer.removeAll(keepingCapacity: true)
  }

  private func flushIfFull() {
    if buffer.count >= Self.capacity { flush() }
  }

  /// Straight to standard error, after what standard output still holds.
  static func writeError(_ text: String) {
    standard.flush()
    writeAll(Array(text.utf8), to: STDERR_FILENO)
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return }
      var done = 0
      while done < raw.count {
        let written = Glibc.write(descriptor, base + done, raw.count - done)
        if written >= 0 {
          done += written
        } else if errno == EAGAIN {
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&waiting, 1, -1)
        } else if errno != EINTR {
          // Nobody reads any more (EPIPE), or the disk is full: nothing sensible can follow.
          _exit(errno == EPIPE ? 141 : 1)
        }
      }
    }
  }
}
