import Apus
import Glibc
import Synchronization

/// A bar on standard error while a statement takes long: the share done, or the epoch of a training.
/// It appears after half a second, only on a terminal, and takes itself away before output comes.
final class ProgressBar: Sendable {
  private enum Phase {
    case waiting
    case shown
    case finished
  }

  private let connection: Connection
  private let phase = Mutex(Phase.waiting)

  /// A bar for the statement about to run; nil where nobody would see it.
  static func start(for connection: Connection) -> ProgressBar? {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    let bar = ProgressBar(connection: connection)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(bar).toOpaque()
    let failed = pthread_create(
      &thread, nil,
      { argument in
        if let argument {
          Unmanaged<ProgressBar>.fromOpaque(argument).takeRetainedValue().watch()
        }
        return nil
      }, argument)
    guard failed == 0 else {
      Unmanaged<ProgressBar>.fromOpaque(argument).release()
      return nil
    }
    pthread_detach(thread)
    return bar
  }

  private init(connection: Connection) {
    self.connection = connection
  }

  /// Takes the bar off the terminal for good. Any number of times.
  func finish() {
    phase.withLock { phase in
      if phase == .shown { Self.write("\r\u{1b}[2K") }
      phase = .finished
    }
  }

  private func watch() {
    usleep(500_000)
    while true {
      let progress = connection.progress
      let goesOn = phase.withLock { phase -> Bool in
        guard phase != .finished else { return false }
        if let line = Self.line(fraction: progress.fraction, text: progress.text) {
          Self.write("\r\u{1b}[2K" + line)
          phase = .shown
        }
        return true
      }
      guard goesOn else { return }
      usleep(100_000)
    }
  }

  /// `▕██████      ▏ 48 %`, or the text alone: a training counts its epochs, while the share is only
  /// that of its scan. nil while nothing is known.
  static func line(fraction: Double?, text: String?) -> String? {
    if let text { return text }
    guard let fraction else { return nil }
    let width = 40
    let share = min(1, max(0, fraction))
    let filled = Int(share * Double(width))
    let bar = String(repeating: "█", count: filled) + String(repeating: " ", count: width - filled)
    return "▕\(bar)▏ \(Int(share * 100)) %"
  }

  private static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
