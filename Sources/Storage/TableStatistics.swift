import Columnar
import Synchronization

/// What a table's row groups say of its columns.
package enum TableStatistics {
  /// Rows that a guess of distinct values looks at.
  private static let sampleRows = 8192
  /// Row groups of a file that a guess reads.
  private static let sampleGroups = 8

  /// Bounds from the zone maps, distinct values from a random sample, always the same one. Costs
  /// some hundred microseconds, so callers keep the answer for as many rows as it was made of.
  static func statistics(of column: Int, in groups: [RowGroup]) throws -> ColumnStatistics {
    var result = ColumnStatistics()
    let total = groups.reduce(0) { $0 + $1.rowCount }
    if total == 0 { return ColumnStatistics(distinctCount: 0) }
    var bounds: (Int64, Int64)?
    var nulls = 0
    var zoned = true
    for group in groups {
      guard let zone = group.slots[column].zone else {
        zoned = false
        continue
      }
      nulls += zone.nullCount
      if zone.nullCount == zone.rowCount { continue }
      guard let range = zone.integers else {
        zoned = false
        continue
      }
      bounds =
        bounds.map { (min($0.0, range.lowerBound), max($0.1, range.upperBound)) }
        ?? (range.lowerBound, range.upperBound)
    }
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
    result.nullFraction = zoned ? Double(nulls) / Double(total) : share
    let single = seen.values.reduce(0) { $0 + ($1 == 1 ? 1 : 0) }
    var distinct = DistinctEstimate.fromSample(
      rows: Double(sampled - sampledNulls), distinct: Double(seen.count), single: Double(single),
      total: Double(total) * (1 - result.nullFraction))
    if zoned, let bounds {
      result.minimum = Double(bounds.0)
      result.maximum = Double(bounds.1)
      distinct = min(distinct, Double(bounds.1) - Double(bounds.0) + 1)
    }
    result.distinctCount = distinct
    return result
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

/// The statistics of a table's columns, each made when first asked for and again when the table has
/// grown or shrunk by a tenth.
package final class StatisticsCache: Sendable {
  package init() {}

  private let known = Mutex<[Int: (rowCount: Int, statistics: ColumnStatistics)]>([:])

  package func statistics(of column: Int, in groups: [RowGroup]) -> ColumnStatistics {
    let rows = groups.reduce(0) { $0 + $1.rowCount }
    if let entry = known.withLock({ $0[column] }), abs(entry.rowCount - rows) * 10 <= rows {
      return entry.statistics
    }
    // A file that cannot be read says so when its rows are.
    guard let made = try? TableStatistics.statistics(of: column, in: groups) else {
      return ColumnStatistics()
    }
    known.withLock { $0[column] = (rows, made) }
    return made
  }
}
