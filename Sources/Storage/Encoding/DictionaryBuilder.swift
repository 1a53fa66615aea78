import Columnar

/// The different values of a column in the order they come, and which of them each row is. NULL is
/// one of them.
struct DictionaryBuilder {
  /// The row where each value came first.
  private(set) var firstRows: [Int] = []
  let codes: Selection

  private var slots: [UInt32]
  private let limit: Int

  /// nil when there are more than `limit` values. `column` is flat, of numbers or texts.
  init?(_ column: Column, limit: Int) {
    self.limit = limit
    codes = Selection(capacity: column.count)
    var size = 64
    while size < limit * 2 { size *= 2 }
    slots = [UInt32](repeating: 0, count: size)
    let fits: Bool
    switch column.type.physical {
    case .int32, .uint32, .float: fits = addWords(column, UInt32.self)
    case .int64, .uint64, .double: fits = addWords(column, UInt64.self)
    case .int128, .uint128: fits = addWords(column, UInt128.self)
    case .string:
      let views = UnsafePointer(column.values(as: StringView.self))
      fits = add(column, hash: { Self.hash(views + $0) }, equal: { views[$0] == views[$1] })
    case .bool, .int8, .int16, .uint8, .uint16, .interval, .list, .array, .structure: fits = false
    }
    if !fits { return nil }
  }

  private mutating func addWords<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type
  ) -> Bool {
    let values = UnsafePointer(column.values(as: T.self))
    return add(
      column,
      hash: { row in
        let low = UInt64(truncatingIfNeeded: values[row])
        if T.bitWidth <= 64 { return Hashing.hash(low) }
        return Hashing.combine(low, UInt64(truncatingIfNeeded: values[row] >> 64))
      }, equal: { values[$0] == values[$1] })
  }

  /// A short text is two words, whatever its bytes.
  @inline(__always)
  private static func hash(_ view: UnsafePointer<StringView>) -> UInt64 {
    view.pointee.isInline
      ? Hashing.combine(view.pointee.head, view.pointee.tail) : Hashing.hash(view)
  }

  @inline(__always)
  private mutating func add(
    _ column: Column, hash: (Int) -> UInt64, equal: (Int, Int) -> Bool
  ) -> Bool {
    let indices = codes.indices
    let validity = column.validity
    var firsts: [Int] = []
    var nulls: UInt32?
    let fits = slots.withUnsafeMutableBufferPointer { slots in
      let mask = slots.count - 1
      for row in 0..<column.count {
        if let validity, !Validity.isValid(validity, row) {
          if nulls == nil {
            nulls = UInt32(truncatingIfNeeded: firsts.count)
            firsts.append(row)
          }
          indices[row] = nulls ?? 0
          continue
        }
        var slot = Int(truncatingIfNeeded: hash(row)) & mask
        while slots[slot] != 0 && !equal(firsts[Int(slots[slot]) - 1], row) {
          slot = (slot + 1) & mask
        }
        if slots[slot] == 0 {
          if firsts.count >= limit { return false }
          firsts.append(row)
          slots[slot] = UInt32(truncatingIfNeeded: firsts.count)
        }
        indices[row] = slots[slot] - 1
      }
      return true
    }
    firstRows = firsts
    return fits
  }

  /// A guess of how many different values there are, by rows taken at even distances.
  static func estimate(_ column: Column) -> Double {
    let sample = 4096
    let step = max(1, column.count / sample)
    let rows = Selection(capacity: (column.count + step - 1) / step)
    for position in 0..<rows.count { rows.indices[position] = UInt32(position * step) }
    let part = Column.dictionary(column, rows).flattened()
    guard let seen = DictionaryBuilder(part, limit: part.count + 1) else {
      return Double(column.count)
    }
    var times = [Int](repeating: 0, count: seen.firstRows.count)
    for row in 0..<part.count { times[Int(seen.codes.indices[row])] += 1 }
    return DistinctEstimate.fromSample(
      rows: Double(part.count), distinct: Double(times.count),
      single: Double(times.reduce(0) { $0 + ($1 == 1 ? 1 : 0) }), total: Double(column.count))
  }
}
