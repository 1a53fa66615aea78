import CVectorMath

/// The C kernels of one width of words; `bit_packing.h` says what each does.
struct BlockKernels<Word: Sendable>: Sendable {
  typealias Source = UnsafePointer<Word>
  typealias Target = UnsafeMutablePointer<Word>

  let pack: @Sendable (Source, UnsafeMutableRawPointer, UInt32, Word) -> Void
  let unpack: @Sendable (UnsafeRawPointer, Target, UInt32, Word) -> Void
  let packTail: @Sendable (Source, Int, UnsafeMutablePointer<UInt8>, UInt32, Word) -> Void
  let unpackTail: @Sendable (UnsafePointer<UInt8>, Int, Target, UInt32, Word) -> Void
  let accumulate: @Sendable (Target, Int, Word) -> Void
  let largest: @Sendable (Source, Int) -> Word
  let fillRuns: @Sendable (Source, UnsafePointer<UInt32>, Int, Target, Int) -> Void
}

/// An unsigned integer that blocks are packed of. A kernel is called through its table once per
/// block, not per value.
protocol PackableWord: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable {
  static var kernels: BlockKernels<Self> { get }
}

extension UInt8: PackableWord {
  static let kernels = BlockKernels<UInt8>(
    pack: apus_pack_8, unpack: apus_unpack_8, packTail: apus_pack_tail_8,
    unpackTail: apus_unpack_tail_8, accumulate: apus_accumulate_8, largest: apus_largest_8,
    fillRuns: apus_fill_runs_8)
}

extension UInt16: PackableWord {
  static let kernels = BlockKernels<UInt16>(
    pack: apus_pack_16, unpack: apus_unpack_16, packTail: apus_pack_tail_16,
    unpackTail: apus_unpack_tail_16, accumulate: apus_accumulate_16, largest: apus_largest_16,
    fillRuns: apus_fill_runs_16)
}

extension UInt32: PackableWord {
  static let kernels = BlockKernels<UInt32>(
    pack: apus_pack_32, unpack: apus_unpack_32, packTail: apus_pack_tail_32,
    unpackTail: apus_unpack_tail_32, accumulate: apus_accumulate_32, largest: apus_largest_32,
    fillRuns: apus_fill_runs_32)
}

extension UInt64: PackableWord {
  static let kernels = BlockKernels<UInt64>(
    pack: apus_pack_64, unpack: apus_unpack_64, packTail: apus_pack_tail_64,
    unpackTail: apus_unpack_tail_64, accumulate: apus_accumulate_64, largest: apus_largest_64,
    fillRuns: apus_fill_runs_64)
}

extension PackableWord {
  /// A full block of values less `base`.
  static func pack(
    _ values: UnsafePointer<Self>, _ packed: UnsafeMutableRawPointer, _ width: Int, _ base: Self
  ) {
    kernels.pack(values, packed, UInt32(truncatingIfNeeded: width), base)
  }

  static func unpack(
    _ packed: UnsafeRawPointer, _ values: UnsafeMutablePointer<Self>, _ width: Int, _ base: Self
  ) {
    kernels.unpack(packed, values, UInt32(truncatingIfNeeded: width), base)
  }

  /// Fewer values than a block has.
  static func packTail(
    _ values: UnsafePointer<Self>, _ count: Int, _ packed: UnsafeMutableRawPointer, _ width: Int,
    _ base: Self
  ) {
    kernels.packTail(
      values, count, packed.assumingMemoryBound(to: UInt8.self), UInt32(truncatingIfNeeded: width),
      base)
  }

  static func unpackTail(
    _ packed: UnsafeRawPointer, _ count: Int, _ values: UnsafeMutablePointer<Self>, _ width: Int,
    _ base: Self
  ) {
    kernels.unpackTail(
      packed.assumingMemoryBound(to: UInt8.self), count, values, UInt32(truncatingIfNeeded: width),
      base)
  }

  static func accumulate(_ values: UnsafeMutablePointer<Self>, _ count: Int, from start: Self) {
    kernels.accumulate(values, count, start)
  }

  /// 0 of none.
  static func largest(_ values: UnsafePointer<Self>, _ count: Int) -> Self {
    kernels.largest(values, count)
  }
}
