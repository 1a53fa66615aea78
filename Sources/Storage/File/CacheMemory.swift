/// Who says how much caches may hold: one for all files of a database. The operators of its
/// statements take from the same.
package protocol CacheMemory: AnyObject, Sendable {
  /// Will be asked to give memory back from now on, for as long as it lives.
  func add(_ cache: ChunkCache)
  /// Takes bytes for a cache, for which it and others may have to drop columns; false, with nothing
  /// taken, when there is no room all the same. No lock of the cache's is held.
  func take(_ bytes: Int) -> Bool
  /// Gives back what was taken.
  func give(_ bytes: Int)
}
