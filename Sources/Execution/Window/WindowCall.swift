import Columnar
import Planner

/// Where a window call finds an argument: in a column of the input, or the same for all rows.
package enum WindowSource: Sendable {
  case column(Int)
  /// A column of one row.
  case constant(Column)
}

/// One window function over columns of the input.
package struct WindowCall: Sendable {
  package var function: BoundWindow.Function
  package var type: LogicalType
  package var arguments: [WindowSource]
  package var isDistinct = false
  /// BOOLEAN column of FILTER (WHERE …).
  package var filter: Int?
  package var ignoresNulls = false
  /// ORDER BY among the arguments.
  package var order: [SortKey] = []
  /// The items of the window's sort that decide which rows are peers.
  package var orderCount = 0
  package var frame: WindowFrameBounds
}

/// A frame over columns of the input, as `BoundFrame`.
package struct WindowFrameBounds: Sendable {
  package enum Bound: Sendable {
    case unboundedPreceding
    case preceding(WindowSource)
    case currentRow
    case following(WindowSource)
    case unboundedFollowing
  }
  package var unit: BoundFrame.Unit
  package var start: Bound
  package var end: Bound
  package var exclusion: BoundFrame.Exclusion
  /// With RANGE and an offset: what the bounds are compared with.
  package var key: WindowSource?
  package var isDescending = false

  /// Whether the frame begins with the partition, whatever the row.
  func startsWithPartition(orderCount: Int) -> Bool {
    switch start {
    case .unboundedPreceding: true
    case .currentRow: unit != .rows && orderCount == 0
    case .preceding, .following, .unboundedFollowing: false
    }
  }

  func endsWithPartition(orderCount: Int) -> Bool {
    switch end {
    case .unboundedFollowing: true
    case .currentRow: unit != .rows && orderCount == 0
    case .preceding, .following, .unboundedPreceding: false
    }
  }
}

extension WindowCall {
  /// Whether every row sees its whole partition.
  var seesPartition: Bool {
    frame.exclusion == .noOthers && frame.startsWithPartition(orderCount: orderCount)
      && frame.endsWithPartition(orderCount: orderCount)
  }

  /// Whether frames begin with the partition and end with the row's peers.
  var runsByPeers: Bool {
    if case .currentRow = frame.end { return frame.unit != .rows && orderCount > 0 && isRunning }
    return false
  }

  /// The same from row to row.
  var runningByRows: WindowCall {
    var call = self
    call.isDistinct = false
    call.frame.unit = .rows
    call.frame.start = .unboundedPreceding
    call.frame.end = .currentRow
    return call
  }

  /// Whether each row's frame begins with the partition and holds that of the row before.
  var isRunning: Bool {
    guard frame.exclusion == .noOthers, frame.startsWithPartition(orderCount: orderCount) else {
      return false
    }
    switch frame.end {
    case .currentRow, .unboundedFollowing: return true
    case .preceding(let source), .following(let source):
      if case .constant = source { return true }
      return false
    case .unboundedPreceding: return false
    }
  }
}
