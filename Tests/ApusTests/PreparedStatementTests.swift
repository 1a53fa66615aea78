import Apus
import Testing

/// Prepared statements through the library.
@Suite struct PreparedStatementTests {
  @Test func valuesByPosition() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE TABLE people (id INTEGER, name VARCHAR, score DOUBLE)")
    let insert = try connection.prepare("INSERT INTO people VALUES (?, ?, ?)")
    #expect(insert.parameterNames == ["1", "2", "3"])
    let missing: Double? = nil
    try insert.execute(1, "Ann", 1.5)
    try insert.execute(2, "Bob", missing)
    let rows = try connection.execute("SELECT * FROM people ORDER BY id").rows()
    #expect(rows == [["1", "Ann", "1.5"], ["2", "Bob", nil]])
    #expect(
      try connection.execute("SELECT name FROM people WHERE id = ?", 2).rows() == [["Bob"]])
  }

  @Test func valuesByName() throws {
    let connection = try Database().connect()
    let query = try connection.prepare("SELECT $low + $high AS sum, $low AS low")
    #expect(query.parameterNames == ["high", "low"])
    #expect(try query.execute(named: ["low": 1, "high": 41]).rows() == [["42", "1"]])
    query.bind(2, to: "LOW")
    query.bind(3.5, to: "high")
    #expect(try query.execute().rows() == [["5.5", "2"]])
    query.clearBindings()
    #expect(throws: DatabaseError.self) { try query.execute() }
  }

  @Test func mistakes() throws {
    let connection = try Database().connect()
    #expect(throws: DatabaseError.self) { try connection.prepare("SELECT * FROM nowhere") }
    #expect(throws: DatabaseError.self) { try connection.prepare("SELEC 1") }
    let query = try connection.prepare("SELECT ?")
    let tooMany = #expect(throws: DatabaseError.self) { try query.execute(1, 2) }
    #expect(tooMany?.message == "the statement has no such parameters: 2")
    let tooFew = #expect(throws: DatabaseError.self) { try query.execute() }
    #expect(
      tooFew?.message == "values were not provided for the following parameters: 1")
  }

  @Test func theTablesOfTheTime() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE TABLE t AS SELECT 1 AS i")
    let query = try connection.prepare("SELECT * FROM t WHERE i >= $1")
    #expect(try query.execute(1).rows() == [["1"]])
    try connection.execute("CREATE OR REPLACE TABLE t AS SELECT 2 AS i, 'x' AS j")
    #expect(try query.execute(1).rows() == [["2", "x"]])
  }
}
