import Diagnostics

/// Bytes put away in buckets, and read back bucket by bucket in the order of their writing.
package protocol RecordStore: AnyObject {
  func append(_ bytes: UnsafeRawBufferPointer, bucket: Int) throws
  /// Fills the buffer from a bucket's bytes, from `offset` on.
  func read(bucket: Int, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws
}

/// What becomes of an output's raw target when rows are read again: labels are put away as numbers
/// of groups, before it is known which classes there are.
package enum SpilledTarget: Sendable {
  case values(width: Int)
  /// The class id of each group.
  case classes(count: Int, ids: [Int32])
  /// One value, 0 or 1, of each group.
  case binary(ids: [Int32])
}

/// Rows to train on that do not fit into memory, put away as records of fixed size: the features,
/// the values, the groups of labels, the weight. Each goes to the bucket that `ShuffleRuns` gives.
package final class TrainingRecords {
  /// Width, number values and groups of a record.
  package struct Form: Hashable, Sendable {
    package var width: Int
    package var valueWidth: Int
    package var groupWidth: Int
    package var isWeighted: Bool

    package init(width: Int, valueWidth: Int, groupWidth: Int, isWeighted: Bool) {
      self.width = width
      self.valueWidth = valueWidth
      self.groupWidth = groupWidth
      self.isWeighted = isWeighted
    }

    var recordWidth: Int { width + valueWidth + groupWidth + (isWeighted ? 1 : 0) }
  }

  /// Buckets that a store must have.
  package static var bucketCount: Int { ShuffleRuns.bucketCount }
  /// About what reading them in runs takes of memory.
  package static var residentBytes: Int { 2 * ShuffleRuns.runBytes }

  package let form: Form
  package let seed: UInt64
  package private(set) var rows = 0
  let store: any RecordStore
  private let bucketCounts = UnsafeMutableBufferPointer<Int>.allocate(
    capacity: ShuffleRuns.bucketCount)
  /// Rows of each group of each label.
  private(set) var groupCounts: [[Int]]
  private let block: RecordBlock

  /// Errors: no memory.
  package init(_ form: Form, seed: UInt64, store: any RecordStore) throws {
    block = try RecordBlock(width: form.recordWidth)
    self.form = form
    self.seed = seed
    self.store = store
    bucketCounts.initialize(repeating: 0)
    groupCounts = Array(repeating: [], count: form.groupWidth)
  }

  deinit { bucketCounts.deallocate() }

  func bucketRows(_ bucket: Int) -> Int { bucketCounts[bucket] }

  /// Appends rows given as columns. Errors: a weight that is negative or not finite, a full disk.
  package func append(
    rows count: Int, columns: [UnsafePointer<Float>], values: [UnsafePointer<Float>],
    groups: [[UInt32]], weights: UnsafePointer<Float>?
  ) throws {
    precondition(
      columns.count == form.width && values.count == form.valueWidth
        && groups.count == form.groupWidth && (weights != nil) == form.isWeighted,
      "rows have the form that was said")
    var first = 0
    while first < count {
      let rows = min(RecordBlock.rows, count - first)
      var place = block.fill(columns, from: 0, first: first, count: rows)
      place = block.fill(values, from: place, first: first, count: rows)
      place = block.fill(groups, from: place, first: first, count: rows)
      if let weights {
        try block.fill(weights: weights, at: place, first: first, count: rows)
      }
      try append(block.record(0), count: rows)
      first += rows
    }
  }

  /// Records that lie one after the other.
  private func append(_ records: UnsafePointer<Float>, count: Int) throws {
    let width = form.recordWidth
    let firstGroup = form.width + form.valueWidth
    let firstRow = rows
    for i in 0..<count {
      let record = records + i * width
      for label in 0..<form.groupWidth {
        let group = Int(record[firstGroup + label].bitPattern)
        while groupCounts[label].count <= group { groupCounts[label].append(0) }
        groupCounts[label][group] += 1
      }
      let bucket = ShuffleRuns.bucket(row: firstRow + i, seed: seed)
      try store.append(UnsafeRawBufferPointer(start: record, count: 4 * width), bucket: bucket)
      bucketCounts[bucket] += 1
    }
    rows += count
  }

  /// The rows in two parts, as `TrainingSet.split` parts them; the given are then to be let go.
  package func split(fraction: Double, seed: UInt64, stores: () throws -> any RecordStore) throws
    -> (training: TrainingRecords, validation: TrainingRecords)
  {
    guard fraction > 0, fraction < 1 else { throw TrainingSet.wrongFraction(fraction) }
    guard rows >= 2 else { throw TrainingSet.tooFewToSplit(rows) }
    let random = CounterRandom(seed, 0x5B11)
    var left = min(rows - 1, max(1, Int((Double(rows) * fraction).rounded())))
    let training = try TrainingRecords(form, seed: self.seed, store: try stores())
    let validation = try TrainingRecords(form, seed: self.seed, store: try stores())
    var reader = try NaturalReader(self)
    for row in 0..<rows {
      let record = try reader.next()
      if random.index(UInt64(row), below: rows - row) < left {
        left -= 1
        try validation.append(record, count: 1)
      } else {
        try training.append(record, count: 1)
      }
    }
    return (training, validation)
  }

  /// A source of these rows; those that fit one run it takes into memory.
  package func source(_ targets: [SpilledTarget]) throws -> any TrainingSource {
    try source(targets, runBytes: ShuffleRuns.runBytes)
  }

  func source(_ targets: [SpilledTarget], runBytes: Int) throws -> any TrainingSource {
    let decoder = RecordDecoder(form, targets)
    if ShuffleRuns(rows: rows, layout: decoder.layout, runBytes: runBytes).count > 1 {
      return try SpilledSource(self, decoder, runBytes: runBytes)
    }
    let set = try TrainingSet(decoder.layout)
    try set.reserve(rows: rows)
    var reader = try NaturalReader(self)
    for _ in 0..<rows { try decoder.append(try reader.next(), count: 1, to: set) }
    return MemorySource(set, runBytes: runBytes)
  }
}

/// Reads rows in the order in which they came: which bucket has the next is known by its number.
struct NaturalReader {
  private let rows: TrainingRecords
  private let window: FloatBuffer
  /// Records of a bucket's window.
  private let capacity: Int
  private var taken = [Int](repeating: 0, count: ShuffleRuns.bucketCount)
  private var row = 0

  init(_ rows: TrainingRecords) throws {
    self.rows = rows
    capacity = max(1, (32 << 10) / max(1, 4 * rows.form.recordWidth))
    window = try FloatBuffer(count: ShuffleRuns.bucketCount * capacity * rows.form.recordWidth)
  }

  /// Valid until the next call.
  mutating func next() throws -> UnsafePointer<Float> {
    let width = rows.form.recordWidth
    let bucket = ShuffleRuns.bucket(row: row, seed: rows.seed)
    let start = window.pointer + bucket * capacity * width
    let place = taken[bucket] % capacity
    if place == 0 {
      let count = min(capacity, rows.bucketRows(bucket) - taken[bucket])
      try rows.store.read(
        bucket: bucket, from: 4 * taken[bucket] * width,
        into: UnsafeMutableRawBufferPointer(start: start, count: 4 * count * width))
    }
    taken[bucket] += 1
    row += 1
    return UnsafePointer(start + place * width)
  }
}
