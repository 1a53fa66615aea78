import Apus
import Foundation
import Syntax

/// Runs a file of cases against a new database in one configuration.
struct SQLLogicRunner {
  struct Failure {
    let line: Int
    let message: String
  }

  let configuration: CaseConfiguration
  /// What `__TEST_DIR__` stands for in the cases: an empty folder of this run.
  let scratchFolder: String

  /// All failures of the file; the run goes on after one.
  func run(_ text: String) throws -> [Failure] {
    let file = try SQLLogicFile(text)
    // Not in the scratch folder, which cases list; its name is that of a database in memory.
    let path = scratchFolder + ".files/memory.db"
    if configuration.inFile {
      try FileManager.default.createDirectory(
        atPath: scratchFolder + ".files", withIntermediateDirectories: true)
    }
    defer {
      if configuration.inFile {
        try? FileManager.default.removeItem(atPath: scratchFolder + ".files")
      }
    }
    let database = try configuration.inFile ? Database(path: path) : Database()
    let connection = database.connect()
    for setting in configuration.settings { try connection.execute(setting) }
    var failures: [Failure] = []
    for record in file.records where applies(record) {
      if case .halt = record.action { break }
      if let message = check(record.action, connection) {
        failures.append(Failure(line: record.line, message: message))
      }
    }
    if configuration.inFile, let difference = Reopening.difference(connection, path) {
      failures.append(Failure(line: 1, message: difference))
    }
    return failures
  }

  private func applies(_ record: SQLLogicFile.Record) -> Bool {
    record.conditions.allSatisfy { condition in
      switch condition {
      case .skip(let name): !configuration.names.contains(name)
      case .only(let name): configuration.names.contains(name)
      }
    }
  }

  /// nil when the record holds, else what went wrong.
  private func check(_ action: SQLLogicFile.Action, _ connection: Connection) -> String? {
    switch action {
    case .halt: return nil
    case .statement(let sql, let expectation): return checkStatement(sql, expectation, connection)
    case .query(let sql, let types, let sorting, let expected):
      do {
        let result = try execute(sql, connection)
        guard result.columns.count == types.count else {
          return "\(types.count) columns expected, \(result.columns.count) given\n\(sql)"
        }
        var rows = try result.rows().map { $0.map(Self.printed).joined(separator: "\t") }
        var wanted = expected.map(substituted)
        if sorting == .rowsort {
          rows.sort()
          wanted.sort()
        }
        return Self.equal(rows, wanted, types)
          ? nil
          : "\(sql)\nexpected:\n\(wanted.joined(separator: "\n"))\ngot:\n"
            + rows.prefix(50).joined(separator: "\n")
      } catch {
        return "\(sql)\n\(error)"
      }
    }
  }

  private func checkStatement(
    _ sql: String, _ expectation: SQLLogicFile.Expectation, _ connection: Connection
  ) -> String? {
    do {
      let result = try execute(sql, connection)
      _ = try result.rows()
      switch expectation {
      case .success: return nil
      case .changedRows(let count):
        return result.changedRows == count
          ? nil
          : "\(sql)\n\(count) rows expected, \(result.changedRows.map(String.init) ?? "no count")"
      case .failure(let part): return "\(sql)\nno error; expected \"\(part)\""
      }
    } catch {
      guard case .failure(let part) = expectation else { return "\(sql)\n\(error)" }
      return part.isEmpty || "\(error)".contains(part)
        ? nil : "\(sql)\nexpected an error with \"\(part)\"\ngot: \(error)"
    }
  }

  /// Runs the text, or what its statements print as: no word of them may get lost in the AST.
  private func execute(_ sql: String, _ connection: Connection) throws -> QueryResult {
    let text = substituted(sql)
    // A text that does not parse runs as it is, for its error.
    guard configuration.reprints, let statements = try? Parser.parseScript(text) else {
      return try connection.execute(text)
    }
    let printed = statements.map { Printer.sql($0.statement) }
    return try connection.execute(printed.joined(separator: ";\n"))
  }

  private func substituted(_ text: String) -> String {
    text.replacing("__TEST_DIR__", with: scratchFolder)
  }

  /// A value on one line: NULL, `(empty)`, and visible line ends and tabs.
  private static func printed(_ value: String?) -> String {
    guard let value else { return "NULL" }
    if value.isEmpty { return "(empty)" }
    return value.replacing("\n", with: "\\n").replacing("\t", with: "\\t")
  }

  private static func equal(_ rows: [String], _ expected: [String], _ types: [Character]) -> Bool {
    guard rows.count == expected.count else { return false }
    guard types.contains("R") else { return rows == expected }
    return zip(rows, expected).allSatisfy { row, wanted in
      let values = row.split(separator: "\t", omittingEmptySubsequences: false)
      let others = wanted.split(separator: "\t", omittingEmptySubsequences: false)
      guard values.count == others.count else { return false }
      return zip(zip(values, others), types).allSatisfy { pair, type in
        pair.0 == pair.1 || (type == "R" && isNear(pair.0, pair.1))
      }
    }
  }

  /// Sums of floats depend on their order: R columns may differ in the last digits.
  private static func isNear(_ a: Substring, _ b: Substring) -> Bool {
    guard let a = Double(a), let b = Double(b) else { return false }
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
  }
}
