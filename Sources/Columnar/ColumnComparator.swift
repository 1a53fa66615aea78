/// Compares row i of one column with row j of another of the same type, in the order that ORDER BY
/// uses: NaN is the greatest float, -0 equals 0, intervals compare normalised, strings by bytes,
/// lists and arrays lexicographically, structs field by field; a NULL inside a nested value is
/// greater than anything. For tie-breaks and nested keys; hot loops over plain types have kernels.
package struct ColumnComparator: @unchecked Sendable {
  package let left: Column
  package let right: Column
  private let children: [ColumnComparator]
  private let arrayCount: Int
  /// Kept here, since to copy the type out of a column costs a retain for each pair.
  private let physical: PhysicalType

  /// SAFETY: columns are immutable once made, and the comparator holds both.
  package init(_ left: Column, _ right: Column) {
    precondition(
      left.type.physical == right.type.physical, "\(left.type) compared with \(right.type)")
    self.left = left
    self.right = right
    physical = left.type.physical
    if case .array(_, let n) = left.type { arrayCount = n } else { arrayCount = 0 }
    // A dictionary has its base's children, addressed by value index: no level of its own.
    var parts: [ColumnComparator] = []
    for (a, b) in zip(left.children, right.children) { parts.append(ColumnComparator(a, b)) }
    children = parts
  }

  /// As `compare`, with NULL equal to NULL and, as `nullsFirst` says, before or after all values.
  package func compare(_ i: Int, _ j: Int, nullsFirst: Bool) -> Int {
    let leftNull = left.isNull(i)
    let rightNull = right.isNull(j)
    if leftNull || rightNull {
      if leftNull && rightNull { return 0 }
      return leftNull == nullsFirst ? -1 : 1
    }
    return compare(i, j)
  }

  /// Negative, zero or positive. Neither row may be NULL.
  package func compare(_ i: Int, _ j: Int) -> Int {
    let a = left.valueIndex(i)
    let b = right.valueIndex(j)
    switch physical {
    case .bool, .uint8: return order(UInt8.self, a, b)
    case .int8: return order(Int8.self, a, b)
    case .int16: return order(Int16.self, a, b)
    case .int32: return order(Int32.self, a, b)
    case .int64: return order(Int64.self, a, b)
    case .int128: return order(Int128.self, a, b)
    case .uint16: return order(UInt16.self, a, b)
    case .uint32: return order(UInt32.self, a, b)
    case .uint64: return order(UInt64.self, a, b)
    case .uint128: return order(UInt128.self, a, b)
    case .float:
      return orderFloats(left.values(as: Float.self)[a], right.values(as: Float.self)[b])
    case .double:
      return orderFloats(left.values(as: Double.self)[a], right.values(as: Double.self)[b])
    case .string:
      return StringView.compare(
        left.values(as: StringView.self)[a], right.values(as: StringView.self)[b])
    case .interval:
      let x = left.values(as: Interval.self)[a].orderedBits
      let y = right.values(as: Interval.self)[b].orderedBits
      return x < y ? -1 : x == y ? 0 : 1
    case .list:
      let x = left.values(as: ListEntry.self)[a]
      let y = right.values(as: ListEntry.self)[b]
      for element in 0..<min(x.length, y.length) {
        let result = children[0].compare(x.offset + element, y.offset + element, nullsFirst: false)
        if result != 0 { return result }
      }
      return x.length - y.length
    case .array:
      for element in 0..<arrayCount {
        let result = children[0].compare(
          a * arrayCount + element, b * arrayCount + element, nullsFirst: false)
        if result != 0 { return result }
      }
      return 0
    case .structure:
      for child in children {
        let result = child.compare(a, b, nullsFirst: false)
        if result != 0 { return result }
      }
      return 0
    }
  }

  @inline(__always)
  private func order<T: Comparable & BitwiseCopyable>(_ type: T.Type, _ a: Int, _ b: Int) -> Int {
    let x = left.values(as: T.self)[a]
    let y = right.values(as: T.self)[b]
    return x < y ? -1 : x == y ? 0 : 1
  }

  @inline(__always)
  private func orderFloats<F: BinaryFloatingPoint>(_ x: F, _ y: F) -> Int {
    if x < y { return -1 }
    if x == y { return 0 }
    if x > y { return 1 }
    return x.isNaN ? (y.isNaN ? 0 : 1) : -1
  }
}

extension Interval {
  /// An unsigned number in the order of intervals: equal for intervals that compare equal.
  @inlinable
  package var orderedBits: UInt128 {
    let parts = normalized
    // Months lie within ±2³², days within 0..<30, microseconds within a day (37 bits).
    let months = UInt128(UInt64(truncatingIfNeeded: parts.months &+ (1 << 40)))
    return months << 42 | UInt128(UInt64(truncatingIfNeeded: parts.days)) << 37
      | UInt128(UInt64(truncatingIfNeeded: parts.microseconds))
  }
}
