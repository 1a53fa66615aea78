import CVectorMath

/// The bit-packing kernels of one width of words, by the type of the words.
protocol PackableWord: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable {
  static func pack(
    _ values: UnsafePointer<Self>, _ packed: UnsafeMutableRawPointer, _ width: Int, _ base: Self)
  static func unpack(
    _ packed: UnsafeRawPointer, _ values: UnsafeMutablePointer<Self>, _ width: Int, _ base: Self)
  static func packTail(
    _ values: UnsafePointer<Self>, _ count: Int, _ packed: UnsafeMutableRawPointer, _ width: Int,
    _ base: Self)
  static func unpackTail(
    _ packed: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Self>, _ width: Int,
    _ base: Self)
  static func accumulate(_ values: UnsafeMutablePointer<Self>, _ count: Int, from start: Self)
  /// 0 of none.
  static func largest(_ values: UnsafePointer<Self>, _ count: Int) -> Self
}

extension UInt8: PackableWord {
  static func pack(
    _ values: UnsafePointer<Self>, _ packed: UnsafeMutableRawPointer, _ width: Int, _ base: Self
  ) {
    apus_pack_8(values, packed, UInt32(truncatingIfNeeded: width), base)
  }
  static func unpack(
    _ packed: UnsafeRawPointer, _ values: UnsafeMutablePointer<Self>, _ width: Int, _ base: Self
  ) {
    apus_unpack_8(packed, values, UInt32(truncatingIfNeeded: width), base)
  }
  static func packTail(
    _ values: UnsafePointer<Self>, _ count: Int, _ packed: UnsafeMutableRawPointer, _ width: Int,
    _ base: Self
  ) {
    apus_pack_tail_8(
      values, count, packed.assumingMemoryBound(to: UInt8.self), UInt32(truncatingIfNeeded: width),
      base)
  }
  static func unpackTail(
    _ packed: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Self>, _ width: Int,
    _ base: Self
  ) {
    apus_unpack_tail_8(
      packed.assumingMemoryBound(to: UInt8.self), count, values, UInt32(truncatingIfNeeded: width),
      base)
  }
  static func accumulate(_ values: UnsafeMutablePointer<Self>, _ count: Int, from start: Self) {
    apus_accumulate_8(values, count, start)
  }
  static func largest(_ values: UnsafePointer<Self>, _ count: Int) -> Self {
    apus_largest_8(values, count)
  }
}

extension UInt16: PackableWord {
  static func pack(
    _ values: UnsafePointer<Self>, _ packed: UnsafeMutableRawPointer, _ width: Int, _ base: Self
  ) {
    apus_pack_16(values, packed, UInt32(truncatingIfNeeded: width), base)
  }
  static func unpack(
    _ packed: UnsafeRawPointer, _ values: UnsafeMutablePointer<Self>, _ width: Int, _ base: Self
  ) {
    apus_unpack_16(packed, values, UInt32(truncatingIfNeeded: width), base)
  }
  static func packTail(
    _ values: UnsafePointer<Self>, _ count: Int, _ packed: UnsafeMutableRawPointer, _ width: Int,
    _ base: Self
  ) {
    apus_pack_tail_16(
      values, count, packed.assumingMemoryBound(to: UInt8.self), UInt32(truncatingIfNeeded: width),
      base)
  }
  static func unpackTail(
    _ packed: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Self>, _ width: Int,
    _ base: Self
  ) {
    apus_unpack_tail_16(
      packed.assumingMemoryBound(to: UInt8.self), count, values, UInt32(truncatingIfNeeded: width),
      base)
  }
  static func accumulate(_ values: UnsafeMutablePointer<Self>, _ count: Int, from start: Self) {
    apus_accumulate_16(values, count, start)
  }
  static func largest(_ values: UnsafePointer<Self>, _ count: Int) -> Self {
    apus_largest_16(values, count)
  }
}

extension UInt32: PackableWord {
  static func pack(
    _ values: UnsafePointer<Self>, _ packed: UnsafeMutableRawPointer, _ width: Int, _ base: Self
  ) {
    apus_pack_32(values, packed, UInt32(truncatingIfNeeded: width), base)
  }
  static func unpack(
    _ packed: UnsafeRawPointer, _ values: UnsafeMutablePointer<Self>, _ width: Int, _ base: Self
  ) {
    apus_unpack_32(packed, values, UInt32(truncatingIfNeeded: width), base)
  }
  static func packTail(
    _ values: UnsafePointer<Self>, _ count: Int, _ packed: UnsafeMutableRawPointer, _ width: Int,
    _ base: Self
  ) {
    apus_pack_tail_32(
      values, count, packed.assumingMemoryBound(to: UInt8.self), UInt32(truncatingIfNeeded: width),
      base)
  }
  static func unpackTail(
    _ packed: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Self>, _ width: Int,
    _ base: Self
  ) {
    apus_unpack_tail_32(
      packed.assumingMemoryBound(to: UInt8.self), count, values, UInt32(truncatingIfNeeded: width),
      base)
  }
  static func accumulate(_ values: UnsafeMutablePointer<Self>, _ count: Int, from start: Self) {
    apus_accumulate_32(values, count, start)
  }
  static func largest(_ values: UnsafePointer<Self>, _ count: Int) -> Self {
    apus_largest_32(values, count)
  }
}

extension UInt64: PackableWord {
  static func pack(
    _ values: UnsafePointer<Self>, _ packed: UnsafeMutableRawPointer, _ width: Int, _ base: Self
  ) {
    apus_pack_64(values, packed, UInt32(truncatingIfNeeded: width), base)
  }
  static func unpack(
    _ packed: UnsafeRawPointer, _ values: UnsafeMutablePointer<Self>, _ width: Int, _ base: Self
  ) {
    apus_unpack_64(packed, values, UInt32(truncatingIfNeeded: width), base)
  }
  static func packTail(
    _ values: UnsafePointer<Self>, _ count: Int, _ packed: UnsafeMutableRawPointer, _ width: Int,
    _ base: Self
  ) {
    apus_pack_tail_64(
      values, count, packed.assumingMemoryBound(to: UInt8.self), UInt32(truncatingIfNeeded: width),
      base)
  }
  static func unpackTail(
    _ packed: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Self>, _ width: Int,
    _ base: Self
  ) {
    apus_unpack_tail_64(
      packed.assumingMemoryBound(to: UInt8.self), count, values, UInt32(truncatingIfNeeded: width),
      base)
  }
  static func accumulate(_ values: UnsafeMutablePointer<Self>, _ count: Int, from start: Self) {
    apus_accumulate_64(values, count, start)
  }
  static func largest(_ values: UnsafePointer<Self>, _ count: Int) -> Self {
    apus_largest_64(values, count)
  }
}
