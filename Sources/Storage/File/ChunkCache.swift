import Columnar
import Synchronization

/// Decoded columns of a file, by number, for as long as nothing else needs their memory. Chunks never
/// change, so nothing in it grows old; what has not been asked for since the hand last passed goes
/// first (second chance).
///
/// Bytes are taken from `memory` before a column is kept, and given back when it goes. Order of locks:
/// `memory` is never called with the lock held, since it may call `reclaim` of this or another cache.
package final class ChunkCache: Sendable {
  private struct Entry {
    let column: Column
    let byteCount: Int
    var isUsed: Bool
  }

  private struct Content {
    var entries: [Int64: Entry] = [:]
    /// Keys in the order of the hand; nil where one was dropped. The next new one comes there, behind
    /// the hand: it is looked at last.
    var order: [Int64?] = []
    var free: [Int] = []
    var hand = 0
    var byteCount = 0
    var isClosed = false
  }

  private let content = Mutex(Content())
  private let memory: any CacheMemory

  package init(memory: any CacheMemory) {
    self.memory = memory
    memory.add(self)
  }

  deinit { memory.give(byteCount) }

  /// Bytes of the columns that are kept.
  package var byteCount: Int { content.withLock { $0.byteCount } }

  package func column(_ key: Int64) -> Column? {
    content.withLock { content in
      guard let index = content.entries.index(forKey: key) else { return nil }
      content.entries.values[index].isUsed = true
      return content.entries.values[index].column
    }
  }

  /// Keeps a column, if there is room for it.
  package func insert(_ column: Column, _ key: Int64) {
    let bytes = column.byteCount
    let isWanted = content.withLock { !$0.isClosed && $0.entries[key] == nil }
    guard isWanted, memory.take(bytes) else { return }
    let isKept = content.withLock { content in
      // Another thread may have been faster.
      if content.isClosed || content.entries[key] != nil { return false }
      content.entries[key] = Entry(column: column, byteCount: bytes, isUsed: false)
      if let place = content.free.popLast() {
        content.order[place] = key
      } else {
        content.order.append(key)
      }
      content.byteCount += bytes
      return true
    }
    if !isKept { memory.give(bytes) }
  }

  /// Drops columns of at least `bytes` together, or all; gives what they took.
  @discardableResult
  package func reclaim(_ bytes: Int) -> Int {
    var dropped: [Column] = []
    let freed = content.withLock { ChunkCache.drop(bytes, of: &$0, into: &dropped) }
    if freed > 0 { memory.give(freed) }
    return freed
  }

  /// Drops everything, and keeps nothing any more: the file is no longer the database's.
  package func close() {
    content.withLock { $0.isClosed = true }
    reclaim(.max)
  }

  /// The columns themselves go when the lock has been left.
  private static func drop(_ bytes: Int, of content: inout Content, into dropped: inout [Column])
    -> Int
  {
    var freed = 0
    while freed < bytes, !content.entries.isEmpty {
      if content.hand >= content.order.count { content.hand = 0 }
      defer { content.hand += 1 }
      guard let key = content.order[content.hand] else { continue }
      if bytes - freed < content.byteCount, content.entries[key]?.isUsed ?? false {
        content.entries[key]?.isUsed = false
        continue
      }
      if let gone = content.entries.removeValue(forKey: key) {
        content.byteCount -= gone.byteCount
        freed += gone.byteCount
        dropped.append(gone.column)
      }
      content.order[content.hand] = nil
      content.free.append(content.hand)
    }
    return freed
  }
}
