import Columnar

/// Zero-filled memory that is given out piece by piece and lives as long as the arena, and the bytes
/// of the long strings in it. Whoever reads pieces of another's arena keeps that arena.
final class SegmentArena {
  let heap = StringHeap()
  private var blocks: [StateMemory] = []
  private var cursor: UnsafeMutableRawPointer?
  private var free = 0
  private var nextBlock = 4096
  private var blockBytes = 0

  private static let largestBlock = 8 << 20

  var byteCount: Int { blockBytes + heap.byteCount }

  /// Room for `byteCount` bytes, aligned to 16.
  func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let rounded = (byteCount + 15) & ~15
    if let start = cursor, rounded <= free {
      cursor = start + rounded
      free -= rounded
      return start
    }
    let block = StateMemory(stride: 1, count: max(rounded, nextBlock))
    nextBlock = min(nextBlock * 2, SegmentArena.largestBlock)
    blocks.append(block)
    blockBytes += block.byteCount
    cursor = block.pointer + rounded
    free = block.byteCount - rounded
    return block.pointer
  }
}
