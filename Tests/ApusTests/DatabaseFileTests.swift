import Apus
import Foundation
import Testing

/// The database in a file, through several `Database` objects: each stands for a process.
@Suite struct DatabaseFileTests {
  @Test func theNextStatementSeesWhatOthersHaveCommitted() throws {
    try withFile { path in
      let writer = try Database(path: path).connect()
      try writer.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR)")
      let reader = try Database(path: path).connect()
      #expect(try value(reader, "SELECT count(*) FROM t") == "0")
      try writer.execute("INSERT INTO t SELECT range, 'x' || range FROM range(200000)")
      #expect(try value(reader, "SELECT count(*) FROM t") == "200000")
      try writer.execute("UPDATE t SET b = 'new' WHERE a % 50000 = 0; DELETE FROM t WHERE a = 7")
      #expect(try value(reader, "SELECT count(*) FROM t WHERE b = 'new'") == "4")
      #expect(try value(reader, "SELECT sum(a) FROM t") == "\(199_999 * 100_000 - 7)")
      try writer.execute("ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 3; DROP TABLE IF EXISTS u")
      #expect(try value(reader, "SELECT sum(c) FROM t") == "\(199_999 * 3)")
      try writer.execute("CREATE VIEW v AS SELECT max(a) AS m FROM t")
      #expect(try value(reader, "FROM v") == "199999")
      // The other way round too.
      try reader.execute("INSERT INTO t VALUES (-1, 'from the reader', 0)")
      #expect(try value(writer, "FROM v") == "199999")
      #expect(try value(writer, "SELECT b FROM t WHERE a = -1") == "from the reader")
      #expect(failure { try writer.execute("INSERT INTO t VALUES (-1, '', 0)") }.contains("-1"))
    }
  }

  @Test func aTransactionKeepsItsSnapshotWhateverOthersRemove() throws {
    try withFile { path in
      let writer = try Database(path: path).connect()
      try writer.execute(
        "CREATE TABLE t AS SELECT range AS a, 'text ' || range AS b FROM range(300000)")
      let reader = try Database(path: path).connect()
      try reader.execute("BEGIN")
      #expect(try value(reader, "SELECT min(a) FROM t") == "0")
      try writer.execute("UPDATE t SET a = a + 1000000; CHECKPOINT; VACUUM")
      // A column that nothing has read yet, of chunks that the newest commit does not have.
      #expect(try value(reader, "SELECT max(b) FROM t WHERE a < 1000000") == "text 99999")
      try reader.execute("COMMIT")
      #expect(try value(reader, "SELECT min(a) FROM t") == "1000000")
      let result = try reader.execute("SELECT a FROM t")
      try writer.execute("DROP TABLE t; VACUUM")
      #expect(try result.rows().count == 300_000)
      #expect(failure { try reader.execute("FROM t") }.contains("does not exist"))
    }
  }

  @Test func writersOfTwoProcessesMergeOrConflict() throws {
    try withFile { path in
      let first = try Database(path: path).connect()
      let second = try Database(path: path).connect()
      try first.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)")
      try first.execute("INSERT INTO t SELECT range, 0 FROM range(20000)")
      try first.execute("BEGIN; UPDATE t SET b = 1 WHERE a = 1; INSERT INTO t VALUES (-10, 1)")
      try second.execute("BEGIN; UPDATE t SET b = 2 WHERE a = 2; DELETE FROM t WHERE a = 3")
      try second.execute("INSERT INTO t VALUES (-11, 2)")
      try first.execute("COMMIT")
      try second.execute("COMMIT")
      let wanted = [
        ["-11", "2"], ["-10", "1"], ["0", "0"], ["1", "1"], ["2", "2"], ["4", "0"],
      ]
      for connection in [first, second] {
        #expect(try connection.execute("FROM t ORDER BY a LIMIT 6").rows() == wanted)
        #expect(try value(connection, "SELECT count(DISTINCT rowid) FROM t") == "20001")
      }
      try first.execute("BEGIN; UPDATE t SET b = 5 WHERE a = 5")
      try second.execute("UPDATE t SET b = 6 WHERE a = 5")
      #expect(failure { try first.execute("COMMIT") }.contains("conflict"))
      #expect(try value(first, "SELECT b FROM t WHERE a = 5") == "6")
    }
  }

  @Test func aSecondWriterIsToldSoAfterTheTimeOut() throws {
    try withFile { path in
      let writer = try Database(path: path).connect()
      try writer.execute("CREATE TABLE t (a INTEGER); SET busy_timeout = 20")
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      // Another program that holds SQLite's own lock.
      process.arguments = [
        "python3", "-c",
        """
        import sqlite3, sys
        c = sqlite3.connect(sys.argv[1], isolation_level=None)
        c.execute('BEGIN IMMEDIATE')
        print('locked', flush=True)
        sys.stdin.read()
        """, path,
      ]
      let (input, output) = (Pipe(), Pipe())
      process.standardInput = input
      process.standardOutput = output
      try process.run()
      _ = try output.fileHandleForReading.read(upToCount: 6)
      let message = failure { try writer.execute("INSERT INTO t VALUES (1)") }
      #expect(message.contains("database is locked by another writer"))
      #expect(try value(writer, "SELECT count(*) FROM t") == "0")
      try input.fileHandleForWriting.close()
      process.waitUntilExit()
      try writer.execute("INSERT INTO t VALUES (1)")
      #expect(try value(writer, "SELECT count(*) FROM t") == "1")
    }
  }

  @Test func aCheckpointWaitsForNoReaderAndWritesNothingTwice() throws {
    try withFile { path in
      let writer = try Database(path: path).connect()
      try writer.execute(
        """
        SET busy_timeout = 600000;
        CREATE TABLE t AS SELECT range AS a, [range] AS c FROM range(150000);
        DELETE FROM t WHERE a % 2 = 0 AND a < 130000
        """)
      let reader = try Database(path: path).connect()
      try reader.execute("BEGIN")
      #expect(try value(reader, "SELECT count(*) FROM t") == "85000")
      try writer.execute("UPDATE t SET c = [7] WHERE a = 1")
      let begin = ContinuousClock.now
      try writer.execute("CHECKPOINT; VACUUM")
      #expect(ContinuousClock.now - begin < .seconds(120))
      #expect(try value(reader, "SELECT sum(c[1]) FROM t WHERE a < 3") == "1")
      try reader.execute("COMMIT")
      let newest = "SELECT max(id) FROM sqlite_scan('\(path)', 'chunks')"
      let chunks = try value(writer, newest)
      try writer.execute("CHECKPOINT; CHECKPOINT")
      #expect(try value(writer, newest) == chunks)
      #expect(try value(writer, "SELECT sum(c[1]) FROM t WHERE a < 4") == "10")
      #expect(try value(writer, "SELECT count(*) FROM t") == "85000")
    }
  }

  @Test func commitsJoinSmallRowGroupsAFewAtATime() throws {
    try withFile { path in
      let writer = try Database(path: path).connect()
      try writer.execute("CREATE TABLE t (a INTEGER)")
      let counts = "SELECT count(*), max(row_count) FROM sqlite_scan('\(path)', 'partitions')"
      var largest = 0
      for step in 0..<40 {
        try writer.execute("INSERT INTO t SELECT range + \(step * 9000) FROM range(9000)")
        let row = try writer.execute(counts).rows()[0].compactMap { $0.flatMap(Int.init) }
        #expect(row[0] <= 18)
        largest = row[1]
      }
      // 13 groups make one large one.
      #expect(largest == 117_000)
      try writer.execute("CHECKPOINT")
      #expect(try writer.execute(counts).rows() == [["4", "117000"]])
      #expect(try value(writer, "SELECT sum(a) FROM t") == "\(360_000 * 359_999 / 2)")
    }
  }

  @Test func sequencesAreSharedAndNumbersComeOnce() throws {
    try withFile { path in
      let first = try Database(path: path).connect()
      let second = try Database(path: path).connect()
      try first.execute("CREATE SEQUENCE s; BEGIN")
      #expect(try value(first, "SELECT nextval('s')") == "1")
      #expect(try value(second, "SELECT nextval('s')") == "2")
      try first.execute("ROLLBACK")
      #expect(try value(first, "SELECT nextval('s')") == "3")
      try second.execute("CREATE TABLE t (id BIGINT DEFAULT nextval('s'), x INTEGER)")
      try second.execute("INSERT INTO t (x) SELECT range FROM range(100)")
      #expect(try value(try Database(path: path).connect(), "SELECT nextval('s')") == "104")
    }
  }

  @Test func modelsOutliveTheProcess() throws {
    try withFile { path in
      let create = """
        CREATE MODEL m INPUT (a FLOAT) OUTPUT (y FLOAT) SEQUENTIAL (linear(4), relu(), linear(1))
        OPTIONS (epochs = 3, seed = 5)
        """
      let train = "TRAIN MODEL m FROM (SELECT range AS a, 2.0 * range AS y FROM range(50))"
      let first = try Database(path: path).connect()
      try first.execute(create)
      let epochs = try first.execute(train).rows()
      let predicted = try first.execute("SELECT PREDICT(MODEL m, 3.0)").rows()
      let second = try Database(path: path).connect()
      #expect(try second.execute("SELECT PREDICT(MODEL m, 3.0)").rows() == predicted)
      #expect(epochs.count == 3)
      try second.execute("BEGIN; \(train); ROLLBACK")
      #expect(try first.execute("SELECT PREDICT(MODEL m, 3.0)").rows() == predicted)
      try second.execute("DROP MODEL m")
      #expect(
        failure { try first.execute("SELECT PREDICT(MODEL m, 3.0)") }.contains("does not exist"))
    }
  }

  @Test func anAttachedFileIsADatabaseOfItsOwn() throws {
    try withFile { path in
      let other = path + ".other.db"
      let connection = try Database(path: path).connect()
      try connection.execute("ATTACH '\(other)' AS o; CREATE TABLE o.t AS SELECT 42 AS x")
      try connection.execute(
        "CREATE TABLE t AS FROM o.t; CREATE SCHEMA o.s; CREATE VIEW o.s.v AS SELECT 1")
      #expect(try value(try Database(path: other).connect(), "FROM t") == "42")
      try connection.execute("BEGIN; INSERT INTO t VALUES (1); INSERT INTO o.t VALUES (1)")
      #expect(failure { try connection.execute("COMMIT") }.contains("one database file only"))
      #expect(try value(connection, "SELECT count(*) FROM t") == "1")
      try connection.execute("DETACH o")
      #expect(failure { try connection.execute("FROM o.t") }.contains("does not exist"))
      try connection.execute("ATTACH '\(other)' AS r (READ_ONLY)")
      #expect(failure { try connection.execute("DELETE FROM r.t") }.contains("read-only"))
      #expect(try value(connection, "FROM r.s.v") == "1")
    }
  }

  @Test func readOnlyRefusesEveryChange() throws {
    try withFile { path in
      #expect(failure { _ = try Database(path: path, isReadOnly: true) }.contains("cannot open"))
      try Database(path: path).connect().execute(
        "CREATE TABLE t AS SELECT 1 AS a; CREATE SEQUENCE s")
      let connection = try Database(path: path, isReadOnly: true).connect()
      for sql in [
        "INSERT INTO t VALUES (2)", "DROP TABLE t", "CREATE VIEW v AS SELECT 1",
        "SELECT nextval('s')", "CREATE TABLE u AS SELECT range AS a FROM range(500000)",
      ] {
        #expect(failure { _ = try connection.execute(sql).rows() }.contains("read-only"))
      }
      #expect(try value(connection, "SELECT count(*) FROM t") == "1")
      // What belongs to the connection alone changes no file.
      try connection.execute("CREATE TEMP TABLE mine AS FROM t")
      #expect(try value(connection, "SELECT count(*) FROM mine") == "1")
    }
  }

  @Test func strangeFilesAreRefusedByName() throws {
    try withFile { path in
      try Data("SELECT 1; this is a text and no database at all".utf8).write(
        to: URL(filePath: path))
      #expect(failure { _ = try Database(path: path) }.contains("no database"))
      #expect(failure { _ = try Database(path: path + "/x.db") }.contains("cannot open"))
    }
  }

  @Test func compactionKeepsRowsAndTheirNumbers() throws {
    try withFile { path in
      let connection = try Database(path: path).connect()
      try connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR)")
      for part in 0..<20 {
        try connection.execute(
          "INSERT INTO t SELECT \(part) * 10000 + range, hash(range) || 'b' FROM range(10000)")
      }
      try connection.execute(
        "UPDATE t SET b = 'changed' WHERE a % 9 = 0; DELETE FROM t WHERE a % 11 = 0")
      let sums = "SELECT count(*), sum(a), sum(rowid), count(DISTINCT b), sum(hash(b)) FROM t"
      let before = try connection.execute(sums).rows()
      try connection.execute("CHECKPOINT")
      #expect(try connection.execute(sums).rows() == before)
      let again = try Database(path: path).connect()
      #expect(try again.execute(sums).rows() == before)
      func size() throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      }
      #expect(try size() > 2 << 20)
      try connection.execute("DELETE FROM t WHERE a > 100; VACUUM")
      #expect(try size() < 3 << 19)
      #expect(try value(again, "SELECT count(*) FROM t") == "91")
    }
  }

  @Test func smallRowGroupsAreJoinedWhenNothingHappens() throws {
    try withFile { path in
      let connection = try Database(path: path).connect()
      try connection.execute("CREATE TABLE t (a INTEGER)")
      for part in 0..<6 {
        try connection.execute("INSERT INTO t SELECT \(part) * 9000 + range FROM range(9000)")
      }
      let groups = "SELECT count(*) FROM sqlite_scan('\(path)', 'partitions')"
      #expect(try value(connection, groups) == "6")
      let end = Date(timeIntervalSinceNow: 60)
      while try value(connection, groups) != "1", Date() < end { usleep(100_000) }
      #expect(try value(connection, groups) == "1")
      #expect(try value(connection, "SELECT sum(a) FROM t") == "\(53_999 * 27_000)")
      #expect(try value(try Database(path: path).connect(), "SELECT count(*) FROM t") == "54000")
    }
  }

  /// A row group of which little is left goes to the row delta, where changed rows of it are already.
  @Test func compactionKeepsRowsThatWereInTheDelta() throws {
    try withFile { path in
      let connection = try Database(path: path).connect()
      try connection.execute(
        "CREATE TABLE t AS SELECT range AS a, 'b' || range AS b FROM range(50000)")
      try connection.execute("UPDATE t SET b = 'changed' WHERE a % 50 = 0")
      try connection.execute("DELETE FROM t WHERE a % 10 <> 0 OR a < 7")
      let sums = "SELECT count(*), sum(a), sum(rowid), sum(hash(b)) FROM t"
      let before = try connection.execute(sums).rows()
      for _ in 0..<2 {
        try connection.execute("CHECKPOINT")
        #expect(try connection.execute(sums).rows() == before)
        #expect(try Database(path: path).connect().execute(sums).rows() == before)
      }
      try connection.execute(
        "UPDATE t SET b = 'again' WHERE a % 20 = 0; INSERT INTO t VALUES (-1, 'new')")
      let after = try connection.execute(sums).rows()
      #expect(try Database(path: path).connect().execute(sums).rows() == after)
    }
  }

  @Test func rowsAreFoundByKeyAndByIndex() throws {
    try withFile { path in
      let connection = try Database(path: path).connect()
      try connection.execute(
        "CREATE TABLE t AS SELECT hash(range) % 1000000 AS k, range % 1000 AS g, range AS a FROM range(300000)"
      )
      try connection.execute("CREATE INDEX by_group ON t (g)")
      try connection.execute(
        "UPDATE t SET g = -1 WHERE a IN (5, 250000); DELETE FROM t WHERE a = 1005")
      for _ in 0..<6 {
        #expect(try value(connection, "SELECT count(*) FROM t WHERE g = 5") == "298")
        #expect(try value(connection, "SELECT sum(a) FROM t WHERE g = -1") == "250005")
        #expect(try value(connection, "SELECT count(*) FROM t WHERE g = 5 AND a < 10000") == "8")
        #expect(try value(connection, "SELECT count(*) FROM t WHERE g = 1234567") == "0")
      }
      try connection.execute("INSERT INTO t VALUES (0, 5, 777777777); DROP INDEX by_group")
      #expect(try value(connection, "SELECT count(*) FROM t WHERE g = 5") == "299")
    }
  }
}
