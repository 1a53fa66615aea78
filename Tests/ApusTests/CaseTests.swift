import Apus
import Foundation
import Testing

/// Every file below Tests/Cases: what SQL gives, what it plans, and how it fails.
@Suite struct CaseTests {
  static let folder = Project.root.appending(path: "Tests/Cases")

  @Test("sqllogictest cases", arguments: Project.files(in: folder, ending: ".slt"))
  func sqlLogic(path: String) throws {
    for configuration in CaseConfiguration.chosen(for: path) { try run(path, configuration) }
  }

  private func run(_ path: String, _ configuration: CaseConfiguration) throws {
    let scratch = try Project.makeScratchFolder()
    defer { try? FileManager.default.removeItem(at: scratch) }
    let text = try String(contentsOf: Self.folder.appending(path: path), encoding: .utf8)
    let runner = SQLLogicRunner(configuration: configuration, scratchFolder: scratch.path)
    do {
      for failure in try runner.run(text) {
        Issue.record("Tests/Cases/\(path):\(failure.line) [\(configuration)]: \(failure.message)")
      }
    } catch let error as SQLLogicFile.FormatError {
      Issue.record("Tests/Cases/\(path):\(error.line): \(error)")
    }
  }

  @Test("plans", arguments: Project.files(in: folder, ending: ".plan"))
  func plans(path: String) throws {
    try checkGolden(path) { sql, connection in
      let result = try connection.execute("EXPLAIN " + sql)
      return try result.rows().map { $0.compactMap { $0 }.last ?? "" }.joined(separator: "\n")
    }
  }

  @Test("errors", arguments: Project.files(in: folder, ending: ".err"))
  func errors(path: String) throws {
    try checkGolden(path) { sql, connection in
      do {
        _ = try connection.execute(sql).rows()
        return "(no error)"
      } catch {
        return "\(error)"
      }
    }
  }

  /// Compares each block's output; with APUS_UPDATE_GOLDENS set, writes the file anew instead.
  private func checkGolden(
    _ path: String, _ output: (String, Connection) throws -> String
  ) throws {
    let url = Self.folder.appending(path: path)
    let golden = GoldenFile(try String(contentsOf: url, encoding: .utf8))
    let connection = try Database().connect()
    // Plans show their exchanges: the number of threads must not be the machine's.
    try connection.execute("SET threads = 2")
    var outputs: [[String]?] = []
    for block in golden.blocks {
      guard let expected = block.expected else {
        if !block.sql.isEmpty { _ = try connection.execute(block.sql).rows() }
        outputs.append(nil)
        continue
      }
      let lines = try output(block.sql, connection)
        .split(separator: "\n", omittingEmptySubsequences: true).map(Self.withoutTrailingSpaces)
      outputs.append(lines)
      if !Project.updatesGoldens, lines != expected.map({ Self.withoutTrailingSpaces($0[...]) }) {
        Issue.record(
          """
          Tests/Cases/\(path):\(block.line): \(block.sql)
          expected:
          \(expected.joined(separator: "\n"))
          got:
          \(lines.joined(separator: "\n"))
          """)
      }
    }
    if Project.updatesGoldens {
      try golden.text(withOutputs: outputs).write(to: url, atomically: true, encoding: .utf8)
    }
  }

  private static func withoutTrailingSpaces(_ line: Substring) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
