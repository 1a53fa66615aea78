/// Owned, uninitialised memory, 64-byte aligned when it is large enough for that to matter.
/// Columns hold buffers alive through their owners; nothing points into one that no column owns.
/// Sizes of a batch come from the thread's `BlockCache`.
package final class Buffer: @unchecked Sendable {
  package let pointer: UnsafeMutableRawPointer
  package let byteCount: Int
  private let statement: LargeMemory?

  /// SAFETY: the pointer is owned alone and freed once, in `deinit`; writers finish before the
  /// buffer is shared between threads.
  package init(byteCount: Int) {
    self.byteCount = byteCount
    pointer = BlockCache.take(byteCount)
    statement = LargeMemory.take(byteCount)
  }

  deinit {
    statement?.give(byteCount)
    BlockCache.give(pointer, byteCount)
  }
}

/// Where the bytes of long strings live: blocks that are never moved and go all at once.
package final class StringHeap: @unchecked Sendable {
  private var blocks: [(start: UnsafeMutableRawPointer, byteCount: Int)] = []
  private var free: Int = 0
  private var cursor: UnsafeMutableRawPointer?
  private var nextBlock = 4096
  package private(set) var byteCount = 0
  private var large: [(statement: LargeMemory, bytes: Int)] = []

  package init() {}

  /// Room for `count` bytes that lives as long as the heap. Not thread-safe: one writer.
  package func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if count > free || cursor == nil {
      let size = max(count, nextBlock)
      nextBlock = min(nextBlock * 2, 1 << 20)
      let block = BlockCache.take(size)
      blocks.append((block, size))
      byteCount += size
      if let statement = LargeMemory.take(size) { large.append((statement, size)) }
      cursor = block
      free = size
    }
    guard let start = cursor else { preconditionFailure("a block was just made") }
    cursor = start + count
    free -= count
    return start.assumingMemoryBound(to: UInt8.self)
  }

  /// A view of a copy of the bytes; short strings are stored in the view and need no room here.
  @inline(__always)
  package func store(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> StringView {
    if count <= StringView.inlineCapacity { return StringView(inline: bytes, count) }
    let copy = allocate(count)
    copy.update(from: bytes, count: count)
    return StringView(pointer: UnsafePointer(copy), count)
  }

  /// A view that does not depend on where the original's bytes live.
  @inline(__always)
  package func store(_ view: StringView) -> StringView {
    if view.isInline { return view }
    return store(view.longPointer, view.count)
  }

  package func store(_ text: String) -> StringView {
    var text = text
    return text.withUTF8 { bytes in
      guard let start = bytes.baseAddress else { return StringView() }
      return store(start, bytes.count)
    }
  }

  deinit {
    for (statement, bytes) in large { statement.give(bytes) }
    for block in blocks { BlockCache.give(block.start, block.byteCount) }
  }
}
