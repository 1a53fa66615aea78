import Glibc

@preconcurrency import CReadline

/// Readline, fed by our own loop: it waits for the keyboard and for Ctrl-C at once, so a line can be
/// thrown away without a signal handler. Used by the main thread only, one per process.
final class LineEditor {
  enum Line {
    case text(String)
    case cancelled
    case endOfInput
  }

  // SAFETY: readline keeps its state in C globals and calls back without a context pointer; this is
  // the one slot for the answer, touched only by the thread that runs `readLine`.
  nonisolated(unsafe) private static var received: Line?
  // SAFETY: set once by the main thread before the first prompt, read by its completion callback.
  nonisolated(unsafe) private static var completions: (_ word: String, _ line: String) -> [String] =
    { _, _ in [] }
  // SAFETY: filled and drained within one call of readline's completion, on the main thread.
  nonisolated(unsafe) private static var pending: [String] = []

  private let historyPath: String?
  private var wake: (read: Int32, write: Int32) = (-1, -1)

  /// `completions` gives the candidates for the word before the cursor, the line up to it at hand.
  init(
    historyPath: String?, completions: @escaping (_ word: String, _ line: String) -> [String]
  ) {
    self.historyPath = historyPath
    Self.completions = completions
    var descriptors: [Int32] = [-1, -1]
    if pipe(&descriptors) == 0 {
      wake = (descriptors[0], descriptors[1])
      for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }
    configure()
  }

  private func configure() {
    rl_readline_name = Self.permanent("apus")
    rl_catch_signals = 0
    rl_attempted_completion_function = { word, _, _ in LineEditor.complete(word) }
    rl_completer_word_break_characters = Self.permanent(" \t\n\"\\'`@$><=;|&{(,)+-*/%:!")
    using_history()
    stifle_history(10_000)
    // With time stamps in the file, an entry of several lines comes back as one.
    history_comment_char = CChar(bitPattern: UInt8(ascii: "#"))
    history_write_timestamps = 1
    if let historyPath { read_history(historyPath) }
  }

  /// One line from the keyboard, without its end.
  func readLine(prompt: String) -> Line {
    Self.received = nil
    Interrupts.setPromptPipe(wake.write)
    defer { Interrupts.setPromptPipe(nil) }
    rl_callback_handler_install(prompt) { LineEditor.receive($0) }
    while true {
      if let line = Self.received { return line }
      var sources = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
      ]
      // A signal that readline handles itself (a new window size) ends the wait; just wait again.
      guard poll(&sources, 2, -1) > 0 else { continue }
      if sources[1].revents != 0 {
        var byte: UInt8 = 0
        _ = read(wake.read, &byte, 1)
        rl_free_line_state()
        rl_callback_sigcleanup()
        rl_crlf()
        rl_callback_handler_remove()
        return .cancelled
      }
      if sources[0].revents != 0 { rl_callback_read_char() }
    }
  }

  /// Remembers a statement, and writes the file, so that a crash later loses nothing.
  func remember(_ text: String) {
    guard !text.isEmpty else { return }
    if let last = history_get(history_base + history_length - 1),
      String(cString: last.pointee.line) == text
    {
      return
    }
    add_history(text)
    guard let historyPath else { return }
    if access(historyPath, F_OK) != 0 {
      close(open(historyPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    }
    append_history(1, historyPath)
  }

  // MARK: - Readline's callbacks

  private static func receive(_ line: UnsafeMutablePointer<CChar>?) {
    // At once: readline would otherwise show the next prompt before the statement has run.
    rl_callback_handler_remove()
    guard let line else {
      received = .endOfInput
      return
    }
    received = .text(String(cString: line))
    free(line)
  }

  private static func complete(
    _ word: UnsafePointer<CChar>?
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    guard let word, let buffer = rl_line_buffer else { return nil }
    let line = String(cString: buffer)
    pending = completions(String(cString: word), line).reversed()
    guard !pending.isEmpty else { return nil }
    rl_attempted_completion_over = 1
    return rl_completion_matches(word) { _, _ in
      LineEditor.pending.popLast().flatMap { strdup($0) }
    }
  }

  /// A C string that lives as long as the process; readline keeps the pointer.
  private static func permanent(_ text: String) -> UnsafePointer<CChar>? {
    strdup(text).map { UnsafePointer($0) }
  }
}
