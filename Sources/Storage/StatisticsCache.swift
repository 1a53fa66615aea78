import Columnar
import Synchronization

/// The statistics of a table's columns, each made when first asked for and again when the table has
/// grown or shrunk by a tenth.
package final class StatisticsCache: Sendable {
  private struct Sample {
    var rowCount = -1
    var groupCount = 0
    var columns: [Int: Column] = [:]
  }

  package init() {}

  private let known = Mutex<[Int: (rowCount: Int, statistics: ColumnStatistics)]>([:])
  private let sample = Mutex(Sample())

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

  /// The same rows of each of the columns; nil when one of them has no sample.
  package func sample(of columns: [Int], in groups: [RowGroup]) -> [Column]? {
    let rows = groups.reduce(0) { $0 + $1.rowCount }
    if rows == 0 { return nil }
    let known = sample.withLock { sample -> [Column]? in
      guard abs(sample.rowCount - rows) * 10 <= rows else { return nil }
      let found = columns.compactMap { sample.columns[$0] }
      return found.count == columns.count ? found : nil
    }
    if let known { return known }
    let sampling = TableSampling(groups)
    var made: [Int: Column] = [:]
    for column in columns where made[column] == nil {
      guard let picked = sampling.column(column) else { return nil }
      made[column] = picked
    }
    sample.withLock { sample in
      // Rows of another moment would not lie beside these.
      if sample.rowCount != rows || sample.groupCount != groups.count { sample = Sample() }
      (sample.rowCount, sample.groupCount) = (rows, groups.count)
      sample.columns.merge(made) { _, new in new }
    }
    return columns.compactMap { made[$0] }
  }
}

/// Which rows of which row groups make the sample of a table.
struct TableSampling {
  private struct Part {
    var group: RowGroup
    var count: Int
    /// All its columns are in memory: any rows will do, not only those that the file keeps.
    var isResident: Bool
    /// What tells its choice of rows from those of other parts.
    var seed: Int
  }

  private let parts: [Part]

  init(_ groups: [RowGroup]) {
    let total = groups.reduce(0) { $0 + $1.rowCount }
    let picked = Self.spread(groups, total)
    let rows = picked.reduce(0) { $0 + groups[$1].rowCount }
    parts = picked.map { position in
      let group = groups[position]
      let isResident = group.slots.allSatisfy(\.isResident)
      let share = (group.rowCount * ColumnSample.tableRows + rows - 1) / max(rows, 1)
      let most = isResident ? group.rowCount : min(group.rowCount, ColumnSample.storedRows)
      return Part(group: group, count: min(share, most), isResident: isResident, seed: position)
    }
  }

  /// All row groups, or those that hold the middles of equal parts of the table.
  private static func spread(_ groups: [RowGroup], _ total: Int) -> [Int] {
    if groups.count <= ColumnSample.tableGroups { return Array(groups.indices) }
    var result: [Int] = []
    var end = 0
    var number = 0
    for (position, group) in groups.enumerated() {
      end += group.rowCount
      var isPicked = false
      while number < ColumnSample.tableGroups,
        (2 * number + 1) * total < 2 * ColumnSample.tableGroups * end
      {
        isPicked = true
        number += 1
      }
      if isPicked { result.append(position) }
    }
    return result
  }

  /// The sampled rows of a column; nil when some of it has no sample.
  func column(_ position: Int) -> Column? {
    let stored = parts.compactMap { $0.isResident ? nil : $0.group.slots[position].chunk }
    let found =
      stored.first?.store.statistics(of: stored.map(\.record.id), sample: true) ?? [:]
    guard let type = parts.first?.group.slots[position].type else { return nil }
    var builder = ColumnBuilder(type, capacity: ColumnSample.tableRows)
    for part in parts where part.count > 0 {
      let slot = part.group.slots[position]
      if let picked = rows(of: part, slot, found) { builder.append(picked) } else { return nil }
    }
    return builder.finish()
  }

  private func rows(of part: Part, _ slot: ColumnSlot, _ found: [Int64: [UInt8]]) -> Column? {
    let rowCount = part.group.rowCount
    if part.isResident {
      guard let column = try? slot.load() else { return nil }
      return ColumnSample.pick(
        ColumnSample.rows(of: rowCount, count: part.count, seed: part.seed), of: column)
    }
    let kept = ColumnSample.stored(count: part.count, of: rowCount)
    if slot.isResident {
      guard let column = try? slot.load() else { return nil }
      let rows = ColumnSample.rows(of: rowCount)
      return ColumnSample.pick(kept.map { rows[$0] }, of: column)
    }
    guard let chunk = slot.chunk, let bytes = found[chunk.record.id],
      let sample = try? bytes.withUnsafeBytes({ try ColumnChunk.decode($0, type: slot.type) }),
      sample.count == min(rowCount, ColumnSample.storedRows)
    else { return nil }
    return Column.dictionary(sample, Selection(kept))
  }
}
