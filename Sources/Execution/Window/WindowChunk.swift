import Columnar
import Diagnostics

/// Whole partitions of a window's sorted rows, evaluated together: rows are numbered from 0 within
/// the chunk, and bounds are arrays of such numbers, a place a row.
final class WindowChunk {
  typealias Numbers = UnsafeMutablePointer<UInt32>

  let first: Int
  let count: Int
  /// Store row by row of the chunk.
  let order: UnsafePointer<UInt32>
  let store: [Column]
  let query: QueryContext
  private let rows: SortedRows
  private let partitionKeys: Int
  /// Whatever pointers handed out point into.
  private var kept: [AnyObject] = []
  private var bounds: [Int: (start: Numbers, end: Numbers)] = [:]
  private var sortedColumns: [Int: Column] = [:]
  private(set) var byteCount = 0

  init(
    rows: SortedRows, range: Range<Int>, store: [Column], partitionKeys: Int, query: QueryContext
  ) {
    self.rows = rows
    self.store = store
    self.partitionKeys = partitionKeys
    self.query = query
    first = range.lowerBound
    count = range.count
    order = UnsafePointer(rows.order + range.lowerBound)
  }

  /// Uninitialised room that lives as long as the chunk.
  func allocate<T: BitwiseCopyable>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
    let buffer = Buffer(byteCount: max(1, count) * MemoryLayout<T>.stride)
    kept.append(buffer)
    byteCount += buffer.byteCount
    return buffer.pointer.assumingMemoryBound(to: T.self)
  }

  /// Keeps a column whose memory is used through pointers.
  @discardableResult
  func keep(_ column: Column) -> Column {
    kept.append(column)
    return column
  }

  /// Per row: where its partition begins and ends.
  var partitions: (start: Numbers, end: Numbers) { peers(orderCount: 0) }

  /// A bit a row of the chunk, where it begins with the sorted rows: set where peers begin.
  func marks(_ orderCount: Int) -> UnsafePointer<UInt64> {
    UnsafePointer(rows.marks(rows.keyCounts.firstIndex(of: partitionKeys + orderCount) ?? 0))
  }

  /// Per row: where the rows begin and end that agree in partition and the first keys of the order.
  func peers(orderCount: Int) -> (start: Numbers, end: Numbers) {
    if let known = bounds[orderCount] { return known }
    let index = rows.keyCounts.firstIndex(of: partitionKeys + orderCount) ?? 0
    let marks = rows.marks(index)
    let start = allocate(UInt32.self, count)
    let end = allocate(UInt32.self, count)
    var current: UInt32 = 0
    for row in 0..<count {
      let place = first + row
      let isStart = marks[place >> 6] >> UInt64(place & 63) & 1 != 0
      current = isStart ? UInt32(truncatingIfNeeded: row) : current
      start[row] = current
    }
    var next = UInt32(truncatingIfNeeded: count)
    var row = count - 1
    while row >= 0 {
      end[row] = next
      if start[row] == UInt32(truncatingIfNeeded: row) { next = start[row] }
      row -= 1
    }
    bounds[orderCount] = (start, end)
    return (start, end)
  }

  // MARK: Columns

  /// A column of the input in the chunk's order.
  func sorted(_ position: Int) -> Column {
    if let known = sortedColumns[position] { return known }
    let selection = Selection(capacity: count)
    selection.indices.update(from: order, count: count)
    let column = Column.dictionary(store[position], selection).flattened()
    sortedColumns[position] = column
    byteCount += count * store[position].type.physical.width
    return column
  }

  /// The same, where it has been asked for before.
  func sortedColumn(_ position: Int) -> Column? { sortedColumns[position] }

  func sorted(_ source: WindowSource) -> Column {
    switch source {
    case .column(let position): sorted(position)
    case .constant(let column): Column(repeating: column, count: count)
    }
  }

  /// The source's values in the rows `picks` of the chunk.
  func picked(_ source: WindowSource, _ picks: KeptRows) -> Column {
    switch source {
    case .constant(let column): return Column(repeating: column, count: picks.count)
    case .column(let position):
      guard let numbers = picks.numbers else { return sorted(position) }
      let selection = Selection(capacity: picks.count)
      for pick in 0..<picks.count { selection.indices[pick] = order[Int(numbers[pick])] }
      return Column.dictionary(store[position], selection).flattened()
    }
  }

  /// The value of the source in a row of the chunk each; NULL for `.max`.
  func gathered(_ source: WindowSource, _ type: LogicalType, _ targets: Numbers) -> Column {
    switch source {
    case .constant(let column):
      let result = Column(repeating: column, count: count).flattened()
      for row in 0..<count where targets[row] == .max { result.setNull(row) }
      return result
    case .column(let position):
      let selection = Selection(capacity: count)
      var hasNulls = false
      for row in 0..<count {
        let isNull = targets[row] == .max
        hasNulls = hasNulls || isNull
        selection.indices[row] = order[isNull ? row : Int(targets[row])]
      }
      let result = Column.dictionary(store[position], selection).flattened()
      if hasNulls { for row in 0..<count where targets[row] == .max { result.setNull(row) } }
      return result
    }
  }
}

/// Some rows of a chunk, ascending, with a numbering of their own: bounds of the chunk's rows are
/// translated to it, so that what follows need not know which rows were left out.
struct KeptRows {
  let count: Int
  /// Row of the chunk by pick; nil when all rows are kept.
  let numbers: WindowChunk.Numbers?
  /// By row of the chunk, and one past its end: kept rows before it.
  let before: WindowChunk.Numbers?

  init(all count: Int) {
    self.count = count
    numbers = nil
    before = nil
  }

  init(_ chunk: WindowChunk, where keeps: (Int) -> Bool) {
    let before = chunk.allocate(UInt32.self, chunk.count + 1)
    let numbers = chunk.allocate(UInt32.self, chunk.count)
    var count = 0
    for row in 0..<chunk.count {
      before[row] = UInt32(truncatingIfNeeded: count)
      numbers[count] = UInt32(truncatingIfNeeded: row)
      count += keeps(row) ? 1 : 0
    }
    before[chunk.count] = UInt32(truncatingIfNeeded: count)
    self.count = count
    self.before = count == chunk.count ? nil : before
    self.numbers = count == chunk.count ? nil : numbers
  }

  /// The row of the chunk.
  @inline(__always)
  func row(_ pick: Int) -> Int { numbers.map { Int($0[pick]) } ?? pick }

  /// Kept rows before a row of the chunk, or before its end.
  @inline(__always)
  func pick(atOrAfter row: Int) -> Int { before.map { Int($0[row]) } ?? row }

  func translated(_ numbers: WindowChunk.Numbers, _ chunk: WindowChunk) -> WindowChunk.Numbers {
    guard let before else { return numbers }
    let result = chunk.allocate(UInt32.self, chunk.count)
    for row in 0..<chunk.count { result[row] = before[Int(numbers[row])] }
    return result
  }

  func translated(_ segments: [FrameSegment], _ chunk: WindowChunk) -> [FrameSegment] {
    if before == nil { return segments }
    return segments.map {
      FrameSegment(start: translated($0.start, chunk), end: translated($0.end, chunk))
    }
  }
}
