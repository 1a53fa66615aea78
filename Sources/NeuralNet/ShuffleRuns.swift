/// How rows are shuffled that need not fit into memory: each row has a bucket by its number and the
/// seed; an epoch takes runs of buckets in random order, and shuffles the rows of each run. Rows that
/// fit one run are shuffled as one. A set in memory and one on disk thus give the same order,
/// whatever the limit of memory.
struct ShuffleRuns {
  static let bucketCount = 256
  /// A run's bytes at most, as far as 256 of them reach.
  static let runBytes = 32 << 20

  let count: Int

  init(rows: Int, layout: TrainingLayout, runBytes: Int = ShuffleRuns.runBytes) {
    let (bytes, overflow) = rows.multipliedReportingOverflow(by: 4 * layout.recordWidth)
    var count = 1
    while count < Self.bucketCount, overflow || bytes / count > runBytes { count *= 2 }
    self.count = count
  }

  /// The bucket of a row.
  static func bucket(row: Int, seed: UInt64) -> Int {
    Int(truncatingIfNeeded: CounterRandom(seed, 0xB0C7)[UInt64(row)] >> 56)
  }

  func buckets(of run: Int) -> Range<Int> {
    let width = Self.bucketCount / count
    return run * width..<(run + 1) * width
  }

  /// The runs in the order of an epoch.
  func order(seed: UInt64, epoch: Int) -> [Int] {
    var order = Array(0..<count)
    Self.shuffle(&order, CounterRandom(seed, 0x5F1F, UInt64(truncatingIfNeeded: epoch)))
    return order
  }

  /// What the rows of a run are shuffled by.
  func random(seed: UInt64, epoch: Int, run: Int) -> CounterRandom {
    count == 1
      ? CounterRandom(seed, 0x5F1E, UInt64(truncatingIfNeeded: epoch))
      : CounterRandom(seed, 0x5F1E, UInt64(truncatingIfNeeded: epoch), UInt64(run))
  }

  /// Fisher and Yates.
  static func shuffle<Element>(_ items: inout [Element], _ random: CounterRandom) {
    items.withUnsafeMutableBufferPointer { shuffle($0, random) }
  }

  static func shuffle<Element>(
    _ items: UnsafeMutableBufferPointer<Element>, _ random: CounterRandom
  ) {
    var i = items.count - 1
    while i > 0 {
      items.swapAt(i, random.index(UInt64(i), below: i + 1))
      i -= 1
    }
  }
}
