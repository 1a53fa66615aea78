import Columnar
import Synchronization

/// What footers and dictionary pages tell of a column: bounds, NULLs and how many values repeat.
enum ParquetColumnStatistics {
  /// Dictionary page headers that are read, spread over the row groups; each is one small read.
  private static let sampledGroups = 4

  static func make(_ column: Int, files: [ParquetFile]) -> ColumnStatistics? {
    var result = ColumnStatistics()
    var rows = 0
    var nulls = 0
    var hasBounds = true
    var span = 0.0
    var groups: [(file: ParquetFile, chunk: ParquetColumnChunk, rows: Int)] = []
    for file in files {
      guard case .leaf(let leaf) = file.schema.nodes[column] else { return nil }
      for group in file.footer.rowGroups where group.rowCount > 0 {
        let chunk = group.columns[leaf]
        groups.append((file, chunk, group.rowCount))
        rows += group.rowCount
        nulls += min(chunk.statistics.nullCount ?? 0, group.rowCount)
        let bounds = ParquetBounds(
          chunk, leaf: file.schema.leaves[leaf], footer: file.footer.bytes,
          rowCount: group.rowCount)
        guard let range = bounds.numbers else {
          if chunk.statistics.nullCount != group.rowCount { hasBounds = false }
          continue
        }
        result.minimum = min(result.minimum ?? range.lowerBound, range.lowerBound)
        result.maximum = max(result.maximum ?? range.upperBound, range.upperBound)
        span += range.upperBound - range.lowerBound
      }
    }
    if rows == 0 { return ColumnStatistics(distinctCount: 0) }
    if !hasBounds { (result.minimum, result.maximum) = (nil, nil) }
    result.nullFraction = Double(nulls) / Double(rows)
    var limit = Double(rows - nulls)
    var isClustered = false
    if let low = result.minimum, let high = result.maximum {
      if files.allSatisfy({ isWhole($0.schema.nodes[column], $0) }) {
        limit = min(limit, high - low + 1)
      }
      isClustered = groups.count > 1 && span < (high - low) * 1.5
    }
    result.distinctCount = distinct(groups, rows: rows, isClustered: isClustered).map {
      min($0, limit)
    }
    if result.distinctCount == nil, limit < Double(rows) / 2 { result.distinctCount = limit }
    return result
  }

  private static func isWhole(_ node: ParquetNode, _ file: ParquetFile) -> Bool {
    guard case .leaf(let leaf) = node else { return false }
    switch file.schema.leaves[leaf].type {
    case .date, .boolean: return true
    case let type: return type.isInteger
    }
  }

  /// From what some row groups say, or the sizes of their dictionaries. Where row groups hold ranges of their own, their values
  /// add up; else each group is a draw from the same values.
  private static func distinct(
    _ groups: [(file: ParquetFile, chunk: ParquetColumnChunk, rows: Int)], rows: Int,
    isClustered: Bool
  ) -> Double? {
    var sizes: [(distinct: Double, rows: Double)] = []
    for sample in 0..<min(sampledGroups, groups.count) {
      let group = groups[sample * groups.count / min(sampledGroups, groups.count)]
      let counted = group.chunk.statistics.distinctCount.flatMap { $0 > 0 ? $0 : nil }
      guard let size = counted ?? dictionarySize(group.file, group.chunk) else { continue }
      sizes.append((Double(min(size, group.rows)), Double(group.rows)))
    }
    guard !sizes.isEmpty else { return nil }
    let found = sizes.reduce(0) { $0 + $1.distinct } / Double(sizes.count)
    let drawn = sizes.reduce(0) { $0 + $1.rows } / Double(sizes.count)
    if isClustered { return min(Double(rows), found * Double(rows) / drawn) }
    return DistinctEstimate.fromDraws(rows: drawn, distinct: found, total: Double(rows))
  }

  private static func dictionarySize(_ file: ParquetFile, _ chunk: ParquetColumnChunk) -> Int? {
    guard let offset = chunk.dictionaryOffset, offset >= 4, offset < file.byteCount else {
      return nil
    }
    let count = min(256, file.byteCount - offset)
    guard let bytes = try? file.read(at: offset, count: count) else { return nil }
    defer { withExtendedLifetime(bytes) {} }
    var reader = ThriftReader(UnsafeRawPointer(bytes.pointer), count: count)
    guard let header = try? ParquetPageHeader(from: &reader), header.kind == .dictionary else {
      return nil
    }
    return header.valueCount
  }
}

/// Statistics by column, each made when first asked for: a file does not change while it is open.
final class ParquetStatisticsCache: Sendable {
  private let known = Mutex<[Int: ColumnStatistics?]>([:])

  func statistics(of column: Int, files: [ParquetFile]) -> ColumnStatistics? {
    if let entry = known.withLock({ $0[column] }) { return entry }
    let made = ParquetColumnStatistics.make(column, files: files)
    known.withLock { $0[column] = .some(made) }
    return made
  }
}
