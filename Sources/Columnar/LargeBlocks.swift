import Glibc
import Synchronization

/// Blocks that live longer than a batch: decoded chunks, row groups, what joins and sorts collect. They
/// come from the system page by page and go back to it when they are given, but for the last ones,
/// which are kept for the next who asks. The system's allocator would put them among others that stay:
/// half of what a scan of a file has freed then remained with the process.
///
/// Only for more than 8 pages. Blocks are 4096-byte aligned; their sizes are rounded up to one of eight
/// steps between two powers of two, of which each has its list.
package enum LargeBlocks {
  /// Bytes that may be kept. The process has one memory: the last to set it decides.
  private static let capacity = Atomic<Int>(128 << 20)
  private static let kept = Mutex(Kept())
  /// From here on pages of 2 MiB are worth asking for.
  private static let leastHuge = 4 << 20

  private struct Kept {
    /// By class the address of a free block, or 0; its first word is that of the next one.
    var heads: [UInt] = Array(repeating: 0, count: 64 * 8)
    var byteCount = 0
  }

  /// What may be kept for later: for a process whose databases have little memory.
  package static func keep(atMost byteCount: Int) {
    let before = capacity.exchange(max(0, byteCount), ordering: .relaxed)
    if before > byteCount { release() }
  }

  /// Gives all that is kept back to the system.
  package static func release() {
    let freed = kept.withLock { kept in
      let freed = kept
      kept = Kept()
      return freed
    }
    for (number, head) in freed.heads.enumerated() {
      var next = head
      while let block = UnsafeMutableRawPointer(bitPattern: next) {
        next = block.load(as: UInt.self)
        munmap(block, sizeOfClass(number))
      }
    }
  }

  /// Memory for at least `byteCount` bytes, which hold anything.
  static func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = sizeClass(byteCount)
    let reused = kept.withLock { kept -> UInt in
      let address = kept.heads[size.number]
      guard let block = UnsafeMutableRawPointer(bitPattern: address) else { return 0 }
      kept.heads[size.number] = block.load(as: UInt.self)
      kept.byteCount -= size.byteCount
      return address
    }
    return UnsafeMutableRawPointer(bitPattern: reused) ?? map(size.byteCount)
  }

  private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let mapped = mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let mapped, mapped != MAP_FAILED else {
      preconditionFailure("the system has no memory left for \(byteCount) bytes")
    }
    if byteCount >= leastHuge { _ = madvise(mapped, byteCount, Int32(MADV_HUGEPAGE)) }
    return mapped
  }

  /// Takes back what `take` gave for as many bytes.
  static func give(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = sizeClass(byteCount)
    let address = UInt(bitPattern: block)
    let capacity = capacity.load(ordering: .relaxed)
    let isKept = kept.withLock { kept in
      // One alone is not to take the place of all others.
      guard size.byteCount <= capacity / 2, kept.byteCount + size.byteCount <= capacity,
        let block = UnsafeMutableRawPointer(bitPattern: address)
      else { return false }
      block.storeBytes(of: kept.heads[size.number], as: UInt.self)
      kept.heads[size.number] = address
      kept.byteCount += size.byteCount
      return true
    }
    if !isKept { munmap(block, size.byteCount) }
  }

  /// Which size a block of `byteCount` bytes is rounded up to, and that size in bytes.
  private static func sizeClass(_ byteCount: Int) -> (number: Int, byteCount: Int) {
    let last = (byteCount - 1) / SystemPages.byteCount
    let shift = Int.bitWidth - 1 - last.leadingZeroBitCount - 3
    let eighths = last >> shift + 1
    return (shift * 8 + eighths - 9, (eighths << shift) * SystemPages.byteCount)
  }

  private static func sizeOfClass(_ number: Int) -> Int {
    ((number % 8 + 9) << (number / 8)) * SystemPages.byteCount
  }
}
