import Columnar
import Functions

/// The states of an aggregate over the blocks of a large partition: by block, that of all rows before
/// it, or of all rows from it on.
final class BlockStates {
  private let resolved: ResolvedAggregate
  private let isBefore: Bool
  /// A group a block, of the block's rows alone.
  private var own: (any AggregateState)?
  /// A group a block, and one for what follows the last.
  private var accumulated: (any AggregateState)?
  private var count = 0

  init(_ resolved: ResolvedAggregate, isBefore: Bool) {
    self.resolved = resolved
    self.isBefore = isBefore
  }

  var byteCount: Int { (own?.byteCount ?? 0) + (accumulated?.byteCount ?? 0) }

  /// Takes the rows of the next block.
  func add(_ arguments: [Column], count rows: Int) throws {
    let state = try own ?? resolved.makeState()
    own = state
    count += 1
    state.resize(groups: count)
    let group = UInt32(truncatingIfNeeded: count - 1)
    let groups = [UInt32](repeating: group, count: EngineLimits.batchRows)
    try groups.withUnsafeBufferPointer { groups in
      guard let groups = groups.baseAddress else { return }
      try forEachChunk(count: rows) { first, count in
        try state.update(arguments.map { $0.slice(first, count) }, groups: groups, count: count)
      }
    }
  }

  /// What lies outside `blocks`, after the last block was added.
  func outside(_ blocks: Range<Int>) throws -> (
    groups: any AggregateState, group: Int, isBefore: Bool
  ) {
    let groups = try accumulated ?? accumulate()
    accumulated = groups
    return (groups, isBefore ? blocks.lowerBound : blocks.upperBound, isBefore)
  }

  private func accumulate() throws -> any AggregateState {
    let result = try resolved.makeState()
    result.resize(groups: count + 1)
    guard let own else { return result }
    var last = try resolved.makeState()
    last.resize(groups: 1)
    for step in 0..<count {
      let block = isBefore ? step : count - 1 - step
      let next = try resolved.makeState()
      next.resize(groups: 1)
      // From left to right, as everywhere.
      if isBefore { try BlockStates.merge((last, 0), into: next, 0) }
      try BlockStates.merge((own, block), into: next, 0)
      if !isBefore { try BlockStates.merge((last, 0), into: next, 0) }
      last = next
      try BlockStates.merge((last, 0), into: result, isBefore ? block + 1 : block)
    }
    self.own = nil
    return result
  }

  private static func merge(
    _ source: (state: any AggregateState, group: Int), into target: any AggregateState, _ group: Int
  ) throws {
    var from = UInt32(truncatingIfNeeded: source.group)
    var to = UInt32(truncatingIfNeeded: group)
    try target.merge(source.state, source: &from, target: &to, count: 1)
  }
}
