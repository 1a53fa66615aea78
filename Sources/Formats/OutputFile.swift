import CZlib
import CZstd
import Diagnostics
import Glibc
import Synchronization

/// A file under another name until it is complete, so that a failed COPY leaves nothing behind and
/// readers never see half a file. Not for several threads.
package final class OutputFile {
  private let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  /// On the heap because zlib remembers where it lies.
  private var gzip: UnsafeMutablePointer<z_stream>?
  private var zstd: OpaquePointer?
  private var compressed = GrowingBytes(capacity: 1 << 18)
  private static let counter = Atomic<Int>(0)

  package init(path: String, compression: FileCompression = .none) throws {
    self.path = path
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists && status.st_mode & S_IFMT == S_IFDIR { throw FileBytes.isDirectory(path) }
    // Devices and pipes are written to as they are.
    let isPlain = !exists || status.st_mode & S_IFMT == S_IFREG
    let number = OutputFile.counter.wrappingAdd(1, ordering: .relaxed).newValue
    temporaryPath = isPlain ? "\(path).tmp\(getpid())-\(number)" : path
    descriptor = open(
      temporaryPath, O_WRONLY | O_CLOEXEC | (isPlain ? O_CREAT | O_TRUNC : 0), 0o666)
    guard descriptor >= 0 else { throw OutputFile.cannotWrite(path) }
    switch compression {
    case .none: break
    case .gzip:
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      // 15 + 16: the largest window, gzip header.
      guard
        deflateInit2_(
          stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
          Int32(MemoryLayout<z_stream>.size)) == Z_OK
      else {
        stream.deallocate()
        abort()
        throw SQLError(.outOfMemory, "gzip compression could not start")
      }
      gzip = stream
    case .zstd:
      guard let stream = ZSTD_createCCtx() else {
        abort()
        throw SQLError(.outOfMemory, "zstd compression could not start")
      }
      zstd = stream
    }
  }

  deinit {
    abort()
    compressed.discard()
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    if gzip != nil {
      var offset = 0
      while offset < bytes.count {
        let part = min(bytes.count - offset, 1 << 30)
        try deflateAll(UnsafeRawBufferPointer(start: start + offset, count: part), Z_NO_FLUSH)
        offset += part
      }
    } else if zstd != nil {
      try zstdAll(bytes, ZSTD_e_continue)
    } else {
      try writeRaw(bytes)
    }
  }

  /// Puts the complete file in its place.
  package func finish() throws {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    if gzip != nil { try deflateAll(nothing, Z_FINISH) }
    if zstd != nil { try zstdAll(nothing, ZSTD_e_end) }
    let closing = descriptor
    descriptor = -1
    endStreams()
    guard close(closing) == 0 else {
      let error = OutputFile.cannotWrite(path)
      removeTemporary()
      throw error
    }
    if temporaryPath != path, rename(temporaryPath, path) != 0 {
      let error = OutputFile.cannotWrite(path)
      removeTemporary()
      throw error
    }
  }

  /// Forgets all that was written. Nothing happens after `finish`.
  package func abort() {
    endStreams()
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    removeTemporary()
  }

  private func removeTemporary() {
    if temporaryPath != path { unlink(temporaryPath) }
  }

  private func endStreams() {
    if let gzip {
      deflateEnd(gzip)
      gzip.deallocate()
    }
    gzip = nil
    if let zstd { ZSTD_freeCCtx(zstd) }
    zstd = nil
  }

  private func deflateAll(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) throws {
    guard let stream = gzip else { return }
    // SAFETY: zlib does not write to its input.
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    while true {
      compressed.count = 0
      let room = 1 << 18
      stream.pointee.next_out = compressed.reserve(room).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let result = deflate(stream, flush)
      let written = room - Int(stream.pointee.avail_out)
      try writeRaw(UnsafeRawBufferPointer(start: compressed.memory, count: written))
      if flush == Z_FINISH ? result == Z_STREAM_END : stream.pointee.avail_out > 0 { return }
      if result != Z_OK && result != Z_BUF_ERROR {
        throw SQLError(.internal, "gzip compression failed with code \(result)")
      }
    }
  }

  private func zstdAll(
    _ bytes: UnsafeRawBufferPointer, _ directive: ZSTD_EndDirective
  ) throws {
    guard let zstd else { return }
    var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      compressed.count = 0
      let room = 1 << 18
      var target = ZSTD_outBuffer(dst: compressed.reserve(room), size: room, pos: 0)
      let left = ZSTD_compressStream2(zstd, &target, &source, directive)
      if ZSTD_isError(left) != 0 { throw SQLError(.internal, "zstd compression failed") }
      try writeRaw(UnsafeRawBufferPointer(start: compressed.memory, count: target.pos))
      if directive == ZSTD_e_end ? left == 0 : source.pos == source.size { return }
    }
  }

  private func writeRaw(_ bytes: UnsafeRawBufferPointer) throws {
    var offset = 0
    while offset < bytes.count {
      let written = Glibc.write(
        descriptor, bytes.baseAddress.unsafelyUnwrapped + offset, bytes.count - offset)
      if written < 0 {
        if errno == EINTR { continue }
        throw OutputFile.cannotWrite(path)
      }
      offset += written
    }
  }

  static func cannotWrite(_ path: String) -> SQLError {
    SQLError(.io, "cannot write file \"\(path)\": \(String(cString: strerror(errno)))")
  }
}
