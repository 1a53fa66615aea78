import Glibc

/// 64-bit hashes of column values, for joins, grouping, and partitioning: equal values of one type
/// hash equally whatever the column's encoding. Not cryptographic; not stable across versions.
package enum Hashing {
  /// The hash of NULL.
  @inlinable package static var nullHash: UInt64 { 0xBF58_476D_1CE4_E5B9 }

  /// Folds the 128-bit product: every input bit reaches every output bit. (wyhash's mixer.)
  @inlinable
  package static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inlinable
  package static func hash(_ word: UInt64) -> UInt64 {
    mix(word ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93 ^ (word >> 32))
  }

  /// The hash with all its bits mixed once more. Those of neighbouring integers are as far apart as
  /// can be, which is good for tables; what counts zeros and takes bits for chance needs this.
  @inlinable
  package static func scattered(_ hash: UInt64) -> UInt64 {
    let first = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
    let second = (first ^ first >> 32) &* 0xD6E8_FEB8_6659_FD93
    return second ^ second >> 32
  }

  /// Order matters: combine(a, b) differs from combine(b, a).
  @inlinable
  package static func combine(_ seed: UInt64, _ hash: UInt64) -> UInt64 {
    mix(seed ^ 0xA076_1D64_78BD_642F, hash ^ 0xE703_7ED1_A0B4_28DB)
  }

  @inlinable
  package static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    let raw = UnsafeRawPointer(bytes)
    var state: UInt64 = 0xA076_1D64_78BD_642F ^ UInt64(truncatingIfNeeded: count)
    var position = 0
    while position + 16 <= count {
      let a = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      let b = raw.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
      state = mix(a ^ 0xE703_7ED1_A0B4_28DB, b ^ state)
      position += 16
    }
    var a: UInt64 = 0
    var b: UInt64 = 0
    let rest = count - position
    if rest >= 8 {
      a = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      b = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    } else if rest >= 4 {
      a = UInt64(raw.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      b = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
    } else if rest > 0 {
      a =
        UInt64(bytes[position]) | UInt64(bytes[position + rest / 2]) << 8
        | UInt64(bytes[count - 1]) << 16
    }
    return mix(a ^ 0x8EBC_6AF0_9C88_C6E3, b ^ state)
  }

  @inlinable
  package static func hash(_ view: UnsafePointer<StringView>) -> UInt64 {
    hash(view.bytes, view.pointee.count)
  }

  /// Hashes of all rows of a column into `target`; with `combining`, folded into what is there.
  package static func hash(
    _ column: Column, into target: UnsafeMutablePointer<UInt64>, combining: Bool
  ) {
    let rows = column.count
    if column.encoding == .constant {
      var one: UInt64 = 0
      hash(column.flatValue(0), into: &one, combining: false)
      for row in 0..<rows { target[row] = combining ? combine(target[row], one) : one }
      return
    }
    if column.encoding == .dictionary, let base = column.base, let indices = column.indices,
      base.count <= rows
    {
      // Few values behind many rows: hash each value once.
      let hashes = UnsafeMutablePointer<UInt64>.allocate(capacity: max(base.count, 1))
      defer { hashes.deallocate() }
      hash(base, into: hashes, combining: false)
      for row in 0..<rows {
        let value = hashes[Int(indices[row])]
        target[row] = combining ? combine(target[row], value) : value
      }
      return
    }
    switch column.type.physical {
    case .bool, .uint8: integers(column, UInt8.self, target, combining)
    case .int8: integers(column, Int8.self, target, combining)
    case .int16: integers(column, Int16.self, target, combining)
    case .int32: integers(column, Int32.self, target, combining)
    case .int64: integers(column, Int64.self, target, combining)
    case .uint16: integers(column, UInt16.self, target, combining)
    case .uint32: integers(column, UInt32.self, target, combining)
    case .uint64: integers(column, UInt64.self, target, combining)
    case .int128, .uint128:
      each(column, UInt128.self, target, combining) {
        combine(
          hash(UInt64(truncatingIfNeeded: $0.pointee)), UInt64(truncatingIfNeeded: $0.pointee >> 64)
        )
      }
    case .float:
      each(column, Float.self, target, combining) { hash(UInt64(canonical($0.pointee).bitPattern)) }
    case .double:
      each(column, Double.self, target, combining) { hash(canonical($0.pointee).bitPattern) }
    case .string:
      each(column, StringView.self, target, combining) { hash($0) }
    case .interval:
      each(column, Interval.self, target, combining) {
        let parts = $0.pointee.normalized
        return combine(
          combine(hash(UInt64(bitPattern: parts.months)), UInt64(bitPattern: parts.days)),
          UInt64(bitPattern: parts.microseconds))
      }
    case .list:
      let element = column.children[0]
      let hashes = UnsafeMutablePointer<UInt64>.allocate(capacity: max(element.count, 1))
      defer { hashes.deallocate() }
      hash(element, into: hashes, combining: false)
      each(column, ListEntry.self, target, combining) {
        var state = hash(UInt64($0.pointee.length))
        for item in 0..<$0.pointee.length {
          state = combine(state, hashes[$0.pointee.offset + item])
        }
        return state
      }
    case .array, .structure:
      let flat = column.flattened()
      var width = 1
      if case .array(_, let n) = column.type { width = n }
      let own = UnsafeMutablePointer<UInt64>.allocate(capacity: max(rows, 1))
      let hashes = UnsafeMutablePointer<UInt64>.allocate(capacity: max(rows * width, 1))
      defer {
        own.deallocate()
        hashes.deallocate()
      }
      for row in 0..<rows { own[row] = 0x27D4_EB2F }
      for child in flat.children {
        hash(child, into: hashes, combining: false)
        for row in 0..<rows {
          for item in 0..<width { own[row] = combine(own[row], hashes[row * width + item]) }
        }
      }
      for row in 0..<rows {
        let value = flat.isNull(row) ? nullHash : own[row]
        target[row] = combining ? combine(target[row], value) : value
      }
    }
  }

  /// -0.0 and every NaN hash like their equals.
  @inlinable
  package static func canonical<F: BinaryFloatingPoint>(_ value: F) -> F {
    value == 0 ? 0 : value.isNaN ? .nan : value
  }

  @inline(__always)
  private static func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ target: UnsafeMutablePointer<UInt64>, _ combining: Bool
  ) {
    each(column, T.self, target, combining) { hash(UInt64(truncatingIfNeeded: $0.pointee)) }
  }

  @inline(__always)
  private static func each<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ target: UnsafeMutablePointer<UInt64>, _ combining: Bool,
    _ one: (UnsafePointer<T>) -> UInt64
  ) {
    let reader = ColumnReader<T>(column)
    for row in 0..<column.count {
      let value = reader.isNull(row) ? nullHash : one(reader.pointer(row))
      target[row] = combining ? combine(target[row], value) : value
    }
  }
}
