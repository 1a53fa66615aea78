import Columnar

// Joins without keys: every probe row meets every build row, and only the residual (if any) decides.

extension HashJoinOperator {
  /// The next part of batch × build store. Where one side is long, the other's row is repeated as a
  /// constant and nothing is copied or indexed; else pairs are listed.
  func emitCross(_ batch: Batch) -> Batch? {
    let rows = batch.rowCount
    if crossPosition >= rows * buildRows {
      candidatesDone = true
      return nil
    }
    if buildRows <= rows && rows * 2 >= batchRows {
      // The whole probe batch beside one build row.
      let buildRow = crossPosition / rows
      crossPosition += rows
      markCross(buildRow..<buildRow + 1)
      let repeated = buildColumns.map { Column(repeating: $0, row: buildRow, count: rows) }
      return Batch(
        columns: batch.columns + repeated, rowCount: rows, sequence: batch.sequence)
    }
    if buildRows * 2 >= batchRows {
      // One probe row beside a run of build rows.
      let probeRow = crossPosition / buildRows
      let start = crossPosition % buildRows
      let count = min(batchRows, buildRows - start)
      crossPosition += count
      markCross(start..<start + count)
      let repeated = batch.columns.map { Column(repeating: $0, row: probeRow, count: count) }
      return Batch(
        columns: repeated + buildColumns.map { $0.slice(start, count) }, rowCount: count,
        sequence: batch.sequence)
    }
    let pairs = crossPairs(rows, skippingMatched: false)
    candidatesDone = crossPosition >= rows * buildRows
    markCross(0..<buildRows)
    return combined(batch, pairs)
  }

  /// The next pairs, listed: all build rows of a probe row, then the next probe row.
  func crossPairs(_ rows: Int, skippingMatched: Bool) -> JoinPairs {
    var pairs = JoinPairs(capacity: batchRows)
    let probeRows = pairs.probeRows.indices
    let found = pairs.buildRows.indices
    let limit = batchRows
    let total = buildRows
    let matched = matchedProbe
    var count = 0
    var row = total == 0 ? rows : crossPosition / total
    var buildRow = total == 0 ? 0 : crossPosition % total
    while row < rows && count < limit {
      if skippingMatched && matched[row] != 0 {
        row += 1
        buildRow = 0
        continue
      }
      let run = min(limit - count, total - buildRow)
      for step in 0..<run {
        probeRows[count + step] = UInt32(truncatingIfNeeded: row)
        found[count + step] = UInt32(truncatingIfNeeded: buildRow + step)
      }
      count += run
      buildRow += run
      if buildRow == total {
        row += 1
        buildRow = 0
      }
    }
    crossPosition = row * total + buildRow
    if row >= rows { candidatesDone = true }
    pairs.cut(to: count)
    return pairs
  }

  private func markCross(_ rows: Range<Int>) {
    guard let matchedBuild else { return }
    for row in rows { HashJoinShared.mark(matchedBuild, row) }
  }
}
