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
  private let spilled = Mutex<SpillFile?>(nil)

  package init(
    workerCount: Int = 1, batchRows: Int = EngineLimits.batchRows,
    memory: MemoryBroker = MemoryBroker(limit: .max)
  ) {
    self.workerCount = max(1, workerCount)
    self.batchRows = max(1, batchRows)
    self.memory = memory
    // Kernels know the statement's; outside statements each context has its own.
    allowance = memory.limit == .max ? .unlimited : SessionTime.current.memory
    let ambient = Cancellation.current
    cancellation = ambient === Cancellation.never ? Cancellation() : ambient
  }

  /// The statement's temporary file, made when it is first asked for.
  package func spillFile() throws -> SpillFile {
    try spilled.withLock { file in
      if let file { return file }
      let made = try SpillFile(memory.spillSpace)
      file = made
      return made
    }
  }

  /// The file goes with the last operator that has rows in it: the statement has ended.
  func closeSpillFile() { spilled.withLock { $0 = nil } }

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
