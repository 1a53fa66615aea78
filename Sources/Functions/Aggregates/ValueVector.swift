import Columnar

/// Values of one type, not nested, in memory that grows: what first, list or arg_min keep. A value
/// is NULL until it is set.
final class ValueVector {
  let type: LogicalType
  private let physical: PhysicalType
  private let data: StateMemory
  private let present = StateMemory(stride: 1)
  private var heap = StringHeap()
  private var heapLimit = 1 << 20

  init(_ type: LogicalType) {
    self.type = type
    physical = type.physical
    precondition(physical.width > 0, "nested values reach aggregates as bytes")
    data = StateMemory(stride: physical.width)
  }

  var count: Int { data.count }
  var byteCount: Int { data.byteCount + present.byteCount + heap.byteCount }

  func resize(_ count: Int) {
    data.resize(count)
    present.resize(count)
  }

  /// Sets values `targets[i]` from rows `rows[i]` of a column (rows i, when nil), in order.
  func set(
    _ column: Column, rows: UnsafePointer<UInt32>?, targets: UnsafePointer<UInt32>, count: Int
  ) {
    switch physical.width {
    case 1: move(column, UInt8.self, rows, targets, count)
    case 2: move(column, UInt16.self, rows, targets, count)
    case 4: move(column, UInt32.self, rows, targets, count)
    case 8: move(column, UInt64.self, rows, targets, count)
    default:
      if physical == .string {
        move(column, StringView.self, rows, targets, count)
        compactHeap()
      } else {
        move(column, UInt128.self, rows, targets, count)
      }
    }
  }

  @inline(__always)
  private func move<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ rows: UnsafePointer<UInt32>?,
    _ targets: UnsafePointer<UInt32>, _ count: Int
  ) {
    let values = data.values(T.self)
    let known = present.values(UInt8.self)
    let reader = ColumnReader<T>(column)
    let heap = heap
    for position in 0..<count {
      let row = rows.map { Int($0[position]) } ?? position
      let target = Int(targets[position])
      if reader.isNull(row) {
        known[target] = 0
      } else {
        values[target] = ValueVector.keep(reader[row], heap)
        known[target] = 1
      }
    }
  }

  @inline(__always)
  private static func keep<T: BitwiseCopyable>(_ value: T, _ heap: StringHeap) -> T {
    if T.self == StringView.self {
      return unsafeBitCast(heap.store(unsafeBitCast(value, to: StringView.self)), to: T.self)
    }
    return value
  }

  /// Adds the column's rows at the end.
  func append(_ column: Column, count rows: Int) {
    let start = count
    resize(start + rows)
    let targets = StateMemory(stride: 4, count: max(rows, 1))
    defer { withExtendedLifetime(targets) {} }
    let target = targets.values(UInt32.self)
    for row in 0..<rows { target[row] = UInt32(start + row) }
    set(column, rows: nil, targets: target, count: rows)
  }

  /// Sets values `targets[i]` from values `sources[i]` of another vector.
  func set(
    from other: ValueVector, sources: UnsafePointer<UInt32>, targets: UnsafePointer<UInt32>,
    count: Int
  ) {
    set(other.column(sources, count: count), rows: nil, targets: targets, count: count)
  }

  /// These values as a column of its own.
  func column(_ sources: UnsafePointer<UInt32>, count: Int) -> Column {
    switch physical.width {
    case 1: gather(UInt8.self, count) { Int(sources[$0]) }
    case 2: gather(UInt16.self, count) { Int(sources[$0]) }
    case 4: gather(UInt32.self, count) { Int(sources[$0]) }
    case 8: gather(UInt64.self, count) { Int(sources[$0]) }
    default: gather(UInt128.self, count) { Int(sources[$0]) }
    }
  }

  func column(first: Int, count: Int) -> Column {
    switch physical.width {
    case 1: gather(UInt8.self, count) { first + $0 }
    case 2: gather(UInt16.self, count) { first + $0 }
    case 4: gather(UInt32.self, count) { first + $0 }
    case 8: gather(UInt64.self, count) { first + $0 }
    default: gather(UInt128.self, count) { first + $0 }
    }
  }

  @inline(__always)
  private func gather<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ count: Int, _ index: (Int) -> Int
  ) -> Column {
    let values = data.values(T.self)
    let known = present.values(UInt8.self)
    return resultColumn(
      self.type, count, zero: T.zero, heaps: physical == .string ? [heap] : []
    ) { row in
      let source = index(row)
      return known[source] == 0 ? nil : values[source]
    }
  }

  /// Throws away strings that were replaced since.
  private func compactHeap() {
    if heap.byteCount < heapLimit { return }
    let fresh = StringHeap()
    let values = data.values(StringView.self)
    let known = present.values(UInt8.self)
    for index in 0..<count where known[index] != 0 { values[index] = fresh.store(values[index]) }
    heap = fresh
    heapLimit = max(1 << 20, fresh.byteCount * 2)
  }
}
