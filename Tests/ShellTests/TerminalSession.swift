import Foundation

/// The program at a pseudo-terminal, as a person has it: what is typed, what is shown.
final class TerminalSession {
  struct Timeout: Error, CustomStringConvertible {
    let wanted: String
    let shown: String
    var description: String { "waited for \"\(wanted)\"; the terminal shows:\n\(shown)" }
  }

  struct CannotStart: Error {
    let reason: Int32
  }

  private static let setLock: UInt = 0x4004_5431  // TIOCSPTLCK
  private static let getNumber: UInt = 0x8004_5430  // TIOCGPTN

  private let terminal: Int32
  private let process: pid_t
  private var hasEnded = false
  /// All that was shown so far.
  private(set) var shown = ""
  /// Up to where `expect` has read.
  private var readPosition = 0

  /// Starts the program in a session of its own, its home an empty folder.
  init(_ arguments: [String] = [], home: URL, width: UInt16 = 80) throws {
    // What posix_openpt, unlockpt and ptsname do; Swift's Glibc does not show those.
    terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var unlocked: Int32 = 0
    var number: UInt32 = 0
    guard terminal >= 0, ioctl(terminal, Self.setLock, &unlocked) == 0,
      ioctl(terminal, Self.getNumber, &number) == 0
    else { throw CannotStart(reason: errno) }
    let name = "/dev/pts/\(number)"
    var size = winsize(ws_row: 24, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The first terminal that the leader of a new session opens becomes its controlling one.
    posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(0x80))  // POSIX_SPAWN_SETSID

    let program = ShellProcess.program.path
    let argv = ([program] + arguments).map { strdup($0) } + [nil]
    let environment = [
      "HOME=\(home.path)", "TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
      "PATH=/usr/bin:/bin", "INPUTRC=/dev/null",
    ]
    let library = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"].map {
      "LD_LIBRARY_PATH=\($0)"
    }
    let envp = (environment + [library].compactMap { $0 }).map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var process = pid_t()
    let failure = posix_spawn(&process, program, &actions, &attributes, argv, envp)
    guard failure == 0 else { throw CannotStart(reason: failure) }
    self.process = process
  }

  deinit {
    if !hasEnded {
      kill(process, SIGKILL)
      var status: Int32 = 0
      waitpid(process, &status, 0)
    }
    close(terminal)
  }

  /// Types a text; `\r` is the Enter key, `\u{3}` Ctrl-C, `\u{4}` Ctrl-D.
  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(terminal, bytes, bytes.count)
  }

  func enter(_ line: String) { type(line + "\r") }

  /// Waits until the text appears behind what was expected before; gives what stood before it.
  @discardableResult
  func expect(_ text: String, seconds: Double = 20) throws -> String {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
      let start = shown.utf8.index(shown.utf8.startIndex, offsetBy: readPosition)
      if let found = shown[start...].range(of: text) {
        readPosition = shown.utf8.distance(from: shown.startIndex, to: found.upperBound)
        return String(shown[start..<found.lowerBound])
      }
      guard Date() < deadline, read(until: deadline) else {
        throw Timeout(wanted: text, shown: shown)
      }
    }
  }

  /// Waits for the program's end; gives its exit status, or nil when it does not end.
  func end(seconds: Double = 20) -> Int32? {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      var status: Int32 = 0
      if waitpid(process, &status, WNOHANG) == process {
        hasEnded = true
        while read(until: Date().addingTimeInterval(0.05)) {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
      }
      _ = read(until: Date().addingTimeInterval(0.05))
    }
    return nil
  }

  private var undecoded: [UInt8] = []

  /// Takes in what the program has written; false at the deadline and at the end.
  private func read(until deadline: Date) -> Bool {
    var source = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    let wait = Int32(max(0, deadline.timeIntervalSinceNow * 1000))
    guard poll(&source, 1, wait) > 0 else { return false }
    var block = [UInt8](repeating: 0, count: 65536)
    let count = Foundation.read(terminal, &block, block.count)
    guard count > 0 else { return false }
    undecoded += block[..<count]
    // A character may be cut in two by the end of the block.
    if let text = String(validating: undecoded, as: UTF8.self) {
      shown += text
      undecoded = []
    }
    return true
  }
}
