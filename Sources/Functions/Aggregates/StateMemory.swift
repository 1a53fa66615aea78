import Columnar
import Glibc

/// Zero-filled memory for `count` records of `stride` bytes that grows by doubling: the columns of
/// aggregate states and group tables. Zero must mean "empty" to whoever uses it.
///
/// From 2 MiB on it is mapped on huge pages: groups are visited at random, and with 4 KiB pages a
/// million of them cost a TLB miss for every row.
package final class StateMemory: @unchecked Sendable {
  package private(set) var pointer: UnsafeMutableRawPointer
  package private(set) var count = 0
  private let stride: Int
  private var capacityBytes: Int
  private var mapping: (start: UnsafeMutableRawPointer, byteCount: Int)?
  private var statement: LargeMemory?

  private static let hugePage = 2 << 20

  /// SAFETY: `pointer` covers `capacityBytes` bytes, owned alone; one thread writes at a time and
  /// states are handed between threads at barriers.
  package init(stride: Int, count: Int = 0) {
    self.stride = stride
    (pointer, capacityBytes, mapping) = StateMemory.allocate(max(256, stride * count))
    statement = LargeMemory.take(capacityBytes)
    self.count = count
  }

  package var byteCount: Int { capacityBytes }

  /// Makes the memory at least `count` records long; never shrinks. Pointers become invalid.
  package func resize(_ count: Int) {
    if count <= self.count { return }
    self.count = count
    reserve(count)
  }

  /// Makes room for `count` records in all, so that many can be added without asking again.
  package func reserve(_ count: Int) {
    let needed = count * stride
    if needed <= capacityBytes { return }
    let (larger, bytes, map) = StateMemory.allocate(max(needed, capacityBytes * 2))
    let holder = LargeMemory.take(bytes)
    larger.copyMemory(from: pointer, byteCount: capacityBytes)
    release()
    (pointer, capacityBytes, mapping) = (larger, bytes, map)
    statement = holder
  }

  /// Has all pages of fresh memory given for writing: see `SystemPages`.
  package func prepare() { SystemPages.prepare(pointer, capacityBytes) }

  @inline(__always)
  package func values<T: BitwiseCopyable>(_ type: T.Type) -> UnsafeMutablePointer<T> {
    pointer.assumingMemoryBound(to: type)
  }

  private static func allocate(
    _ byteCount: Int
  ) -> (UnsafeMutableRawPointer, Int, (start: UnsafeMutableRawPointer, byteCount: Int)?) {
    if byteCount >= hugePage {
      let rounded = (byteCount + hugePage - 1) & ~(hugePage - 1)
      let whole = rounded + hugePage
      let map = mmap(nil, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      if let map, map != MAP_FAILED {
        let address = (UInt(bitPattern: map) + UInt(hugePage - 1)) & ~UInt(hugePage - 1)
        let aligned = map + Int(address - UInt(bitPattern: map))
        madvise(aligned, rounded, Int32(MADV_HUGEPAGE))
        return (aligned, rounded, (map, whole))
      }
    }
    let rounded = (byteCount + 63) & ~63
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, 64, rounded) == 0, let memory = raw else {
      preconditionFailure("the system has no memory left for \(byteCount) bytes")
    }
    memset(memory, 0, rounded)
    return (memory, rounded, nil)
  }

  private func release() {
    statement?.give(capacityBytes)
    if let mapping { munmap(mapping.start, mapping.byteCount) } else { free(pointer) }
  }

  deinit { release() }
}
