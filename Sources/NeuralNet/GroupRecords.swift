import Diagnostics

/// Rows of many groups that do not fit into memory: each in a bucket by its group's number, so that
/// the rows of a bucket, which are read together, are all of their groups, in the order in which they
/// came.
package final class GroupRecords {
  package static let bucketCount = 256

  package let form: TrainingRecords.Form
  private let store: any RecordStore
  private var bucketRows = [Int](repeating: 0, count: GroupRecords.bucketCount)
  /// The group's number, then the record as `TrainingRecords` has it.
  private let block: RecordBlock

  /// Errors: no memory.
  package init(_ form: TrainingRecords.Form, store: any RecordStore) throws {
    self.form = form
    self.store = store
    block = try RecordBlock(width: 1 + form.recordWidth)
  }

  /// Appends rows given as columns, with their groups' numbers in `keys`. Errors: a weight that is
  /// negative or not finite, a full disk.
  package func append(
    rows count: Int, keys: [UInt32], columns: [UnsafePointer<Float>],
    values: [UnsafePointer<Float>], groups: [[UInt32]], weights: UnsafePointer<Float>?
  ) throws {
    precondition(
      columns.count == form.width && values.count == form.valueWidth
        && groups.count == form.groupWidth && (weights != nil) == form.isWeighted
        && keys.count == count,
      "rows have the form that was said")
    var first = 0
    while first < count {
      let rows = min(RecordBlock.rows, count - first)
      var place = block.fill([keys], from: 0, first: first, count: rows)
      place = block.fill(columns, from: place, first: first, count: rows)
      place = block.fill(values, from: place, first: first, count: rows)
      place = block.fill(groups, from: place, first: first, count: rows)
      if let weights {
        try block.fill(weights: weights, at: place, first: first, count: rows)
      }
      for row in 0..<rows {
        let record = block.record(row)
        let bucket = Int(record[0].bitPattern) % Self.bucketCount
        try store.append(
          UnsafeRawBufferPointer(start: record, count: 4 * block.width), bucket: bucket)
        bucketRows[bucket] += 1
      }
      first += rows
    }
  }

  /// Bytes of the memory that the rows of the fullest bucket take.
  package var largestBucketBytes: Int { (bucketRows.max() ?? 0) * 4 * (1 + form.recordWidth) }

  /// The rows of a bucket, and the group of each.
  package func read(bucket: Int, _ targets: [SpilledTarget]) throws -> GroupedSet {
    let decoder = RecordDecoder(form, targets)
    let set = try TrainingSet(decoder.layout)
    let rows = bucketRows[bucket]
    try set.reserve(rows: rows)
    var keys: [UInt32] = []
    keys.reserveCapacity(rows)
    let width = 1 + form.recordWidth
    let capacity = max(1, (1 << 20) / (4 * width))
    let window = try FloatBuffer(count: capacity * width)
    var first = 0
    while first < rows {
      let count = min(capacity, rows - first)
      try store.read(
        bucket: bucket, from: 4 * first * width,
        into: UnsafeMutableRawBufferPointer(start: window.pointer, count: 4 * count * width))
      for i in 0..<count {
        let record = window.pointer + i * width
        keys.append(record[0].bitPattern)
        try decoder.append(UnsafePointer(record + 1), count: 1, to: set)
      }
      first += count
    }
    return GroupedSet(set, keys: keys)
  }
}

/// Rows with the number of the group of each.
package struct GroupedSet: Sendable {
  package let set: TrainingSet
  package let keys: [UInt32]

  package init(_ set: TrainingSet, keys: [UInt32]) {
    self.set = set
    self.keys = keys
  }

  /// The row numbers of each group that has any, by the group's number, each in the rows' order.
  package func rowsByGroup() -> [(key: UInt32, rows: ArraySlice<Int32>)] {
    // Groups are numbered from 0, without gaps but for those that other buckets have.
    let limit = keys.reduce(0) { max($0, Int($1) + 1) }
    var starts = [Int](repeating: 0, count: limit + 1)
    for key in keys { starts[Int(key) + 1] += 1 }
    for key in 0..<limit { starts[key + 1] += starts[key] }
    var places = starts
    var rows = [Int32](repeating: 0, count: keys.count)
    for (row, key) in keys.enumerated() {
      rows[places[Int(key)]] = Int32(truncatingIfNeeded: row)
      places[Int(key)] += 1
    }
    return (0..<limit).compactMap { key in
      starts[key] == starts[key + 1]
        ? nil : (UInt32(truncatingIfNeeded: key), rows[starts[key]..<starts[key + 1]])
    }
  }

  /// A set of these rows alone.
  package func subset(_ rows: ArraySlice<Int32>) throws -> TrainingSet {
    let part = try TrainingSet(set.layout)
    try part.reserve(rows: rows.count)
    try part.append(rows, of: set)
    return part
  }
}
