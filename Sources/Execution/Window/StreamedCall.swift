import Columnar
import Planner

/// How a call is evaluated over a partition whose rows lie on disk, some blocks at a time.
enum StreamedCall {
  /// By the row's place, its peers and the partition's size.
  case place
  /// One result for all rows, which the first pass finds.
  case whole
  /// lag, lead: the row and those around it.
  case shifted
  /// Frames of rows around the row.
  case framed
  /// Frames that begin with the partition, or end with it: the rows around the row, and what the
  /// first pass found for the blocks before or behind them.
  case running, remaining
  /// The same for aggregates that are known by their states only. What is outside is merged as it
  /// comes, so that float results may differ in the last digits from those of one chunk.
  case merged
  /// first_value, last_value and nth_value over such frames.
  case picked

  /// nil for calls that must have their partition in memory.
  init?(_ call: WindowCall, types: [LogicalType]) {
    let starts = call.frame.startsWithPartition(orderCount: call.orderCount)
    let ends = call.frame.endsWithPartition(orderCount: call.orderCount)
    switch call.function {
    case .builtin(let function):
      if !call.order.isEmpty { return nil }
      switch function {
      case .rowNumber, .rank, .denseRank, .percentRank, .cumeDist, .ntile: self = .place
      case .lag, .lead: self = .shifted
      case .firstValue, .lastValue, .nthValue:
        if !starts && !ends {
          self = .framed
        } else if call.frame.exclusion == .noOthers && call.hasConstantPlace {
          self = .picked
        } else {
          return nil
        }
      case .fill: return nil
      }
    case .aggregate(let resolved):
      let kind = AggregateKind(resolved)
      let isPlain = call.order.isEmpty && (!call.isDistinct || kind == .extreme)
      if call.seesPartition {
        self = .whole
      } else if !starts && !ends {
        self = .framed
      } else if isPlain && call.isRunning && call.isFolded(kind, types) {
        self = .running
      } else if isPlain && ends && !starts && call.isSubtracted(kind, types) {
        self = .remaining
      } else if isPlain && kind.isMergeable && call.frame.exclusion == .noOthers {
        self = .merged
      } else {
        return nil
      }
    }
  }
}

extension WindowCall {
  /// Not an nth_value whose n changes from row to row.
  fileprivate var hasConstantPlace: Bool {
    if arguments.count < 2 { return true }
    if case .constant = arguments[1] { return true }
    return false
  }

  /// Whether `WindowAggregation` folds values, so that it can go on from a value.
  fileprivate func isFolded(_ kind: AggregateKind, _ types: [LogicalType]) -> Bool {
    switch kind {
    case .count: return true
    case .sum, .average: return isSubtracted(kind, types) || isFloat(types)
    case .extreme: return !type.isNested && argumentType(types)?.physical == type.physical
    case .holding, .quantile, .mergeable: return false
    }
  }

  /// Whether a frame's result is the difference of two others'.
  fileprivate func isSubtracted(_ kind: AggregateKind, _ types: [LogicalType]) -> Bool {
    guard frame.exclusion == .noOthers else { return false }
    if kind == .count { return true }
    guard kind == .sum || kind == .average, let argument = argumentType(types) else { return false }
    guard argument.isNumeric || argument == .boolean else { return false }
    switch argument.physical {
    case .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
      return kind == .average ? type == .double : type.physical == .int128
    case .int128, .uint128, .float, .double, .string, .interval, .list, .array, .structure:
      return false
    }
  }

  func isFloat(_ types: [LogicalType]) -> Bool {
    guard let argument = argumentType(types) else { return false }
    return type == .double && (argument.physical == .float || argument.physical == .double)
  }

  private func argumentType(_ types: [LogicalType]) -> LogicalType? {
    switch arguments.first {
    case .column(let position)?: types[position]
    case .constant(let column)?: column.type
    case nil: nil
    }
  }
}
