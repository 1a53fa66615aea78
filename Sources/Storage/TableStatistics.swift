import Columnar

/// What a table's row groups say of its columns.
package enum TableStatistics {
  /// Rows that a guess of distinct values looks at where there are no sketches.
  private static let sampleRows = 8192
  /// Row groups of a file that such a guess reads.
  private static let sampleGroups = 8

  /// Bounds from the zone maps, distinct values from the sketches of the row groups. Those of a
  /// file's are read from it, those in memory are made when first asked for (a millisecond for five
  /// million rows), so callers keep the answer for as many rows as it was made of.
  static func statistics(of column: Int, in groups: [RowGroup]) throws -> ColumnStatistics {
    let total = groups.reduce(0) { $0 + $1.rowCount }
    if total == 0 { return ColumnStatistics(distinctCount: 0) }
    var result = bounds(of: column, in: groups)
    let zones = result.nullFraction
    if let sketch = sketch(of: column, in: groups) {
      result.nullFraction = zones ?? sketch.nullFraction
      result.distinctCount = sketch.distinctCount
    } else {
      let sampled = try sampled(column, in: groups, total: total, nullFraction: zones)
      result.nullFraction = zones ?? sampled.nullFraction
      result.distinctCount = sampled.distinct
    }
    var statistics = ColumnStatistics(
      distinctCount: result.distinctCount, minimum: result.minimum, maximum: result.maximum,
      nullFraction: result.nullFraction ?? 0)
    if let low = result.minimum, let high = result.maximum, let distinct = result.distinctCount {
      statistics.distinctCount = min(distinct, high - low + 1)
    }
    return statistics
  }

  private struct Found {
    var minimum: Double?
    var maximum: Double?
    /// nil when not all row groups say it.
    var nullFraction: Double?
    var distinctCount: Double?
  }

  private static func bounds(of column: Int, in groups: [RowGroup]) -> Found {
    var bounds: (Int64, Int64)?
    var nulls = 0
    var rows = 0
    var isZoned = true
    var hasNullCounts = true
    for group in groups {
      rows += group.rowCount
      guard let zone = group.slots[column].zone else {
        (isZoned, hasNullCounts) = (false, false)
        continue
      }
      nulls += zone.nullCount
      if zone.nullCount == zone.rowCount { continue }
      guard let range = zone.integers else {
        isZoned = false
        continue
      }
      bounds =
        bounds.map { (min($0.0, range.lowerBound), max($0.1, range.upperBound)) }
        ?? (range.lowerBound, range.upperBound)
    }
    var result = Found()
    if hasNullCounts { result.nullFraction = Double(nulls) / Double(max(rows, 1)) }
    if isZoned, let bounds {
      (result.minimum, result.maximum) = (Double(bounds.0), Double(bounds.1))
    }
    return result
  }

  /// The least and the greatest value from the zone maps, where they tell: of integers and what is
  /// stored as such, of rows none of which is deleted or patched.
  fileprivate static func exactRange(of column: Int, in parts: [TableData.Part]) -> (
    nullCount: Int, bounds: ClosedRange<Int64>?
  )? {
    var nulls = 0
    var bounds: ClosedRange<Int64>?
    for part in parts {
      guard part.deleted == nil, part.patched == nil, let zone = part.group.slots[column].zone
      else { return nil }
      nulls += zone.nullCount
      if zone.nullCount == zone.rowCount { continue }
      guard let range = zone.integers else { return nil }
      bounds =
        bounds.map {
          min($0.lowerBound, range.lowerBound)...max($0.upperBound, range.upperBound)
        } ?? range
    }
    return (nulls, bounds)
  }

  /// The sketches of all row groups as one; nil when one of them has none, as in files of older
  /// versions.
  package static func sketch(of column: Int, in groups: [RowGroup]) -> DistinctSketch? {
    var result = DistinctSketch()
    var stored: [(chunk: StoredChunk, rows: Int)] = []
    for group in groups {
      let slot = group.slots[column]
      if let sketch = slot.residentSketch {
        result.merge(sketch)
      } else if let chunk = slot.chunk {
        stored.append((chunk, group.rowCount))
      } else {
        return nil
      }
    }
    guard let store = stored.first?.chunk.store else { return result }
    let found = store.statistics(of: stored.map(\.chunk.record.id), sample: false)
    for (chunk, _) in stored {
      guard let bytes = found[chunk.record.id], let sketch = DistinctSketch(bytes) else {
        return nil
      }
      result.merge(sketch)
    }
    return result
  }

  // MARK: Without sketches

  /// From a random sample, always the same one.
  private static func sampled(
    _ column: Int, in groups: [RowGroup], total: Int, nullFraction: Double?
  ) throws -> (distinct: Double, nullFraction: Double) {
    var seen: [UInt64: Int] = [:]
    var sampled = 0
    var sampledNulls = 0
    let read = groupsToRead(groups, column)
    for (group, rows) in TableStatistics.sample(read, read.reduce(0) { $0 + $1.rowCount }) {
      let picked = Column.dictionary(try group.column(column), Selection(rows))
      let hashes = UnsafeMutablePointer<UInt64>.allocate(capacity: max(rows.count, 1))
      defer { hashes.deallocate() }
      Hashing.hash(picked, into: hashes, combining: false)
      for row in rows.indices {
        sampled += 1
        if picked.isNull(row) {
          sampledNulls += 1
        } else {
          seen[hashes[row], default: 0] += 1
        }
      }
    }
    let share = sampled > 0 ? Double(sampledNulls) / Double(sampled) : 0
    let single = seen.values.reduce(0) { $0 + ($1 == 1 ? 1 : 0) }
    let distinct = DistinctEstimate.fromSample(
      rows: Double(sampled - sampledNulls), distinct: Double(seen.count), single: Double(single),
      total: Double(total) * (1 - (nullFraction ?? share)))
    return (distinct, share)
  }

  /// All row groups; of those in a file some, as far apart as can be: reading a column whole to plan
  /// a query would cost more than the query.
  private static func groupsToRead(_ groups: [RowGroup], _ column: Int) -> [RowGroup] {
    let count = groups.count
    guard count > sampleGroups, groups.contains(where: { $0.slots[column].chunk != nil }) else {
      return groups
    }
    return (0..<sampleGroups).map { groups[$0 * (count - 1) / (sampleGroups - 1)] }
  }

  /// Rows drawn at random (all, when they are few), by group.
  private static func sample(_ groups: [RowGroup], _ total: Int) -> [(RowGroup, [Int])] {
    if total <= sampleRows { return groups.map { ($0, Array(0..<$0.rowCount)) } }
    var state: UInt64 = 1
    var picks: [Int] = []
    picks.reserveCapacity(sampleRows)
    for number in 0..<sampleRows {
      state = Hashing.hash(state &+ UInt64(number))
      picks.append(Int(state % UInt64(total)))
    }
    picks.sort()
    var result: [(RowGroup, [Int])] = []
    var start = 0
    var position = 0
    var last = -1
    for group in groups {
      var rows: [Int] = []
      while position < picks.count && picks[position] < start + group.rowCount {
        if picks[position] != last { rows.append(picks[position] - start) }
        last = picks[position]
        position += 1
      }
      if !rows.isEmpty { result.append((group, rows)) }
      start += group.rowCount
    }
    return result
  }
}

extension TableData {
  /// See `TableSource`.
  package func exactRange(of column: Int) -> ExactRange? {
    guard let (nulls, bounds) = TableStatistics.exactRange(of: column, in: parts) else {
      return nil
    }
    guard let bounds else { return ExactRange(nullCount: nulls, least: .null, greatest: .null) }
    let type = types[column]
    return ExactRange(
      nullCount: nulls, least: type.value(ofBits: bounds.lowerBound),
      greatest: type.value(ofBits: bounds.upperBound))
  }
}

extension LogicalType {
  /// The value that is stored as this integer; for types of at most 64 bits.
  fileprivate func value(ofBits bits: Int64) -> Value {
    let column = Column(flat: self, count: 1)
    // The low bytes come first.
    withUnsafeBytes(of: bits.littleEndian) {
      guard let bytes = $0.baseAddress else { return }
      column.data.copyMemory(from: bytes, byteCount: min(8, physical.width))
    }
    return column.value(0)
  }
}
