import Apus
import Foundation
import Testing

/// How many row groups a scan leaves out by what other operators tell it, shown by EXPLAIN ANALYZE.
@Suite struct ScanSkippingTests {
  /// `i` ascends and `down` descends over twenty row groups; one of them has the NULLs of `holes`.
  private static let rows = """
    SELECT i, -i AS down, i % 7 AS few, CASE WHEN i BETWEEN 9000 AND 9009 THEN NULL ELSE i END AS holes,
      'name ' || lpad(i::VARCHAR, 5, '0') AS name, i / 4 AS quarter FROM range(20000) r(i)
    """

  /// Row groups skipped by the scan that says so, of how many.
  private func skipped(_ sql: String, _ connection: Connection) throws -> (Int, Int) {
    let lines = try connection.execute("EXPLAIN ANALYZE " + sql).rows().map { $0[0] ?? "" }
    for line in lines {
      guard let match = line.firstMatch(of: /(\d+) of (\d+) partitions skipped/) else { continue }
      return (Int(match.1) ?? 0, Int(match.2) ?? 0)
    }
    return (0, 0)
  }

  @Test(
    "ORDER BY … LIMIT reads few row groups",
    arguments: [
      ("i DESC", 17), ("i", 17), ("down", 17), ("down DESC", 17), ("name DESC", 17),
      ("quarter, i", 17), ("holes NULLS FIRST", 17), ("holes DESC NULLS LAST", 17),
      ("holes NULLS LAST, i DESC", 17),
    ])
  func boundary(order: String, least: Int) throws {
    let folder = try Project.makeScratchFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let connection = try Database().connect()
    let path = folder.appending(path: "t.parquet").path
    try connection.execute(
      "COPY (\(Self.rows)) TO '\(path)' (FORMAT parquet, ROW_GROUP_SIZE 1000)")
    for threads in [1, 2] {
      try connection.execute("SET threads = \(threads)")
      let sql = "SELECT * FROM '\(path)' ORDER BY \(order) LIMIT 5"
      let (count, all) = try skipped(sql, connection)
      #expect(all == 20)
      #expect(count >= least - threads)
      let rows = try connection.execute(sql).rows()
      try connection.execute("SET disabled_optimizers = 'top_n_boundary'")
      #expect(try skipped(sql, connection).0 == 0)
      #expect(try connection.execute(sql).rows() == rows)
      try connection.execute("RESET disabled_optimizers")
    }
  }

  @Test func aTableSkipsByItsZones() throws {
    let connection = try Database().connect()
    try connection.execute(
      "SET threads = 1; CREATE TABLE t AS SELECT i, i % 7 AS few FROM range(500000) r(i)")
    #expect(try skipped("SELECT i FROM t ORDER BY i DESC LIMIT 3", connection) == (4, 5))
    // Every row group has the least value: nothing to skip.
    #expect(try skipped("SELECT i FROM t ORDER BY few, i LIMIT 3", connection) == (0, 0))
  }

  @Test func aJoinSkipsRowGroupsOfParquet() throws {
    let folder = try Project.makeScratchFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let connection = try Database().connect()
    let path = folder.appending(path: "t.parquet").path
    try connection.execute(
      """
      COPY (\(Self.rows)) TO '\(path)' (FORMAT parquet, ROW_GROUP_SIZE 1000);
      CREATE TABLE wanted AS SELECT 4500 + i AS i FROM range(100) r(i)
      """)
    let sql = "SELECT sum(t.i) FROM '\(path)' t JOIN wanted w ON t.i = w.i"
    #expect(try skipped(sql, connection) == (19, 20))
    #expect(try connection.execute(sql).rows() == [["454950"]])
  }
}
