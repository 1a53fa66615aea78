import Columnar
import Functions

/// The rows of a call with ORDER BY: arguments, sort keys and groups, kept until all have come.
final class OrderedArguments {
  private let call: AggregateCall
  private let inputColumns: [Int]
  private var builders: [ColumnBuilder]
  private var columns: [Column] = []
  private let groups = StateMemory(stride: 4)
  private var count = 0
  private var buckets: RowBuckets?

  init(_ call: AggregateCall, _ inputTypes: [LogicalType]) {
    self.call = call
    inputColumns = call.arguments + call.order.map(\.column)
    builders = inputColumns.map { ColumnBuilder(inputTypes[$0]) }
  }

  var byteCount: Int { groups.byteCount + builders.reduce(0) { $0 + $1.byteCount } }

  func add(_ batch: Batch, groups ids: UnsafePointer<UInt32>?) {
    append(inputColumns.map { batch.columns[$0] }, batch.rowCount) { ids?[$0] ?? 0 }
  }

  private func append(_ added: [Column], _ rows: Int, _ group: (Int) -> UInt32) {
    for (position, column) in added.enumerated() { builders[position].append(column) }
    groups.resize(count + rows)
    let target = groups.values(UInt32.self) + count
    for row in 0..<rows { target[row] = group(row) }
    count += rows
  }

  /// Ends collecting. Called by the owner before other threads read.
  private func seal() {
    if columns.isEmpty {
      for position in builders.indices { columns.append(builders[position].finish()) }
    }
  }

  func bucket(_ partitionOf: UnsafePointer<UInt8>, _ partitions: Int) {
    seal()
    let ids = groups.values(UInt32.self)
    buckets = RowBuckets(count: count, partitions: partitions) { Int(partitionOf[Int(ids[$0])]) }
  }

  func absorb(_ other: OrderedArguments, _ partition: CollectedPartition) {
    let ids = other.groups.values(UInt32.self)
    guard let number = partition.number, let buckets = other.buckets else {
      other.seal()
      append(other.columns, other.count) { partition.targetOf[Int(ids[$0])] }
      return
    }
    let (rows, size) = buckets.range(number)
    if size == 0 { return }
    let selection = Selection(capacity: size)
    selection.indices.update(from: rows, count: size)
    append(other.columns.map { Column.dictionary($0, selection) }, size) {
      partition.targetOf[Int(ids[Int(rows[$0])])]
    }
  }

  func replay(into state: any AggregateState) throws {
    seal()
    let arguments = call.arguments.count
    try updateSorted(
      state, arguments: Array(columns[..<arguments]), sortColumns: Array(columns[arguments...]),
      order: call.order, groups: UnsafePointer(groups.values(UInt32.self)), count: count)
  }
}

/// Updates a state with rows sorted by group, then by the sort columns; equal rows keep their order.
func updateSorted(
  _ state: any AggregateState, arguments: [Column], sortColumns: [Column], order: [SortKey],
  groups: UnsafePointer<UInt32>, count: Int
) throws {
  var rows = (0..<count).map { UInt32($0) }
  // Bytes that compare like the values: one encoding a row instead of a typed comparison a pair.
  let keys = sortColumns.map { column in
    OrderedBytes.encode(column, count: count, forEquality: true)
  }
  let readers = keys.map { ColumnReader<StringView>($0) }
  rows.sort { a, b in
    let left = Int(a)
    let right = Int(b)
    if groups[left] != groups[right] { return groups[left] < groups[right] }
    for (position, reader) in readers.enumerated() {
      let leftNull = reader.isNull(left)
      let rightNull = reader.isNull(right)
      if leftNull || rightNull {
        if leftNull && rightNull { continue }
        return leftNull == order[position].nullsFirst
      }
      let comparison = StringView.compare(reader[left], reader[right])
      if comparison != 0 { return (comparison < 0) != order[position].descending }
    }
    return a < b
  }
  let ids = StateMemory(stride: 4, count: EngineLimits.batchRows)
  defer { withExtendedLifetime((ids, keys)) {} }
  let sortedGroups = ids.values(UInt32.self)
  try forEachChunk(count: count) { first, part in
    let selection = Selection(capacity: part)
    for row in 0..<part {
      selection.indices[row] = rows[first + row]
      sortedGroups[row] = groups[Int(rows[first + row])]
    }
    try state.update(
      arguments.map { Column.dictionary($0, selection) }, groups: UnsafePointer(sortedGroups),
      count: part)
  }
}
