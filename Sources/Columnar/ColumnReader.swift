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
