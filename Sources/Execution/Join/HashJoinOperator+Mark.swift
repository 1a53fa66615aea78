import Columnar
import Diagnostics

// The BOOLEAN of a mark join is what `IN` gives: true when some build row matches; else NULL when
// some build row neither matches nor differs for certain, because NULLs meet; else false.

extension HashJoinOperator {
  func emitMark(_ batch: Batch) throws -> Batch? {
    let rows = batch.rowCount
    let mark = Column(flat: .boolean, count: rows)
    let values = mark.values(as: UInt8.self)
    let heads = self.heads
    let matched = matchedProbe
    let usesFlags = residual != nil
    for row in 0..<rows {
      values[row] = (usesFlags ? matched[row] != 0 : heads[row] != 0) ? 1 : 0
    }
    if (buildRows > 0 || markFacts?.hasRows == true) && !probeKeys.isEmpty {
      try addUnknown(batch, values, mark)
    }
    return Batch(columns: batch.columns + [mark], rowCount: rows, sequence: batch.sequence)
  }

  /// Makes NULL what is unknown among the rows that did not match.
  private func addUnknown(
    _ batch: Batch, _ values: UnsafeMutablePointer<UInt8>, _ mark: Column
  ) throws {
    let keys = probeKeys.map { batch.columns[$0] }
    let probeMayBeNull = KeyNulls.mayOccur(keys, nullSafe: nullSafe)
    let hasNullKeys = shared.hasNullKeys || markFacts?.hasNullKeys == true
    if !hasNullKeys && !probeMayBeNull { return }
    let rows = batch.rowCount
    let isNull = scratch.equal
    isNull.update(repeating: 0, count: rows)
    KeyNulls.forEach(keys, nullSafe: nullSafe, rows: rows) { isNull[$0] = 1 }
    if keys.count == 1 && residual == nil {
      for row in 0..<rows where values[row] == 0 && (hasNullKeys || isNull[row] != 0) {
        mark.setNull(row)
      }
      return
    }
    // Several keys, or a residual: a NULL in one key matters only if the other keys do not differ.
    // A row without NULL needs to look only at build rows with one.
    let buildKeyColumns = layout.keys.map { buildColumns[$0] }
    let withNull = buildRowsWithNullKey(buildKeyColumns)
    let matcher = KeyMatcher(probe: keys, build: buildKeyColumns, nullSafe: nullSafe)
    let comparators = zip(keys, buildKeyColumns).map { ColumnComparator($0, $1) }
    var found: [Int] = []
    for row in 0..<rows where values[row] == 0 {
      if row & 63 == 0 { try worker.query.checkCancelled() }
      let all = isNull[row] != 0
      let total = all ? buildRows : withNull.count
      var position = 0
      while position < total {
        found.removeAll(keepingCapacity: true)
        while position < total && found.count < batchRows {
          let buildRow = all ? position : withNull[position]
          if matcher.mayMatch(comparators, row, buildRow) {
            found.append(buildRow)
            if residual == nil { break }
          }
          position += 1
        }
        if found.isEmpty { break }
        if try passesResidual(batch, row, found) {
          mark.setNull(row)
          break
        }
      }
    }
  }

  private func buildRowsWithNullKey(_ keys: [Column]) -> [Int] {
    if let known = buildRowsWithNull { return known }
    var rows: [Int] = []
    if shared.hasNullKeys {
      for row in 0..<buildRows {
        var hasNull = false
        for (key, column) in keys.enumerated() where !nullSafe[key] && column.isNull(row) {
          hasNull = true
        }
        if hasNull { rows.append(row) }
      }
    }
    buildRowsWithNull = rows
    return rows
  }

  private func passesResidual(_ batch: Batch, _ row: Int, _ found: [Int]) throws -> Bool {
    guard let residual else { return true }
    let probeRows = Selection(found.map { _ in row })
    let pairs = JoinPairs(probeRows: probeRows, buildRows: Selection(found), count: found.count)
    return try residual(combined(batch, pairs)).count > 0
  }
}
