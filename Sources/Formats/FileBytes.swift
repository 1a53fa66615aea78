import CZlib
import CZstd
import Columnar
import Diagnostics
import Glibc

/// How a file is compressed; found by its name's ending unless an option says.
package enum FileCompression: String, Sendable, CaseIterable {
  case none, gzip, zstd

  package init(path: String) {
    if path.hasSuffix(".gz") || path.hasSuffix(".gzip") {
      self = .gzip
    } else if path.hasSuffix(".zst") || path.hasSuffix(".zstd") {
      self = .zstd
    } else {
      self = .none
    }
  }
}

/// All bytes of a file: mapped, or decompressed into memory. Strings may point into it as long as
/// their column holds it.
package final class FileBytes: @unchecked Sendable {
  package let path: String
  package let start: UnsafePointer<UInt8>
  package let count: Int
  private let mapped: UnsafeMutableRawPointer?
  private let owned: UnsafeMutableRawPointer?

  /// SAFETY: the mapping is private and read-only, the decompressed bytes are written here only;
  /// both live until `deinit`. Another program that cuts the file short meanwhile is beyond us.
  package init(path: String, compression: FileCompression) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileBytes.cannotOpen(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileBytes.cannotOpen(path) }
    if status.st_mode & S_IFMT == S_IFDIR { throw FileBytes.isDirectory(path) }

    var bytes: (start: UnsafeMutableRawPointer, count: Int)?
    var mapping: UnsafeMutableRawPointer?
    if status.st_mode & S_IFMT == S_IFREG {
      let size = Int(status.st_size)
      if size > 0 {
        guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
          memory != MAP_FAILED
        else { throw FileBytes.cannotOpen(path) }
        mapping = memory
        bytes = (memory, size)
      }
    } else {
      // A pipe or a device has no size and cannot be mapped.
      bytes = try FileBytes.readAll(descriptor, path)
    }
    let raw = UnsafeRawBufferPointer(start: bytes?.start, count: bytes?.count ?? 0)
    if compression != .none && raw.count > 0 {
      let plain: (start: UnsafeMutableRawPointer, count: Int)
      do {
        defer {
          if let mapping { munmap(mapping, raw.count) } else { free(bytes?.start) }
        }
        plain = try Decompression.all(raw, compression, path: path)
      }
      (mapped, owned, count) = (nil, plain.start, plain.count)
      start = UnsafePointer(plain.start.assumingMemoryBound(to: UInt8.self))
      return
    }
    mapped = mapping
    count = raw.count
    if let bytes {
      owned = mapping == nil ? bytes.start : nil
      start = UnsafePointer(bytes.start.assumingMemoryBound(to: UInt8.self))
    } else {
      let nothing = GrowingBytes(capacity: 1).memory
      owned = nothing
      start = UnsafePointer(nothing.assumingMemoryBound(to: UInt8.self))
    }
  }

  deinit {
    if let mapped { munmap(mapped, count) }
    free(owned)
  }

  /// Asks the system to bring a range in before it is read.
  package func prefetch(_ range: Range<Int>) {
    guard let mapped, !range.isEmpty else { return }
    let page = 4096
    let from = range.lowerBound / page * page
    // MADV_POPULATE_READ (22), Linux 5.14: one call instead of a fault every 16 pages.
    _ = madvise(mapped + from, range.upperBound - from, 22)
  }

  /// Gives the memory of a range that has been read back to the system, which brings it in once more
  /// for whoever still looks (a text that refers to it).
  package func letGo(_ range: Range<Int>) {
    guard let mapped else { return }
    let page = 4096
    let from = (range.lowerBound + page - 1) / page * page
    let length = range.upperBound / page * page - from
    if length > 0 { _ = madvise(mapped + from, length, MADV_DONTNEED) }
  }

  private static func readAll(
    _ descriptor: Int32, _ path: String
  ) throws -> (start: UnsafeMutableRawPointer, count: Int) {
    var output = GrowingBytes()
    while true {
      let room = output.reserve(1 << 16)
      let got = read(descriptor, room, 1 << 16)
      if got < 0 {
        if errno == EINTR { continue }
        output.discard()
        throw cannotOpen(path)
      }
      if got == 0 { return (output.memory, output.count) }
      output.count += got
    }
  }

  static func cannotOpen(_ path: String) -> SQLError {
    SQLError(.io, "cannot open file \"\(path)\": \(String(cString: strerror(errno)))")
  }

  static func isDirectory(_ path: String) -> SQLError {
    SQLError(
      .io, "\"\(path)\" is a directory, not a file",
      hint: "to read all files in it, write '\(path.hasSuffix("/") ? path : path + "/")*'")
  }
}

/// Malloc'ed bytes that grow; given away at the end.
struct GrowingBytes {
  private(set) var memory: UnsafeMutableRawPointer
  var count = 0
  private var capacity: Int

  init(capacity: Int = 1 << 16) {
    self.capacity = max(capacity, 1)
    memory = GrowingBytes.resized(nil, self.capacity)
  }

  /// Where `more` bytes may be written.
  mutating func reserve(_ more: Int) -> UnsafeMutableRawPointer {
    if capacity - count < more {
      capacity = max(capacity * 2, count + more)
      memory = GrowingBytes.resized(memory, capacity)
    }
    return memory + count
  }

  func discard() { free(memory) }

  private static func resized(
    _ memory: UnsafeMutableRawPointer?, _ size: Int
  ) -> UnsafeMutableRawPointer {
    guard let resized = realloc(memory, size) else {
      preconditionFailure("the system has no memory left for \(size) bytes")
    }
    return resized
  }
}

/// Whole-file decompression.
enum Decompression {
  static func all(
    _ input: UnsafeRawBufferPointer, _ compression: FileCompression, path: String
  ) throws -> (start: UnsafeMutableRawPointer, count: Int) {
    var output = GrowingBytes(capacity: input.count * 4)
    do {
      switch compression {
      case .none:
        output.reserve(input.count).copyMemory(
          from: input.baseAddress.unsafelyUnwrapped, byteCount: input.count)
        output.count = input.count
      case .gzip: try gunzip(input, &output, path)
      case .zstd: try unzstd(input, &output, path)
      }
    } catch {
      output.discard()
      throw error
    }
    return (output.memory, output.count)
  }

  private static func gunzip(
    _ input: UnsafeRawBufferPointer, _ output: inout GrowingBytes, _ path: String
  ) throws {
    // On the heap because zlib remembers where it lies.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    // 15 + 32: the largest window, gzip or zlib found by the header.
    guard
      inflateInit2_(stream, 47, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw corrupt(path, "gzip") }
    defer { inflateEnd(stream) }
    var consumed = 0
    while true {
      let chunk = min(input.count - consumed, 1 << 30)
      // SAFETY: zlib does not write to its input.
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: (input.baseAddress.unsafelyUnwrapped + consumed).assumingMemoryBound(
          to: UInt8.self))
      stream.pointee.avail_in = UInt32(chunk)
      let room = 1 << 20
      stream.pointee.next_out = output.reserve(room).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let result = inflate(stream, Z_NO_FLUSH)
      output.count += room - Int(stream.pointee.avail_out)
      consumed += chunk - Int(stream.pointee.avail_in)
      if result == Z_STREAM_END {
        // Several members may follow one another.
        if consumed == input.count { return }
        guard inflateReset(stream) == Z_OK else { throw corrupt(path, "gzip") }
      } else if result != Z_OK || (consumed == input.count && stream.pointee.avail_out > 0) {
        throw corrupt(path, "gzip")
      }
    }
  }

  private static func unzstd(
    _ input: UnsafeRawBufferPointer, _ output: inout GrowingBytes, _ path: String
  ) throws {
    guard let stream = ZSTD_createDStream() else { throw corrupt(path, "zstd") }
    defer { ZSTD_freeDStream(stream) }
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    while true {
      let room = 1 << 20
      var target = ZSTD_outBuffer(dst: output.reserve(room), size: room, pos: 0)
      let result = ZSTD_decompressStream(stream, &target, &source)
      output.count += target.pos
      if ZSTD_isError(result) != 0 { throw corrupt(path, "zstd") }
      if source.pos == source.size {
        if result == 0 { return }
        if target.pos < room { throw corrupt(path, "zstd") }
      }
    }
  }

  private static func corrupt(_ path: String, _ kind: String) -> SQLError {
    SQLError(
      .io, "file \"\(path)\" is not a whole \(kind) file",
      hint: "if it is not compressed, add compression='none'")
  }
}
