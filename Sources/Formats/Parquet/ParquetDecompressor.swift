import CLZ4
import CSnappy
import CZlib
import CZstd
import Columnar

/// Decompresses the pages of one column chunk; keeps the codec's state between pages.
final class ParquetDecompressor {
  private let codec: ParquetCodec
  private var zstd: OpaquePointer?

  init(_ code: Int) throws {
    guard let codec = ParquetCodec(rawValue: code) else {
      throw ParquetDamage("compression codec \(code) is unknown", code: .notSupported)
    }
    if codec == .brotli || codec == .lzo {
      throw ParquetDamage(
        "\(codec == .brotli ? "Brotli" : "LZO") compression is not supported", code: .notSupported)
    }
    self.codec = codec
  }

  deinit { if let zstd { ZSTD_freeDCtx(zstd) } }

  var isIdentity: Bool { codec == .uncompressed }

  /// Exactly `outputCount` bytes at `output`.
  func decompress(
    _ input: UnsafeRawPointer, _ inputCount: Int, into output: UnsafeMutableRawPointer,
    _ outputCount: Int
  ) throws {
    let isComplete: Bool
    switch codec {
    case .uncompressed:
      isComplete = inputCount == outputCount
      if isComplete { output.copyMemory(from: input, byteCount: inputCount) }
    case .snappy:
      let source = input.assumingMemoryBound(to: CChar.self)
      var count = 0
      isComplete =
        snappy_uncompressed_length(source, inputCount, &count) == SNAPPY_OK
        && count == outputCount
        && snappy_uncompress(
          source, inputCount, output.assumingMemoryBound(to: CChar.self), &count) == SNAPPY_OK
    case .zstd:
      let context = zstd ?? ZSTD_createDCtx()
      zstd = context
      isComplete =
        ZSTD_decompressDCtx(context, output, outputCount, input, inputCount) == outputCount
    case .gzip: isComplete = Self.inflateAll(input, inputCount, output, outputCount)
    case .lz4Raw: isComplete = Self.lz4(input, inputCount, output, outputCount)
    case .lz4:
      isComplete =
        Self.hadoopLZ4(input, inputCount, output, outputCount)
        || Self.lz4(input, inputCount, output, outputCount)
    case .brotli, .lzo: isComplete = false
    }
    guard isComplete else { throw ParquetDamage("a compressed page is damaged") }
  }

  private static func lz4(
    _ input: UnsafeRawPointer, _ inputCount: Int, _ output: UnsafeMutableRawPointer,
    _ outputCount: Int
  ) -> Bool {
    guard let from = Int32(exactly: inputCount), let to = Int32(exactly: outputCount) else {
      return false
    }
    let got = LZ4_decompress_safe(
      input.assumingMemoryBound(to: CChar.self), output.assumingMemoryBound(to: CChar.self), from,
      to)
    return got == to
  }

  /// Hadoop frames: big-endian sizes, decompressed and compressed, before every block.
  private static func hadoopLZ4(
    _ input: UnsafeRawPointer, _ inputCount: Int, _ output: UnsafeMutableRawPointer,
    _ outputCount: Int
  ) -> Bool {
    var read = 0
    var written = 0
    while inputCount - read >= 8 {
      let plain = Int(UInt32(bigEndian: input.loadUnaligned(fromByteOffset: read, as: UInt32.self)))
      let packed = Int(
        UInt32(bigEndian: input.loadUnaligned(fromByteOffset: read + 4, as: UInt32.self)))
      read += 8
      guard packed <= inputCount - read, plain <= outputCount - written,
        lz4(input + read, packed, output + written, plain)
      else { return false }
      read += packed
      written += plain
    }
    return read == inputCount && written == outputCount
  }

  /// Gzip or zlib, possibly of several members.
  private static func inflateAll(
    _ input: UnsafeRawPointer, _ inputCount: Int, _ output: UnsafeMutableRawPointer,
    _ outputCount: Int
  ) -> Bool {
    guard let from = UInt32(exactly: inputCount), let to = UInt32(exactly: outputCount) else {
      return false
    }
    var stream = z_stream()
    // 15 bits of window, and 32: gzip or zlib, by its header.
    guard
      inflateInit2_(&stream, 47, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return false }
    defer { inflateEnd(&stream) }
    stream.next_in = UnsafeMutablePointer(
      mutating: input.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = from
    stream.next_out = output.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = to
    while true {
      let status = inflate(&stream, Z_FINISH)
      guard status == Z_STREAM_END else { return false }
      if stream.avail_out == 0 { return true }
      guard stream.avail_in > 0, inflateReset(&stream) == Z_OK else { return false }
    }
  }
}
