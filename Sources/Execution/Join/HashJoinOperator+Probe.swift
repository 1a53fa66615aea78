import Columnar
import Diagnostics
import Synchronization

// Probing is a state machine over one probe batch (of at most `batchRows` rows): `heads` says where
// each row's chain of build rows starts; (`row`, `link`) is the next pair to make, so that a row with
// a million matches spreads over as many output batches as it needs.

/// Pairs of a probe row of the batch and a row of the build store.
struct JoinPairs {
  var probeRows: Selection
  var buildRows: Selection
  private(set) var count: Int

  /// Room to be filled, then cut to what was found.
  init(capacity: Int) {
    self.init(
      probeRows: Selection(capacity: capacity), buildRows: Selection(capacity: capacity),
      count: capacity)
  }

  init(probeRows: Selection, buildRows: Selection, count: Int) {
    self.probeRows = probeRows
    self.buildRows = buildRows
    self.count = count
  }

  mutating func cut(to count: Int) {
    self.count = count
    probeRows.count = count
    buildRows.count = count
  }
}

extension HashJoinOperator {
  /// The next output batch of the probe phase; nil when the probe side is exhausted.
  func probeStep() throws -> Batch? {
    while true {
      if batch == nil {
        guard let pulled = try pullProbe() else { return nil }
        try start(pulled)
      }
      guard let batch else { continue }
      if let output = try advance(batch) { return output }
      self.batch = nil
    }
  }

  /// The next probe rows, cut to `batchRows`.
  private func pullProbe() throws -> Batch? {
    if let whole = waiting {
      let count = min(batchRows, whole.rowCount - waitingOffset)
      let piece = whole.slice(waitingOffset, count)
      waitingOffset += count
      if waitingOffset == whole.rowCount { waiting = nil }
      return piece
    }
    try worker.query.checkCancelled()
    guard let pulled = try probe.next() else { return nil }
    if pulled.rowCount <= batchRows { return pulled }
    waiting = pulled
    waitingOffset = 0
    return try pullProbe()
  }

  private func start(_ pulled: Batch) throws {
    batch = pulled
    row = 0
    link = 0
    crossPosition = 0
    candidatesDone = false
    let rows = pulled.rowCount
    let usesFlags = residual != nil
    if usesFlags { matchedProbe.update(repeating: 0, count: rows) }
    if let index {
      if layout.isAsof && residual != nil {
        asofComparators = index.comparators(probeKeys.map { pulled.columns[$0] })
      }
      index.find(
        probeKeys.map { pulled.columns[$0] }, ranges.map { pulled.columns[$0.probe] }, rows: rows,
        heads: heads, ends: ends, thresholds: thresholds)
      return
    }
    guard let table else {
      // No keys: every probe row pairs with all build rows, beginning with the first.
      heads.update(repeating: buildRows > 0 && isCross ? 1 : 0, count: rows)
      return
    }
    let keys = probeKeys.map { pulled.columns[$0] }
    switch table.strategy {
    case .direct, .packed:
      layout.packed?.pack(keys, rows: rows, into: words)
      if table.strategy == .packed {
        table.findPacked(words, rows, scratch: scratch, into: heads)
      } else {
        table.findDirect(words, rows, into: heads)
      }
      let heads = self.heads
      let nullHead = shared.nullHead
      KeyNulls.forEach(keys, nullSafe: layout.holdsNulls, rows: rows) { heads[$0] = nullHead }
    case .general:
      for (key, column) in keys.enumerated() {
        Hashing.hash(column, into: words, combining: key > 0)
      }
      let matcher = KeyMatcher(
        probe: keys, build: layout.keys.map { buildColumns[$0] }, nullSafe: nullSafe)
      table.findGeneral(words, rows, matcher: matcher, scratch: scratch, into: heads)
    }
  }

  /// Output for the batch in work; nil when it has no more.
  private func advance(_ batch: Batch) throws -> Batch? {
    if let residual { return try advance(batch, residual: residual) }
    if candidatesDone { return nil }
    switch kind {
    case .inner, .left, .right, .full, .single:
      return try emitPairs(batch)
    case .semi, .anti:
      candidatesDone = true
      return emit(batch, where: kind == .semi)
    case .mark:
      candidatesDone = true
      return try emitMark(batch)
    case .buildSemi, .buildAnti:
      markChains(batch.rowCount)
      candidatesDone = true
      return nil
    }
  }

  /// Neither keys nor inequalities: all pairs are candidates.
  var isCross: Bool { probeKeys.isEmpty && !usesIndex }

  /// Marks all build rows that the batch matches. Of a chain whose head is marked all is marked.
  private func markChains(_ rows: Int) {
    guard let matchedBuild else { return }
    let heads = self.heads
    if isCross {
      if rows > 0 { for row in 0..<buildRows { HashJoinShared.mark(matchedBuild, row) } }
      return
    }
    if shared.isUnique || nextLinks == nil {
      if index != nil {
        markRuns(rows)
        return
      }
      for row in 0..<rows where heads[row] != 0 {
        HashJoinShared.mark(matchedBuild, Int(heads[row] &- 1))
      }
      return
    }
    guard let next = nextLinks else { return }
    for row in 0..<rows {
      var link = heads[row]
      if link == 0 || matchedBuild[Int(link &- 1)].load(ordering: .acquiring) != 0 { continue }
      // The head last: who sees it marked may rely on the rest.
      link = next[Int(link &- 1)]
      while link != 0 {
        HashJoinShared.mark(matchedBuild, Int(link &- 1))
        link = next[Int(link &- 1)]
      }
      matchedBuild[Int(heads[row] &- 1)].store(1, ordering: .releasing)
    }
  }

  private func markRuns(_ rows: Int) {
    guard let matchedBuild, let index else { return }
    for row in 0..<rows {
      var link = heads[row]
      while link != 0 {
        HashJoinShared.mark(matchedBuild, Int(index.row(Int(link) - 1)))
        link = index.next(from: Int(link), end: Int(ends[row]), threshold: thresholds[row])
      }
    }
  }

  // MARK: Without a residual

  private func emitPairs(_ batch: Batch) throws -> Batch? {
    let padsLeft = kind == .left || kind == .full || kind == .single
    if kind == .single { try checkSingle(batch.rowCount) }
    if isCross && buildRows > 0 { return emitCross(batch) }
    let pairs: JoinPairs
    if shared.isUnique {
      candidatesDone = true
      if padsLeft && buildRows == 0 {
        let nulls = buildTypes.map { Column.nulls($0, count: batch.rowCount) }
        return Batch(
          columns: batch.columns + nulls, rowCount: batch.rowCount, sequence: batch.sequence)
      }
      pairs = uniquePairs(batch.rowCount, padsLeft: padsLeft)
    } else {
      pairs = chainedPairs(batch.rowCount, padsLeft: padsLeft)
    }
    if pairs.count == 0 { return nil }
    markBuild(pairs)
    return combined(batch, pairs)
  }

  private func emit(_ batch: Batch, where wanted: Bool) -> Batch? {
    var rows = Selection(capacity: batch.rowCount)
    var count = 0
    let heads = self.heads
    for row in 0..<batch.rowCount {
      rows.indices[count] = UInt32(truncatingIfNeeded: row)
      count += (heads[row] != 0) == wanted ? 1 : 0
    }
    if count == 0 { return nil }
    if count == batch.rowCount { return batch }
    rows.count = count
    return batch.selecting(rows)
  }

  /// At most one match a row: no chains to walk, and without misses the probe batch stays as it is.
  private func uniquePairs(_ rows: Int, padsLeft: Bool) -> JoinPairs {
    var pairs = JoinPairs(capacity: rows)
    let probeRows = pairs.probeRows.indices
    let found = pairs.buildRows.indices
    let heads = self.heads
    if padsLeft {
      let nullRow = UInt32(truncatingIfNeeded: buildRows)
      for row in 0..<rows {
        probeRows[row] = UInt32(truncatingIfNeeded: row)
        found[row] = heads[row] == 0 ? nullRow : heads[row] &- 1
      }
    } else {
      var count = 0
      for row in 0..<rows {
        probeRows[count] = UInt32(truncatingIfNeeded: row)
        found[count] = heads[row] &- 1
        count += heads[row] != 0 ? 1 : 0
      }
      pairs.cut(to: count)
    }
    pairs.probeRows.isIdentity = pairs.count == rows
    return pairs
  }

  /// The next pairs along the chains, up to `batchRows`. With `padsLeft`, a row without a chain
  /// pairs with the row of NULLs.
  private func chainedPairs(_ rows: Int, padsLeft: Bool, skippingMatched: Bool = false) -> JoinPairs
  {
    var pairs = JoinPairs(capacity: batchRows)
    if let index {
      fillRuns(&pairs, index, rows, padsLeft: padsLeft, skippingMatched: skippingMatched)
      return pairs
    }
    guard let next = nextLinks else {
      candidatesDone = true
      pairs.cut(to: 0)
      return pairs
    }
    let probeRows = pairs.probeRows.indices
    let found = pairs.buildRows.indices
    let heads = self.heads
    let nullRow = UInt32(truncatingIfNeeded: buildRows)
    let limit = batchRows
    let matched = matchedProbe
    var count = 0
    var row = self.row
    var link = self.link
    while row < rows && count < limit {
      if link == 0 {
        link = heads[row]
        if link == 0 && padsLeft {
          probeRows[count] = UInt32(truncatingIfNeeded: row)
          found[count] = nullRow
          count += 1
        }
      }
      if skippingMatched && matched[row] != 0 { link = 0 }
      while link != 0 && count < limit {
        probeRows[count] = UInt32(truncatingIfNeeded: row)
        found[count] = link &- 1
        count += 1
        link = next[Int(link &- 1)]
      }
      if link == 0 { row += 1 }
    }
    self.row = row
    self.link = link
    if row == rows { candidatesDone = true }
    pairs.cut(to: count)
    return pairs
  }

  /// As along chains, in a loop of its own, for the one over chains is the hottest of a join and
  /// should hold nothing that it does not need: `link` is a position of the index plus one.
  private func fillRuns(
    _ pairs: inout JoinPairs, _ index: OrderedIndex, _ rows: Int, padsLeft: Bool,
    skippingMatched: Bool
  ) {
    let probeRows = pairs.probeRows.indices
    let found = pairs.buildRows.indices
    let nullRow = UInt32(truncatingIfNeeded: buildRows)
    var count = 0
    while row < rows && count < batchRows {
      if link == 0 {
        link = heads[row]
        if link == 0 && padsLeft {
          probeRows[count] = UInt32(truncatingIfNeeded: row)
          found[count] = nullRow
          count += 1
        }
      }
      if skippingMatched && matchedProbe[row] != 0 { link = 0 }
      let end = Int(ends[row])
      let threshold = thresholds[row]
      while link != 0 && count < batchRows {
        probeRows[count] = UInt32(truncatingIfNeeded: row)
        found[count] = index.row(Int(link) - 1)
        count += 1
        if layout.isAsof {
          link =
            residual == nil ? 0 : index.further(row, from: Int(link) - 1, asofComparators)
        } else {
          link = index.next(from: Int(link), end: end, threshold: threshold)
        }
      }
      if link == 0 { row += 1 }
    }
    if row == rows { candidatesDone = true }
    pairs.cut(to: count)
  }

  // MARK: With a residual

  private func advance(_ batch: Batch, residual: BatchPredicate) throws -> Batch? {
    let needsOneMatchOnly = kind == .semi || kind == .anti || kind == .mark
    let emitsNothing =
      needsOneMatchOnly || kind == .buildSemi || kind == .buildAnti
    while !candidatesDone {
      try worker.query.checkCancelled()
      let pairs =
        isCross
        ? crossPairs(batch.rowCount, skippingMatched: needsOneMatchOnly)
        : chainedPairs(
          batch.rowCount, padsLeft: false, skippingMatched: needsOneMatchOnly || layout.isAsof)
      if pairs.count == 0 { continue }
      let candidates = combined(batch, pairs)
      var passing = try residual(candidates)
      if layout.isAsof { keepNearest(pairs, &passing) }
      try note(pairs, passing)
      if emitsNothing || passing.count == 0 { continue }
      return candidates.selecting(passing)
    }
    if row < 0 { return nil }
    row = -1  // the end of the batch's own rows comes once
    switch kind {
    case .inner, .right, .buildSemi, .buildAnti:
      return nil
    case .left, .full, .single:
      guard let rest = emitByMatch(batch, matched: false) else { return nil }
      let nulls = buildTypes.map { Column.nulls($0, count: rest.rowCount) }
      return Batch(columns: rest.columns + nulls, rowCount: rest.rowCount, sequence: rest.sequence)
    case .semi: return emitByMatch(batch, matched: true)
    case .anti: return emitByMatch(batch, matched: false)
    case .mark: return try emitMark(batch)
    }
  }

  /// Candidates of an ASOF join come nearest first: only the first of each probe row that passes
  /// counts.
  private func keepNearest(_ pairs: JoinPairs, _ passing: inout Selection) {
    var kept = Selection(capacity: passing.count)
    var count = 0
    var last = -1
    for position in 0..<passing.count {
      let pair = passing.indices[position]
      let row = Int(pairs.probeRows.indices[Int(pair)])
      if row == last || matchedProbe[row] != 0 { continue }
      last = row
      kept.indices[count] = pair
      count += 1
    }
    kept.count = count
    passing = kept
  }

  /// Records which rows of both sides have a match now.
  private func note(_ pairs: JoinPairs, _ passing: Selection) throws {
    let matched = matchedProbe
    let indices = passing.indices
    let probeRows = pairs.probeRows.indices
    for position in 0..<passing.count {
      let row = Int(probeRows[Int(indices[position])])
      if kind == .single && matched[row] != 0 { throw HashJoinOperator.moreThanOneRow() }
      matched[row] = 1
    }
    guard let matchedBuild else { return }
    let buildRows = pairs.buildRows.indices
    for position in 0..<passing.count {
      HashJoinShared.mark(matchedBuild, Int(buildRows[Int(indices[position])]))
    }
  }

  private func emitByMatch(_ batch: Batch, matched wanted: Bool) -> Batch? {
    let matched = matchedProbe
    let heads = self.heads
    for row in 0..<batch.rowCount { heads[row] = UInt32(matched[row]) }
    return emit(batch, where: wanted)
  }

  // MARK: Shared

  /// Probe columns as selections over the batch, build columns as dictionaries over the store.
  func combined(_ batch: Batch, _ pairs: JoinPairs) -> Batch {
    var output = batch.selecting(pairs.probeRows)
    output.rowCount = pairs.count
    let rows = pairs.buildRows
    output.columns.append(contentsOf: buildColumns.map { Column.dictionary($0, rows) })
    return output
  }

  private func markBuild(_ pairs: JoinPairs) {
    guard let matchedBuild else { return }
    // The row of NULLs has a byte too, which nobody reads.
    let rows = pairs.buildRows.indices
    for pair in 0..<pairs.count { HashJoinShared.mark(matchedBuild, Int(rows[pair])) }
  }

  private func checkSingle(_ rows: Int) throws {
    if let index, !layout.isAsof {
      for row in 0..<rows where heads[row] != 0 {
        let second = index.next(
          from: Int(heads[row]), end: Int(ends[row]), threshold: thresholds[row])
        if second != 0 { throw HashJoinOperator.moreThanOneRow() }
      }
      return
    }
    if isCross {
      if buildRows > 1 { throw HashJoinOperator.moreThanOneRow() }
      return
    }
    guard let next = nextLinks, !shared.isUnique else { return }
    let heads = self.heads
    for row in 0..<rows where heads[row] != 0 && next[Int(heads[row] &- 1)] != 0 {
      throw HashJoinOperator.moreThanOneRow()
    }
  }

  private static func moreThanOneRow() -> SQLError {
    SQLError(
      .invalidInput, "more than one row returned by a subquery used as an expression",
      hint: "a scalar subquery gives one row: use LIMIT 1, an aggregate, or IN")
  }
}
