import Columnar
import Diagnostics
import Glibc

/// Where the workers of a region meet between the phases of a pipeline breaker. When one fails, it
/// breaks the barrier and the others throw instead of waiting for ever.
package final class TeamBarrier: @unchecked Sendable {
  private let parties: Int
  private var waiting = 0
  private var generation = 0
  private var failure: (any Error)?
  private let lock = Lock()

  /// SAFETY: every field is read and written under `lock`.
  package init(parties: Int) { self.parties = parties }

  /// Returns when all parties have called it; true for exactly one of them, the last to come.
  /// Throws the error with which another party broke the barrier, or `.interrupted`.
  @discardableResult
  package func wait(_ query: QueryContext) throws -> Bool {
    lock.lock()
    defer { lock.unlock() }
    if let failure { throw failure }
    waiting += 1
    if waiting == parties {
      waiting = 0
      generation += 1
      lock.wakeAll()
      return true
    }
    let mine = generation
    while generation == mine {
      if let failure { throw failure }
      lock.wait(milliseconds: 50)
      if query.isCancelled && generation == mine {
        throw SQLError(.interrupted, "the query was cancelled")
      }
    }
    return false
  }

  /// How many wait for the others at this moment.
  package var waitingCount: Int { lock.withLock { waiting } }

  /// Makes every present and later wait throw `error`.
  package func breakBarrier(_ error: any Error) {
    lock.lock()
    if failure == nil { failure = error }
    lock.wakeAll()
    lock.unlock()
  }
}

/// A pthread mutex with its condition.
package final class Lock: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// SAFETY: both live at fixed addresses until `deinit`.
  package init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  package func lock() { pthread_mutex_lock(mutex) }
  package func unlock() { pthread_mutex_unlock(mutex) }
  package func wakeAll() { pthread_cond_broadcast(condition) }
  package func wait() { pthread_cond_wait(condition, mutex) }

  package func wait(milliseconds: Int) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var nanoseconds = now.tv_nsec + milliseconds * 1_000_000
    now.tv_sec += nanoseconds / 1_000_000_000
    nanoseconds %= 1_000_000_000
    now.tv_nsec = nanoseconds
    pthread_cond_timedwait(condition, mutex, &now)
  }

  package func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
    lock()
    defer { unlock() }
    return try body()
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }
}
