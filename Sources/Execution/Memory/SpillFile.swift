import CSystem
import Columnar
import Diagnostics
import Glibc
import Synchronization

/// The temporary file of one statement: blocks of rows, written once, read in any order by any
/// worker. It has no name any more, so it goes with the statement or the process.
package final class SpillFile: Sendable {
  /// Blocks start at multiples of it, so that a hole punched for one gives back whole pages.
  private static let alignment = 4096

  private let space: SpillSpace
  private let descriptor: Int32
  private let number: Int
  private let end = Atomic<Int>(0)

  package init(_ space: SpillSpace) throws {
    self.space = space
    (descriptor, number) = try space.open()
  }

  deinit {
    Glibc.close(descriptor)
    space.close(file: number)
  }

  /// Writes the rows of a batch.
  func write(_ batch: Batch, with encoder: BlockEncoder) throws -> SpilledBlock {
    let bytes = encoder.encode(batch)
    return SpilledBlock(
      offset: try write(UnsafeRawBufferPointer(bytes)), byteCount: bytes.count,
      rowCount: batch.rowCount, sequence: batch.sequence)
  }

  /// Writes bytes; gives where they lie.
  func write(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    let room = (bytes.count + SpillFile.alignment - 1) & ~(SpillFile.alignment - 1)
    try space.take(room, file: number)
    let offset = end.wrappingAdd(room, ordering: .relaxed).oldValue
    var written = 0
    while written < bytes.count {
      let result = pwrite(
        descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, offset + written)
      if result < 0 && errno == EINTR { continue }
      if result <= 0 { throw SpillFile.cannotWrite(result < 0 ? errno : ENOSPC) }
      written += result
    }
    return offset
  }

  /// Fills a buffer with bytes that lie at an offset.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws {
    guard let start = target.baseAddress else { return }
    var done = 0
    while done < target.count {
      let result = pread(descriptor, start + done, target.count - done, off_t(offset + done))
      if result < 0 && errno == EINTR { continue }
      if result < 0 { throw SpillFile.cannotRead(String(cString: strerror(errno))) }
      if result == 0 { throw SpillFile.cannotRead("it is shorter than what was written") }
      done += result
    }
  }

  /// The rows of a block; its columns refer to one buffer.
  func read(_ block: SpilledBlock, types: [LogicalType]) throws -> Batch {
    let buffer = Buffer(byteCount: block.byteCount)
    try read(
      at: block.offset,
      into: UnsafeMutableRawBufferPointer(start: buffer.pointer, count: block.byteCount))
    var decoder = BlockDecoder(buffer, byteCount: block.byteCount)
    guard var batch = try decoder.decode(types), batch.rowCount == block.rowCount else {
      throw SpillFile.cannotRead("its bytes are not what was written")
    }
    batch.sequence = block.sequence
    return batch
  }

  /// Gives the block's room back to the file system; it is not read again.
  func free(_ block: SpilledBlock) {
    let room = (block.byteCount + SpillFile.alignment - 1) & ~(SpillFile.alignment - 1)
    // Where the file system cannot do it the room is free when the statement ends.
    let punchHole: Int32 = 0x02
    let keepSize: Int32 = 0x01
    if fallocate(descriptor, punchHole | keepSize, off_t(block.offset), off_t(room)) == 0 {
      space.give(room, file: number)
    }
  }

  private static func cannotWrite(_ error: Int32) -> SQLError {
    SQLError(
      .io, "a temporary file cannot be written: \(String(cString: strerror(error)))",
      hint: "the query needs more than memory_limit: raise it, or SET temp_directory = '…'")
  }

  private static func cannotRead(_ reason: String) -> SQLError {
    SQLError(.io, "a temporary file cannot be read: \(reason)")
  }
}

/// Where rows lie in a spill file.
struct SpilledBlock: Sendable {
  let offset: Int
  let byteCount: Int
  let rowCount: Int
  /// Of the batch that was written.
  let sequence: Int
}
