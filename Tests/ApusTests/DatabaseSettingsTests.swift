import Apus
import Foundation
import Testing

/// SET GLOBAL, through several `Database` objects on one file: each stands for a process.
@Suite struct DatabaseSettingsTests {
  private func setting(_ connection: Connection, _ name: String) throws -> [String?] {
    try connection.execute(
      "SELECT value, scope, source FROM apus_settings() WHERE name = '\(name)'"
    ).rows().first ?? []
  }

  @Test func whatIsSetForTheDatabaseOutlivesTheProcess() throws {
    try withFile { path in
      do {
        let first = try Database(path: path).connect()
        try first.execute(
          """
          CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 7 AS a;
          SET GLOBAL integer_division = true; SET GLOBAL TimeZone = 'Asia/Kathmandu';
          SET GLOBAL default_null_order = 'nulls_first'; SET GLOBAL default_order = 'DESC';
          SET GLOBAL search_path = 's,main'
          """)
        #expect(try value(first, "SELECT a / 2 FROM t") == "3")
      }
      let second = try Database(path: path).connect()
      // The zone counts for the first statement already.
      #expect(
        try value(second, "SELECT TIMESTAMPTZ '2024-01-01 00:00:00Z'")
          == "2024-01-01 05:45:00+05:45")
      #expect(try value(second, "SELECT a / 2 FROM t") == "3")
      #expect(
        try second.execute("SELECT * FROM (VALUES (1), (NULL), (2)) ORDER BY ALL").rows()
          == [[nil], ["2"], ["1"]])
      #expect(try setting(second, "TimeZone") == ["Asia/Kathmandu", "GLOBAL", "database"])
      #expect(try setting(second, "threads").dropFirst() == ["LOCAL", "default"])
      try second.execute("RESET GLOBAL integer_division; RESET GLOBAL search_path")
      #expect(try value(second, "SELECT 7 / 2") == "3.5")
      #expect(try setting(second, "integer_division") == ["false", "GLOBAL", "default"])
      let third = try Database(path: path).connect()
      #expect(try value(third, "SELECT 7 / 2") == "3.5")
      #expect(failure { try third.execute("FROM t") }.contains("does not exist"))
      #expect(try setting(third, "default_order") == ["DESCENDING", "GLOBAL", "database"])
    }
  }

  @Test func otherConnectionsFollowUnlessTheyHaveTheirOwn() throws {
    try withFile { path in
      let database = try Database(path: path)
      let (one, two) = (database.connect(), database.connect())
      let other = try Database(path: path).connect()
      try two.execute("SET integer_division = false")
      try one.execute("SET GLOBAL integer_division = true")
      #expect(try value(one, "SELECT 5 / 2") == "2")
      #expect(try value(other, "SELECT 5 / 2") == "2")
      #expect(try value(two, "SELECT 5 / 2") == "2.5")
      #expect(try setting(two, "integer_division") == ["false", "GLOBAL", "connection"])
      try two.execute("RESET integer_division")
      #expect(try value(two, "SELECT 5 / 2") == "2")
      // What the connection had set gives way to what it sets for all.
      try two.execute("SET integer_division = true; SET GLOBAL integer_division = false")
      #expect(try value(two, "SELECT 5 / 2") == "2.5")
      #expect(try value(other, "SELECT 5 / 2") == "2.5")
      let memory = try Database()
      let (left, right) = (memory.connect(), memory.connect())
      try left.execute("SET GLOBAL integer_division = true")
      #expect(try value(right, "SELECT 5 / 2") == "2")
    }
  }

  @Test func settingsObeyTransactions() throws {
    try withFile { path in
      let one = try Database(path: path).connect()
      let other = try Database(path: path).connect()
      try one.execute("BEGIN; SET GLOBAL integer_division = true")
      #expect(try value(one, "SELECT 5 / 2") == "2")
      #expect(try value(other, "SELECT 5 / 2") == "2.5")
      try one.execute("ROLLBACK")
      #expect(try value(one, "SELECT 5 / 2") == "2.5")
      try one.execute("BEGIN; SAVEPOINT p; SET GLOBAL integer_division = true; ROLLBACK TO p")
      #expect(try value(one, "SELECT 5 / 2") == "2.5")
      try one.execute("SET GLOBAL default_order = 'DESC'; COMMIT")
      #expect(try setting(other, "default_order")[0] == "DESCENDING")
      #expect(try value(other, "SELECT 5 / 2") == "2.5")
      // Both set the same: the second is told so.
      try one.execute("BEGIN; SET GLOBAL default_order = 'ASC'")
      try other.execute("SET GLOBAL default_order = 'ASC'")
      #expect(
        failure { try one.execute("COMMIT") }.contains("\"default_order\" was changed by another"))
      let message = failure { try one.execute("BEGIN READ ONLY; RESET GLOBAL default_order") }
      #expect(message.contains("the transaction is read-only"))
    }
  }

  @Test func aDatabaseThatIsReadOnlyKeepsItsSettings() throws {
    try withFile { path in
      try Database(path: path).connect().execute("SET GLOBAL integer_division = true")
      let reader = try Database(path: path, isReadOnly: true).connect()
      #expect(try value(reader, "SELECT 5 / 2") == "2")
      let message = failure { try reader.execute("SET GLOBAL integer_division = false") }
      #expect(message.contains("it was opened read-only"))
      try reader.execute("SET integer_division = true")
      _ = failure { try reader.execute("SET GLOBAL integer_division = false") }
      #expect(try setting(reader, "integer_division").last == "connection")
      try reader.execute("RESET integer_division")
      #expect(try value(reader, "SELECT 5 / 2") == "2")
      // What is so already, and what is the process's, is no change of the file.
      try reader.execute("SET GLOBAL integer_division = true; SET GLOBAL threads = 1")
      try reader.execute("SET integer_division = false")
      #expect(try value(reader, "SELECT 5 / 2") == "2.5")
    }
  }

  @Test func damagedAndUnknownSettingsHaveNoEffect() throws {
    try withFile { path in
      try Database(path: path).connect().execute("SET GLOBAL integer_division = true")
      try change(
        path,
        """
        INSERT INTO settings VALUES ('timezone', 'Mars/Olympus'), ('of_the_future', 'x'),
          ('default_order', NULL), ('default_null_order', x'ff00fe'), ('search_path', 'gone,main'),
          ('threads', '99999'), ('', '')
        """)
      let reader = try Database(path: path).connect()
      #expect(try value(reader, "SELECT 5 / 2") == "2")
      #expect(try setting(reader, "search_path") == ["main", "GLOBAL", "default"])
      #expect(try setting(reader, "default_order") == ["ASCENDING", "GLOBAL", "default"])
      #expect(try setting(reader, "of_the_future") == ["x", "GLOBAL", "database"])
      #expect(try setting(reader, "TimeZone").last == "default")
      let description = try value(
        reader, "SELECT description FROM apus_settings() WHERE name = 'TimeZone'")
      #expect(description?.contains("'Mars/Olympus'") ?? false)
      // Each can be taken away and set right.
      try reader.execute(
        """
        RESET GLOBAL of_the_future; RESET GLOBAL TimeZone; RESET GLOBAL threads;
        SET GLOBAL default_order = 'DESC'
        """)
      let again = try Database(path: path).connect()
      #expect(try setting(again, "of_the_future") == [])
      #expect(try setting(again, "default_order") == ["DESCENDING", "GLOBAL", "database"])
      #expect(
        failure { try again.execute("RESET GLOBAL of_the_future") }.contains("does not exist"))
      // A form that is none of ours, and then no table at all.
      try change(path, "DROP TABLE settings; CREATE TABLE settings (x BLOB)")
      try change(path, "UPDATE apus_meta SET value = value + 1")
      #expect(try value(again, "SELECT 5 / 2") == "2.5")
      try change(path, "DROP TABLE settings; UPDATE apus_meta SET value = value + 1")
      #expect(try value(try Database(path: path).connect(), "SELECT 5 / 2") == "2.5")
    }
  }

  /// Another program changes the file.
  private func change(_ path: String, _ sql: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      """
      import sqlite3, sys
      c = sqlite3.connect(sys.argv[1])
      c.executescript(sys.argv[2])
      c.commit()
      """, path, sql,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func mistakesAreNamed() throws {
    let connection = try Database().connect()
    for (sql, part) in [
      ("SET GLOBAL timezon = 'UTC'", "setting \"timezon\" does not exist"),
      ("SET GLOBAL TimeZone = 'Mars'", "there is no time zone 'Mars'"),
      ("SET GLOBAL search_path = 'nowhere'", "schema \"nowhere\" does not exist"),
      (
        "ATTACH ':memory:' AS x; SET GLOBAL search_path = 'x.main'",
        "names its own schemas only, not \"x.main\""
      ),
    ] {
      #expect(failure { try connection.execute(sql) }.contains(part), "\(sql)")
    }
  }

  @Test func copiesAndExportsTakeThemAlong() throws {
    try withFile { path in
      let connection = try Database(path: path).connect()
      let folder = path + ".folder"
      try connection.execute(
        """
        SET GLOBAL integer_division = true; CREATE VIEW v AS SELECT 7 / 2 AS a;
        ATTACH '\(path).copy' AS copy; COPY FROM DATABASE test TO copy; DETACH copy;
        EXPORT DATABASE '\(folder)'
        """)
      let copy = try Database(path: path + ".copy").connect()
      #expect(try value(copy, "SELECT a FROM v") == "3")
      let imported = try Database().connect()
      try imported.execute("IMPORT DATABASE '\(folder)'")
      #expect(try value(imported, "SELECT a FROM v") == "3")
    }
  }
}
