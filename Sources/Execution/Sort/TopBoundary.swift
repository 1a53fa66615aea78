import Columnar
import Synchronization

/// How far the workers of a Top-N have come, all together: the first key of the last row that one of
/// them keeps. It only moves towards the first row. Rows behind it are in no result; a row that ties
/// with it may be.
final class TopBoundary: Sendable {
  let descending: Bool
  let nullsFirst: Bool
  private let published = Mutex<Column?>(nil)

  init(_ key: SortKey) {
    descending = key.descending
    nullsFirst = key.nullsFirst
  }

  /// One row; nil until some worker has as many rows as are wanted.
  var worst: Column? { published.withLock { $0 } }

  /// Takes the candidate (one row) over when it comes before what is known, and gives whether nothing
  /// known comes before it.
  func tighten(to candidate: Column) -> Bool {
    published.withLock { known in
      if let present = known {
        let order = compare(candidate, present)
        if order >= 0 { return order == 0 }
      }
      known = candidate
      return true
    }
  }

  /// Single rows in the order of the sort.
  private func compare(_ a: Column, _ b: Column) -> Int {
    let comparator = ColumnComparator(a, b)
    if a.isNull(0) || b.isNull(0) { return comparator.compare(0, 0, nullsFirst: nullsFirst) }
    let order = comparator.compare(0, 0)
    return descending ? -order : order
  }

  /// What rows are tested against at present; nil when all may pass.
  var test: BoundaryTest? {
    worst.map {
      BoundaryTest(worst: $0, descending: descending, nullsFirst: nullsFirst, keepsTies: true)
    }
  }
}
