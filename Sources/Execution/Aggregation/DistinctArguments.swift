import Columnar
import Diagnostics
import Functions

/// The distinct (group, arguments) of a DISTINCT call. They are aggregated once all are known,
/// because two workers may meet the same ones.
final class DistinctArguments {
  /// Without keys the group is always 0 and no part of the table's.
  private let hasGroups: Bool
  private let table: GroupTable
  /// Of each sort key, which argument it is.
  private let order: [SortKey]
  private let scratch = StateMemory(stride: 4)
  private var buckets: RowBuckets?

  init(_ call: AggregateCall, _ inputTypes: [LogicalType], hasGroups: Bool) throws {
    self.hasGroups = hasGroups
    table = GroupTable(
      (hasGroups ? [.uinteger] : []) + call.arguments.map { inputTypes[$0] })
    order = try call.order.map { key in
      guard let argument = call.arguments.firstIndex(of: key.column) else {
        throw orderOutsideArguments()
      }
      return SortKey(column: argument, descending: key.descending, nullsFirst: key.nullsFirst)
    }
  }

  var byteCount: Int { table.byteCount }

  func add(_ arguments: [Column], groups: UnsafePointer<UInt32>?, count: Int) throws {
    scratch.resize(count)
    var columns = arguments
    if let groups {
      let ids = Column(flat: .uinteger, count: count)
      ids.values(as: UInt32.self).update(from: groups, count: count)
      columns.insert(ids, at: 0)
    }
    table.lookUp(columns, count: count, groups: scratch.values(UInt32.self))
  }

  func bucket(_ partitionOf: UnsafePointer<UInt8>, _ partitions: Int) {
    var groupOf: [UInt32] = []
    groupOf.reserveCapacity(table.count)
    forEachChunk(count: table.count) { first, count in
      let keys = table.keys(first: first, count: count)
      withExtendedLifetime(keys) {
        let ids = keys[0].values(as: UInt32.self)
        for row in 0..<count { groupOf.append(ids[row]) }
      }
    }
    buckets = RowBuckets(count: table.count, partitions: partitions) {
      Int(partitionOf[Int(groupOf[$0])])
    }
  }

  func absorb(_ other: DistinctArguments, _ partition: CollectedPartition) {
    let list = StateMemory(stride: 4, count: EngineLimits.batchRows)
    defer { withExtendedLifetime(list) {} }
    let rows = list.values(UInt32.self)
    let bucket = partition.number.flatMap { other.buckets?.range($0) }
    forEachChunk(count: bucket?.count ?? other.table.count) { first, count in
      for row in 0..<count { rows[row] = bucket?.rows[first + row] ?? UInt32(first + row) }
      var columns = other.table.keys(UnsafePointer(rows), count: count)
      // A grouping set without keys takes the arguments of a set that has some.
      if other.hasGroups && !hasGroups { columns.removeFirst() }
      if hasGroups {
        let ids = columns[0].values(as: UInt32.self)
        for row in 0..<count { ids[row] = partition.targetOf[Int(ids[row])] }
      }
      scratch.resize(count)
      table.lookUp(columns, count: count, groups: scratch.values(UInt32.self))
    }
  }

  func replay(into state: any AggregateState) throws {
    // Sorting needs all rows at once.
    let chunk = order.isEmpty ? EngineLimits.batchRows : max(1, table.count)
    try forEachChunk(count: table.count, of: chunk) { first, count in
      var arguments = table.keys(first: first, count: count)
      let ids = hasGroups ? arguments.removeFirst() : Column(flat: .uinteger, count: count)
      defer { withExtendedLifetime(ids) {} }
      let groups = ids.values(as: UInt32.self)
      if !hasGroups { groups.update(repeating: 0, count: count) }
      if !order.isEmpty {
        try updateSorted(
          state, arguments: arguments, sortColumns: order.map { arguments[$0.column] },
          order: order, groups: UnsafePointer(groups), count: count)
      } else if hasGroups {
        try state.update(arguments, groups: UnsafePointer(groups), count: count)
      } else {
        try state.update(arguments, count: count)
      }
    }
  }
}

/// Calls `body` with runs of at most `size` rows.
func forEachChunk(
  count: Int, of size: Int = EngineLimits.batchRows,
  _ body: (_ first: Int, _ count: Int) throws -> Void
) rethrows {
  var first = 0
  while first < count {
    let part = min(size, count - first)
    try body(first, part)
    first += part
  }
}

private func orderOutsideArguments() -> SQLError {
  SQLError(
    .binder, "in a DISTINCT aggregate, ORDER BY expressions must appear in the argument list")
}
