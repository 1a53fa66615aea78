import Foundation
import Testing

/// The tour in README.md is run as it stands: its output is what the program prints.
@Suite struct ReadmeTests {
  @Test func tour() throws {
    let text = try String(
      contentsOf: ShellProcess.root.appending(path: "README.md"), encoding: .utf8)
    let parts = text.split(separator: "```sql\n", omittingEmptySubsequences: false)
    let sql = try #require(parts.dropFirst().first?.split(separator: "```\n").first)
    let printed = try #require(
      text.split(separator: "```text\n", omittingEmptySubsequences: false).dropFirst().first?
        .split(separator: "```\n").first)
    let outcome = try ShellProcess.run([], input: Data(sql.utf8))
    #expect(outcome.errors.isEmpty)
    #expect(outcome.status == 0)
    #expect(outcome.output == printed)
  }

  /// The quickstart is the first thing that people run. It needs the whole engine.
  @Test(.timeLimit(.minutes(10))) func quickstart() throws {
    let outcome = try ShellProcess.runScript("quickstart")
    #expect(outcome.errors.isEmpty)
    #expect(outcome.status == 0)
    // The first accuracy printed is that of the tumours held out.
    let match = try #require(outcome.output.firstMatch(of: /tumours\|accuracy\n(\d+)\|([0-9.]+)\n/))
    #expect(try #require(Double(match.2)) >= 0.95)
  }
}
