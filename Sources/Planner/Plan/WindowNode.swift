import Columnar
import Diagnostics
import Functions

/// Window functions that share a PARTITION BY and a sort: the input's columns, then a column a call.
/// The rows come in the order of partitions and sort.
///
///     Window: partition by product; order by date; avg(x) rows 7 preceding..1 preceding
///       scan sales
package struct WindowNode: Sendable {
  package var input: Plan
  package var partition: [Expression]
  /// The longest ORDER BY of the calls; the others' are its beginnings.
  package var order: [SortItem]
  package var calls: [(call: BoundWindow, reference: ColumnReference)]
  /// All calls are ranks, and a filter above lets through only the first so many rows of a partition
  /// (and their peers): the others need not be sorted.
  package var keep: Int?

  package init(
    input: Plan, partition: [Expression], order: [SortItem],
    calls: [(call: BoundWindow, reference: ColumnReference)]
  ) {
    self.input = input
    self.partition = partition
    self.order = order
    self.calls = calls
  }
}

/// One window function with bound arguments. The node's own partition and order are not repeated:
/// the call's ORDER BY is the first `orderCount` items of the node's.
package struct BoundWindow: Sendable, Equatable {
  package enum Function: Sendable, Equatable {
    /// Any aggregate over the frame.
    case aggregate(ResolvedAggregate)
    case builtin(WindowFunction)

    package static func == (a: Function, b: Function) -> Bool {
      switch (a, b) {
      case (.aggregate(let x), .aggregate(let y)):
        x.function.name == y.function.name && x.argumentTypes == y.argumentTypes
      case (.builtin(let x), .builtin(let y)): x == y
      case (.aggregate, _), (.builtin, _): false
      }
    }
  }
  package var function: Function
  package var arguments: [Expression]
  package var type: LogicalType
  package var isDistinct: Bool = false
  package var filter: Expression?
  package var ignoresNulls: Bool = false
  /// ORDER BY among the arguments; empty: the window's order.
  package var order: [SortItem] = []
  package var orderCount = 0
  package var frame: BoundFrame
  package var span: SourceSpan?

  package static func == (a: BoundWindow, b: BoundWindow) -> Bool {
    a.function == b.function && a.arguments == b.arguments && a.type == b.type
      && a.isDistinct == b.isDistinct && a.filter == b.filter && a.ignoresNulls == b.ignoresNulls
      && a.order == b.order && a.orderCount == b.orderCount && a.frame == b.frame
  }
}

/// The functions that are no aggregates.
package enum WindowFunction: String, CaseIterable, Sendable {
  case rowNumber = "row_number"
  case rank
  case denseRank = "dense_rank"
  case percentRank = "percent_rank"
  case cumeDist = "cume_dist"
  case ntile
  case lag
  case lead
  case firstValue = "first_value"
  case lastValue = "last_value"
  case nthValue = "nth_value"
  case fill

  /// The function of this name, in lower case.
  package static func named(_ name: String) -> WindowFunction? {
    switch name {
    case "first": .firstValue
    case "last": .lastValue
    default: WindowFunction(rawValue: name)
    }
  }

  /// Whether it gives the value of a row of the frame.
  package var picksFromFrame: Bool {
    switch self {
    case .firstValue, .lastValue, .nthValue: true
    case .rowNumber, .rank, .denseRank, .percentRank, .cumeDist, .ntile, .lag, .lead, .fill: false
    }
  }

  package static let allNames = allCases.map(\.rawValue)
}

/// Which rows of the partition a call sees from each row.
package struct BoundFrame: Sendable, Equatable {
  package enum Unit: String, Sendable { case rows = "ROWS", range = "RANGE", groups = "GROUPS" }
  package enum Exclusion: String, Sendable {
    case noOthers = "NO OTHERS", currentRow = "CURRENT ROW", group = "GROUP", ties = "TIES"
  }
  package enum Bound: Sendable, Equatable {
    case unboundedPreceding
    /// Rows or groups as BIGINT. For RANGE the bound itself, already added to or taken from the
    /// order key: what `key` is compared with.
    case preceding(Expression)
    case currentRow
    case following(Expression)
    case unboundedFollowing
  }
  package var unit: Unit
  package var start: Bound
  package var end: Bound
  package var exclusion: Exclusion
  /// With RANGE and an offset: the order key as a value of the bounds' type.
  package var key: Expression?

  package init(
    unit: Unit = .range, start: Bound = .unboundedPreceding, end: Bound = .currentRow,
    exclusion: Exclusion = .noOthers
  ) {
    self.unit = unit
    self.start = start
    self.end = end
    self.exclusion = exclusion
  }
}

extension BoundFrame.Bound {
  package var expression: Expression? {
    switch self {
    case .preceding(let expression), .following(let expression): expression
    case .unboundedPreceding, .currentRow, .unboundedFollowing: nil
    }
  }

  func map(_ transform: (Expression) throws -> Expression) rethrows -> BoundFrame.Bound {
    switch self {
    case .preceding(let expression): .preceding(try transform(expression))
    case .following(let expression): .following(try transform(expression))
    case .unboundedPreceding, .currentRow, .unboundedFollowing: self
    }
  }
}

extension BoundWindow {
  /// A rank, which rows that sort behind do not change.
  package var isRank: Bool {
    switch function {
    case .builtin(.rowNumber), .builtin(.rank), .builtin(.denseRank): true
    default: false
    }
  }

  /// All expressions that it reads.
  package var expressions: [Expression] {
    arguments + (filter.map { [$0] } ?? []) + order.map(\.expression)
      + [frame.start.expression, frame.end.expression, frame.key].compactMap { $0 }
  }

  package func mapExpressions(_ transform: (Expression) throws -> Expression) rethrows
    -> BoundWindow
  {
    var call = self
    call.arguments = try arguments.map(transform)
    call.filter = try filter.map(transform)
    call.order = try order.map { try $0.map(transform) }
    call.frame.start = try frame.start.map(transform)
    call.frame.end = try frame.end.map(transform)
    call.frame.key = try frame.key.map(transform)
    return call
  }
}

extension SortItem {
  package func map(_ transform: (Expression) throws -> Expression) rethrows -> SortItem {
    SortItem(expression: try transform(expression), descending: descending, nullsFirst: nullsFirst)
  }
}
