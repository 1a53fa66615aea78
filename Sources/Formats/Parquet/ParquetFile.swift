import Columnar
import Diagnostics
import Glibc

/// An open Parquet file: its footer, its schema, and reads at any offset from any thread.
///
/// Reads go through `pread`, not through a mapping: a file that another process truncates while a
/// query runs must give an error, not a SIGBUS.
final class ParquetFile: Sendable {
  let path: String
  let footer: ParquetFooter
  let schema: ParquetSchema
  let byteCount: Int
  private let descriptor: Int32

  init(path: String, binaryAsString: Bool) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw SQLError(.io, "cannot open file \"\(path)\": \(reason)")
    }
    do {
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw ParquetDamage("it is not a regular file")
      }
      byteCount = Int(status.st_size)
      let bytes = try Self.readFooter(descriptor, byteCount)
      footer = try ParquetFooter(bytes)
      schema = try ParquetSchema(footer.elements, binaryAsString: binaryAsString)
      for group in footer.rowGroups where group.columns.count != schema.leaves.count {
        throw ParquetDamage("a row group has another number of columns than the schema")
      }
    } catch let damage as ParquetDamage {
      close(descriptor)
      throw damage.located(path)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  private static func readFooter(_ descriptor: Int32, _ byteCount: Int) throws -> [UInt8] {
    guard byteCount >= 12 else { throw ParquetDamage("it is too short to be a Parquet file") }
    var tail = [UInt8](repeating: 0, count: 8)
    try tail.withUnsafeMutableBytes { try read(descriptor, at: byteCount - 8, into: $0) }
    if tail[4...] == [0x50, 0x41, 0x52, 0x45] {
      throw ParquetDamage("it is encrypted", code: .notSupported)
    }
    guard tail[4...] == [0x50, 0x41, 0x52, 0x31] else {
      throw ParquetDamage("no magic bytes at its end; it is not a Parquet file")
    }
    let length = Int(tail[0]) | Int(tail[1]) << 8 | Int(tail[2]) << 16 | Int(tail[3]) << 24
    guard length > 0, length <= byteCount - 12 else {
      throw ParquetDamage("the length of its metadata is damaged")
    }
    var bytes = [UInt8](repeating: 0, count: length)
    try bytes.withUnsafeMutableBytes { try read(descriptor, at: byteCount - 8 - length, into: $0) }
    return bytes
  }

  private static func read(
    _ descriptor: Int32, at offset: Int, into target: UnsafeMutableRawBufferPointer
  ) throws {
    guard let start = target.baseAddress else { return }
    var done = 0
    while done < target.count {
      let got = pread(descriptor, start + done, target.count - done, offset + done)
      if got < 0 && errno == EINTR { continue }
      if got < 0 { throw ParquetDamage(String(cString: strerror(errno))) }
      if got == 0 { throw ParquetDamage("it has become shorter while it was read") }
      done += got
    }
  }

  /// Bytes `offset ..< offset + count`, with room behind them for wide loads.
  func read(at offset: Int, count: Int) throws -> Buffer {
    guard offset >= 0, count >= 0, offset <= byteCount, count <= byteCount - offset else {
      throw ParquetDamage("a column chunk lies outside of the file")
    }
    let buffer = try makePageBuffer(count)
    try Self.read(
      descriptor, at: offset,
      into: UnsafeMutableRawBufferPointer(start: buffer.pointer, count: count))
    return buffer
  }
}

/// Bytes that may be read, though not used, behind the end of a page: decoders load words.
let pageSlack = 64

/// Memory for a page of a file that may lie about its size.
func makePageBuffer(_ byteCount: Int) throws -> Buffer {
  guard byteCount >= 0, byteCount <= 1 << 33 else {
    throw ParquetDamage("a page of \(byteCount) bytes is too large")
  }
  return Buffer(byteCount: byteCount + pageSlack)
}
