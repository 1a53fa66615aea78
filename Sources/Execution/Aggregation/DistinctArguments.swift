import Columnar
import Diagnostics
import Functions

/// The distinct (group, arguments) of a DISTINCT call. They are aggregated once all are known,
/// because two workers may meet the same ones.
final class DistinctArguments {
  private let argumentCount: Int
  private let table: GroupTable
  /// Of each sort key, which argument it is.
  private let order: [SortKey]
  private let scratch = StateMemory(stride: 4)
  private var buckets: RowBuckets?

  init(_ call: AggregateCall, _ inputTypes: [LogicalType]) throws {
    argumentCount = call.arguments.count
    table = GroupTable([.uinteger] + call.arguments.map { inputTypes[$0] })
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
    let ids = Column(flat: .uinteger, count: groups == nil ? 1 : count)
    let target = ids.values(as: UInt32.self)
    if let groups { target.update(from: groups, count: count) } else { target[0] = 0 }
    let column = groups == nil ? Column(repeating: ids, count: count) : ids
    table.lookUp([column] + arguments, count: count, groups: scratch.values(UInt32.self))
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
      let columns = other.table.keys(UnsafePointer(rows), count: count)
      let ids = columns[0].values(as: UInt32.self)
      for row in 0..<count { ids[row] = partition.targetOf[Int(ids[row])] }
      scratch.resize(count)
      table.lookUp(columns, count: count, groups: scratch.values(UInt32.self))
    }
  }

  func replay(into state: any AggregateState) throws {
    if !order.isEmpty {
      let columns = table.keys(first: 0, count: table.count)
      let ids = UnsafePointer(columns[0].values(as: UInt32.self))
      let arguments = Array(columns.dropFirst())
      try withExtendedLifetime(columns) {
        try updateSorted(
          state, arguments: arguments, sortColumns: order.map { arguments[$0.column] },
          order: order, groups: ids, count: table.count)
      }
      return
    }
    try forEachChunk(count: table.count) { first, count in
      let columns = table.keys(first: first, count: count)
      let ids = UnsafePointer(columns[0].values(as: UInt32.self))
      try withExtendedLifetime(columns) {
        try state.update(Array(columns.dropFirst()), groups: ids, count: count)
      }
    }
  }
}

/// Calls `body` with runs of at most a batch's rows.
func forEachChunk(count: Int, _ body: (_ first: Int, _ count: Int) throws -> Void) rethrows {
  var first = 0
  while first < count {
    let part = min(EngineLimits.batchRows, count - first)
    try body(first, part)
    first += part
  }
}

private func orderOutsideArguments() -> SQLError {
  SQLError(
    .binder, "in a DISTINCT aggregate, ORDER BY expressions must appear in the argument list")
}
