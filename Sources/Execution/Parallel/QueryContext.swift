import Columnar
import Diagnostics
import Synchronization

/// What all workers of one running statement share: whether to go on, how wide to run, and whose
/// memory it is.
package final class QueryContext: Sendable {
  /// Workers that run each parallel region.
  package let workerCount: Int
  /// Rows per batch that sources make.
  package let batchRows: Int
  package let memory: MemoryBroker
  private let allowance: MemoryAllowance
  package let progress = QueryProgress()
  private let cancellation: Cancellation

  package init(
    workerCount: Int = 1, batchRows: Int = EngineLimits.batchRows,
    memory: MemoryBroker = MemoryBroker(limit: .max)
  ) {
    self.workerCount = max(1, workerCount)
    self.batchRows = max(1, batchRows)
    self.memory = memory
    allowance = MemoryAllowance(limit: memory.limit)
    // Kernels know the statement's; outside statements each context has its own.
    let ambient = Cancellation.current
    cancellation = ambient === Cancellation.never ? Cancellation() : ambient
  }

  /// Asks every worker to stop at its next batch, or within one that takes long. Safe from any
  /// thread.
  package func cancel() { cancellation.request() }

  package var isCancelled: Bool { cancellation.isRequested }

  /// Throws `.interrupted` once `cancel` was called, `.outOfMemory` when the statement's large
  /// buffers are past the limit, whoever holds them: sources and breakers call it once a batch.
  @inline(__always)
  package func checkCancelled() throws {
    try cancellation.check()
    try allowance.check(0)
  }
}

/// Keeps the sum of what operators hold under the limit. Reservations come in steps, not per row.
package final class MemoryBroker: Sendable {
  package let limit: Int
  private let held: Atomic<Int>
  private let peakHeld: Atomic<Int>

  package init(limit: Int) {
    self.limit = limit
    held = Atomic(0)
    peakHeld = Atomic(0)
  }

  package var current: Int { held.load(ordering: .relaxed) }
  package var peak: Int { peakHeld.load(ordering: .relaxed) }

  /// Takes `bytes` more (or gives back, when negative). `.outOfMemory`, naming who asked, when the
  /// limit forbids it; then nothing was taken.
  package func reserve(_ bytes: Int, for holder: String) throws {
    let total = held.wrappingAdd(bytes, ordering: .relaxed).newValue
    if bytes > 0 && total > limit {
      held.wrappingSubtract(bytes, ordering: .relaxed)
      throw SQLError(
        .outOfMemory,
        "\(holder) needs \(bytes >> 20) MiB more, but \((total - bytes) >> 20) of "
          + "\(limit >> 20) MiB are in use",
        hint: "raise the limit with SET memory_limit = '…'")
    }
    var seen = peakHeld.load(ordering: .relaxed)
    while total > seen {
      let result = peakHeld.compareExchange(expected: seen, desired: total, ordering: .relaxed)
      if result.exchanged { break }
      seen = result.original
    }
  }
}

/// What one operator holds, told to the broker when it changes and given back when it goes.
package final class MemoryHolder {
  private let broker: MemoryBroker
  private let name: String
  package private(set) var bytes = 0
  package private(set) var peak = 0

  package init(_ broker: MemoryBroker, _ name: String) {
    self.broker = broker
    self.name = name
  }

  /// Says that `bytes` are held now. Cheap while the change is under 64 KiB: those are not told.
  package func hold(_ bytes: Int) throws {
    let change = bytes - self.bytes
    if change > -65_536 && change < 65_536 && bytes != 0 { return }
    try broker.reserve(change, for: name)
    self.bytes = bytes
    peak = max(peak, bytes)
  }

  deinit { if bytes != 0 { try? broker.reserve(-bytes, for: name) } }
}

/// One of the threads that run a parallel region, as the operators built for it see it.
package struct Worker: Sendable {
  package let query: QueryContext
  /// 0 ..< count.
  package let index: Int
  /// Workers that run copies of this operator together: `query.workerCount`, or 1 in a serial region.
  package let count: Int

  package init(query: QueryContext, index: Int = 0, count: Int = 1) {
    self.query = query
    self.index = index
    self.count = count
  }
}
