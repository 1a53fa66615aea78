import Columnar
import Diagnostics
import Synchronization

/// What the workers of one hash join share: the build rows, the table over their keys, which of them
/// have matched. Made once per join node and execution.
package final class HashJoinShared: @unchecked Sendable {
  let workers: Int
  let barrier: TeamBarrier
  private let lock = Lock()

  let spilled = SpilledJoin()

  // Set by the first operator that comes, under `lock`.
  private var layout: BuildLayout?

  // Written between barriers, as the phases of `HashJoinBuild` say.
  var hashes: Buffer?
  var keyValidity: UnsafeMutablePointer<UInt64>?
  private var keyValidityMemory: ZeroedMemory?
  var histograms: [[Int]]
  var uniqueParts: [Bool]
  var ranges: [[ClosedRange<Int128>?]]
  private var nullKeyParts: [Bool]

  /// The table; nil while the build side is empty or the join has no keys.
  private(set) var table: JoinTable?
  /// Instead of a table: for joins by inequalities. Set by worker 0 between barriers.
  var index: OrderedIndex?
  private(set) var hasNullKeys = false
  /// The link of the first build row of NULL, where such rows match. Set by worker 0 between barriers.
  var nullHead: UInt32 = 0
  private(set) var isUnique = true
  private(set) var matched: ZeroedMemory?

  /// SAFETY: fields are written under `lock`, or per worker at its own index, and read by others
  /// only after a barrier; `matched` is written by relaxed atomic stores.
  package init(workers: Int) {
    self.workers = workers
    barrier = TeamBarrier(parties: workers)
    histograms = Array(repeating: [], count: workers)
    uniqueParts = Array(repeating: true, count: workers)
    ranges = Array(repeating: [], count: workers)
    nullKeyParts = Array(repeating: false, count: workers)
  }

  /// Smallest and largest build key per key column, for runtime filters: nil where the key is not an
  /// integer, date or time of at most 64 bits, or no row has one. Empty before the build is complete.
  package private(set) var buildKeyRange: [ClosedRange<Int128>?] = []

  /// Rows on the build side, once the build is complete.
  package private(set) var buildRowCount = 0

  func layout(_ make: () -> BuildLayout) -> BuildLayout {
    lock.withLock {
      if let layout { return layout }
      let made = make()
      layout = made
      return made
    }
  }

  func report(worker: Int, ranges found: [ClosedRange<Int128>?], histogram: [Int], nullKeys: Bool) {
    lock.withLock {
      ranges[worker] = found
      histograms[worker] = histogram
      nullKeyParts[worker] = nullKeys
    }
  }

  func reportUnique(worker: Int, _ unique: Bool) {
    lock.withLock { uniqueParts[worker] = unique }
  }

  /// Room for one word per build row (and, if needed, which rows take part), once for all workers.
  func prepareHashes(rows: Int, withValidity: Bool) {
    lock.withLock {
      if hashes != nil { return }
      hashes = Buffer(byteCount: rows * 8)
      if withValidity {
        let memory = ZeroedMemory(byteCount: Validity.wordCount(rows) * 8)
        keyValidityMemory = memory
        keyValidity = memory.pointer.assumingMemoryBound(to: UInt64.self)
      }
    }
  }

  /// After the barrier that follows `report`: chooses and lays out the table.
  func prepareTable(_ layout: BuildLayout, rowCount: Int) {
    lock.withLock {
      if buildKeyRange.count == layout.keyCount && layout.keyCount > 0 { return }
      buildRowCount = rowCount
      hasNullKeys = nullKeyParts.contains(true)
      buildKeyRange = (0..<layout.keyCount).map { key in
        var union: ClosedRange<Int128>?
        for part in ranges {
          guard let range = part[key] else { continue }
          union =
            union.map {
              min($0.lowerBound, range.lowerBound)...max($0.upperBound, range.upperBound)
            } ?? range
        }
        return union
      }
      if layout.emitsUnmatchedBuild && matched == nil {
        matched = ZeroedMemory(byteCount: rowCount + 1)
      }
      if rowCount == 0 || layout.keyCount == 0 || !layout.ranges.isEmpty { return }
      var partitions: [Int] = []
      for partition in 0..<layout.partitions {
        partitions.append(histograms.reduce(0) { $0 + $1[partition] })
      }
      table = JoinTable(
        strategy: strategy(layout, rowCount: rowCount), rowCount: rowCount,
        partitionRows: partitions)
    }
  }

  /// A direct table costs 4 bytes a key of the range, a packed one 24 to 48 a row: so up to four
  /// (small tables: more) times as many keys as rows.
  private func strategy(_ layout: BuildLayout, rowCount: Int) -> JoinTable.Strategy {
    guard layout.packed != nil else { return .general }
    guard layout.keyCount == 1, let range = buildKeyRange[0] else { return .packed }
    let width = range.upperBound - range.lowerBound + 1
    let affordable = max(Int128(rowCount) * 4 + rowCount16th(rowCount), 1 << 16)
    if width > affordable || width > 64 << 20 { return .packed }
    return .direct(
      minimum: UInt64(truncatingIfNeeded: range.lowerBound),
      range: UInt64(truncatingIfNeeded: width))
  }

  /// A little above four, for keys that use exactly every fourth number.
  private func rowCount16th(_ rows: Int) -> Int128 { Int128(rows / 16) }

  /// After the last barrier of the build.
  func finishBuild() {
    lock.withLock {
      isUnique = !uniqueParts.contains(false)
      hashes = nil
      keyValidity = nil
      keyValidityMemory = nil
    }
  }

  /// Bytes of everything shared, which worker 0 answers for.
  var byteCount: Int {
    (table?.byteCount ?? 0) + (matched?.byteCount ?? 0) + (hashes?.byteCount ?? 0)
  }

  /// Remembers that build row `row` has matched.
  @inline(__always)
  static func mark(_ matched: UnsafeMutablePointer<Atomic<UInt8>>, _ row: Int) {
    // SAFETY: Atomic<UInt8> has the layout of UInt8, and zeroed memory is its zero. Looking first
    // keeps the cache line shared between workers once it is set.
    if matched[row].load(ordering: .relaxed) == 0 { matched[row].store(1, ordering: .relaxed) }
  }
}

/// What is the same for all workers of a join and follows from its constructor's arguments.
final class BuildLayout: Sendable {
  let keyCount: Int
  /// Build columns that are kept, as positions in the build's batches.
  let stored: [Int]
  /// Where each key is among the stored columns.
  let keys: [Int]
  let nullSafe: [Bool]
  /// Where the columns of inequalities are among the stored columns.
  let ranges: [Int]
  let isAsof: Bool
  let packed: PackedKeys?
  /// For each key, whether rows where it is NULL are in the table like others.
  let holdsNulls: [Bool]
  /// Whether rows of NULL match each other outside the table, linked from `HashJoinShared.nullHead`.
  let linksNulls: Bool
  /// Partitions of the hash range: a power of two, one or more per worker.
  let partitions: Int
  let emitsUnmatchedBuild: Bool
  let assembly: RowAssembly

  init(
    types: [LogicalType], keys: [Int], nullSafe: [Bool], kind: JoinKind, hasResidual: Bool,
    ranges: [Int] = [], isAsof: Bool = false, workers: Int
  ) {
    keyCount = keys.count
    self.nullSafe = nullSafe
    self.ranges = ranges
    self.isAsof = isAsof
    let packed = PackedKeys(keys.map { types[$0] }, nullSafe: nullSafe)
    self.packed = packed
    holdsNulls = nullSafe.map { $0 && packed == nil }
    linksNulls = packed != nil && nullSafe.contains(true)
    var nullRow = false
    var keepsAll = true
    switch kind {
    case .inner, .right: emitsUnmatchedBuild = kind == .right
    case .left, .single, .full:
      nullRow = true
      emitsUnmatchedBuild = kind == .full
    case .semi, .anti, .mark:
      keepsAll = hasResidual || !ranges.isEmpty
      emitsUnmatchedBuild = false
    case .buildSemi, .buildAnti: emitsUnmatchedBuild = true
    }
    if keepsAll {
      stored = Array(types.indices)
      self.keys = keys
    } else {
      var stored: [Int] = []
      self.keys = keys.map { key in
        if let place = stored.firstIndex(of: key) { return place }
        stored.append(key)
        return stored.count - 1
      }
      self.stored = stored
    }
    partitions = workers == 1 ? 1 : 1 << (Int.bitWidth - (workers - 1).leadingZeroBitCount)
    assembly = RowAssembly(types: stored.map { types[$0] }, workers: workers, nullRow: nullRow)
  }
}
