import Apus
import Glibc

extension Shell {
  /// Runs a script file; `-` is standard input. False after the first error, which is printed.
  func runFile(_ path: String) -> Bool {
    let name = path == "-" ? "<stdin>" : path
    guard let bytes = InputFile.read(path) else {
      Output.writeError("apus: cannot read \"\(path)\": \(String(cString: strerror(errno)))\n")
      return false
    }
    return runScript(String(decoding: bytes, as: UTF8.self), name: name)
  }

  /// Runs SQL and dot commands up to the first error, which is printed behind `name:line:`.
  /// A dot command is a line that begins with a point where no statement is open.
  func runScript(_ text: String, name: String?) -> Bool {
    let bytes = Array(text.utf8)
    var segmentStart = 0
    var segmentLine = 1
    var line = 1
    var position = 0
    while position < bytes.count {
      let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let isDotLine = bytes[position] == UInt8(ascii: ".")
      if isDotLine || (line == 1 && bytes.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")])) {
        let segment = String(decoding: bytes[segmentStart..<position], as: UTF8.self)
        if Self.isBetweenStatements(segment) {
          guard runSQL(segment, firstLine: segmentLine, name: name) else { return false }
          if wantsToQuit { return true }
          if isDotLine {
            let command = String(decoding: bytes[position..<end], as: UTF8.self)
            guard runDotCommand(command, place: Self.place(name, line)) else { return false }
            if wantsToQuit { return true }
          }
          segmentStart = min(end + 1, bytes.count)
          segmentLine = line + 1
        }
      }
      position = end + 1
      line += 1
    }
    let rest = String(decoding: bytes[segmentStart...], as: UTF8.self)
    return runSQL(rest, firstLine: segmentLine, name: name)
  }

  /// Whether a text leaves no statement open: white space and comments do not count.
  static func isBetweenStatements(_ text: String) -> Bool {
    // The leading `;` ends an empty statement, so a text of comments alone is complete too.
    Apus.isComplete(";" + text)
  }

  private func runSQL(_ text: String, firstLine: Int, name: String?) -> Bool {
    // Empty lines in front keep the engine's line numbers those of the file.
    var script = connection.script(String(repeating: "\n", count: firstLine - 1) + text)
    var running: ScriptStatement?
    do {
      while let statement = try script.next() {
        running = statement
        try run(statement)
        running = nil
        if wantsToQuit { return true }
      }
      return true
    } catch {
      // Counting lines for each statement would make a long script's time grow with its square.
      report(error, name: name, line: running?.line)
      return false
    }
  }

  /// Prints an error: `file:line: Binder Error: …`, the excerpt with its caret, the hint.
  /// `line` is where the statement begins, for errors of data, which have no place of their own.
  func report(_ error: any Error, name: String?, line: Int? = nil) {
    output.flush()
    var place = ""
    if let name, let error = error as? DatabaseError {
      place = Self.place(name, error.line ?? line)
    }
    Output.writeError("\(place)\(error)\n")
  }

  private static func place(_ name: String?, _ line: Int?) -> String {
    guard let name else { return "" }
    return line.map { "\(name):\($0): " } ?? "\(name): "
  }
}

/// Whole files as bytes, by system calls alone.
enum InputFile {
  /// The bytes of a file, or of standard input for `-`; nil when it cannot be read (see `errno`).
  static func read(_ path: String) -> [UInt8]? {
    let isStandardInput = path == "-"
    let descriptor = isStandardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { if !isStandardInput { close(descriptor) } }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 256 * 1024)
    while true {
      let count = block.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: block[..<count])
    }
  }
}
