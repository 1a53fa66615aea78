import Apus
import Testing

/// How far EXPLAIN ANALYZE's estimates are from the rows that come, over skewed values, columns that
/// hang on each other, and functions of columns.
@Suite struct EstimateTests {
  private static let table = """
    CREATE TABLE t AS SELECT i AS id, CAST(pow(2, (i * 7919 % 100003) / 8000.0) AS INTEGER) AS k,
      CASE WHEN i % 2 = 0 THEN 'Berlin' ELSE 'town ' || (i * 7907 % 300) END AS town,
      i * 37 % 1000 AS part, i * 37 % 1000 // 10 AS whole,
      CASE WHEN i * 31 % 10 = 3 THEN i END AS few,
      DATE '2000-01-01' + CAST(i * 7919 % 3650 AS INTEGER) AS day,
      CAST(hash(i) % 3000 AS INTEGER) AS draw
    FROM range(60000) r(i)
    """

  private func connection() throws -> Connection {
    let connection = try Database().connect()
    try connection.execute(Self.table)
    return connection
  }

  /// The estimate of the topmost node of a kind over its rows, or the other way round.
  private func error(_ connection: Connection, _ query: String, _ kind: String) throws -> Double {
    for row in try connection.execute("EXPLAIN ANALYZE " + query).rows() {
      let line = (row[0] ?? "").drop { " │├└─".contains($0) }
      let parts = line.split(separator: "[").last?.split(separator: " ") ?? []
      guard line.hasPrefix(kind), parts.count > 3, parts[2] == "(estimated",
        let actual = Double(parts[0]), let guess = Double(parts[3].prefix { $0.isNumber })
      else { continue }
      return max(max(guess, 1) / max(actual, 1), max(actual, 1) / max(guess, 1))
    }
    return .infinity
  }

  @Test(
    "conditions",
    arguments: [
      ("k = 1", 1.3), ("k < 10", 1.3), ("k > 4000", 1.3), ("k IN (1, 2, 4)", 1.3),
      ("k BETWEEN 100 AND 200", 1.5), ("k <> 1", 1.1), ("town = 'Berlin'", 1.1),
      ("town <> 'Berlin'", 1.1), ("town LIKE 'town 1%'", 1.4), ("town LIKE '%7'", 1.5),
      ("part = 7 AND whole = 0", 8), ("whole = 3 AND part BETWEEN 30 AND 39", 2),
      ("part < 300 AND whole < 30", 1.2), ("few IS NULL", 1.01), ("few IS NOT NULL", 1.01),
      ("year(day) = 2003", 1.4), ("day < DATE '2001-01-01'", 1.3), ("part + whole < 110", 1.4),
      ("id = 5", 1.01), ("id < 600", 1.1), ("NOT (town = 'Berlin' OR part < 500)", 1.2),
      ("k NOT IN (1, 2)", 1.1), ("id < 0", 1.01),
    ])
  func conditions(_ condition: String, _ limit: Double) throws {
    let found = try error(connection(), "SELECT id FROM t WHERE \(condition)", "Filter")
    #expect(found <= limit, "\(condition): \(found)")
  }

  @Test(
    "groups",
    arguments: [
      ("town", 1.1), ("part, whole", 1.2), ("id", 1.01), ("year(day)", 1.01), ("id % 10", 1.01),
      ("day", 1.2), ("k", 1.6), ("town, whole", 2), ("few", 1.2), ("part, day, town", 2),
    ])
  func groups(_ keys: String, _ limit: Double) throws {
    let found = try error(connection(), "SELECT \(keys), count(*) FROM t GROUP BY ALL", "Aggregate")
    #expect(found <= limit, "\(keys): \(found)")
  }

  @Test("joins on one key, on several that hang on each other, and groups of a sum")
  func joins() throws {
    let connection = try connection()
    try connection.execute("CREATE TABLE parts AS SELECT DISTINCT part, whole FROM t")
    for (query, kind, limit) in [
      ("SELECT 1 FROM t JOIN parts p ON t.part = p.part", "Join", 1.1),
      ("SELECT 1 FROM t JOIN parts p ON t.part = p.part AND t.whole = p.whole", "Join", 2),
      ("SELECT 1 FROM t LEFT JOIN parts p ON t.id = p.part", "Join", 1.1),
      ("SELECT 1 FROM parts p WHERE EXISTS (FROM t WHERE t.part = p.part AND id < 500)", "Join", 2),
      ("SELECT draw FROM t GROUP BY draw HAVING sum(whole) > 1300", "Filter", 2),
      ("SELECT draw FROM t GROUP BY draw HAVING count(*) > 27", "Filter", 2),
      ("SELECT draw FROM t GROUP BY draw HAVING avg(whole) < 40", "Filter", 2),
    ] {
      let found = try error(connection, query, kind)
      #expect(found <= limit, "\(query): \(found)")
    }
  }
}
