import Columnar
import Diagnostics
import Functions

/// One call of an aggregation in one worker: the states of its groups, and what must be collected
/// before they can be updated: distinct arguments, or rows to be sorted.
final class AggregateCallState {
  let call: AggregateCall
  private(set) var state: any AggregateState
  private let distinct: DistinctArguments?
  private let ordered: OrderedArguments?
  private let scratch = StateMemory(stride: 4)

  init(_ call: AggregateCall, inputTypes: [LogicalType], hasGroups: Bool) throws {
    self.call = call
    state = try call.resolved.makeState()
    distinct = call.isDistinct ? try DistinctArguments(call, inputTypes, hasGroups: hasGroups) : nil
    ordered =
      call.isDistinct || call.order.isEmpty ? nil : OrderedArguments(call, inputTypes)
  }

  var byteCount: Int {
    state.byteCount + (distinct?.byteCount ?? 0) + (ordered?.byteCount ?? 0)
  }

  /// Whether rows are collected, and go from worker to worker.
  var keepsRows: Bool { distinct != nil || ordered != nil }

  func resize(groups count: Int) { state.resize(groups: count) }

  /// Adds a batch; `groups` nil is the aggregation without keys.
  func update(_ batch: Batch, groups: UnsafePointer<UInt32>?) throws {
    var batch = batch
    var groups = groups
    if let filter = call.filter {
      let passed = selectTrue(batch.columns[filter], batch.rowCount)
      if passed.count == 0 { return }
      if passed.count < batch.rowCount {
        if let all = groups {
          scratch.resize(passed.count)
          let picked = scratch.values(UInt32.self)
          for row in 0..<passed.count { picked[row] = all[Int(passed.indices[row])] }
          groups = UnsafePointer(picked)
        }
        batch = batch.selecting(passed)
      }
    }
    let arguments = call.arguments.map { batch.columns[$0] }
    if let distinct {
      try distinct.add(arguments, groups: groups, count: batch.rowCount)
    } else if let ordered {
      ordered.add(batch, groups: groups)
    } else if let groups {
      try state.update(arguments, groups: groups, count: batch.rowCount)
    } else {
      try state.update(arguments, count: batch.rowCount)
    }
  }

  /// Adds what another worker has of groups `source` to groups `target`; of collected rows, those
  /// of the partition.
  func merge(
    _ other: AggregateCallState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int, partition: CollectedPartition
  ) throws {
    if let distinct, let theirs = other.distinct {
      distinct.absorb(theirs, partition)
    } else if let ordered, let theirs = other.ordered {
      ordered.absorb(theirs, partition)
    } else {
      try state.merge(other.state, source: source, target: target, count: count)
    }
  }

  /// Sorts collected rows by partition, so that merging visits each once. `partitionOf` is by group.
  func bucket(partitionOf: UnsafePointer<UInt8>, partitions: Int) {
    distinct?.bucket(partitionOf, partitions)
    ordered?.bucket(partitionOf, partitions)
  }

  /// Updates the states from what was collected; before `finish` of the state.
  func complete() throws {
    try distinct?.replay(into: state)
    try ordered?.replay(into: state)
  }
}

/// Which collected rows of another worker a merge takes, and the groups they go to.
struct CollectedPartition {
  /// nil: all of them.
  let number: Int?
  /// New group by the other worker's group; only there for calls that keep rows.
  let targetOf: UnsafePointer<UInt32>
}

/// Rows in the order of their partitions.
struct RowBuckets {
  let rows: StateMemory
  let starts: [Int]

  init(count: Int, partitions: Int, partitionOf: (Int) -> Int) {
    var sizes = [Int](repeating: 0, count: partitions + 1)
    for row in 0..<count { sizes[partitionOf(row) + 1] += 1 }
    for partition in 0..<partitions { sizes[partition + 1] += sizes[partition] }
    starts = sizes
    rows = StateMemory(stride: 4, count: max(count, 1))
    let target = rows.values(UInt32.self)
    for row in 0..<count {
      let partition = partitionOf(row)
      target[sizes[partition]] = UInt32(row)
      sizes[partition] += 1
    }
  }

  func range(_ partition: Int) -> (rows: UnsafePointer<UInt32>, count: Int) {
    (
      UnsafePointer(rows.values(UInt32.self) + starts[partition]),
      starts[partition + 1] - starts[partition]
    )
  }
}

/// The rows where a BOOLEAN column is true.
func selectTrue(_ column: Column, _ count: Int) -> Selection {
  var selection = Selection(capacity: count)
  let reader = ColumnReader<UInt8>(column)
  let target = selection.indices
  var passed = 0
  for row in 0..<count {
    target[passed] = UInt32(truncatingIfNeeded: row)
    passed &+= !reader.isNull(row) && reader[row] != 0 ? 1 : 0
  }
  selection.count = passed
  return selection
}
