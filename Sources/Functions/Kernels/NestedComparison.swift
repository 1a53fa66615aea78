import Columnar

/// The order of single values of any type, for lists, arrays and structs: element by element, a
/// shorter list first, NULL elements equal to each other and after everything else. Recursive and
/// with a switch per element: nested keys are rare and small; flat types have their own kernels.
package enum NestedComparison {
  /// Negative, zero or positive. NULL is last and equal to NULL.
  package static func compare(_ left: Column, _ i: Int, _ right: Column, _ j: Int) -> Int {
    let leftNull = left.isNull(i)
    let rightNull = right.isNull(j)
    if leftNull || rightNull { return leftNull == rightNull ? 0 : leftNull ? 1 : -1 }
    let a = left.valueIndex(i)
    let b = right.valueIndex(j)
    switch left.type.physical {
    case .bool, .uint8: return order(left, a, right, b, UInt8.self)
    case .int8: return order(left, a, right, b, Int8.self)
    case .int16: return order(left, a, right, b, Int16.self)
    case .int32: return order(left, a, right, b, Int32.self)
    case .int64: return order(left, a, right, b, Int64.self)
    case .int128: return order(left, a, right, b, Int128.self)
    case .uint16: return order(left, a, right, b, UInt16.self)
    case .uint32: return order(left, a, right, b, UInt32.self)
    case .uint64: return order(left, a, right, b, UInt64.self)
    case .uint128: return order(left, a, right, b, UInt128.self)
    case .float: return order(left, a, right, b, Float.self)
    case .double: return order(left, a, right, b, Double.self)
    case .string: return order(left, a, right, b, StringView.self)
    case .interval: return order(left, a, right, b, Interval.self)
    case .list:
      let x = left.values(as: ListEntry.self)[a]
      let y = right.values(as: ListEntry.self)[b]
      for item in 0..<min(x.length, y.length) {
        let found = compare(
          left.children[0], x.offset + item, right.children[0], y.offset + item)
        if found != 0 { return found }
      }
      return x.length - y.length
    case .array:
      guard case .array(_, let width) = left.type else { return 0 }
      for item in 0..<width {
        let found = compare(
          left.children[0], a * width + item, right.children[0], b * width + item)
        if found != 0 { return found }
      }
      return 0
    case .structure:
      for field in 0..<min(left.children.count, right.children.count) {
        let found = compare(left.children[field], a, right.children[field], b)
        if found != 0 { return found }
      }
      return 0
    }
  }

  @inline(__always)
  private static func order<T: OrderedValue>(
    _ left: Column, _ a: Int, _ right: Column, _ b: Int, _ type: T.Type
  ) -> Int {
    let x = left.values(as: T.self)[a]
    let y = right.values(as: T.self)[b]
    return T.equals(x, y) ? 0 : T.precedes(x, y) ? -1 : 1
  }
}
