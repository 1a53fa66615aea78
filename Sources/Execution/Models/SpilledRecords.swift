import CSystem
import Diagnostics
import Glibc
import NeuralNet

/// The records of rows to train on, in a temporary file without a name: each bucket's bytes in
/// blocks, the last one in memory until it is full.
final class SpilledRecords: RecordStore {
  /// Small, because every bucket holds one, and large enough for a disk to read them one by one.
  private static let blockBytes = 64 << 10

  private let space: SpillSpace
  private let descriptor: Int32
  private let number: Int
  private let pending: UnsafeMutableRawBufferPointer
  private let filled: UnsafeMutableBufferPointer<Int>
  /// Where each bucket's full blocks lie.
  private var blocks: [[Int]]
  private var end = 0

  init(_ space: SpillSpace, buckets: Int) throws {
    self.space = space
    (descriptor, number) = try space.open()
    pending = .allocate(byteCount: buckets * Self.blockBytes, alignment: 64)
    filled = .allocate(capacity: buckets)
    filled.initialize(repeating: 0)
    blocks = Array(repeating: [], count: buckets)
  }

  deinit {
    Glibc.close(descriptor)
    space.close(file: number)
    pending.deallocate()
    filled.deallocate()
  }

  /// Bytes of memory that it holds.
  var byteCount: Int { pending.count + blocks.reduce(0) { $0 + $1.count * 8 } }

  func append(_ bytes: UnsafeRawBufferPointer, bucket: Int) throws {
    // Most records fit what is left of their block.
    let place = filled[bucket]
    if place + bytes.count < Self.blockBytes, let from = bytes.baseAddress,
      let to = pending.baseAddress
    {
      (to + bucket * Self.blockBytes + place).copyMemory(from: from, byteCount: bytes.count)
      filled[bucket] = place + bytes.count
      return
    }
    var done = 0
    while done < bytes.count {
      let count = min(bytes.count - done, Self.blockBytes - filled[bucket])
      block(bucket, from: filled[bucket], count: count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
      filled[bucket] += count
      done += count
      if filled[bucket] == Self.blockBytes { try writeBlock(bucket) }
    }
  }

  func read(bucket: Int, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let number = (offset + done) / Self.blockBytes
      let place = (offset + done) % Self.blockBytes
      let count = min(bytes.count - done, Self.blockBytes - place)
      let part = UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + count])
      if number < blocks[bucket].count {
        try readFile(at: blocks[bucket][number] + place, into: part)
      } else {
        guard place + count <= filled[bucket] else { throw Self.cannotRead("it is too short") }
        part.copyMemory(from: UnsafeRawBufferPointer(block(bucket, from: place, count: count)))
      }
      done += count
    }
  }

  private func block(_ bucket: Int, from start: Int, count: Int) -> UnsafeMutableRawBufferPointer {
    let first = bucket * Self.blockBytes + start
    return UnsafeMutableRawBufferPointer(rebasing: pending[first..<first + count])
  }

  private func writeBlock(_ bucket: Int) throws {
    try space.take(Self.blockBytes, file: number)
    let bytes = block(bucket, from: 0, count: Self.blockBytes)
    var written = 0
    while written < bytes.count {
      let result = pwrite(
        descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written,
        off_t(end + written))
      if result < 0 && errno == EINTR { continue }
      if result <= 0 { throw Self.cannotWrite(result < 0 ? errno : ENOSPC) }
      written += result
    }
    blocks[bucket].append(end)
    end += Self.blockBytes
    filled[bucket] = 0
  }

  private func readFile(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let result = pread(
        descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if result < 0 && errno == EINTR { continue }
      if result < 0 { throw Self.cannotRead(String(cString: strerror(errno))) }
      if result == 0 { throw Self.cannotRead("it is shorter than what was written") }
      done += result
    }
  }

  private static func cannotWrite(_ error: Int32) -> SQLError {
    SQLError(
      .io, "a temporary file cannot be written: \(String(cString: strerror(error)))",
      hint: "TRAIN needs more than memory_limit: raise it, or SET temp_directory = '…'")
  }

  private static func cannotRead(_ reason: String) -> SQLError {
    SQLError(.io, "a temporary file cannot be read: \(reason)")
  }
}
