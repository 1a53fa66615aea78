import Columnar
import Diagnostics
import Synchronization

/// Keeps the sum of what the operators of one database's statements hold under the limit, and says
/// who must write rows to disk when it runs out. Reservations come in steps, not per row.
///
/// What counts: hash tables, aggregate states, rows collected by sorts, joins, windows and shared
/// queries, and the decoded chunks that caches keep until operators need the room. What does not:
/// tables in memory, and what streams through (a few batches and a scan's decoded chunk a worker),
/// for which a third of the limit is left free.
package final class MemoryBroker: Sendable {
  private let limitBytes: Atomic<Int>
  private let held = Atomic<Int>(0)
  private let peakHeld = Atomic<Int>(0)
  /// Besides `held`: what caches hold.
  let cachedBytes = Atomic<Int>(0)
  let caches = Mutex(WeakCaches())
  /// Operators that could spill now.
  private let spillable = Mutex<[ObjectIdentifier: SpillAccount]>([:])
  package let spillSpace = SpillSpace()

  package init(limit: Int) {
    limitBytes = Atomic(limit)
    keepBlocks(limit)
  }

  package var limit: Int {
    get { limitBytes.load(ordering: .relaxed) }
    set {
      if limitBytes.exchange(newValue, ordering: .relaxed) > newValue { shrinkCaches() }
      keepBlocks(newValue)
    }
  }

  /// Free blocks that wait for the next use are a small part of the limit.
  private func keepBlocks(_ limit: Int) { LargeBlocks.keep(atMost: min(128 << 20, limit / 16)) }

  /// What caches hold; operators can have it.
  package var cached: Int { cachedBytes.load(ordering: .sequentiallyConsistent) }
  /// What operators hold.
  package var current: Int { held.load(ordering: .sequentiallyConsistent) }
  package var peak: Int { peakHeld.load(ordering: .relaxed) }

  /// Up to where operators that can spill may fill the memory.
  package var spillLimit: Int { limit == .max ? .max : limit / 8 * 5 }

  /// The same while spilled rows are worked off, part by part, beside what stayed in memory.
  package var partitionLimit: Int { limit == .max ? .max : limit / 8 * 7 }

  /// What an operator may take whoever else holds how much: less would spill row by row.
  private var leastShare: Int { max(1 << 16, limit / 32) }

  /// Takes `bytes` more (or gives back, when negative). `.outOfMemory`, naming who asked, when the
  /// limit forbids it; then nothing was taken.
  package func reserve(_ bytes: Int, for holder: String) throws {
    let limit = limit
    let total = held.wrappingAdd(bytes, ordering: .sequentiallyConsistent).newValue
    if bytes > 0 { makeRoom(for: total, below: limit) }
    if bytes > 0 && total > limit {
      held.wrappingSubtract(bytes, ordering: .relaxed)
      throw SQLError(
        .outOfMemory,
        "\(holder) needs \(bytes >> 20) MiB more, but \((total - bytes) >> 20) of "
          + "\(limit >> 20) MiB are in use",
        hint: "raise the limit with SET memory_limit = '…'")
    }
    notePeak(total)
  }

  /// Has caches give back what operators with `total` bytes lack below a limit. Whether that is too
  /// much is then a question of `total` alone: a cache never has an operator refused.
  private func makeRoom(for total: Int, below limit: Int) {
    let excess = total + cached - limit
    if excess > 0 { reclaim(excess) }
  }

  private func notePeak(_ total: Int) {
    var seen = peakHeld.load(ordering: .relaxed)
    while total > seen {
      let result = peakHeld.compareExchange(expected: seen, desired: total, ordering: .relaxed)
      if result.exchanged { break }
      seen = result.original
    }
  }

  /// Takes what is in use already, whatever the limit says.
  func takeRegardless(_ bytes: Int) {
    let total = held.wrappingAdd(bytes, ordering: .sequentiallyConsistent).newValue
    if bytes > 0 { makeRoom(for: total, below: limit) }
    notePeak(total)
  }

  /// Takes `bytes` more for an operator that can spill; false, with nothing taken, when it should.
  /// Past `ceiling` the largest of them is asked, and who is smaller goes on for the moment.
  func reserve(_ bytes: Int, spilling account: SpillAccount, ceiling: Int) -> Bool {
    let total = held.wrappingAdd(bytes, ordering: .sequentiallyConsistent).newValue
    if bytes > 0 { makeRoom(for: total, below: ceiling) }
    if bytes > 0 && total > ceiling && mustSpill(account, after: bytes, total: total) {
      held.wrappingSubtract(bytes, ordering: .relaxed)
      return false
    }
    notePeak(total)
    return true
  }

  private func mustSpill(_ account: SpillAccount, after bytes: Int, total: Int) -> Bool {
    let wanted = account.bytes + bytes
    if wanted <= leastShare && total <= limit { return false }
    let largest = spillable.withLock { accounts in
      accounts.values.max { $0.bytes < $1.bytes }
    }
    guard let largest, largest !== account, largest.bytes >= wanted, total <= limit else {
      return true
    }
    largest.isAsked = true
    return false
  }

  func add(_ account: SpillAccount) {
    spillable.withLock { $0[ObjectIdentifier(account)] = account }
  }

  func remove(_ account: SpillAccount) {
    spillable.withLock { $0[ObjectIdentifier(account)] = nil }
  }
}

/// What one operator that can spill holds, and whether others need it.
final class SpillAccount: Sendable {
  private let byteCounter = Atomic<Int>(0)
  private let asked = Atomic<Bool>(false)

  var bytes: Int {
    get { byteCounter.load(ordering: .relaxed) }
    set { byteCounter.store(newValue, ordering: .relaxed) }
  }

  var isAsked: Bool {
    get { asked.load(ordering: .relaxed) }
    set { asked.store(newValue, ordering: .relaxed) }
  }
}

/// What one operator holds, told to the broker when it changes and given back when it goes. Used by
/// one thread.
package final class MemoryHolder {
  private let broker: MemoryBroker
  private let name: String
  private var account: SpillAccount?
  /// Of `bytes`, what spilling would not free.
  private var kept = 0
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
    note(bytes)
  }

  /// Says what is held and cannot be helped: by who stops taking more.
  package func holdRegardless(_ bytes: Int) {
    broker.takeRegardless(bytes - self.bytes)
    note(bytes)
  }

  /// As `hold`, for an operator that can write what it holds to disk: false when it should do so
  /// now. With `share`, also when it is more than that part of what all may take. `kept` is what
  /// remains of an earlier spill while partitions are worked off, for which all may take more.
  package func holdOrSpill(_ bytes: Int, share: Double = 1, kept: Int? = nil) -> Bool {
    self.kept = kept ?? 0
    let change = bytes - self.bytes
    let account = spillAccount()
    if account.isAsked {
      account.isAsked = false
      return false
    }
    if change > -65_536 && change < 65_536 && bytes != 0 { return true }
    if share < 1, change > 0, Double(bytes) > Double(broker.spillLimit) * share { return false }
    let ceiling = kept == nil ? broker.spillLimit : broker.partitionLimit
    if !broker.reserve(change, spilling: account, ceiling: ceiling) { return false }
    note(bytes)
    return true
  }

  /// From now on it cannot spill, until `holdOrSpill` is called again.
  package func keep() {
    if let account { broker.remove(account) }
    account = nil
  }

  private func spillAccount() -> SpillAccount {
    if let account { return account }
    let made = SpillAccount()
    made.bytes = bytes - kept
    broker.add(made)
    account = made
    return made
  }

  private func note(_ bytes: Int) {
    self.bytes = bytes
    account?.bytes = bytes - kept
    peak = max(peak, bytes)
  }

  deinit {
    keep()
    if bytes != 0 { try? broker.reserve(-bytes, for: name) }
  }
}
