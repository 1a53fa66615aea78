import Apus
import Glibc

/// One session of the program: a connection, the settings that dot commands change, and the way a
/// statement's result reaches the output.
final class Shell {
  static let version = Apus.version

  /// What `.mode`, `.timer` and their like set.
  struct Settings {
    var rendererName = "box"
    var echo = false
    var timer = false
    var style = RenderStyle()
  }

  let connection: Connection
  var settings = Settings()
  var output = Output.standard
  var wantsToQuit = false
  /// How deep `.read` is nested; a file that reads itself must end.
  var readDepth = 0

  init(connection: Connection, arguments: CommandLineArguments) {
    self.connection = connection
    settings.echo = arguments.echo
    if let name = arguments.rendererName { settings.rendererName = name }
  }

  /// A connection to the database named, or to a new one in memory.
  static func open(_ arguments: CommandLineArguments) throws -> Connection {
    let database =
      try arguments.database.map { try Database(path: $0, isReadOnly: arguments.isReadOnly) }
      ?? Database()
    return database.connect()
  }

  /// Writes out what is left, and gives the exit status.
  func finish(failed: Bool) -> Int32 {
    output.flush()
    Output.standard.flush()
    return failed ? 1 : 0
  }

  /// Runs one statement and prints its result as the mode says.
  func run(_ statement: ScriptStatement) throws {
    if settings.echo { output.write(statement.text + ";\n") }
    output.flush()
    let clock = Stopwatch()
    let progress = ProgressBar.start(for: connection)
    output.willFlush = { progress?.finish() }
    defer {
      progress?.finish()
      output.willFlush = nil
      output.flush()
      if settings.timer { Output.writeError(clock.report() + "\n") }
    }
    try Interrupts.whileRunning(connection) {
      let result = try statement.run()
      // A count of rows written is news for people; the forms for programs stay pure data.
      guard result.changedRows == nil, !result.columns.isEmpty else {
        while try result.next() != nil {}
        reportChange(result.changedRows)
        return
      }
      try render(result)
    }
  }

  private func render(_ result: QueryResult) throws {
    guard let definition = Renderers.named(settings.rendererName) else { return }
    var style = settings.style
    style.terminalWidth = output.terminalWidth
    var renderer = definition.make(result.columns.map(ResultColumn.init), style, output)
    while let chunk = try result.next() {
      renderer.write(chunk)
    }
    renderer.finish()
  }

  private func reportChange(_ rows: Int?) {
    guard let rows, settings.rendererName == "box" else { return }
    output.write(rows == 1 ? "1 row written\n" : "\(grouped(rows)) rows written\n")
  }
}

/// Elapsed and processor time of one statement.
struct Stopwatch {
  private let start = Stopwatch.now(CLOCK_MONOTONIC)
  private let processor = Stopwatch.now(CLOCK_PROCESS_CPUTIME_ID)

  var seconds: Double { Stopwatch.now(CLOCK_MONOTONIC) - start }

  func report() -> String {
    let used = Stopwatch.now(CLOCK_PROCESS_CPUTIME_ID) - processor
    return "Time: \(fixed(seconds, digits: 3)) s (processor \(fixed(used, digits: 3)) s)"
  }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// A number that is not negative with a fixed count of digits after the point.
func fixed(_ value: Double, digits: Int) -> String {
  var scale = 1
  for _ in 0..<digits { scale *= 10 }
  let units = Int((max(0, value) * Double(scale)).rounded())
  let fraction = String(units % scale)
  return "\(units / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// A count with its thousands apart: `1,000,000`.
func grouped(_ count: Int) -> String {
  var text = ""
  for (index, digit) in String(count).reversed().enumerated() {
    if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
    text.append(digit)
  }
  return String(text.reversed())
}
