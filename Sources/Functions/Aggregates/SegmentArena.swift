import Columnar
import Synchronization

/// Zero-filled memory that is given out piece by piece and lives as long as the arena, and the bytes
/// of the long strings in it. Whoever reads pieces of another's arena keeps that arena.
///
/// Its bytes are counted by one of those who keep it: by its maker, and when that is gone by the
/// first of the others who asks.
final class SegmentArena {
  let heap = StringHeap()
  /// Who counts: an object's address, 0 for nobody.
  private let counter = Atomic<UInt>(0)
  private var blocks: [StateMemory] = []
  private var cursor: UnsafeMutableRawPointer?
  private var free = 0
  private var nextBlock = 4096
  private var blockBytes = 0

  private static let largestBlock = 8 << 20

  var byteCount: Int { blockBytes + heap.byteCount }

  /// The arena's bytes when `keeper` counts them, else 0.
  func byteCount(for keeper: AnyObject) -> Int {
    let own = SegmentArena.address(keeper)
    let before = counter.compareExchange(
      expected: 0, desired: own, ordering: .acquiringAndReleasing
    ).original
    return before == 0 || before == own ? byteCount : 0
  }

  /// The keeper goes: another may count from now on.
  func leave(_ keeper: AnyObject) {
    _ = counter.compareExchange(
      expected: SegmentArena.address(keeper), desired: 0, ordering: .acquiringAndReleasing)
  }

  private static func address(_ keeper: AnyObject) -> UInt {
    UInt(bitPattern: Unmanaged.passUnretained(keeper).toOpaque())
  }

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
