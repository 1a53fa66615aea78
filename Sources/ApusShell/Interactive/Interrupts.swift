import Apus
import CReadline
import CSystem
import Glibc
import Synchronization

/// Ctrl-C. SIGINT is blocked in every thread of ours and taken by one that waits for it, so no code of
/// ours ever runs inside a signal handler but to hand the signal on: libraries (OpenBLAS) have threads
/// before `main` that block nothing.
///
/// - while a statement runs, it is told to stop, and the shell lives on;
/// - at the prompt, the line editor is woken and clears its line;
/// - otherwise (a script between statements) the program ends with status 130.
enum Interrupts {
  private struct State {
    var running: Connection?
    /// Where the line editor listens while it shows a prompt.
    var promptPipe: Int32?
    /// Ctrl-C during the statement that runs; the third one ends the program.
    var presses = 0
  }

  private static let state = Mutex(State())

  /// Blocks the signals and starts the waiting thread. Call it before any other thread exists.
  static func install() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    let failed = pthread_create(&thread, nil, { _ in Interrupts.wait() }, nil)
    if failed == 0 { pthread_detach(thread) } else { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  /// Runs the body as the statement that Ctrl-C stops.
  static func whileRunning<Result>(
    _ connection: Connection, _ body: () throws -> Result
  ) rethrows -> Result {
    state.withLock {
      $0.running = connection
      $0.presses = 0
    }
    defer { state.withLock { $0.running = nil } }
    return try body()
  }

  /// Where a byte is written for Ctrl-C at the prompt; nil when there is no prompt.
  static func setPromptPipe(_ descriptor: Int32?) {
    state.withLock { $0.promptPipe = descriptor }
  }

  private static func wait() -> Never {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    apus_forward_signals_here(&signals)
    while true {
      var signal: Int32 = 0
      guard sigwait(&signals, &signal) == 0 else { continue }
      if signal == SIGINT { interrupt() } else { end(128 + signal) }
    }
  }

  private static func interrupt() {
    let endsProgram = state.withLock { state -> Bool in
      if let connection = state.running {
        state.presses += 1
        connection.interrupt()
        return state.presses >= 3
      }
      guard let pipe = state.promptPipe else { return true }
      var byte: UInt8 = 3
      write(pipe, &byte, 1)
      return false
    }
    if endsProgram { end(130) }
  }

  /// Leaves at once, with the terminal as it was found.
  private static func end(_ status: Int32) -> Never {
    if isatty(STDIN_FILENO) == 1, state.withLock({ $0.promptPipe != nil }) { rl_deprep_terminal() }
    _exit(status)
  }
}
