import CVectorMath
import Glibc
import Synchronization

/// A few threads that run one short job together, over and over: a fork and join costs a
/// microsecond or two, because waiting threads spin a while before they sleep.
final class ThreadTeam {
  let count: Int
  private let shared: TeamState
  private var threads: [pthread_t] = []

  /// Starts `count - 1` threads; the caller of `run` is the last one. Where the system refuses a
  /// thread, the team is smaller: the work comes out the same.
  init(count: Int) {
    shared = TeamState()
    for index in 1..<max(1, count) {
      var thread = pthread_t()
      let seat = Unmanaged.passRetained(TeamSeat(state: shared, index: index))
      let status = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          // SAFETY: the retained seat made just before; taken once.
          let seat = Unmanaged<TeamSeat>.fromOpaque(argument).takeRetainedValue()
          seat.state.work(as: seat.index)
          return nil
        }, seat.toOpaque())
      guard status == 0 else {
        seat.release()
        break
      }
      threads.append(thread)
    }
    self.count = threads.count + 1
  }

  deinit {
    shared.begin(job: nil, workers: threads.count)
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Calls `job` with 0 ..< count, each on its own thread, and returns when all are done.
  func run(_ job: (Int) -> Void) {
    guard !threads.isEmpty else { return job(0) }
    withoutActuallyEscaping(job) { job in
      shared.begin(job: job, workers: threads.count)
      job(0)
      shared.waitForOthers()
      shared.forget()
    }
  }
}

private final class TeamSeat {
  let state: TeamState
  let index: Int
  init(state: TeamState, index: Int) {
    self.state = state
    self.index = index
  }
}

private final class TeamState: @unchecked Sendable {
  // SAFETY: `job` is written before `generation` is published and read after it was seen; it is
  // written again only when every worker has reported.
  private var job: ((Int) -> Void)?
  private let generation = Atomic<Int>(0)
  private let pending = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
  }

  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    mutex.deallocate()
  }

  /// A nil job ends the workers.
  func begin(job: ((Int) -> Void)?, workers: Int) {
    self.job = job
    pending.store(workers, ordering: .relaxed)
    generation.add(1, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(mutex)
      pthread_cond_broadcast(wake)
      pthread_mutex_unlock(mutex)
    }
  }

  func waitForOthers() {
    var turns = 0
    while pending.load(ordering: .acquiring) > 0 {
      turns += 1
      // On a crowded machine the other thread may need this core.
      if turns > 2000 { sched_yield() } else { apus_pause() }
    }
  }

  func forget() { job = nil }

  func work(as index: Int) {
    var seen = 0
    while true {
      var turns = 0
      while generation.load(ordering: .acquiring) == seen {
        turns += 1
        if turns < 2000 {
          apus_pause()
        } else {
          sleep(after: seen)
        }
      }
      seen += 1
      guard perform(as: index) else { return }
      pending.subtract(1, ordering: .releasing)
    }
  }

  /// Not inlined, so that this thread's hold on the closure has ended before the caller of `run`
  /// hears of it: the closure does not outlive `run`.
  @inline(never)
  private func perform(as index: Int) -> Bool {
    guard let job else { return false }
    job(index)
    return true
  }

  private func sleep(after seen: Int) {
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen {
      pthread_cond_wait(wake, mutex)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
  }
}
