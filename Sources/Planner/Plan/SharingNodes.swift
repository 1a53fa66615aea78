import Columnar
import Diagnostics
import Functions

/// A query whose rows are made once and read by every `.sharedScan` of it: common tables, and what
/// unnesting reads twice. Identity is the object.
package final class SharedQuery: Sendable {
  package let name: String

  package init(name: String) { self.name = name }
}

/// Makes a shared query's rows, then runs the body that reads them.
///
///     With recent            runs `definition` to its end
///     ├─ definition          columns by position
///     └─ body                has .sharedScan nodes of `shared`
package struct WithNode: Sendable {
  package var shared: SharedQuery
  package var definition: Plan
  package var body: Plan

  package init(shared: SharedQuery, definition: Plan, body: Plan) {
    self.shared = shared
    self.definition = definition
    self.body = body
  }
}

/// Reads the rows of a shared query (or of a recursion's last round). `columns` are all or some of
/// the definition's columns, by position.
package struct SharedScanNode: Sendable {
  package var shared: SharedQuery
  package var columns: [(position: Int, reference: ColumnReference)]

  package init(shared: SharedQuery, columns: [(position: Int, reference: ColumnReference)]) {
    self.shared = shared
    self.columns = columns
  }
}

/// WITH RECURSIVE: `anchor`, then `step` over the rows of the last round (read through
/// `.sharedScan(working)`) until a round gives nothing new.
package struct RecursiveNode: Sendable {
  package var working: SharedQuery
  package var anchor: Plan
  package var step: Plan
  package var columns: [ColumnReference]
  /// UNION: a row that came before does not count.
  package var isDistinct: Bool
  /// USING KEY: positions of the key columns; rows of later rounds replace those of the same key.
  package var key: [Int]
  /// Read by `recurring.t` in the step: all rows so far.
  package var accumulated: SharedQuery?

  package init(
    working: SharedQuery, anchor: Plan, step: Plan, columns: [ColumnReference], isDistinct: Bool,
    key: [Int] = []
  ) {
    self.working = working
    self.anchor = anchor
    self.step = step
    self.columns = columns
    self.isDistinct = isDistinct
    self.key = key
  }
}

/// A join whose right side reads columns of the left (a correlated subquery, LATERAL). Only the
/// binder makes it; `Unnesting` turns it into joins before any rule runs.
package struct DependentJoinNode: Sendable {
  package var kind: JoinNode.Kind
  package var left: Plan
  package var right: Plan
  package var keys: [(left: Expression, right: Expression, nullSafe: Bool)]
  package var condition: Expression?

  package init(
    kind: JoinNode.Kind, left: Plan, right: Plan,
    keys: [(left: Expression, right: Expression, nullSafe: Bool)] = [], condition: Expression? = nil
  ) {
    self.kind = kind
    self.left = left
    self.right = right
    self.keys = keys
    self.condition = condition
  }

  /// The same as a plain join.
  package var join: JoinNode {
    JoinNode(kind: kind, left: left, right: right, keys: keys, residual: condition)
  }
}
