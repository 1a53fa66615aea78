import Apus
import Testing

/// Several connections at once: what each sees, and what happens when they change the same rows.
@Suite struct TransactionTests {
  private func value(_ connection: Connection, _ sql: String) throws -> String? {
    try connection.execute(sql).rows().first?.first ?? nil
  }

  @Test func insertsOfManyConnectionsAreAllThere() async throws {
    let database = try Database()
    try database.connect().execute("CREATE TABLE t (k INTEGER PRIMARY KEY, w INTEGER)")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          let connection = database.connect()
          for number in 0..<100 {
            try connection.execute("INSERT INTO t VALUES (\(writer * 1000 + number), \(writer))")
          }
        }
      }
      for _ in 0..<2 {
        group.addTask {
          let connection = database.connect()
          var last = 0
          while last < 400 {
            // One statement sees one state: the two counts agree.
            let row = try connection.execute(
              "SELECT count(*), (SELECT count(DISTINCT k) FROM t) FROM t"
            ).rows()[0]
            #expect(row[0] == row[1])
            let count = Int(row[0] ?? "") ?? 0
            #expect(count >= last)
            last = count
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
    let connection = database.connect()
    #expect(try value(connection, "SELECT count(*) FROM t") == "400")
    #expect(try value(connection, "SELECT count(DISTINCT rowid) FROM t") == "400")
  }

  @Test func aTransactionSeesItsOwnStateUntilItEnds() throws {
    let database = try Database()
    let first = database.connect()
    let second = database.connect()
    try first.execute("CREATE TABLE t AS SELECT range AS a FROM range(10)")
    try second.execute("BEGIN")
    #expect(try value(second, "SELECT count(*) FROM t") == "10")
    try first.execute("DELETE FROM t WHERE a < 5; CREATE TABLE later (x INTEGER)")
    #expect(try value(second, "SELECT count(*) FROM t") == "10")
    #expect(throws: DatabaseError.self) { try second.execute("FROM later") }
    try second.execute("ROLLBACK")
    #expect(try value(second, "SELECT count(*) FROM t") == "5")
    // Rows of a result that is still being pulled stay as they were.
    let result = try first.execute("SELECT a FROM t")
    try second.execute("DELETE FROM t")
    #expect(try result.rows().count == 5)
  }

  @Test func changesOfOtherRowsGoTogether() throws {
    let database = try Database()
    let first = database.connect()
    let second = database.connect()
    try first.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)")
    try first.execute("INSERT INTO t SELECT range, 0 FROM range(5)")
    try first.execute("BEGIN; UPDATE t SET b = 1 WHERE a = 1; INSERT INTO t VALUES (10, 1)")
    try second.execute("BEGIN; UPDATE t SET b = 2 WHERE a = 2; DELETE FROM t WHERE a = 3")
    try second.execute("INSERT INTO t VALUES (11, 2)")
    try first.execute("COMMIT")
    try second.execute("COMMIT")
    let rows = try first.execute("SELECT a, b FROM t ORDER BY a").rows()
    #expect(
      rows == [["0", "0"], ["1", "1"], ["2", "2"], ["4", "0"], ["10", "1"], ["11", "2"]])
    #expect(try value(first, "SELECT count(DISTINCT rowid) FROM t") == "6")
  }

  @Test func changesOfTheSameRowAreAConflict() throws {
    let database = try Database()
    let first = database.connect()
    let second = database.connect()
    try first.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)")
    try first.execute("INSERT INTO t VALUES (1, 0), (2, 0)")
    for (mine, theirs) in [
      ("UPDATE t SET b = 1 WHERE a = 1", "UPDATE t SET b = 2 WHERE a = 1"),
      ("DELETE FROM t WHERE a = 2", "UPDATE t SET b = 3 WHERE a = 2"),
      ("ALTER TABLE t ADD COLUMN c INTEGER", "INSERT INTO t VALUES (9, 9)"),
      ("CREATE TABLE twice (x INTEGER)", "CREATE TABLE twice (y INTEGER)"),
      ("INSERT INTO t (a) VALUES (50)", "INSERT INTO t (a) VALUES (50)"),
    ] {
      try second.execute("BEGIN")
      try second.execute(theirs)
      try first.execute(mine)
      let failure = #expect(throws: DatabaseError.self) { try second.execute("COMMIT") }
      #expect(failure?.message.contains("conflict") == true || mine.contains("50"))
      // The transaction is over, and nothing of it is left.
      #expect(throws: DatabaseError.self) { try second.execute("ROLLBACK") }
    }
    #expect(try value(first, "SELECT count(*) FROM t") == "2")
    #expect(try value(first, "SELECT b FROM t WHERE a = 1") == "1")
  }

  @Test func foreignKeysHoldAcrossConnections() throws {
    let database = try Database()
    let first = database.connect()
    let second = database.connect()
    try first.execute("CREATE TABLE p (a INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2)")
    try first.execute("CREATE TABLE c (a INTEGER REFERENCES p (a))")
    try second.execute("BEGIN; INSERT INTO c VALUES (1)")
    try first.execute("DELETE FROM p WHERE a = 1")
    #expect(throws: DatabaseError.self) { try second.execute("COMMIT") }
    #expect(try value(first, "SELECT count(*) FROM c") == "0")
  }

  @Test func savepoints() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1)")
    try connection.execute("SAVEPOINT one; INSERT INTO t VALUES (2)")
    try connection.execute("SAVEPOINT two; DELETE FROM t")
    try connection.execute("ROLLBACK TO two")
    #expect(try value(connection, "SELECT count(*) FROM t") == "2")
    #expect(throws: DatabaseError.self) { try connection.execute("SELECT nosuch") }
    #expect(throws: DatabaseError.self) { try connection.execute("SELECT 1") }
    try connection.execute("ROLLBACK TO SAVEPOINT one")
    #expect(try value(connection, "SELECT count(*) FROM t") == "1")
    #expect(throws: DatabaseError.self) { try connection.execute("ROLLBACK TO two") }
    try connection.execute("ROLLBACK TO one; RELEASE one; COMMIT")
    #expect(try value(connection, "SELECT count(*) FROM t") == "1")
    #expect(throws: DatabaseError.self) { try connection.execute("SAVEPOINT three") }
  }

  @Test func temporaryTablesBelongToTheirConnection() throws {
    let database = try Database()
    let first = database.connect()
    let second = database.connect()
    try first.execute("CREATE TEMP TABLE t AS SELECT 1 AS a")
    #expect(throws: DatabaseError.self) { try second.execute("FROM t") }
    try second.execute("CREATE TABLE t AS SELECT 2 AS a")
    #expect(try value(first, "SELECT a FROM t") == "1")
    #expect(try value(second, "SELECT a FROM t") == "2")
    try first.execute("BEGIN; INSERT INTO t VALUES (5); ROLLBACK")
    #expect(try value(first, "SELECT count(*) FROM t") == "1")
  }

  @Test func aReadOnlyTransactionChangesNothing() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE TABLE t (a INTEGER); BEGIN TRANSACTION READ ONLY")
    #expect(throws: DatabaseError.self) { try connection.execute("INSERT INTO t VALUES (1)") }
    try connection.execute("ROLLBACK")
    #expect(try value(connection, "SELECT count(*) FROM t") == "0")
  }
}
