import Columnar
import Synchronization

/// Newer values for some rows of a chunk.
struct ColumnPatch: Sendable {
  /// Ascending.
  let rows: [Int]
  /// One for each of `rows`.
  let values: Column

  func applied(to column: Column) -> Column {
    let picks = Selection(capacity: column.count)
    for row in 0..<column.count { picks.indices[row] = UInt32(truncatingIfNeeded: row) }
    for (index, row) in rows.enumerated() where row < column.count {
      picks.indices[row] = UInt32(truncatingIfNeeded: column.count + index)
    }
    var builder = ColumnBuilder(column.type, capacity: column.count + rows.count)
    builder.append(column)
    builder.append(values)
    return Column.dictionary(builder.finish(), picks).flattened()
  }

  private static let keys = Atomic<Int64>(0)

  /// A cache key that no chunk has.
  static func nextKey() -> Int64 { keys.wrappingSubtract(1, ordering: .relaxed).newValue }
}
