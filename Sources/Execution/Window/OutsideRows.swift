import Columnar
import Functions

/// Of frames over a chunk that holds only a part of its partition: the rows that they hold in its
/// other parts.
struct OutsideRows {
  /// Rows of every frame outside the chunk, those that do not count left out.
  var count = 0
  /// What sum, min or max make of them: one row; nil where that is not asked for.
  var total: Column?
  /// Instead of a total: a state whose group `group` has those rows, and on which side they are.
  var state: (groups: any AggregateState, group: Int, isBefore: Bool)?
  /// Rows of the partition before the chunk, those that do not count left out.
  var picksBefore = 0
  /// Whether avg is to give the sum, which goes on in the next part.
  var isForTotals = false

  /// nil for none, or NULL.
  func value<T: BitwiseCopyable>(_ type: T.Type) -> T? {
    guard let total, !total.isNull(0) else { return nil }
    return total.values(as: T.self)[0]
  }
}
