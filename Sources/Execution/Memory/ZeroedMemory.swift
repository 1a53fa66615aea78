import Columnar
import Glibc

/// Zeroed memory straight from the system, on huge pages where it has them: hash tables are read at
/// random, and with 4 KiB pages most of those reads would miss the TLB too. Untouched pages cost
/// nothing.
final class ZeroedMemory: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int

  /// SAFETY: the mapping is owned alone and unmapped once; users agree on who writes where.
  init(byteCount: Int) {
    self.byteCount = max(byteCount, 4096)
    let mapped = mmap(
      nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped, mapped != MAP_FAILED else {
      preconditionFailure("the system has no memory left for \(byteCount) bytes")
    }
    if self.byteCount >= 4 << 20 { madvise(mapped, self.byteCount, Int32(MADV_HUGEPAGE)) }
    pointer = mapped
  }

  /// Has the pages of some bytes, which nobody has written yet, given for writing: see `SystemPages`.
  func prepare(from first: Int, byteCount: Int) {
    SystemPages.prepare(pointer + first, byteCount)
  }

  deinit { munmap(pointer, byteCount) }
}
