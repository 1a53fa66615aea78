import Apus

/// The commands that look into the catalog: short forms of SHOW and DESCRIBE.
extension DotCommand {
  static let models = DotCommand(
    name: "models", arguments: "", summary: "list the models"
  ) { shell, _ in
    var script = shell.connection.script("SHOW MODELS")
    if let statement = try script.next() { try shell.run(statement) }
  }

  static let tables = DotCommand(
    name: "tables", arguments: "[START]", summary: "list tables and views, by the start of the name"
  ) { shell, arguments in
    for name in try shell.tables() where name.hasPrefix(arguments.first ?? "") {
      shell.output.write(name + "\n")
    }
  }

  static let schema = DotCommand(
    name: "schema", arguments: "[TABLE]", summary: "the columns of all tables, or of one"
  ) { shell, arguments in
    let names = try arguments.first.map { [$0] } ?? shell.tables()
    for name in names {
      let columns = try shell.connection.execute("DESCRIBE \(quotedName(name))").rows()
      let width = columns.map { ($0[0] ?? "").count }.max() ?? 0
      shell.output.write(name + "\n")
      for column in columns {
        let gap = String(repeating: " ", count: width - (column[0] ?? "").count + 2)
        shell.output.write("  " + (column[0] ?? "") + gap + (column[1] ?? "") + "\n")
      }
    }
  }

  private static func quotedName(_ name: String) -> String {
    "\"" + name.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
  }
}

extension Shell {
  /// Names of tables and views, by the alphabet.
  func tables() throws -> [String] {
    try connection.execute("SHOW TABLES").rows().compactMap { $0.first ?? nil }.sorted()
  }

  /// The same for the Tab key, which must not fail.
  func tableNames() -> [String] { (try? tables()) ?? [] }
}
