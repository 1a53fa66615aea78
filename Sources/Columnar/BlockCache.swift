import Glibc

/// Blocks of the sizes that batches need, kept per thread for the next batch: a scan of a column
/// makes and drops one every two thousand rows, and the system's allocator splits and joins its
/// free memory anew each time. Blocks have 64-byte alignment; their sizes are rounded up to one of
/// eight steps between two powers of two.
///
/// A block may be given back on another thread than it was taken on. Each thread keeps at most
/// `capacity` bytes.
enum BlockCache {
  /// Larger blocks live longer than a batch.
  private static let largest = 128 << 10
  private static let classCount = 72
  /// Bytes that one thread may keep.
  private static let capacity = 4 << 20

  /// The free blocks of one thread: per size a chain through their first words.
  private struct Chains {
    var heads: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    var byteCount = 0
  }

  /// SAFETY: set once, before any thread can ask for it.
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { memory in
      if let memory { BlockCache.end(memory.assumingMemoryBound(to: Chains.self)) }
    }
    precondition(status == 0, "the system has no key for memory of threads left")
    return key
  }()

  /// Which size a block of `byteCount` bytes is rounded up to, and that size.
  @inline(__always)
  private static func sizeClass(_ byteCount: Int) -> (number: Int, byteCount: Int) {
    let units = max(1, (byteCount + 63) >> 6)
    if units <= 16 { return (units - 1, units << 6) }
    let step = Int.bitWidth - 1 - (units - 1).leadingZeroBitCount - 3
    let eighths = (units - 1) >> step + 1
    return (16 + (step - 1) * 8 + eighths - 9, eighths << (step + 6))
  }

  /// Memory for at least `byteCount` bytes.
  static func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if byteCount > largest { return LargeBlocks.take(byteCount) }
    let size = sizeClass(byteCount)
    if let memory = pthread_getspecific(key) {
      let chains = memory.assumingMemoryBound(to: Chains.self)
      if let block = chains.pointee.heads[size.number] {
        chains.pointee.heads[size.number] = block.load(as: UnsafeMutableRawPointer?.self)
        chains.pointee.byteCount -= size.byteCount
        return block
      }
    }
    return allocate(size.byteCount)
  }

  /// Takes back what `take` gave for as many bytes.
  static func give(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
    if byteCount > largest { return LargeBlocks.give(block, byteCount) }
    let size = sizeClass(byteCount)
    let memory = pthread_getspecific(key)?.assumingMemoryBound(to: Chains.self)
    guard let chains = memory ?? begin(), chains.pointee.byteCount + size.byteCount <= capacity
    else {
      free(block)
      return
    }
    block.storeBytes(of: chains.pointee.heads[size.number], as: UnsafeMutableRawPointer?.self)
    chains.pointee.heads[size.number] = block
    chains.pointee.byteCount += size.byteCount
  }

  private static func begin() -> UnsafeMutablePointer<Chains>? {
    let chains = UnsafeMutablePointer<Chains>.allocate(capacity: 1)
    let heads = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: classCount)
    heads.initialize(repeating: nil, count: classCount)
    chains.initialize(to: Chains(heads: heads))
    if pthread_setspecific(key, chains) == 0 { return chains }
    heads.deallocate()
    chains.deallocate()
    return nil
  }

  /// At the end of a thread.
  private static func end(_ chains: UnsafeMutablePointer<Chains>) {
    for number in 0..<classCount {
      while let block = chains.pointee.heads[number] {
        chains.pointee.heads[number] = block.load(as: UnsafeMutableRawPointer?.self)
        free(block)
      }
    }
    chains.pointee.heads.deallocate()
    chains.deallocate()
  }

  private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, 64, max(64, byteCount)) == 0, let memory = raw else {
      preconditionFailure("the system has no memory left for \(byteCount) bytes")
    }
    return memory
  }
}
