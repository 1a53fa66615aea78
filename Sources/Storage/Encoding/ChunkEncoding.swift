import Columnar

/// How a part of a chunk is written. The numbers are the file's and never change their meaning.
package enum ChunkEncoding: UInt8, Sendable, CaseIterable {
  /// Of a column: every row is NULL.
  case nulls = 0
  /// One value for all rows.
  case constant = 1
  /// Of a column: different values once, and which of them each row is.
  case dictionary = 2
  /// Of a column: its values (or children) row by row.
  case plain = 3
  /// Values as they lie in memory.
  case raw = 4
  /// Integers less the smallest of their block, in as few bits as the largest needs.
  case packed = 5
  /// Differences of neighbours, packed.
  case delta = 6
  /// Each run of equal values once, and how long it is.
  case runs = 7
  /// Floating point as decimal integers, packed; others on the side.
  case alp = 8
  /// Texts: the bytes of all, compressed by Zstandard.
  case zstd = 9

  /// The name that the file's tables show.
  package var name: String { "\(self)" }
}

extension PhysicalType {
  /// The number that chunks know the layout by: the file's, never to change.
  var chunkKind: UInt8 {
    switch self {
    case .bool: 0
    case .int8: 1
    case .int16: 2
    case .int32: 3
    case .int64: 4
    case .int128: 5
    case .uint8: 6
    case .uint16: 7
    case .uint32: 8
    case .uint64: 9
    case .uint128: 10
    case .float: 11
    case .double: 12
    case .string: 13
    case .interval: 14
    case .list: 15
    case .array: 16
    case .structure: 17
    }
  }
}
