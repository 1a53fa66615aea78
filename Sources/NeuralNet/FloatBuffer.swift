import Diagnostics
import Glibc

/// Owned, zeroed, 64-byte aligned floats, readable for 64 bytes past their end: what the kernels of
/// CVectorMath ask of their operands.
package final class FloatBuffer: @unchecked Sendable {
  // SAFETY: Sendable is for sharing read-only after filling; whoever writes is the only owner.
  package let count: Int
  package let pointer: UnsafeMutablePointer<Float>

  package init(count: Int) throws {
    guard count >= 0, count <= FloatBuffer.maximumCount else {
      throw Self.tooLarge(count)
    }
    let bytes = (roundedUpTo16(count) + 16) * MemoryLayout<Float>.stride
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, bytes) == 0, let memory else {
      throw SQLError(.outOfMemory, "cannot allocate \(bytes) bytes for a neural network")
    }
    memset(memory, 0, bytes)
    // SAFETY: the block is fresh, aligned and zeroed; floats are trivial.
    self.pointer = memory.bindMemory(to: Float.self, capacity: bytes / 4)
    self.count = count
  }

  deinit {
    free(pointer)
  }

  package func copy() throws -> FloatBuffer {
    let other = try FloatBuffer(count: count)
    other.pointer.update(from: pointer, count: count)
    return other
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
