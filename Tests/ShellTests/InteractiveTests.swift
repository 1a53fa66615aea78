import Foundation
import Testing

/// Sessions at a pseudo-terminal.
@Suite(.serialized) struct InteractiveTests {
  let home: URL

  init() throws {
    home = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
  }

  @Test func promptResultAndQuit() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("SELECT 6 * 7 AS answer;")
    try session.expect(" 42 │")
    try session.expect("apus> ")
    session.enter(".quit")
    #expect(session.end() == 0)
  }

  @Test func statementOverSeveralLines() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("SELECT 'one")
    try session.expect("..> ")
    session.enter("two' AS text,")
    try session.expect("..> ")
    session.enter("3 AS three;")
    try session.expect("one\\ntwo")
    try session.expect("apus> ")
    session.type("\u{4}")
    #expect(session.end() == 0)
  }

  @Test func historyComesBackInTheNextSession() throws {
    var session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("SELECT 'remember me' AS text;")
    try session.expect("│ remember me │")
    try session.expect("apus> ")
    session.enter(".exit")
    #expect(session.end() == 0)

    session = try TerminalSession(home: home)
    try session.expect("apus> ")
    // The arrow up, twice: over `.exit` to the statement.
    session.type("\u{1b}[A\u{1b}[A")
    try session.expect("remember me")
    session.type("\r")
    try session.expect("│ remember me │")
  }

  @Test func controlCStopsTheQueryAndKeepsTheShell() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("SELECT count(*) FROM range(1000000) a(x), range(1000000) b(y) WHERE x + y = -1;")
    Thread.sleep(forTimeInterval: 0.3)
    session.type("\u{3}")
    try session.expect("Interrupt")
    try session.expect("apus> ")
    session.enter("SELECT 'still' || ' here' AS text;")
    try session.expect("│ still here │")
  }

  @Test func controlCAtThePromptClearsWhatIsTyped() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("SELECT nonsense,")
    try session.expect("..> ")
    session.type("more nonsense\u{3}")
    try session.expect("apus> ")
    session.enter("SELECT 'clean' AS text;")
    try session.expect("│ clean")
    #expect(!session.shown.contains("Error"))
  }

  @Test func errorShowsItsPlace() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("SELECT 1 AS one FRUM t;")
    try session.expect("LINE 1: SELECT 1 AS one FRUM t")
    try session.expect("^")
    try session.expect("apus> ")
  }

  @Test func modesAndUnknownCommands() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter(".mode csv")
    try session.expect("apus> ")
    session.enter("SELECT 1 AS a, 'x,y' AS b;")
    try session.expect("1,\"x,y\"")
    try session.expect("apus> ")
    session.enter(".tabels")
    try session.expect("did you mean \".tables\"")
    try session.expect("apus> ")
    session.enter(".mode bx")
    try session.expect("did you mean \"box\"")
  }

  @Test func tabCompletesNames() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter("CREATE TABLE swallows_and_swifts (a INTEGER);")
    try session.expect("apus> ")
    session.type("SELECT count(*) AS n FROM swallows_\t")
    try session.expect("swallows_and_swifts")
    session.type(";\r")
    try session.expect(" 0 │")
    session.type(".ti\t")
    try session.expect(".timer")
  }

  @Test func wideResultsFitTheTerminal() throws {
    let session = try TerminalSession(home: home, width: 60)
    try session.expect("apus> ")
    session.enter("SELECT repeat('x', 500) AS long, 1 AS one, 'kept' AS last;")
    try session.expect("│ kept")
    try session.expect("apus> ")
    let lines = session.shown.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("│") }
    #expect(!lines.isEmpty)
    for line in lines { #expect(line.count <= 60, "\(line)") }
  }

  @Test func timerPrintsTheTime() throws {
    let session = try TerminalSession(home: home)
    try session.expect("apus> ")
    session.enter(".timer on")
    try session.expect("apus> ")
    session.enter("SELECT 1;")
    try session.expect("Time: 0.")
  }
}
