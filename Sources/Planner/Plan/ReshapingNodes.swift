import Columnar
import Diagnostics
import Functions

/// Each row once per element of its lists, which are walked in step (shorter ones give NULL): the
/// input's columns, then an element per list, then the element's number.
///
///     Unnest: tags
///       scan t              (1, [a, b])  ->  (1, [a, b], a), (1, [a, b], b)
package struct UnnestNode: Sendable {
  package var input: Plan
  package var lists: [(expression: Expression, reference: ColumnReference)]
  /// WITH ORDINALITY: BIGINT from 1.
  package var ordinality: ColumnReference?
  /// A row with empty or NULL lists comes once, with NULLs (LEFT JOIN LATERAL).
  package var keepsEmpty: Bool

  package init(
    input: Plan, lists: [(expression: Expression, reference: ColumnReference)],
    ordinality: ColumnReference? = nil, keepsEmpty: Bool = false
  ) {
    self.input = input
    self.lists = lists
    self.ordinality = ordinality
    self.keepsEmpty = keepsEmpty
  }
}

/// Some rows of the input, drawn at random.
package struct SampleNode: Sendable {
  package enum Method: String, Sendable {
    /// A fixed count (or share) of rows, each equally likely.
    case reservoir
    /// Each row on its own.
    case bernoulli
    /// Whole batches.
    case system
  }
  package enum Amount: Sendable {
    case rows(Int)
    /// From 0 to 1.
    case fraction(Double)
  }
  package var input: Plan
  package var method: Method
  package var amount: Amount
  /// nil: another draw each time
  package var seed: Int?

  package init(input: Plan, method: Method, amount: Amount, seed: Int?) {
    self.input = input
    self.method = method
    self.amount = amount
    self.seed = seed
  }
}

/// Rows side by side, the n-th with the n-th; the shorter side is filled with NULLs.
package struct PositionalJoinNode: Sendable {
  package var left: Plan
  package var right: Plan

  package init(left: Plan, right: Plan) {
    self.left = left
    self.right = right
  }
}
