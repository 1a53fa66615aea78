import Columnar
import Functions
import Diagnostics

extension WindowAggregation {
  /// median and quantiles: the values are sorted once, and a tree over their places gives the k-th
  /// of any frame. nil where the aggregate's own state must decide: nested values, fractions out of
  /// range.
  func quantiles() throws -> Column? {
    let argument = arguments[0]
    // Times with a zone are interpolated by their instants, which the state knows.
    if kept.count == 0 || argument.type.isNested || argument.type == .timeTZ { return nil }
    guard let (fractions, isList) = fractions() else { return nil }
    let isContinuous: Bool
    switch resolved.function.name {
    case "quantile_cont": isContinuous = true
    case "quantile_disc": isContinuous = false
    default:
      switch argument.type {
      case .float, .double, .decimal, .time, .timestamp, .timestampTZ, .timestampNanoseconds:
        isContinuous = true
      default: isContinuous = false
      }
    }
    let order = try chunk.rowOrder(
      [SortColumn(argument, descending: false, nullsFirst: false)], count: kept.count)
    let slots = chunk.count * fractions.count
    let low = Selection(capacity: slots)
    let high = Selection(capacity: slots)
    let shares = chunk.allocate(Double.self, slots)
    let isEmpty = chunk.allocate(UInt8.self, chunk.count)
    for row in 0..<chunk.count {
      if row & 0xFFFF == 0 { try chunk.query.checkCancelled() }
      let size = segments.reduce(0) { $0 + Int($1.end[row]) - Int($1.start[row]) }
      isEmpty[row] = size == 0 ? 1 : 0
      for (position, fraction) in fractions.enumerated() {
        let slot = row * fractions.count + position
        (low.indices[slot], high.indices[slot], shares[slot]) = (0, 0, 0)
        if size == 0 { continue }
        let place = isContinuous ? Double(size - 1) * fraction : discretePlace(size, fraction)
        let below = Int(place.rounded(.down))
        let above = Int(place.rounded(.up))
        let first = chunk.smallest(below, order, segments, row)
        low.indices[slot] = UInt32(truncatingIfNeeded: first)
        high.indices[slot] =
          above == below
          ? low.indices[slot]
          : UInt32(truncatingIfNeeded: chunk.smallest(above, order, segments, row))
        shares[slot] = place - Double(below)
      }
    }
    let lows = Column.dictionary(argument, low).flattened()
    let items =
      isContinuous
      ? interpolated(lows, Column.dictionary(argument, high).flattened(), shares) : lows
    if !isList {
      for row in 0..<chunk.count where isEmpty[row] != 0 { items.setNull(row) }
      return items
    }
    let result = Column(flat: call.type, count: chunk.count, children: [items])
    let entries = result.values(as: ListEntry.self)
    for row in 0..<chunk.count {
      entries[row] = ListEntry(offset: row * fractions.count, length: fractions.count)
      if isEmpty[row] != 0 { result.setNull(row) }
    }
    return result
  }

  /// As DuckDB: the least value with at least this fraction of the values at or below it.
  private func discretePlace(_ size: Int, _ fraction: Double) -> Double {
    let above = (Double(size) - fraction * Double(size)).rounded(.down)
    return max(1, Double(size) - above) - 1
  }

  private func fractions() -> (fractions: [Double], isList: Bool)? {
    guard arguments.count > 1 else { return ([0.5], false) }
    let isValid = { (fraction: Double) in fraction >= 0 && fraction <= 1 }
    switch arguments[1].value(0) {
    case .double(let fraction): return isValid(fraction) ? ([fraction], false) : nil
    case .list(let values):
      var fractions: [Double] = []
      for value in values {
        guard case .double(let fraction) = value, isValid(fraction) else { return nil }
        fractions.append(fraction)
      }
      return fractions.isEmpty ? nil : (fractions, true)
    default: return nil
    }
  }

  /// Between two values, a share of the way; integers are cut.
  private func interpolated(
    _ low: Column, _ high: Column, _ shares: UnsafeMutablePointer<Double>
  ) -> Column {
    let result = Column(flat: low.type, count: low.count)
    func integers<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) {
      let (a, b) = (low.values(as: T.self), high.values(as: T.self))
      let target = result.values(as: T.self)
      for slot in 0..<low.count {
        // No detour over Double for what is there already.
        if shares[slot] == 0 {
          target[slot] = a[slot]
          continue
        }
        let value = Double(a[slot]) + (Double(b[slot]) - Double(a[slot])) * shares[slot]
        target[slot] = T(exactly: value.rounded(.towardZero)) ?? a[slot]
      }
    }
    func floats<T: BinaryFloatingPoint & BitwiseCopyable>(_ type: T.Type) {
      let (a, b) = (low.values(as: T.self), high.values(as: T.self))
      let target = result.values(as: T.self)
      for slot in 0..<low.count {
        target[slot] = shares[slot] == 0 ? a[slot] : between(a[slot], b[slot], T(shares[slot]))
      }
    }
    switch low.type.physical {
    case .float: floats(Float.self)
    case .double: floats(Double.self)
    case .int16: integers(Int16.self)
    case .int32: integers(Int32.self)
    case .int64: integers(Int64.self)
    case .int128: integers(Int128.self)
    case .bool, .int8, .uint8, .uint16, .uint32, .uint64, .uint128, .string, .interval, .list,
      .array, .structure:
      return low
    }
    withExtendedLifetime((low, high)) {}
    return result
  }
}
