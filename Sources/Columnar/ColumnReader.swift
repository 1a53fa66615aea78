/// Row access to a column of any encoding, for loops that cannot afford a case for each: row i is
/// `values[index(i)]`. A constant column reads index 0 by a mask, without a branch.
@frozen
@usableFromInline package struct ColumnReader<T: BitwiseCopyable> {
  @usableFromInline package let values: UnsafeMutablePointer<T>
  @usableFromInline package let indices: UnsafeMutablePointer<UInt32>?
  @usableFromInline package let validity: UnsafeMutablePointer<UInt64>?
  @usableFromInline let mask: Int

  @inlinable
  package init(_ column: Column, as type: T.Type = T.self) {
    values = column.values(as: T.self)
    indices = column.indices
    validity = column.validity
    mask = column.encoding == .constant ? 0 : -1
  }

  @inlinable
  package func index(_ row: Int) -> Int {
    if let indices { return Int(indices[row]) }
    return row & mask
  }

  @inlinable
  package subscript(_ row: Int) -> T { values[index(row)] }

  /// Where the value lies; strings need their place to reach inline bytes.
  @inlinable
  package func pointer(_ row: Int) -> UnsafePointer<T> { UnsafePointer(values + index(row)) }

  @inlinable
  package func isNull(_ row: Int) -> Bool {
    guard let validity else { return false }
    return !Validity.isValid(validity, index(row))
  }
}

/// Calls `body` with the Swift type of a fixed-width physical type: the one switch per batch
/// between a column and a generic kernel. Not for `.array` and `.structure`, which have no values.
@inlinable
package func withPhysicalType<Result>(
  _ physical: PhysicalType, _ visitor: some PhysicalTypeVisitor<Result>
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
  case .list: try visitor.visit(ListEntry.self)
  case .array, .structure: preconditionFailure("\(physical) has no values of its own")
  }
}

@usableFromInline package protocol PhysicalTypeVisitor<Result> {
  associatedtype Result
  func visit<T: BitwiseCopyable>(_ type: T.Type) throws -> Result
}
