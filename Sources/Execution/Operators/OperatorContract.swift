import Columnar
import Functions

// The contract of operators.
//
// A region of the plan runs as W workers; each has its own copy of every operator (a `BatchSource`
// that pulls from its own children), and all copies of one node share one `…Shared` object made
// beforehand with W. Streaming operators need no shared state. Breakers consume their input into
// worker-local state, meet at the `TeamBarrier` in their shared object, and then each emits its part
// of the result: some operators split it (radix partitions), some let only worker 0 emit (a sort).
// An operator that throws while others may wait breaks the barrier first.
//
// Columns are addressed by position in the child's batches. Expressions are computed by projections
// below, so keys and arguments are plain columns.

/// One sort key: a column, its direction, and where NULLs go.
package struct SortKey: Hashable, Sendable {
  package var column: Int
  package var descending: Bool
  package var nullsFirst: Bool

  package init(column: Int, descending: Bool = false, nullsFirst: Bool = false) {
    self.column = column
    self.descending = descending
    self.nullsFirst = nullsFirst
  }
}

/// One aggregate of an aggregation, its arguments and modifiers as columns of the input.
package struct AggregateCall: Sendable {
  package var resolved: ResolvedAggregate
  package var arguments: [Int]
  package var isDistinct: Bool
  /// BOOLEAN column of FILTER (WHERE …): rows that are not true are left out.
  package var filter: Int?
  /// ORDER BY inside the call, over columns of the input.
  package var order: [SortKey]

  package init(
    resolved: ResolvedAggregate, arguments: [Int], isDistinct: Bool = false, filter: Int? = nil,
    order: [SortKey] = []
  ) {
    self.resolved = resolved
    self.arguments = arguments
    self.isDistinct = isDistinct
    self.filter = filter
    self.order = order
  }
}

/// What a join gives for matching and non-matching rows. "Left" is the probe side.
package enum JoinKind: Hashable, Sendable {
  case inner, left, right, full
  /// Left rows with (without) a match; left columns only.
  case semi, anti
  /// All left rows and one BOOLEAN: matched, not matched, or NULL as `IN` defines it.
  case mark
  /// As left, but more than one match is an error ("more than one row returned by a subquery").
  case single
  /// Build rows with (without) a match; build columns only.
  case buildSemi, buildAnti
}

/// Decides row by row whether a candidate pair joins; given the combined batch (left columns, then
/// right columns), selects the rows that pass. NULL counts as false.
package typealias BatchPredicate = (Batch) throws -> Selection
