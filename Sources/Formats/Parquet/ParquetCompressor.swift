import CLZ4
import CSnappy
import CZlib
import CZstd
import Diagnostics

/// Compresses the pages of a file under construction.
final class ParquetCompressor {
  private let codec: ParquetCodec
  private let level: Int?
  private let sink = ByteSink()
  private let zstd: OpaquePointer?

  init(_ codec: ParquetCodec, level: Int?) {
    self.codec = codec
    self.level = level
    zstd = codec == .zstd ? ZSTD_createCCtx() : nil
  }

  deinit { if let zstd { ZSTD_freeCCtx(zstd) } }

  /// The compressed bytes, good until the next call.
  func compress(_ input: UnsafeRawPointer, _ count: Int) throws -> (UnsafeRawPointer, Int) {
    sink.clear()
    let source = input.assumingMemoryBound(to: CChar.self)
    switch codec {
    case .snappy:
      var size = snappy_max_compressed_length(count)
      let target = sink.reserve(size)
      guard
        snappy_compress(source, count, target.assumingMemoryBound(to: CChar.self), &size)
          == SNAPPY_OK
      else { throw Self.failed }
      return (UnsafeRawPointer(target), size)
    case .zstd:
      let bound = ZSTD_compressBound(count)
      let target = sink.reserve(bound)
      let size = ZSTD_compressCCtx(zstd, target, bound, input, count, Int32(level ?? 3))
      guard ZSTD_isError(size) == 0 else { throw Self.failed }
      return (UnsafeRawPointer(target), size)
    case .lz4, .lz4Raw:
      guard let from = Int32(exactly: count) else { throw Self.failed }
      let bound = LZ4_compressBound(from)
      let target = sink.reserve(Int(bound))
      let size = LZ4_compress_default(
        source, target.assumingMemoryBound(to: CChar.self), from, bound)
      guard size > 0 else { throw Self.failed }
      return (UnsafeRawPointer(target), Int(size))
    case .gzip: return try gzip(input, count)
    case .uncompressed, .lzo, .brotli: return (input, count)
    }
  }

  private func gzip(_ input: UnsafeRawPointer, _ count: Int) throws -> (UnsafeRawPointer, Int) {
    var stream = z_stream()
    let chosen = Int32(level.map { min(max($0, 0), 9) } ?? 6)
    guard let from = UInt32(exactly: count),
      deflateInit2_(
        &stream, chosen, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw Self.failed }
    defer { deflateEnd(&stream) }
    let bound = Int(deflateBound(&stream, UInt(count))) + 64
    let target = sink.reserve(bound)
    stream.next_in = UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = from
    stream.next_out = target.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(clamping: bound)
    guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { throw Self.failed }
    return (UnsafeRawPointer(target), Int(stream.total_out))
  }

  private static var failed: SQLError {
    SQLError(.io, "a page of a Parquet file cannot be compressed")
  }
}
