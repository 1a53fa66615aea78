import Columnar
import Synchronization

/// Decoded columns of a file, by number, up to a limit of bytes. Chunks never change, so nothing in
/// it grows old; what has not been asked for since the hand last passed goes first (second chance).
package final class ChunkCache: Sendable {
  private struct Entry {
    let column: Column
    let byteCount: Int
    var isUsed: Bool
  }

  private struct Content {
    var entries: [Int64: Entry] = [:]
    /// Keys in the order of the hand.
    var order: [Int64] = []
    var hand = 0
    var byteCount = 0
    var limit = 1 << 30
  }

  private let content = Mutex(Content())

  /// Bytes of the columns that are kept.
  package var byteCount: Int { content.withLock { $0.byteCount } }

  /// Bytes that may be kept; what is more goes at once.
  package var limit: Int {
    get { content.withLock { $0.limit } }
    set {
      content.withLock {
        if $0.limit == newValue { return }
        $0.limit = newValue
        ChunkCache.shrink(&$0)
      }
    }
  }

  func column(_ key: Int64) -> Column? {
    content.withLock { content in
      guard let index = content.entries.index(forKey: key) else { return nil }
      content.entries.values[index].isUsed = true
      return content.entries.values[index].column
    }
  }

  func insert(_ column: Column, _ key: Int64) {
    let bytes = column.byteCount
    content.withLock { content in
      if content.entries[key] != nil || bytes > content.limit { return }
      content.entries[key] = Entry(column: column, byteCount: bytes, isUsed: false)
      content.order.append(key)
      content.byteCount += bytes
      ChunkCache.shrink(&content)
    }
  }

  private static func shrink(_ content: inout Content) {
    while content.byteCount > content.limit, !content.order.isEmpty {
      if content.hand >= content.order.count { content.hand = 0 }
      let key = content.order[content.hand]
      if content.entries[key]?.isUsed ?? false {
        content.entries[key]?.isUsed = false
        content.hand += 1
        continue
      }
      if let gone = content.entries.removeValue(forKey: key) {
        content.byteCount -= gone.byteCount
      }
      content.order.swapAt(content.hand, content.order.count - 1)
      content.order.removeLast()
    }
  }
}
