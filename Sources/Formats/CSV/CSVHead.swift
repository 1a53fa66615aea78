import Columnar
import Synchronization

/// The first rows of a CSV file, for the planner: all that can be had without a pass over the file.
///
/// Files are often sorted, and then the first rows are like no others. So a column counts as sampled
/// only if its values come again after others did.
final class CSVHead: Sendable {
  private struct Part {
    var column: Column
    var sketch: DistinctSketch
    /// Whether other rows can be expected to look alike.
    var isMixed: Bool
  }

  private static let rows = 2048
  private static let textBytes = 1 << 18
  private let known = Mutex<[Int: Part?]>([:])

  /// nil when the column's values are none of the kinds that can be counted, or are all different.
  func statistics(of column: Int, in source: CSVSource) -> ColumnStatistics? {
    guard let part = part(column, source) else { return nil }
    var result = ColumnStatistics(nullFraction: part.sketch.nullFraction)
    if Double(part.sketch.seenRuns) < 0.9 * Double(part.sketch.seenValues) || part.isMixed {
      result.distinctCount =
        part.sketch.standing(for: source.estimatedRowCount ?? 0).distinctCount
    }
    return result
  }

  func sample(of columns: [Int], in source: CSVSource) -> [Column]? {
    // Which rows are bad depends on the columns that are read.
    if source.options.ignoresErrors { return nil }
    var result: [Column] = []
    for column in columns {
      guard let part = part(column, source), part.isMixed,
        result.isEmpty || result[0].count == part.column.count
      else { return nil }
      result.append(part.column)
    }
    return result
  }

  private func part(_ column: Int, _ source: CSVSource) -> Part? {
    if let found = known.withLock({ $0[column] }) { return found }
    let made = read(column, source)
    known.withLock { $0[column] = .some(made) }
    return made
  }

  /// A value that cannot be read says so when the query comes to it.
  private func read(_ column: Int, _ source: CSVSource) -> Part? {
    guard column < source.schema.count, DistinctSketch.takes(source.schema[column].type),
      let file = source.files.first, file.rangeCount > 0
    else { return nil }
    let reader = CSVPartitionReader(
      source, file, file.range(0), columns: [column], batchRows: Self.rows, sequence: 0)
    guard let head = try? reader.next()?.columns[0] else { return nil }
    if head.type.physical == .string {
      let texts = ColumnReader<StringView>(head)
      var bytes = 0
      for row in 0..<head.count where !texts.isNull(row) { bytes += texts[row].count }
      if bytes > Self.textBytes { return nil }
    }
    // Of its own: the batch's texts lie in the file.
    var builder = ColumnBuilder(head.type, capacity: head.count)
    builder.append(head)
    let copy = builder.finish()
    var sketch = DistinctSketch()
    sketch.add(copy)
    let isMixed = sketch.distinctCount < 0.85 * Double(sketch.seenRuns)
    return Part(column: copy, sketch: sketch, isMixed: isMixed)
  }
}
