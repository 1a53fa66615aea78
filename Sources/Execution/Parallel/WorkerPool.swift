import Glibc
import NeuralNet

/// Threads that wait for work between queries, so that a parallel region starts in microseconds.
/// Grows on demand: a nested region never waits for its enclosing one.
package final class WorkerPool: @unchecked Sendable {
  package static let shared = WorkerPool()

  private let lock = Lock()
  private var idle = 0
  private var jobs: [@Sendable () -> Void] = []

  /// SAFETY: `idle` and `jobs` are read and written under `lock`.
  private init() {}

  /// Processors that this process may run on.
  package static var processorCount: Int { usableCores() }

  /// Runs the job on another thread, at once.
  package func run(_ job: @escaping @Sendable () -> Void) {
    lock.lock()
    jobs.append(job)
    if idle >= jobs.count {
      lock.wakeAll()
      lock.unlock()
      return
    }
    lock.unlock()
    startThread()
  }

  private func startThread() {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // Expression trees and operator stacks recurse: the default of secondary threads is too small
    // on some systems.
    pthread_attr_setstacksize(&attributes, 16 << 20)
    var thread = pthread_t()
    let status = pthread_create(&thread, &attributes, { _ in WorkerPool.shared.serve() }, nil)
    pthread_attr_destroy(&attributes)
    precondition(status == 0, "the system gives no more threads")
  }

  private func serve() -> UnsafeMutableRawPointer? {
    lock.lock()
    while true {
      if !jobs.isEmpty {
        let job = jobs.removeFirst()
        lock.unlock()
        job()
        lock.lock()
        continue
      }
      idle += 1
      lock.wait()
      idle -= 1
    }
  }
}
