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
  private static let keptBytes = Atomic<Int>(0)
  /// Bytes that are taken now, and the most that ever were at once since all was released.
  private static let takenBytes = Atomic<Int>(0)
  private static let mostBytes = Atomic<Int>(0)
  /// What is kept while the process needs more than ever: blocks of a scan, say, under a sort that
  /// grows. Beyond it what is kept goes before the system is asked for more.
  private static let leastKept = 32 << 20
  /// Free blocks by the thread that gave them: what another one has written must first come out of its
  /// caches.
  private static let shards = (0..<16).map { _ in Shard() }
  /// From here on pages of 2 MiB are worth asking for.
  private static let leastHuge = 4 << 20

  private final class Shard: Sendable {
    /// By class the address of a free block, or 0; its first word is that of the next one.
    private let heads = Mutex([UInt](repeating: 0, count: 64 * 8))

    func pop(_ number: Int) -> UnsafeMutableRawPointer? {
      let address = heads.withLock { heads -> UInt in
        let address = heads[number]
        if let block = UnsafeMutableRawPointer(bitPattern: address) {
          heads[number] = block.load(as: UInt.self)
        }
        return address
      }
      return UnsafeMutableRawPointer(bitPattern: address)
    }

    /// A block of another class than this one, from the next class on that has any.
    func popOther(than kept: Int) -> (block: UnsafeMutableRawPointer, number: Int)? {
      let found = heads.withLock { heads -> (address: UInt, number: Int) in
        for step in 1..<heads.count {
          let number = (kept + step) % heads.count
          if let block = UnsafeMutableRawPointer(bitPattern: heads[number]) {
            defer { heads[number] = block.load(as: UInt.self) }
            return (heads[number], number)
          }
        }
        return (0, 0)
      }
      return UnsafeMutableRawPointer(bitPattern: found.address).map { ($0, found.number) }
    }

    func push(_ block: UnsafeMutableRawPointer, _ number: Int) {
      let address = UInt(bitPattern: block)
      heads.withLock { heads in
        UnsafeMutableRawPointer(bitPattern: address)?.storeBytes(of: heads[number], as: UInt.self)
        heads[number] = address
      }
    }
  }

  /// What may be kept for later: for a process whose databases have little memory.
  package static func keep(atMost byteCount: Int) {
    let before = capacity.exchange(max(0, byteCount), ordering: .relaxed)
    if before > byteCount { release() }
  }

  /// Gives all that is kept back to the system.
  package static func release() {
    for shard in shards {
      for number in 0..<(64 * 8) {
        while let block = shard.pop(number) { unmap(block, number) }
      }
    }
    mostBytes.store(takenBytes.load(ordering: .relaxed), ordering: .relaxed)
  }

  /// Where the blocks of this thread are.
  private static var own: Int {
    Int(truncatingIfNeeded: (UInt(pthread_self()) &* 0x9E37_79B9_7F4A_7C15) >> 60)
  }

  /// Memory for at least `byteCount` bytes, which hold anything.
  static func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = sizeClass(byteCount)
    let taken = takenBytes.add(size.byteCount, ordering: .relaxed).newValue
    let most = mostBytes.max(taken, ordering: .relaxed).newValue
    if keptBytes.load(ordering: .relaxed) > 0 {
      let own = own
      for offset in 0..<shards.count {
        if let block = shards[(own + offset) & 15].pop(size.number) {
          keptBytes.subtract(size.byteCount, ordering: .relaxed)
          return block
        }
      }
      drop(downTo: max(most - taken, leastKept), but: size.number)
    }
    return map(size.byteCount)
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
    let capacity = capacity.load(ordering: .relaxed)
    takenBytes.subtract(size.byteCount, ordering: .relaxed)
    // One alone is not to take the place of all others.
    guard size.byteCount <= capacity / 2 else {
      munmap(block, size.byteCount)
      return
    }
    keptBytes.add(size.byteCount, ordering: .relaxed)
    // Sizes that nobody asks for any more go first.
    drop(downTo: capacity, but: size.number)
    let own = own
    shards[own].push(block, size.number)
    if keptBytes.load(ordering: .relaxed) > capacity, let last = shards[own].pop(size.number) {
      unmap(last, size.number)
    }
  }

  /// Gives back what is kept beyond `byteCount` bytes, but no blocks of one class.
  private static func drop(downTo byteCount: Int, but number: Int) {
    let own = own
    for offset in 0..<shards.count {
      while keptBytes.load(ordering: .relaxed) > byteCount {
        guard let other = shards[(own + offset) & 15].popOther(than: number) else { break }
        unmap(other.block, other.number)
      }
    }
  }

  private static func unmap(_ block: UnsafeMutableRawPointer, _ number: Int) {
    keptBytes.subtract(sizeOfClass(number), ordering: .relaxed)
    munmap(block, sizeOfClass(number))
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
