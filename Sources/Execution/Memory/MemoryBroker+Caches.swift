import Storage

// What caches hold besides the operators. They may fill a quarter of the limit, up to 256 MiB, while
// operators do not need it: whoever would be refused, or told to spill, has the caches give back first.
extension MemoryBroker: CacheMemory {
  /// What all caches together may hold. More than the columns of one query is not worth the memory:
  /// chunks decode at gigabytes a second.
  private var cacheLimit: Int { min(limit / 4, 256 << 20) }

  package func add(_ cache: ChunkCache) { caches.withLock { $0.add(cache) } }

  package func take(_ bytes: Int) -> Bool {
    if takeIfThereIsRoom(bytes) { return true }
    if bytes > cacheLimit { return false }
    // The largest cache gives, be it this one: so each file comes to its part.
    reclaim(bytes)
    return takeIfThereIsRoom(bytes)
  }

  package func give(_ bytes: Int) { cachedBytes.wrappingSubtract(bytes, ordering: .relaxed) }

  /// A statement that is to spill must not do so earlier for what is cached meanwhile: so caches keep
  /// below the place where that begins.
  private func takeIfThereIsRoom(_ bytes: Int) -> Bool {
    var known = cached
    while true {
      let (next, isTooMuch) = known.addingReportingOverflow(bytes)
      if isTooMuch || next > cacheLimit || next > spillLimit - max(0, current) { return false }
      let result = cachedBytes.compareExchange(
        expected: known, desired: next, ordering: .sequentiallyConsistent)
      if result.exchanged {
        // An operator that has taken meanwhile saw either this, or is seen here.
        if next <= spillLimit - max(0, current) { return true }
        give(bytes)
        return false
      }
      known = result.original
    }
  }

  /// Has caches drop columns of `bytes`, if they have as many; the largest first.
  ///
  /// No lock is held while a cache is asked: it takes its own, and calls `give` without it. So a
  /// cache that takes memory and one that is asked for it never wait for each other.
  func reclaim(_ bytes: Int) {
    var left = min(bytes, cached)
    if left <= 0 { return }
    let known = caches.withLock { $0.living }.map { (cache: $0, byteCount: $0.byteCount) }
    for (cache, _) in known.sorted(by: { $0.byteCount > $1.byteCount }) where left > 0 {
      left -= cache.reclaim(left)
    }
  }

  /// What is cached beyond a limit that has become lower.
  func shrinkCaches() {
    reclaim(max(cached - cacheLimit, current + cached - spillLimit))
  }
}

/// Caches that nobody keeps alive for the broker's sake.
struct WeakCaches: Sendable {
  private struct Box: Sendable {
    private(set) weak var cache: ChunkCache?

    init(_ cache: ChunkCache) { self.cache = cache }
  }

  private var boxes: [Box] = []

  var living: [ChunkCache] { boxes.compactMap(\.cache) }

  mutating func add(_ cache: ChunkCache) {
    boxes.removeAll { $0.cache == nil }
    boxes.append(Box(cache))
  }
}
