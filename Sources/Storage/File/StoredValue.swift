/// A value as SQLite keeps it: a bound of a zone, a cell of the row delta.
package enum StoredValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

extension StoredValue {
  /// NULL for nil.
  init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
  /// NULL for nil.
  init(_ value: String?) { self = value.map { .text($0) } ?? .null }
  /// NULL for nil.
  init(_ value: Double?) { self = value.map { .real($0) } ?? .null }
}
