import Foundation
import Testing

/// Scripts, options, output forms, exit statuses.
@Suite struct ScriptTests {
  @Test func scriptStopsAtTheFirstErrorWithItsPlace() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sql")
    let script = """
      SELECT 1 AS one;
      .print between

      SELECT nope
      FROM range(3);
      SELECT 'never' AS never;
      """
    try script.write(to: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: path) }
    let outcome = try ShellProcess.run("-f", path.path, "--csv")
    #expect(outcome.status == 1)
    #expect(outcome.output == "one\n1\nbetween\n")
    #expect(outcome.errors.hasPrefix("\(path.path):4: "))
    #expect(outcome.errors.contains("nope"))
    #expect(outcome.errors.contains("^"))
  }

  /// An error of data has no place in the text: the statement's first line stands for it.
  @Test func dataErrorsNameTheirStatement() throws {
    let outcome = try ShellProcess.run(
      "--csv", input: "SELECT 1 AS a;\n\nSELECT x::VARCHAR::DATE AS d\nFROM range(3) t(x);\n")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("<stdin>:3: Conversion Error"))
  }

  @Test func syntaxErrorLeavesEarlierStatementsDone() throws {
    let outcome = try ShellProcess.run("--csv", input: "SELECT 1 AS a;\nSELECT 2 AS b;\nSELEC 3;\n")
    #expect(outcome.status == 1)
    #expect(outcome.output == "a\n1\nb\n2\n")
    #expect(outcome.errors.hasPrefix("<stdin>:3: "))
  }

  @Test func argumentsRunInTheirOrder() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sql")
    try "INSERT INTO t VALUES (2);".write(to: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: path) }
    let outcome = try ShellProcess.run(
      "-c", "CREATE TABLE t (a INTEGER)", "-c", "INSERT INTO t VALUES (1)", "-f", path.path,
      "--list", "-c", "SELECT sum(a) AS s FROM t")
    #expect(outcome.status == 0)
    #expect(outcome.output == "s\n3\n")
  }

  @Test(arguments: [
    (["--jsn"], "did you mean \"--json\""), (["--mode", "cvs"], "did you mean \"csv\""),
    (["-c"], "needs a value"), (["--protocol", "xml"], "jsonl"), (["a", "b"], "second database"),
  ])
  func wrongOptionsAreExplained(arguments: [String], part: String) throws {
    let outcome = try ShellProcess.run(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(part))
    #expect(outcome.output.isEmpty)
  }

  @Test func missingFileIsAnError() throws {
    let outcome = try ShellProcess.run("-f", "no/such/file.sql")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("no/such/file.sql"))
  }

  @Test func versionAndHelp() throws {
    #expect(try ShellProcess.run("--version").output.hasPrefix("apus "))
    let help = try ShellProcess.run("--help")
    #expect(help.status == 0)
    #expect(help.output.contains("--protocol"))
  }

  static let forms: [(String, String)] = [
    (
      "box",
      """
      ┌─────────┬─────────┬─────────┐
      │    n    │    s    │    e    │
      │ integer │ varchar │ varchar │
      ├─────────┼─────────┼─────────┤
      │       1 │ a,"b"   │ NULL    │
      │       2 │ 日本    │         │
      └─────────┴─────────┴─────────┘
      2 rows, 3 columns

      """
    ),
    ("csv", "n,s,e\n1,\"a,\"\"b\"\"\",\n2,日本,\"\"\n"),
    ("json", "[{\"n\":1,\"s\":\"a,\\\"b\\\"\",\"e\":null},\n {\"n\":2,\"s\":\"日本\",\"e\":\"\"}]\n"),
    (
      "jsonlines", "{\"n\":1,\"s\":\"a,\\\"b\\\"\",\"e\":null}\n{\"n\":2,\"s\":\"日本\",\"e\":\"\"}\n"
    ),
    ("line", "n = 1\ns = a,\"b\"\ne = NULL\n\nn = 2\ns = 日本\ne = \n"),
    ("list", "n|s|e\n1|a,\"b\"|\n2|日本|\n"),
    (
      "markdown",
      "|   n | s     | e    |\n| --: | ----- | ---- |\n|   1 | a,\"b\" | NULL |\n|   2 | 日本  |      |\n"
    ),
    ("none", ""),
    ("tabs", "n\ts\te\n1\ta,\"b\"\t\n2\t日本\t\n"),
  ]

  @Test("output forms", arguments: forms)
  func form(name: String, expected: String) throws {
    let sql = "SELECT * FROM (VALUES (1, 'a,\"b\"', NULL), (2, '日本', '')) AS t(n, s, e) ORDER BY n"
    let outcome = try ShellProcess.run("--\(name)", "-c", sql)
    #expect(outcome.output == expected)
    #expect(outcome.errors.isEmpty)
  }

  /// A decimal without whole digits is printed `.5`, which JSON does not take for a number.
  @Test func numbersInJSONAreJSON() throws {
    let sql =
      "SELECT .5 AS a, -.5 AS b, 'nan'::DOUBLE AS c, '-inf'::DOUBLE AS d, 1e20 AS e, TRUE AS f"
    let outcome = try ShellProcess.run("--jsonlines", "-c", sql)
    #expect(
      outcome.output
        == "{\"a\":0.5,\"b\":-0.5,\"c\":\"nan\",\"d\":\"-inf\",\"e\":1e+20,\"f\":true}\n")
  }

  @Test func longBoxesAreCutInTheMiddle() throws {
    let outcome = try ShellProcess.run("-c", ".maxrows 4", "-c", "FROM range(1000)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.contains("│      1 │"))
    #expect(!lines.contains("│      2 │"))
    #expect(lines.contains("│    998 │"))
    #expect(lines.last == "… 1,000 rows (4 shown), 1 column")
  }

  @Test func dotCommandsWorkInScripts() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try "CREATE TABLE inner_table (a INTEGER, b VARCHAR);\n"
      .write(to: folder.appending(path: "inner.sql"), atomically: true, encoding: .utf8)
    let script = """
      -- comments and dot commands mix
      .read inner.sql
      .tables
      .schema inner_table
      .mode csv
      .headers off
      .nullvalue nothing
      .output out.csv
      SELECT NULL AS x,
      .5 AS y;
      .output
      .echo on
      SELECT 'end' AS z;
      """
    let outcome = try ShellProcess.run([], input: Data(script.utf8), folder: folder)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.status == 0)
    #expect(
      outcome.output
        == "inner_table\ninner_table\n  a  INTEGER\n  b  VARCHAR\nSELECT 'end' AS z;\nend\n")
    let written = try String(contentsOf: folder.appending(path: "out.csv"), encoding: .utf8)
    #expect(written == "nothing,.5\n")
  }

  @Test func aScriptThatReadsItselfEnds() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sql")
    try ".read '\(path.path)'\n".write(to: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: path) }
    let outcome = try ShellProcess.run("-f", path.path)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("50 deep"))
  }

  @Test func aReaderThatLeavesEndsTheProgramQuietly() throws {
    let command = "'\(ShellProcess.program.path)' --csv -c 'FROM range(3000000)' | head -n 2"
    let process = Process()
    let output = Pipe()
    let errors = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text == "range\n0\n")
    #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
  }
}
