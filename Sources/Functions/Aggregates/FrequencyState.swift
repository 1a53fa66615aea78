import Columnar
import Diagnostics
import Glibc

/// What an aggregate makes of how often each value of a group comes.
enum FrequencyResult {
  /// Shannon's entropy in bits.
  case entropy
  /// A MAP from each value, in ascending order, to its count.
  case histogram
  /// The value with the greatest count, of several the one that came first.
  case mode
  /// As many values as the second argument says, the most frequent first.
  case top
}

/// mode, histogram, entropy and approx_top_k: each different value of a group once, with its count.
/// One hash table over all groups, so that many small groups cost no more than one large.
final class FrequencyState<T: StateValue>: AggregateState {
  private let purpose: FrequencyResult
  private let item: LogicalType
  private let result: LogicalType
  // An entry is a group and a value of it; entries are numbered as they came.
  private let values = StateMemory(stride: MemoryLayout<T>.stride)
  private let counts = StateMemory(stride: 8)
  /// Of the values alone.
  private let hashes = StateMemory(stride: 8)
  private let groups = StateMemory(stride: 4)
  private let chains = GroupChains()
  private var entryCount = 0
  /// Number of an entry plus one, by hash and group, open to the next; 0 for none. A power of two of
  /// them.
  private var slots = StateMemory(stride: 4, count: 64)
  private let heap = StringHeap()
  private var wanted: Value?

  init(_ purpose: FrequencyResult, item: LogicalType, result: LogicalType) {
    self.purpose = purpose
    self.item = item
    self.result = result
  }

  var byteCount: Int {
    values.byteCount + counts.byteCount + hashes.byteCount + groups.byteCount + chains.byteCount
      + slots.byteCount + heap.byteCount
  }

  func resize(groups count: Int) { chains.resize(groups: count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) {
    if count == 0 { return }
    if purpose == .top && wanted == nil { wanted = arguments[1].value(0) }
    let memory = Buffer(byteCount: count * 8)
    let words = memory.pointer.assumingMemoryBound(to: UInt64.self)
    Hashing.hash(arguments[0], into: words, combining: false)
    reserve(count)
    let before = entryCount
    forEachValid(arguments[0], T.self, count) { row, value in
      add(value, words[row], groups[row], times: 1)
    }
    withExtendedLifetime(memory) {}
    link(from: before)
  }

  func update(_ arguments: [Column], count: Int) {
    withGroupZero(count) { update(arguments, groups: $0, count: count) }
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let other = sameState(other, as: FrequencyState<T>.self)
    if wanted == nil { wanted = other.wanted }
    let theirs = other.values.values(T.self)
    let theirCounts = other.counts.values(Int64.self)
    let theirHashes = other.hashes.values(UInt64.self)
    let before = entryCount
    for position in 0..<count {
      other.chains.forEachRow(of: Int(source[position])) { entry in
        reserve(1)
        add(theirs[entry], theirHashes[entry], target[position], times: theirCounts[entry])
      }
    }
    link(from: before)
  }

  /// Room for so many more entries.
  private func reserve(_ more: Int) {
    let most = entryCount + more
    values.resize(most)
    counts.resize(most)
    hashes.resize(most)
    groups.resize(most)
    if most * 2 <= slots.count { return }
    var size = slots.count
    while size < most * 2 { size *= 2 }
    slots = StateMemory(stride: 4, count: size)
    let places = slots.values(UInt32.self)
    let known = hashes.values(UInt64.self)
    let owners = groups.values(UInt32.self)
    for entry in 0..<entryCount {
      var slot = FrequencyState.slot(known[entry], owners[entry]) & (size - 1)
      while places[slot] != 0 { slot = (slot + 1) & (size - 1) }
      places[slot] = UInt32(truncatingIfNeeded: entry + 1)
    }
  }

  @inline(__always)
  private static func slot(_ hash: UInt64, _ group: UInt32) -> Int {
    Int(truncatingIfNeeded: Hashing.combine(hash, UInt64(group)))
  }

  @inline(__always)
  private func add(_ value: T, _ hash: UInt64, _ group: UInt32, times: Int64) {
    let places = slots.values(UInt32.self)
    let known = hashes.values(UInt64.self)
    let mask = slots.count - 1
    var slot = FrequencyState.slot(hash, group) & mask
    while places[slot] != 0 {
      let entry = Int(places[slot]) - 1
      if known[entry] == hash, groups.values(UInt32.self)[entry] == group,
        T.isSame(values.values(T.self)[entry], value)
      {
        counts.values(Int64.self)[entry] &+= times
        return
      }
      slot = (slot + 1) & mask
    }
    values.values(T.self)[entryCount] = value.stored(in: heap)
    counts.values(Int64.self)[entryCount] = times
    known[entryCount] = hash
    groups.values(UInt32.self)[entryCount] = group
    entryCount += 1
    places[slot] = UInt32(truncatingIfNeeded: entryCount)
  }

  /// Gives the entries from one on to their groups.
  private func link(from first: Int) {
    if entryCount > first {
      chains.append(groups.values(UInt32.self) + first, count: entryCount - first)
    }
  }

  // MARK: Results

  func finish(first: Int, count: Int) throws -> Column {
    switch purpose {
    case .entropy: resultColumn(result, count, zero: 0.0) { entropy(of: first + $0) }
    case .mode:
      resultColumn(result, count, zero: T.zero, heaps: T.isString ? [heap] : []) {
        mode(of: first + $0)
      }
    case .histogram: try histograms(first, count)
    case .top: try lists(first, count, of: chosen)
    }
  }

  private func entropy(of group: Int) -> Double {
    let known = counts.values(Int64.self)
    var total: Int64 = 0
    chains.forEachRow(of: group) { total += known[$0] }
    var sum = 0.0
    chains.forEachRow(of: group) { entry in
      let share = Double(known[entry]) / Double(total)
      sum -= share * log2(share)
    }
    return sum
  }

  private func mode(of group: Int) -> T? {
    let known = counts.values(Int64.self)
    var best: Int?
    chains.forEachRow(of: group) { entry in
      if best.map({ known[entry] > known[$0] }) ?? true { best = entry }
    }
    return best.map { values.values(T.self)[$0] }
  }

  private func entries(of group: Int) -> [Int] {
    var found: [Int] = []
    chains.forEachRow(of: group) { found.append($0) }
    return found
  }

  /// The entries that a group's list has, in its order.
  private func chosen(_ group: Int) throws -> [Int] {
    let known = counts.values(Int64.self)
    let all = entries(of: group)
    if all.isEmpty { return [] }
    let most = try listedCount(wanted.map { [$0] } ?? [], "approx_top_k")
    let sorted = all.sorted { a, b in
      known[a] == known[b] ? a < b : known[a] > known[b]
    }
    return Array(sorted.prefix(most))
  }

  private func histograms(_ first: Int, _ count: Int) throws -> Column {
    let own = values.values(T.self)
    return try lists(first, count) { entries(of: $0).sorted { T.sortsBefore(own[$0], own[$1]) } }
  }

  /// A list of each group's chosen entries, or a map from their values to their counts; NULL where
  /// there are none.
  private func lists(
    _ first: Int, _ count: Int, of choose: (Int) throws -> [Int]
  ) throws -> Column {
    var runs: [ListEntry] = []
    var listed: [Int] = []
    for group in first..<(first + count) {
      let own = try choose(group)
      runs.append(ListEntry(offset: listed.count, length: own.count))
      listed += own
    }
    let own = values.values(T.self)
    let known = counts.values(Int64.self)
    var items = resultColumn(item, listed.count, zero: T.zero, heaps: T.isString ? [heap] : []) {
      own[listed[$0]]
    }
    if purpose == .histogram {
      let numbers = resultColumn(.ubigint, listed.count, zero: Int64(0)) { known[listed[$0]] }
      items = MapKernels.entries(result, items, numbers)
    }
    let column = Column(flat: result, count: count, children: [items])
    let target = column.values(as: ListEntry.self)
    for (row, run) in runs.enumerated() {
      target[row] = run
      if run.length == 0 { column.setNull(row) }
    }
    return column
  }
}

/// Makes the state for values of a type that is not nested.
struct FrequencyMaker: StateMaking {
  let purpose: FrequencyResult
  let item: LogicalType
  let result: LogicalType
  @inline(__always)
  func make<T: StateValue>(_ type: T.Type) -> any AggregateState {
    SpecialisedState(FrequencyState<T>(purpose, item: item, result: result))
  }
}

/// The overload that counts its first argument's values.
func frequency(
  _ purpose: FrequencyResult, _ second: ArgumentRule? = nil,
  result: @escaping @Sendable ([LogicalType]) -> LogicalType
) -> AggregateOverload {
  let make: @Sendable ([LogicalType], LogicalType) -> any AggregateState = { types, result in
    // Of nested values, which are kept as bytes, mode gives one and the others elements of a list.
    keepingBytes(types, result, resultElement: purpose == .histogram || purpose == .top) {
      types, result in
      makeState(types[0], FrequencyMaker(purpose: purpose, item: types[0], result: result))
    }
  }
  if let second { return signature(asItIs, second, result: result, state: make) }
  return signature(asItIs, result: result, state: make)
}
