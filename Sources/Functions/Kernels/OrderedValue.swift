import Columnar

/// A physical type with SQL's equality and order: floating point has one NaN, equal to itself and
/// above all else; intervals compare with 30-day months; strings by bytes.
@usableFromInline package protocol OrderedValue: BitwiseCopyable {
  static func equals(_ a: Self, _ b: Self) -> Bool
  static func precedes(_ a: Self, _ b: Self) -> Bool
}

extension OrderedValue where Self: FixedWidthInteger {
  @inlinable @inline(__always)
  package static func equals(_ a: Self, _ b: Self) -> Bool { a == b }
  @inlinable @inline(__always)
  package static func precedes(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension OrderedValue where Self: BinaryFloatingPoint {
  @inlinable @inline(__always)
  package static func equals(_ a: Self, _ b: Self) -> Bool {
    // Bitwise operators on Bool would not short-circuit; these compile to vector masks.
    a == b || (a != a && b != b)
  }
  @inlinable @inline(__always)
  package static func precedes(_ a: Self, _ b: Self) -> Bool {
    a < b || (b != b && a == a)
  }
}

extension Int8: OrderedValue {}
extension Int16: OrderedValue {}
extension Int32: OrderedValue {}
extension Int64: OrderedValue {}
extension Int128: OrderedValue {}
extension UInt8: OrderedValue {}
extension UInt16: OrderedValue {}
extension UInt32: OrderedValue {}
extension UInt64: OrderedValue {}
extension UInt128: OrderedValue {}
extension Float: OrderedValue {}
extension Double: OrderedValue {}

extension StringView: OrderedValue {
  @inlinable @inline(__always)
  package static func equals(_ a: StringView, _ b: StringView) -> Bool { a == b }
  @inlinable @inline(__always)
  package static func precedes(_ a: StringView, _ b: StringView) -> Bool {
    StringView.compare(a, b) < 0
  }
}

extension Interval: OrderedValue {
  @inlinable
  package static func equals(_ a: Interval, _ b: Interval) -> Bool {
    a == b || a.normalized == b.normalized
  }
  @inlinable
  package static func precedes(_ a: Interval, _ b: Interval) -> Bool {
    a.normalized < b.normalized
  }
}

/// Calls a visitor with the Swift type of a physical type that compares by itself (not a list,
/// array or struct): one switch per batch.
@inlinable
package func withOrderedType<Result>(
  _ physical: PhysicalType, _ visitor: some OrderedTypeVisitor<Result>
) throws -> Result {
  switch physical {
  case .bool, .uint8: try visitor.visit(UInt8.self)
  case .int8: try visitor.visit(Int8.self)
  case .int16: try visitor.visit(Int16.self)
  case .int32: try visitor.visit(Int32.self)
  case .int64: try visitor.visit(Int64.self)
  case .int128: try visitor.visit(Int128.self)
  case .uint16: try visitor.visit(UInt16.self)
  case .uint32: try visitor.visit(UInt32.self)
  case .uint64: try visitor.visit(UInt64.self)
  case .uint128: try visitor.visit(UInt128.self)
  case .float: try visitor.visit(Float.self)
  case .double: try visitor.visit(Double.self)
  case .string: try visitor.visit(StringView.self)
  case .interval: try visitor.visit(Interval.self)
  case .list, .array, .structure: preconditionFailure("\(physical) compares by its elements")
  }
}

/// What `withOrderedType` calls.
@usableFromInline package protocol OrderedTypeVisitor<Result> {
  associatedtype Result
  func visit<T: OrderedValue>(_ type: T.Type) throws -> Result
}
