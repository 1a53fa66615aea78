import Apus
import Testing

/// Registered functions, errors and models through the library.
@Suite struct LibraryTests {
  @Test func plainValuesAndNulls() throws {
    let database = try Database()
    try database.register("plus_tax") { (price: Double, rate: Double) in price * (1 + rate) }
    try database.register("times") { (text: String?, count: Int) -> String? in
      text.map { "\($0) x \(count)" }
    }
    try database.register("is_even") { (number: Int) in number % 2 == 0 }
    let connection = database.connect()
    let rows = try connection.execute(
      """
      SELECT plus_tax(100, 0.25), plus_tax(NULL, 0.25), times('swift', 2), times(NULL, 2),
             is_even(7)
      """
    ).rows()
    #expect(rows == [["125.0", nil, "swift x 2", nil, "false"]])
    let sums = try connection.execute(
      "SELECT sum(plus_tax(range, 1.0)), count(*) FILTER (WHERE is_even(range)) FROM range(200000)"
    ).rows()
    #expect(sums == [["39999800000.0", "100000"]])
  }

  @Test func columns() throws {
    let database = try Database()
    try database.register("running_total", parameters: ["BIGINT"], returns: "BIGINT") {
      arguments, rowCount in
      var total: Int64 = 0
      return (0..<rowCount).map { row in
        if case .integer(let value) = arguments[0][row] { total += value }
        return .integer(total)
      }
    }
    let rows = try database.connect().execute("SELECT running_total(range) FROM range(4)").rows()
    #expect(rows == [["0"], ["1"], ["3"], ["6"]])
  }

  @Test func mistakesOfRegisteredFunctions() throws {
    struct Refusal: Error, CustomStringConvertible { let description = "negative input" }
    let database = try Database()
    try database.register("root") { (x: Double) in
      if x < 0 { throw Refusal() }
      return x.squareRoot()
    }
    let connection = database.connect()
    let failure = #expect(throws: DatabaseError.self) {
      _ = try connection.execute("SELECT root(-1.0)").rows()
    }
    #expect(failure?.message.contains("root failed: negative input") == true)
    let wrongType = #expect(throws: DatabaseError.self) {
      _ = try connection.execute("SELECT root('a' || 'b')").rows()
    }
    #expect(wrongType?.message.contains("'ab'") == true)
    #expect(throws: DatabaseError.self) { try database.register("abs") { (x: Double) in x } }
    #expect(throws: DatabaseError.self) {
      try database.register("f", parameters: ["MAP"], returns: "BIGINT") { _, _ in [] }
    }
  }

  @Test func errorsKnowTheirPlace() throws {
    let connection = try Database().connect()
    let failure = #expect(throws: DatabaseError.self) {
      _ = try connection.execute("SELECT 1;\nSELECT agee FROM (SELECT 3 AS age)")
    }
    #expect(failure?.code == "Binder Error")
    #expect(failure?.line == 2)
    #expect(failure?.column == 8)
    #expect(failure?.hint == "did you mean \"age\"?")
  }

  @Test func connectionsShareTheDatabase() throws {
    let database = try Database()
    try database.connect().execute("CREATE TABLE shared AS SELECT 7 AS x")
    #expect(try database.connect().execute("FROM shared").rows() == [["7"]])
  }

  @Test func modelsFromSwift() throws {
    let connection = try Database().connect()
    try connection.execute(
      """
      CREATE MODEL line INPUT (x FLOAT) OUTPUT (y FLOAT) SEQUENTIAL (linear(1))
        OPTIONS (optimizer = 'sgd', learning_rate = 0.1, epochs = 200, batch_size = 'full', seed = 1);
      """)
    let epochs = try connection.execute(
      "TRAIN MODEL line FROM (SELECT range / 10 AS x, 2 * range / 10 + 1 AS y FROM range(10))"
    ).rows()
    #expect(epochs.count == 200)
    let predicted = try connection.execute("SELECT PREDICT(MODEL line, 2.0) BETWEEN 4.8 AND 5.2")
      .rows()
    #expect(predicted == [["true"]])
  }

  /// The same seed and rows give the same bits, whatever the threads and the batch size.
  @Test func trainingIsRepeatable() throws {
    func prediction(threads: Int, batch: Int) throws -> [[String?]] {
      let connection = try Database().connect()
      try connection.execute(
        """
        SET threads = \(threads); SET batch_size = \(batch);
        CREATE TABLE points AS
          SELECT split_hash(range, 1) AS a, split_hash(range, 2) AS b FROM range(3000);
        CREATE MODEL m INPUT (a FLOAT, b FLOAT) OUTPUT (y FLOAT)
          SEQUENTIAL (linear(16), relu(), dropout(0.2), linear(1))
          OPTIONS (epochs = 3, batch_size = 256, seed = 5);
        """)
      _ = try connection.execute("TRAIN MODEL m FROM (SELECT a, b, a * b AS y FROM points)").rows()
      return try connection.execute("SELECT sum(PREDICT(MODEL m, a, b)::DOUBLE) FROM points").rows()
    }
    let first = try prediction(threads: 1, batch: 2048)
    #expect(try prediction(threads: 2, batch: 2048) == first)
    #expect(try prediction(threads: 1, batch: 1000) == first)
  }
}
