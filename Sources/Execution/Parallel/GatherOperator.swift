import Columnar
import Diagnostics

/// The exchange that ends a parallel region: runs one copy of the tree below per worker and hands
/// their batches on in the order of the source's morsels, so a parallel scan gives rows in the
/// order of a serial one.
package final class GatherOperator: SkippingSource {
  private let state: GatherState
  private let region: Region
  private var isStarted = false
  private var isFinished = false

  /// `makeSource` builds the copy of one worker; it runs on the calling thread. `waiting` says how
  /// many workers are held up at a barrier.
  package init(
    query: QueryContext, workers: Int, makeSource: (Worker) throws -> any BatchSource,
    waiting: @escaping @Sendable () -> Int, barriers: @escaping @Sendable (any Error) -> Void
  ) throws {
    state = GatherState(workers: workers, waiting: waiting)
    var sources: [any BatchSource] = []
    for index in 0..<workers {
      sources.append(try makeSource(Worker(query: query, index: index, count: workers)))
    }
    region = Region(query: query, sources: sources, state: state, breakBarriers: barriers)
  }

  /// Before the workers start: a scan hands partitions out to all of them in order, so that the first
  /// one may leave rows out for all.
  package func skip(_ count: Int) throws -> Int { isStarted ? 0 : try region.skip(count) }

  package func next() throws -> Batch? {
    if isFinished { return nil }
    if !isStarted {
      isStarted = true
      region.start()
    }
    let batch = try state.take()
    if batch == nil { isFinished = true }
    return batch
  }

  deinit {
    // A consumer that stops early (LIMIT, an error above) ends the workers.
    state.stop()
    if isStarted { region.breakBarriers(SQLError(.interrupted, "the region was stopped")) }
    state.waitForWorkers(started: isStarted)
  }
}

/// What the threads of a region run.
private final class Region: @unchecked Sendable {
  let query: QueryContext
  let state: GatherState
  let breakBarriers: @Sendable (any Error) -> Void
  private var sources: [(any BatchSource)?]

  /// SAFETY: each element of `sources` is touched by its own worker only, after `start`.
  init(
    query: QueryContext, sources: [any BatchSource], state: GatherState,
    breakBarriers: @escaping @Sendable (any Error) -> Void
  ) {
    self.query = query
    self.sources = sources
    self.state = state
    self.breakBarriers = breakBarriers
  }

  /// Before `start`.
  func skip(_ count: Int) throws -> Int {
    guard let first = sources.first, let first else { return 0 }
    return try Columnar.skip(count, of: first)
  }

  func start() {
    let time = SessionTime.current
    for index in sources.indices {
      let source = sources[index]
      sources[index] = nil
      let box = SourceBox(source: source)
      WorkerPool.shared.run { [self] in SessionTime.with(time) { run(index, box) } }
    }
  }

  private func run(_ index: Int, _ box: SourceBox) {
    do {
      if let source = box.source {
        while let batch = try source.next() {
          if !state.put(batch, from: index) { break }
        }
      }
      box.source = nil
      state.finish(index, nil)
    } catch {
      box.source = nil
      breakBarriers(error)
      state.finish(index, error)
    }
  }
}

/// SAFETY: handed to one thread, which alone uses it.
private final class SourceBox: @unchecked Sendable {
  var source: (any BatchSource)?
  init(source: (any BatchSource)?) { self.source = source }
}

/// A queue per worker; the consumer takes the batch of the lowest morsel.
private final class GatherState: @unchecked Sendable {
  private let lock = Lock()
  private var queues: [[Batch]]
  private var heads: [Int]
  private var finished: [Bool]
  private var failure: (any Error)?
  private var isStopped = false
  /// Batches a worker may be ahead; small, for they hold memory.
  private let capacity = 64
  private let waiting: @Sendable () -> Int

  /// SAFETY: everything is read and written under `lock`.
  init(workers: Int, waiting: @escaping @Sendable () -> Int) {
    self.waiting = waiting
    queues = Array(repeating: [], count: workers)
    heads = Array(repeating: 0, count: workers)
    finished = Array(repeating: false, count: workers)
  }

  /// False when nobody wants more.
  func put(_ batch: Batch, from worker: Int) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    while queues[worker].count - heads[worker] >= capacity && !isStopped { lock.wait() }
    if isStopped { return false }
    queues[worker].append(batch)
    let ahead = queues[worker].count - heads[worker]
    if ahead == 1 || ahead == capacity { lock.wakeAll() }
    return true
  }

  func finish(_ worker: Int, _ error: (any Error)?) {
    lock.lock()
    finished[worker] = true
    // The first cause wins: what others throw when their barrier breaks is the same error.
    if let error, failure == nil, !isStopped { failure = error }
    lock.wakeAll()
    lock.unlock()
  }

  func take() throws -> Batch? {
    lock.lock()
    defer { lock.unlock() }
    while true {
      if let failure { throw failure }
      var best: Int?
      var silent = 0
      var isFull = false
      for worker in queues.indices {
        if heads[worker] < queues[worker].count {
          let sequence = queues[worker][heads[worker]].sequence
          if queues[worker].count - heads[worker] >= capacity { isFull = true }
          if best.map({ sequence < queues[$0][heads[$0]].sequence }) ?? true { best = worker }
        } else if !finished[worker] {
          silent += 1
        }
      }
      // Workers at a barrier (a right join's, before its unmatched rows) wait for one that can put no
      // more here; what they give later comes after its batches.
      if silent == 0 || (isFull && waiting() >= silent) {
        guard let best else { return nil }
        let batch = queues[best][heads[best]]
        heads[best] += 1
        if heads[best] == queues[best].count {
          queues[best].removeAll(keepingCapacity: true)
          heads[best] = 0
        } else if heads[best] >= capacity {
          queues[best].removeFirst(heads[best])
          heads[best] = 0
        }
        if queues[best].count - heads[best] == capacity - 1 { lock.wakeAll() }
        return batch
      }
      // A worker that comes to a barrier wakes nobody.
      if isFull { lock.wait(milliseconds: 5) } else { lock.wait() }
    }
  }

  func stop() {
    lock.lock()
    isStopped = true
    for worker in queues.indices {
      queues[worker] = []
      heads[worker] = 0
    }
    lock.wakeAll()
    lock.unlock()
  }

  func waitForWorkers(started: Bool) {
    if !started { return }
    lock.lock()
    while finished.contains(false) { lock.wait() }
    lock.unlock()
  }
}
