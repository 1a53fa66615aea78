import Columnar

/// Numbers the distinct values of a chunk in order of appearance; fails to be made when too many
/// are distinct for a dictionary to pay.
struct ParquetDictionaryBuilder {
  /// Where each distinct value appears first.
  private(set) var firstRows: [UInt32] = []
  private let indices: Buffer

  var indexPointer: UnsafeMutablePointer<UInt32> {
    indices.pointer.assumingMemoryBound(to: UInt32.self)
  }

  /// A dictionary pays when a value appears four times on average; its size is bounded so that
  /// readers keep it in cache.
  private static func limit(_ count: Int) -> Int { min(count / 4, 1 << 16) }

  init?<T: FixedWidthInteger & UnsignedInteger>(_ values: UnsafePointer<T>, _ count: Int) {
    self.init(count, hash: { Self.mix(UInt64(truncatingIfNeeded: values[$0])) }) {
      values[$0] == values[$1]
    }
  }

  init?<T: FixedWidthInteger & UnsignedInteger>(_ values: UnsafeMutablePointer<T>, _ count: Int) {
    self.init(UnsafePointer(values), count)
  }

  init?(strings: UnsafeMutablePointer<StringView>, _ count: Int) {
    self.init(count, hash: { Self.hash(strings + $0) }) { strings[$0] == strings[$1] }
  }

  @inline(__always)
  private init?(_ count: Int, hash: (Int) -> UInt64, isSame: (Int, Int) -> Bool) {
    let limit = Self.limit(count)
    guard limit > 0 else { return nil }
    indices = Buffer(byteCount: count * 4)
    let slots = 1 << (Int.bitWidth - (limit * 2).leadingZeroBitCount)
    let table = Buffer(byteCount: slots * 4)
    defer { withExtendedLifetime(table) {} }
    let entries = table.pointer.assumingMemoryBound(to: UInt32.self)
    entries.update(repeating: .max, count: slots)
    let target = indices.pointer.assumingMemoryBound(to: UInt32.self)
    let mask = slots - 1
    for row in 0..<count {
      var slot = Int(truncatingIfNeeded: hash(row) >> 32) & mask
      while true {
        let entry = entries[slot]
        if entry == .max {
          if firstRows.count == limit { return nil }
          entries[slot] = UInt32(truncatingIfNeeded: firstRows.count)
          target[row] = UInt32(truncatingIfNeeded: firstRows.count)
          firstRows.append(UInt32(truncatingIfNeeded: row))
          break
        }
        if isSame(Int(firstRows[Int(entry)]), row) {
          target[row] = entry
          break
        }
        slot = (slot + 1) & mask
      }
    }
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    return (product.high ^ product.low) &* 0xd6e8_feb8_6659_fd93
  }

  @inline(__always)
  private static func hash(_ view: UnsafeMutablePointer<StringView>) -> UInt64 {
    let value = view.pointee
    if value.isInline { return mix(value.head ^ mix(value.tail)) }
    let bytes = UnsafeRawPointer(value.longPointer)
    let count = value.count
    var state = mix(value.head)
    var position = 0
    while position + 8 <= count {
      state = mix(state ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    return mix(state ^ bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
  }
}
