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

  // MARK: Kept plans

  private static let model = """
    CREATE MODEL live INPUT (a FLOAT, b FLOAT) OUTPUT (y FLOAT)
      SEQUENTIAL (linear(2, 8), relu(), linear(8, 1)) OPTIONS (epochs = 2, seed = 3);
    CREATE TABLE observed AS
      SELECT (range % 7)::FLOAT a, (range % 5)::FLOAT b, (range % 3)::FLOAT y FROM range(90);
    TRAIN MODEL live FROM observed;
    """

  /// Runs by a kept plan, and in the ordinary way.
  private func runs(_ name: String, _ connection: Connection) throws -> [String?] {
    try connection.execute(
      "SELECT generic_plans, custom_plans FROM apus_prepared_statements() WHERE name = ?", name
    ).rows()[0]
  }

  /// What is kept gives what binding anew gives, for values of any types in any order.
  @Test(arguments: [
    "SELECT $1 + 1", "SELECT 1 + $1 * 2 AS x, $1", "SELECT $1 / 2, $1 // 2", "SELECT abs($1)",
    "SELECT -$1", "SELECT $1 = 3, $1 IN (1, 3, 7), $1 BETWEEN 1 AND 5", "SELECT round(2.345, $1)",
    "SELECT CAST($1 AS DOUBLE)", "SELECT $1::VARCHAR || 'x'", "SELECT [$1, 2][1]",
    "SELECT CASE WHEN $1 > 2 THEN 'much' ELSE 'little' END", "SELECT coalesce($1, 4)",
    "SELECT {'a': $1}.a", "SELECT 5::TINYINT + $1", "SELECT $1 + 2.5",
    "SELECT date '2024-01-01' + $1",
    "SELECT 3 WHERE $1 > 2", "SELECT PREDICT(live, $1, 2)", "SELECT PREDICT(live, [$1, 1.5])",
    "SELECT $1 + random() * 0", "SELECT greatest($1, 3), least($1, 3)", "SELECT typeof($1)",
    "SELECT date_part($1, timestamp '2024-03-02 10:00:00')", "SELECT $1 LIKE '1%'",
    "SELECT make_date($1, 2, 3)", "VALUES ($1, 2), (3, $1)", "SELECT x FROM (VALUES ($1)) t(x)",
    "SELECT count(*), sum(i), min(s) FROM wide WHERE i >= $1", "SELECT s FROM wide WHERE i = $1",
    "SELECT s, i + $1 FROM wide WHERE s = $1 ORDER BY i LIMIT 3",
    "SELECT i FROM wide WHERE d < $1 ORDER BY i DESC LIMIT 2",
    "SELECT i % $1 AS k, count(*) FROM wide GROUP BY k ORDER BY k LIMIT 3",
    "SELECT i FROM wide WHERE t = $1 OR i = 7 AND $1 > 2 ORDER BY i LIMIT 4",
    "SELECT i FROM wide ORDER BY i LIMIT $1",
    "SELECT i, $1 FROM wide WHERE i IN (3, $1) ORDER BY i",
    "SELECT a.i FROM wide a JOIN wide b USING (i) WHERE a.i = $1",
    "SELECT row_number() OVER (ORDER BY i), i FROM wide WHERE NOT i < $1 ORDER BY ALL LIMIT 2",
    "SELECT (SELECT $1) + 1", "SELECT $1 IS NULL",
    "SELECT list_transform([1, 2], lambda x: x + $1)",
  ])
  func asBoundAnew(_ sql: String) throws {
    let connection = try Database().connect()
    try connection.execute(Self.model)
    try connection.execute(
      """
      CREATE TABLE wide AS SELECT range AS i, '' || range % 10 AS s, range / 7 AS d,
        (range % 100)::TINYINT AS t FROM range(5000)
      """)
    let prepared = try connection.prepare(sql)
    let missing: Int? = nil
    let values: [any SQLValueConvertible] = [
      3, 4, 1000, 5_000_000_000, 3, -1, 2.5, 7.25, "7", "year", "12", missing, true, false, 0, "",
      2024, 3,
    ]
    func answer(_ body: () throws -> QueryResult) -> String {
      do {
        let result = try body()
        return "\(result.columns) \(try result.rows())"
      } catch {
        return "\(error)"
      }
    }
    for _ in 0..<2 {
      for value in values {
        let kept = answer { try prepared.execute(value) }
        #expect(kept == answer { try connection.execute(sql, value) }, "\(value)")
      }
    }
  }

  @Test func plansAreKept() throws {
    let connection = try Database().connect()
    try connection.execute(Self.model)
    try connection.execute("PREPARE p AS SELECT PREDICT(live, $1, $2)")
    for _ in 0..<5 { try connection.execute("EXECUTE p(1.5, 2.5)") }
    // The first run shows whether there will be others.
    #expect(try runs("p", connection) == ["4", "1"])
    try connection.execute("PREPARE r AS SELECT random() + $1")
    for _ in 0..<5 { try connection.execute("EXECUTE r(1)") }
    #expect(try runs("r", connection) == ["0", "5"])
  }

  @Test func aNewVersionOfTheModel() throws {
    let database = try Database()
    let connection = database.connect()
    try connection.execute(Self.model)
    let other = database.connect()
    let prepared = try connection.prepare("SELECT PREDICT(live, $1, $2)")
    let adHoc = "SELECT PREDICT(live, 1.5, 2.5)"
    func expectSame() throws -> [[String?]] {
      let rows = try prepared.execute(1.5, 2.5).rows()
      #expect(try rows == connection.execute(adHoc).rows())
      return rows
    }
    for _ in 0..<3 { _ = try expectSame() }
    let first = try expectSame()
    try other.execute("TRAIN MODEL live FROM observed OPTIONS (epochs = 5, learning_rate = 0.1)")
    let second = try expectSame()
    #expect(first != second)
    #expect(try expectSame() == second)
    try connection.execute("ALTER MODEL live ROLLBACK")
    #expect(try expectSame() == first)
    #expect(try expectSame() == first)
    try connection.execute("BEGIN; DROP MODEL live")
    #expect(throws: DatabaseError.self) { try prepared.execute(1.5, 2.5) }
    try connection.execute("ROLLBACK")
    #expect(try expectSame() == first)
    #expect(try expectSame() == first)
  }

  @Test func otherDefinitionsAndSettings() throws {
    let database = try Database()
    let connection = database.connect()
    try connection.execute("CREATE MACRO twice(x) AS 2 * x")
    try database.register("shift") { (x: Int) in x + 1 }
    let macro = try connection.prepare("SELECT twice($1)")
    let quotient = try connection.prepare("SELECT $1 / 2")
    let user = try connection.prepare("SELECT shift($1)")
    let variable = try connection.prepare("SELECT getvariable('v') + $1")
    func values() throws -> [String?] {
      try [macro, quotient, user, variable].map { try $0.execute(5).rows()[0][0] }
    }
    try connection.execute("SET VARIABLE v = 10")
    for _ in 0..<3 { #expect(try values() == ["10", "2.5", "6", "15"]) }
    try connection.execute("SET integer_division = true")
    try connection.execute("CREATE OR REPLACE MACRO twice(x) AS x + x + 1")
    try connection.execute("SET VARIABLE v = 20")
    try database.register("shift") { (x: Int) in x + 100 }
    for _ in 0..<3 { #expect(try values() == ["11", "2", "105", "25"]) }
    try connection.execute("BEGIN; CREATE OR REPLACE MACRO twice(x) AS 7")
    for _ in 0..<3 { #expect(try values()[0] == "7") }
    try connection.execute("ROLLBACK; RESET integer_division")
    for _ in 0..<3 { #expect(try values() == ["11", "2.5", "105", "25"]) }
  }

  @Test func changingTables() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR)")
    let query = try connection.prepare("SELECT v FROM t WHERE id = $1")
    for id in 0..<5 {
      #expect(try query.execute(id).rows() == [])
      try connection.execute("INSERT INTO t VALUES (?, ?)", id, "v\(id)")
      #expect(try query.execute(id).rows() == [["v\(id)"]])
    }
    try connection.execute("BEGIN; UPDATE t SET v = 'changed'")
    #expect(try query.execute(2).rows() == [["changed"]])
    try connection.execute("ROLLBACK")
    #expect(try query.execute(2).rows() == [["v2"]])
  }

  /// A result that is still there while the statement runs again keeps its rows.
  @Test func resultsOutliveTheNextRun() throws {
    let connection = try Database().connect()
    let query = try connection.prepare("SELECT $1, $1 + 1")
    let results = try (0..<6).map { try query.execute($0) }
    for (number, result) in results.enumerated() {
      #expect(try result.rows() == [["\(number)", "\(number + 1)"]])
    }
  }

  /// A value that fails does not end the use of the plan.
  @Test func aFailureBetween() throws {
    let connection = try Database().connect()
    let query = try connection.prepare("SELECT CAST($1 AS INTEGER) + 1")
    for _ in 0..<3 { #expect(try query.execute("41").rows() == [["42"]]) }
    let error = #expect(throws: DatabaseError.self) { try query.execute("x") }
    #expect(error?.code == "Conversion Error")
    for _ in 0..<3 { #expect(try query.execute("41").rows() == [["42"]]) }
  }

  /// Literals with other digits run by the plan that is there, where their digits count for nothing.
  @Test func decimalsOfAnyDigits() throws {
    let connection = try Database().connect()
    try connection.execute(Self.model)
    try connection.execute(
      """
      PREPARE p AS SELECT PREDICT(live, $1, $2), $1::FLOAT, $2::FLOAT;
      PREPARE q AS SELECT $1 + 1, $2 * $2;
      PREPARE r AS SELECT $1::FLOAT[2], $2
      """)
    let values = ["0.5, 2.5", "0.25, 12.125", "100.0, 0.001", "-1.5, 2.00000001", "3, 0.5"]
    for _ in 0..<3 {
      for pair in values {
        #expect(
          try connection.execute("EXECUTE p(\(pair))").rows()
            == connection.execute(
              """
              SELECT PREDICT(live, a, b), a::FLOAT, b::FLOAT
              FROM (SELECT * FROM (VALUES (\(pair))) t(a, b))
              """
            ).rows())
        let sums = try connection.execute("EXECUTE q(\(pair))").rows()[0]
        let parts = pair.split(separator: ", ")
        #expect(
          try sums
            == connection.execute("SELECT \(parts[0]) + 1, \(parts[1]) * \(parts[1])").rows()[0])
        #expect(
          try connection.execute("EXECUTE r([\(pair)], 7)").rows()
            == connection.execute("SELECT [\(pair)]::FLOAT[2], 7").rows())
      }
    }
    #expect(try runs("r", connection)[1] == "1")
    let kept = try runs("p", connection).compactMap { $0.flatMap { Int($0) } }
    #expect(kept[1] <= 2 && kept[0] + kept[1] == 15, "\(kept)")
  }

  // MARK: The same text again

  @Test func textsThatComeAgain() throws {
    let database = try Database()
    let connection = database.connect()
    let other = database.connect()
    try connection.execute("CREATE TABLE t AS SELECT range AS i FROM range(5)")
    func expect(_ row: [String?], times: Int = 4) throws {
      for _ in 0..<times {
        #expect(
          try connection.execute("SELECT sum(i), count(*) FROM t WHERE i >= 1; ").rows() == [row])
      }
    }
    try expect(["10", "4"])
    try other.execute("INSERT INTO t VALUES (100)")
    try expect(["110", "5"])
    try connection.execute("BEGIN; DELETE FROM t WHERE i = 100")
    try expect(["10", "4"])
    try connection.execute("ROLLBACK")
    try expect(["110", "5"])
    try connection.execute("CREATE OR REPLACE TABLE t AS SELECT 7.5::DOUBLE AS i")
    try expect(["7.5", "1"])
    try connection.execute("CREATE TEMP TABLE t AS SELECT 3 AS i")
    try expect(["3", "1"])
    try connection.execute("DROP TABLE temp.t")
    try expect(["7.5", "1"])
    try connection.execute("DROP TABLE t")
    #expect(throws: DatabaseError.self) { try expect(["7.5", "1"], times: 1) }
    try connection.execute("CREATE VIEW t AS SELECT range AS i FROM range(3)")
    try expect(["3", "2"])
    try connection.execute("CREATE OR REPLACE VIEW t AS SELECT range AS i FROM range(4)")
    try expect(["6", "3"])
    try connection.execute("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 9 AS i; SET schema = 's'")
    try expect(["9", "1"])
  }

  @Test func textsThatAreOtherEachTime() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE SEQUENCE numbers; SET VARIABLE v = 0")
    var randoms: Set<String?> = []
    for number in 1...5 {
      randoms.insert(try connection.execute("SELECT random()").rows()[0][0])
      #expect(try connection.execute("SELECT nextval('numbers')").rows() == [["\(number)"]])
      try connection.execute("SET VARIABLE v = \(number)")
      #expect(try connection.execute("SELECT getvariable('v')").rows() == [["\(number)"]])
      #expect(
        try connection.execute("SELECT count(*) FROM apus_variables()").rows() == [["1"]])
      #expect(try connection.execute("SELECT 1; SELECT \(number)").rows() == [["\(number)"]])
    }
    #expect(randoms.count == 5)
    let moment = try connection.execute("SELECT epoch_us(now())").rows()
    _ = try connection.execute("SELECT epoch_us(now())").rows()
    #expect(try connection.execute("SELECT epoch_us(now())").rows() != moment)
    for _ in 0..<3 {
      #expect(throws: DatabaseError.self) { try connection.execute("SELECT CAST('x' AS INTEGER)") }
      #expect(throws: DatabaseError.self) { try connection.execute("SELECT $1") }
    }
  }

  /// Two results of one text are read in turn.
  @Test func resultsSideBySide() throws {
    let connection = try Database().connect()
    try connection.execute("CREATE TABLE t AS SELECT range AS i FROM range(10000)")
    for _ in 0..<3 {
      var scripts = [0, 1].map { _ in connection.script("SELECT i FROM t WHERE i % 2 = 0") }
      let results = try scripts.indices.map { try #require(try scripts[$0].next()).run() }
      let isAlone = try scripts[0].next() == nil
      #expect(isAlone)
      var counts = [0, 0]
      var isOpen = true
      while isOpen {
        isOpen = false
        for (number, result) in results.enumerated() {
          guard let chunk = try result.next() else { continue }
          counts[number] += chunk.rowCount
          isOpen = true
        }
      }
      #expect(counts == [5000, 5000])
    }
  }
}
