import Columnar

/// A physical value as ordering aggregates see it: SQL's total order, and where its bytes live.
protocol StateValue: BitwiseCopyable {
  static var zero: Self { get }
  /// SQL order: NaN is the greatest, intervals compare normalised, strings by bytes.
  static func sortsBefore(_ a: Self, _ b: Self) -> Bool
  /// Whether neither sorts before the other.
  static func isSame(_ a: Self, _ b: Self) -> Bool
  /// The value with its bytes, if any, copied to `heap`.
  func stored(in heap: StringHeap) -> Self
  static var isString: Bool { get }
}

extension StateValue {
  @inline(__always) func stored(in heap: StringHeap) -> Self { self }
  @inline(__always) static var isString: Bool { false }
}

extension StateValue where Self: FixedWidthInteger {
  @inline(__always) static func isSame(_ a: Self, _ b: Self) -> Bool { a == b }
  @inline(__always) static func sortsBefore(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension StateValue where Self: BinaryFloatingPoint {
  @inline(__always)
  static func isSame(_ a: Self, _ b: Self) -> Bool { a == b || (a.isNaN && b.isNaN) }
  @inline(__always)
  static func sortsBefore(_ a: Self, _ b: Self) -> Bool { a < b || (b.isNaN && !a.isNaN) }
}

extension Int8: StateValue {}
extension Int16: StateValue {}
extension Int32: StateValue {}
extension Int64: StateValue {}
extension Int128: StateValue {}
extension UInt8: StateValue {}
extension UInt16: StateValue {}
extension UInt32: StateValue {}
extension UInt64: StateValue {}
extension UInt128: StateValue {}
extension Float: StateValue {}
extension Double: StateValue {}

extension StringView: StateValue {
  @inline(__always) static var zero: StringView { StringView() }
  @inline(__always)
  static func sortsBefore(_ a: StringView, _ b: StringView) -> Bool { compare(a, b) < 0 }
  @inline(__always) static func isSame(_ a: StringView, _ b: StringView) -> Bool { a == b }
  @inline(__always) func stored(in heap: StringHeap) -> StringView { heap.store(self) }
  @inline(__always) static var isString: Bool { true }
}

extension Interval: StateValue {
  @inline(__always) static var zero: Interval { Interval() }
  static func isSame(_ a: Interval, _ b: Interval) -> Bool { a.orderedBits == b.orderedBits }
  static func sortsBefore(_ a: Interval, _ b: Interval) -> Bool { a.normalized < b.normalized }
}

/// Calls `body` of a visitor with the Swift type of a type that is not nested.
protocol StateValueVisitor<Result> {
  associatedtype Result
  func visit<T: StateValue>(_ type: T.Type) -> Result
}

@inline(__always)
func withStateValue<Result>(
  _ physical: PhysicalType, _ visitor: some StateValueVisitor<Result>
) -> Result {
  switch physical {
  case .bool, .uint8: visitor.visit(UInt8.self)
  case .int8: visitor.visit(Int8.self)
  case .int16: visitor.visit(Int16.self)
  case .int32: visitor.visit(Int32.self)
  case .int64: visitor.visit(Int64.self)
  case .int128: visitor.visit(Int128.self)
  case .uint16: visitor.visit(UInt16.self)
  case .uint32: visitor.visit(UInt32.self)
  case .uint64: visitor.visit(UInt64.self)
  case .uint128: visitor.visit(UInt128.self)
  case .float: visitor.visit(Float.self)
  case .double: visitor.visit(Double.self)
  case .string: visitor.visit(StringView.self)
  case .interval: visitor.visit(Interval.self)
  case .list, .array, .structure:
    preconditionFailure("nested values reach aggregates as bytes")
  }
}
