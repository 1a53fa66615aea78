/// A set in memory; shuffling moves row numbers, not rows.
package final class MemorySource: TrainingSource {
  let set: TrainingSet
  private let runs: ShuffleRuns
  /// Row numbers by bucket, made at the first shuffle that has several runs.
  private var byBucket: [UInt32] = []
  private var bucketStarts: [Int] = []
  /// Empty until the first shuffle.
  private var order = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private var isShuffled = false
  private var position = 0

  package convenience init(_ set: TrainingSet) {
    self.init(set, runBytes: ShuffleRuns.runBytes)
  }

  /// With runs of another size: tests.
  init(_ set: TrainingSet, runBytes: Int) {
    self.set = set
    runs = ShuffleRuns(rows: set.rows, layout: set.layout, runBytes: runBytes)
  }

  deinit { order.deallocate() }

  package var layout: TrainingLayout { self.set.layout }
  package var rows: Int { self.set.rows }
  package var preferredRows: Int { Int.max }

  package func begin(_ wanted: TrainingOrder) throws {
    position = 0
    switch wanted {
    case .natural: isShuffled = false
    case .shuffled(let seed, let epoch):
      isShuffled = true
      shuffle(seed: seed, epoch: epoch)
    }
  }

  package func next(rows count: Int) throws -> TrainingPiece {
    defer { position += count }
    return TrainingPiece(
      set, first: position, count: count,
      order: isShuffled ? order.baseAddress.map { UnsafePointer($0) } : nil)
  }

  /// Starts from the same order each time, so an epoch's order does not depend on the epochs before.
  private func shuffle(seed: UInt64, epoch: Int) {
    if order.isEmpty {
      order = .allocate(capacity: set.rows)
      order.initialize(repeating: 0)
    }
    if runs.count == 1 {
      for i in 0..<order.count { order[i] = UInt32(truncatingIfNeeded: i) }
      ShuffleRuns.shuffle(order, runs.random(seed: seed, epoch: epoch, run: 0))
      return
    }
    if byBucket.isEmpty { sortByBucket(seed: seed) }
    var place = 0
    for run in runs.order(seed: seed, epoch: epoch) {
      let buckets = runs.buckets(of: run)
      let start = place
      for i in bucketStarts[buckets.lowerBound]..<bucketStarts[buckets.upperBound] {
        order[place] = byBucket[i]
        place += 1
      }
      ShuffleRuns.shuffle(
        UnsafeMutableBufferPointer(rebasing: order[start..<place]),
        runs.random(seed: seed, epoch: epoch, run: run))
    }
  }

  private func sortByBucket(seed: UInt64) {
    var counts = [Int](repeating: 0, count: ShuffleRuns.bucketCount + 1)
    for row in 0..<set.rows { counts[ShuffleRuns.bucket(row: row, seed: seed) + 1] += 1 }
    for bucket in 0..<ShuffleRuns.bucketCount { counts[bucket + 1] += counts[bucket] }
    bucketStarts = counts
    byBucket = [UInt32](repeating: 0, count: set.rows)
    for row in 0..<set.rows {
      let bucket = ShuffleRuns.bucket(row: row, seed: seed)
      byBucket[counts[bucket]] = UInt32(truncatingIfNeeded: row)
      counts[bucket] += 1
    }
  }

  package func classCounts(target: Int) throws -> [Int] { self.set.classCounts(target: target) }
}
