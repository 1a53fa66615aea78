import Diagnostics
import Glibc

/// Owned, zeroed, 64-byte aligned floats, readable for 64 bytes past their end: what the kernels of
/// CVectorMath ask of their operands.
package final class FloatBuffer: @unchecked Sendable {
  // SAFETY: Sendable is for sharing read-only after filling; whoever writes is the only owner.
  package let count: Int
  package let pointer: UnsafeMutablePointer<Float>

  package convenience init(count: Int) throws {
    try self.init(uninitialized: count)
    memset(pointer, 0, roundedUpTo16(count) * 4)
  }

  /// With the values that stand there.
  convenience init(copying source: UnsafePointer<Float>, count: Int) throws {
    try self.init(uninitialized: count)
    pointer.update(from: source, count: count)
  }

  /// Only what lies behind the values is zeroed.
  private init(uninitialized count: Int) throws {
    guard count >= 0, count <= FloatBuffer.maximumCount else {
      throw Self.tooLarge(count)
    }
    let bytes = (roundedUpTo16(count) + 16) * MemoryLayout<Float>.stride
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, bytes) == 0, let memory else {
      throw SQLError(.outOfMemory, "cannot allocate \(bytes) bytes for a neural network")
    }
    // SAFETY: the block is fresh and aligned; floats are trivial.
    self.pointer = memory.bindMemory(to: Float.self, capacity: bytes / 4)
    self.count = count
    memset(pointer + count, 0, bytes - count * 4)
  }

  deinit {
    free(pointer)
  }

  package func copy() throws -> FloatBuffer {
    try FloatBuffer(copying: pointer, count: count)
  }

  /// 2^36 floats, 256 GiB: beyond any machine this runs on, below any overflow.
  static let maximumCount = 1 << 36

  private static func tooLarge(_ count: Int) -> SQLError {
    SQLError(.outOfMemory, "a neural network cannot hold \(count) values in one buffer")
  }
}

@inlinable
package func roundedUpTo16(_ count: Int) -> Int {
  (count &+ 15) & ~15
}
