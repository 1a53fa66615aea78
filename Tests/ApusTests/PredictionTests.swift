import Apus
import Foundation
import Testing

/// What the planner makes of PREDICT, shown by the counters of EXPLAIN ANALYZE.
@Suite struct PredictionTests {
  /// What stands in the brackets of a Predict node.
  private struct Counters: Equatable {
    var rows = 0
    var distinct = 0
    var batches = 0
    var flops = 0
    var arguments = ""
  }

  private func trained() throws -> Connection {
    let connection = try Database().connect()
    try connection.execute(
      """
      SET threads = 2;
      CREATE TABLE homes AS SELECT range AS id, (range % 50)::FLOAT AS age,
        (range % 17)::FLOAT AS size, range % 7 AS kind, (range % 9)::FLOAT AS price,
        ['low', 'high'][1 + range % 2] AS segment FROM range(200000);
      CREATE TABLE kinds AS SELECT range AS kind, range::FLOAT AS a, (range * 2)::FLOAT AS b
        FROM range(7);
      CREATE MODEL heads INPUT (age FLOAT, size FLOAT) OUTPUT (price FLOAT, segment VARCHAR)
        GRAPH (linear(relu(linear(age, 8)), 1) AS price, linear(relu(linear(concat(age, size), 32))) AS segment)
        OPTIONS (epochs = 1, seed = 1);
      TRAIN MODEL heads FROM (FROM homes LIMIT 500);
      CREATE MODEL plain INPUT (a FLOAT, b FLOAT) OUTPUT (price FLOAT)
        SEQUENTIAL (linear(16), relu(), linear(1)) OPTIONS (epochs = 1, seed = 1);
      TRAIN MODEL plain FROM (SELECT age AS a, size AS b, price FROM homes LIMIT 500)
      """)
    return connection
  }

  /// The counters of each Predict node, and the whole text.
  private func analyzed(_ sql: String, _ connection: Connection) throws -> (
    nodes: [Counters], text: String
  ) {
    let lines = try connection.execute("EXPLAIN ANALYZE " + sql).rows().map { $0[0] ?? "" }
    let pattern =
      /Predict \(.*?\): (.*?)  \[(\d+) rows? \(estimated \d+\), (\d+) distinct inputs?, (\d+) batch(?:es)?, (\d+) flop, [\d.]+ GFLOP\/s, [\d.]+ ms/
    let nodes = lines.compactMap { line -> Counters? in
      guard let match = line.firstMatch(of: pattern) else { return nil }
      return Counters(
        rows: Int(match.2) ?? 0, distinct: Int(match.3) ?? 0, batches: Int(match.4) ?? 0,
        flops: Int(match.5) ?? 0, arguments: String(match.1))
    }
    return (nodes, lines.joined(separator: "\n"))
  }

  @Test func onceForEachRowHoweverOftenItIsRead() throws {
    let connection = try trained()
    let (nodes, text) = try analyzed(
      """
      SELECT PREDICT(heads).price, PREDICT(heads).price * 2, PREDICT(heads).segment,
        PREDICT_PROBA(heads) FROM (FROM homes LIMIT 10000)
      """, connection)
    #expect(nodes.map(\.rows) == [10000] && nodes.map(\.distinct) == [10000], "\(text)")
    // 2 * (1 * 8 + 8) + 2 * (8 * 1 + 1), and 2 * (2 * 32 + 32) + 2 * (32 * 2 + 2); relus count nothing.
    #expect(nodes.map(\.flops) == [10000 * (32 + 18 + 192 + 132)], "\(text)")
  }

  @Test func outputsAndInputsThatNobodyReads() throws {
    let connection = try trained()
    let (nodes, text) = try analyzed(
      "SELECT sum(model_output.price) FROM PREDICT(MODEL heads, TABLE homes)", connection)
    #expect(nodes.map(\.rows) == [200_000], "\(text)")
    #expect(nodes.map(\.flops) == [200_000 * (32 + 18)], "\(text)")
    let scan = try #require(text.split(separator: "\n").first { $0.contains("Scan homes") })
    #expect(scan.contains(": age  ["), "\(text)")
  }

  /// With a network for each key each has a batch of its own.
  @Test func networksOfForEach() throws {
    let connection = try trained()
    try connection.execute(
      """
      CREATE MODEL each INPUT (a FLOAT) OUTPUT (price FLOAT)
        SEQUENTIAL (linear(4), relu(), linear(1)) OPTIONS (epochs = 1, seed = 1);
      TRAIN MODEL each FROM (SELECT age AS a, price, kind FROM homes LIMIT 500) FOR EACH (kind)
      """)
    let all = try analyzed("SELECT PREDICT(each, age) FROM (FROM homes LIMIT 2000)", connection)
    #expect(
      all.nodes == [
        Counters(
          rows: 2000, distinct: 2000, batches: 7, flops: 2000 * 26, arguments: "age, kind")
      ], "\(all.text)")
    #expect(all.text.contains("each v1, 7 networks, each 13 parameters, 52 bytes, 26 flop a row"))
    let same = try analyzed("SELECT PREDICT(each, 1, 2) FROM (FROM homes LIMIT 2000)", connection)
    #expect(same.nodes.map(\.distinct) == [1] && same.nodes.map(\.batches) == [1], "\(same.text)")
    let unknown = try analyzed("SELECT PREDICT(each, a, kind + 5) FROM kinds", connection)
    #expect(unknown.nodes.map(\.rows) == [7], "\(unknown.text)")
    #expect(unknown.nodes.map(\.distinct) == [2], "\(unknown.text)")
  }

  @Test func rowsThatFiltersAndLimitsDrop() throws {
    let connection = try trained()
    let filtered = try analyzed(
      "SELECT PREDICT(heads).price FROM homes WHERE id < 100 AND age > 20", connection)
    #expect(filtered.nodes.map(\.distinct) == [58], "\(filtered.text)")
    let limited = try analyzed(
      "SELECT id, PREDICT(heads).price FROM homes LIMIT 5 OFFSET 3", connection)
    #expect(limited.nodes.map(\.distinct) == [5], "\(limited.text)")
    #expect(
      try connection.execute("SELECT id, PREDICT(heads).price FROM homes LIMIT 5 OFFSET 3").rows()
        == connection.execute(
          "SELECT id, PREDICT(heads).price FROM homes WHERE id BETWEEN 3 AND 7 ORDER BY id"
        ).rows())
    // What LIMIT decides on is predicted: far fewer rows than there are, nonetheless. By one worker:
    // several run ahead of a LIMIT as far as the machine lets them.
    _ = try connection.execute("SET threads = 1")
    let chosen = try analyzed(
      "SELECT id FROM homes WHERE PREDICT(heads).price > -1000 LIMIT 5", connection)
    #expect(chosen.nodes[0].distinct < 150_000, "\(chosen.text)")
  }

  @Test func distinctInputsOfDictionaries() throws {
    let connection = try trained()
    let (nodes, text) = try analyzed(
      "SELECT id, PREDICT(plain, a, b) FROM homes JOIN kinds USING (kind)", connection)
    let node = try #require(nodes.first)
    #expect(node.rows == 200_000 && node.distinct == 7 * node.batches, "\(text)")
    #expect(
      try connection.execute(
        "SELECT PREDICT(plain, a, b) AS p, count(*) FROM homes JOIN kinds USING (kind) GROUP BY p ORDER BY p"
      ).rows()
        == connection.execute(
          """
          SELECT p, count(*) FROM homes JOIN
            (SELECT kind, PREDICT(plain, a, b) AS p FROM kinds) USING (kind) GROUP BY p ORDER BY p
          """
        ).rows())
    let constant = try analyzed("SELECT PREDICT(plain, 1, 2) FROM homes", connection)
    #expect(constant.nodes[0].distinct == constant.nodes[0].batches, "\(constant.text)")
  }

  @Test func everyNodeHasItsEstimate() throws {
    let connection = try trained()
    let (_, text) = try analyzed(
      "SELECT kind, count(*) FROM homes JOIN kinds USING (kind) WHERE age > 10 GROUP BY kind",
      connection)
    let nodes = text.split(separator: "\n").filter { $0.contains("  [") }
    #expect(nodes.count >= 5 && nodes.allSatisfy { $0.contains(/\[\d+ rows \(estimated \d+\)/) })
  }

  /// A look-up in a wide table slices its columns only where a row can pass.
  @Test(arguments: ["BIGINT", "INTEGER", "SMALLINT", "DOUBLE"])
  func batchesWithoutAMatch(type: String) throws {
    let connection = try Database().connect()
    try connection.execute(
      """
      CREATE TABLE wide AS SELECT (range * 7 % 30011)::\(type) AS id, range AS a, range AS b,
        range AS c, range AS d, range AS e, range AS f, range AS g FROM range(30000);
      INSERT INTO wide SELECT NULL, 1, 2, 3, 4, 5, 6, 7 FROM range(3000);
      DELETE FROM wide WHERE a = 5000
      """)
    for (id, a) in [(0, 0), (700, 100), (30_010, 17_149), (35_000 % 30_011, nil), (14, 2)] {
      let sql = "SELECT id::BIGINT, a, b + c + d + e + f + g FROM wide WHERE id = \(id)"
      let rows = try connection.execute(sql).rows()
      #expect(rows == (a.map { [["\(id)", "\($0)", "\($0 * 6)"]] } ?? []))
      let plan = try connection.execute("EXPLAIN ANALYZE " + sql).rows().compactMap { $0[0] }
      let scan = try #require(plan.first { $0.contains("Scan wide") })
      let count = try #require(scan.firstMatch(of: /\[(\d+) rows/)).1
      let isLooked = type == "BIGINT" || type == "INTEGER"
      #expect(Int(count) ?? 0 <= (isLooked ? 2048 : 33_000), "\(scan)")
    }
  }
}
