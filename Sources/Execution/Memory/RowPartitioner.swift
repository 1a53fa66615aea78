import Columnar
import Diagnostics

/// Which of the partitions that rows are spilled to each row belongs to: six bits of the keys' hash
/// a level, the highest first. A partition that is still too large is split by the next level's.
struct PartitionHash {
  static let bits = 6
  static let count = 1 << bits
  /// Levels before the hash has no bits left that hash tables do not need themselves.
  static let levels = 6

  let keys: [Int]
  let level: Int

  /// The partition of each row.
  func fill(
    _ columns: [Column], rowCount: Int, into target: UnsafeMutablePointer<UInt8>
  ) {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(1, rowCount)) { hashes in
      guard let hashes = hashes.baseAddress else { return }
      hashes.update(repeating: 0, count: rowCount)
      for (position, key) in keys.enumerated() {
        Hashing.hash(columns[key], into: hashes, combining: position > 0)
      }
      let shift = UInt64(64 - PartitionHash.bits * (level + 1))
      let mask = UInt64(PartitionHash.count - 1)
      for row in 0..<rowCount {
        // Hashes of equal words differ little in their high bits where keys are few: mixed again.
        target[row] = UInt8(truncatingIfNeeded: Hashing.hash(hashes[row]) >> shift & mask)
      }
    }
  }
}

/// Writes one worker's rows to partitions by the hash of their keys: gathers a few MiB, then writes a
/// block to each partition.
final class RowPartitioner {
  /// Bytes gathered: blocks of about 64 KiB.
  private static let stagedBytes = 4 << 20
  private static let stagedRows = 1 << 16

  private let types: [LogicalType]
  private let hash: PartitionHash
  private let encoder = BlockEncoder()
  private var staged: RowCollector
  private var sequence = 0
  private(set) var partitions: [SpilledRows]
  private let limit: Int

  init(_ types: [LogicalType], keys: [Int], level: Int, query: QueryContext) throws {
    self.types = types
    hash = PartitionHash(keys: keys, level: level)
    staged = RowCollector(types)
    let file = try query.spillFile()
    partitions = (0..<PartitionHash.count).map { _ in SpilledRows(file, types: types) }
    limit = min(RowPartitioner.stagedBytes, max(1 << 14, query.memory.limit / 32))
  }

  func append(_ batch: Batch) throws {
    var start = 0
    // Batches may be as large as a row group, and rows wide.
    let bytes = batch.columns.reduce(1) { $0 + $1.copiedBytes }
    let (rows, isWide) = limit.multipliedReportingOverflow(by: batch.rowCount)
    let most = isWide ? 1 : max(1, min(EngineLimits.batchRows, rows / bytes))
    while start < batch.rowCount {
      let count = min(most, batch.rowCount - start)
      staged.append(batch.slice(start, count).columns, rowCount: count)
      sequence = batch.sequence
      start += count
      if staged.byteCount >= limit || staged.rowCount >= RowPartitioner.stagedRows {
        try flush()
      }
    }
  }

  /// All rows are written afterwards.
  func finish() throws -> [SpilledRows] {
    try flush()
    return partitions
  }

  private func flush() throws {
    let rows = staged.rowCount
    if rows == 0 { return }
    let columns = staged.finish()
    staged = RowCollector(types, capacity: rows)
    let partitionOf = UnsafeMutablePointer<UInt8>.allocate(capacity: rows)
    defer { partitionOf.deallocate() }
    hash.fill(columns, rowCount: rows, into: partitionOf)
    let buckets = RowBuckets(count: rows, partitions: PartitionHash.count) { Int(partitionOf[$0]) }
    for partition in partitions.indices {
      let (indices, count) = buckets.range(partition)
      if count == 0 { continue }
      let selection = Selection(capacity: count)
      selection.indices.update(from: indices, count: count)
      let batch = Batch(
        columns: columns.map { Column.dictionary($0, selection) }, rowCount: count,
        sequence: sequence)
      try partitions[partition].append(batch, with: encoder)
    }
  }
}
