import CSystem
import Columnar
import Glibc
import Synchronization

/// Gives what `free` and `LargeBlocks` have kept back to the system. It would stay in the process
/// otherwise, and after a spill it would count as if it were still in use.
func returnFreedMemory() {
  LargeBlocks.release()
  malloc_trim(0)
}

/// Gives freed memory back once no statement has run for a moment: at the end of each it would cost
/// the next one the faults to get it again.
enum IdleMemory {
  private static let pause = 250_000_000
  /// What is worth the call.
  private static let least = 32 << 20
  private static let lastEnd = Atomic<Int>(0)
  private static let isWaiting = Atomic<Bool>(false)
  private static let running = Atomic<Int>(0)

  /// Gives the moment, which `statementEnded` wants to know.
  static func statementStarted() -> Int {
    running.wrappingAdd(1, ordering: .relaxed)
    return monotonicNanoseconds()
  }

  /// A statement that began at `start` has ended.
  static func statementEnded(start: Int) {
    running.wrappingSubtract(1, ordering: .relaxed)
    let now = monotonicNanoseconds()
    // Quick ones hold little, and are not to be slowed down.
    if now - start < 5_000_000 { return }
    lastEnd.store(now, ordering: .relaxed)
    if isWaiting.exchange(true, ordering: .relaxed) { return }
    WorkerPool.shared.run { wait() }
  }

  private static func wait() {
    while true {
      let left = lastEnd.load(ordering: .relaxed) + pause - monotonicNanoseconds()
      if left <= 0 { break }
      usleep(UInt32(clamping: left / 1000 + 1))
    }
    isWaiting.store(false, ordering: .relaxed)
    // The end of the one that runs now comes here again.
    if running.load(ordering: .relaxed) > 0 { return }
    LargeBlocks.release()
    if mallinfo2().fordblks >= least { malloc_trim(0) }
  }
}
