import Columnar

/// Calls a visitor with the Swift type of an integer's (or a decimal's) physical type; nil for
/// types that are not integers in memory. One switch per batch.
func withIntegerType<Result>(
  _ physical: PhysicalType, _ visitor: some IntegerTypeVisitor<Result>
) throws -> Result? {
  switch physical {
  case .int8: try visitor.visit(Int8.self)
  case .int16: try visitor.visit(Int16.self)
  case .int32: try visitor.visit(Int32.self)
  case .int64: try visitor.visit(Int64.self)
  case .int128: try visitor.visit(Int128.self)
  case .uint8: try visitor.visit(UInt8.self)
  case .uint16: try visitor.visit(UInt16.self)
  case .uint32: try visitor.visit(UInt32.self)
  case .uint64: try visitor.visit(UInt64.self)
  case .uint128: try visitor.visit(UInt128.self)
  case .bool, .float, .double, .string, .interval, .list, .array, .structure: nil
  }
}

/// What `withIntegerType` calls.
protocol IntegerTypeVisitor<Result> {
  associatedtype Result
  func visit<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws -> Result
}
