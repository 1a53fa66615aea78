import Apus
import Testing

/// The library as README.md shows it.
@Suite struct EmbeddingTests {
  @Test func theExampleOfTheReadme() throws {
    let database = try Database()
    try database.register("initials") { (name: String) -> String in
      name.split(separator: " ").compactMap(\.first).map(String.init).joined()
    }
    let connection = database.connect()
    let result = try connection.execute("SELECT initials('common swift') AS i, 42 AS n")
    var lines: [String] = []
    while let chunk = try result.next() {
      for row in 0..<chunk.rowCount {
        lines.append(
          (chunk.text(row: row, column: 0) ?? "NULL") + " "
            + (chunk.text(row: row, column: 1) ?? "NULL"))
      }
    }
    #expect(lines == ["cs 42"])
  }

  @Test func aFailureNamesItsPlace() throws {
    let connection = try Database().connect()
    do {
      try connection.execute("SELECT 1;\nSELECT nope FROM range(3)")
      Issue.record("no error")
    } catch let error as DatabaseError {
      #expect(error.code == "Binder Error")
      #expect(error.line == 2)
      #expect(error.column == 8)
    }
  }

  @Test func aScriptRunsUpToItsMistake() throws {
    let connection = try Database().connect()
    var script = connection.script("CREATE TABLE t (a INTEGER);\nSELEC 1;")
    try #require(try script.next()).run()
    #expect(throws: DatabaseError.self) { try script.next() }
    #expect(try connection.execute("SELECT count(*) FROM t").rows() == [["0"]])
  }

  @Test func connectionsShareTheirDatabase() throws {
    let database = try Database()
    try database.connect().execute("CREATE TABLE t AS SELECT 7 AS a")
    #expect(try database.connect().execute("FROM t").rows() == [["7"]])
  }
}
