import Columnar

/// Some rows of a row group, the same ones of every column: what the planner tries conditions on.
/// They decide how many rows a condition lets through where values are skewed, columns depend on each
/// other, or a pattern is looked for.
enum ColumnSample {
  /// Rows of a row group that the file keeps beside its chunks.
  static let storedRows = 512
  /// Rows of a table that are looked at, and row groups that they come from.
  static let tableRows = 2048
  static let tableGroups = 32
  /// Texts of more bytes have no sample: it would be larger than it is worth.
  private static let textBytes = 1 << 15

  /// `count` rows of a row group, one of each of as many equal parts, at a place that only hangs on
  /// its number: equal distances would meet what repeats.
  static func rows(of rowCount: Int, count: Int = storedRows, seed: Int = 0) -> [Int] {
    if rowCount <= count { return Array(0..<max(rowCount, 0)) }
    return (0..<count).map { number in
      let start = number * rowCount / count
      let width = (number + 1) * rowCount / count - start
      let chance = Hashing.scattered(UInt64(truncatingIfNeeded: seed &<< 32 &+ number &+ 1))
      return start + Int(truncatingIfNeeded: chance % UInt64(max(width, 1)))
    }
  }

  /// `count` of the rows that the file keeps, evenly spread.
  static func stored(count: Int, of rowCount: Int) -> [Int] {
    let all = min(storedRows, rowCount)
    if all <= count { return Array(0..<all) }
    return (0..<count).map { $0 * all / count }
  }

  /// Rows of a column; nil for types and texts that have no sample.
  static func pick(_ rows: [Int], of column: Column) -> Column? {
    guard DistinctSketch.takes(column.type) else { return nil }
    let picked = Column.dictionary(column, Selection(rows))
    return isShort(picked) ? picked : nil
  }

  private static func isShort(_ column: Column) -> Bool {
    guard column.type.physical == .string else { return true }
    let reader = ColumnReader<StringView>(column)
    var bytes = 0
    for row in 0..<column.count where !reader.isNull(row) { bytes += reader[row].count }
    return bytes <= textBytes
  }

  /// What the file keeps of a column of a row group: a chunk of the sample.
  static func bytes(of column: Column) throws -> [UInt8]? {
    guard let picked = pick(rows(of: column.count), of: column) else { return nil }
    return try ColumnChunk.encode(picked.flattened())
  }
}

/// What is kept of a chunk for the planner, as the file has it.
package struct ChunkStatistics: Sendable, Equatable {
  /// `DistinctSketch.bytes`.
  package var sketch: [UInt8]
  /// A chunk of some rows; nil where there are none.
  package var sample: [UInt8]?
}
