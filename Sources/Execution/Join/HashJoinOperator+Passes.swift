import Columnar
import Diagnostics

// Joins without equal keys cannot be partitioned: each part of one side that fits meets all rows of the
// other, which is read again for every part. Parts of the build side make an inner or right join; a left,
// semi or anti join is one of parts of the probe side with the sides changed.

extension HashJoinOperator {
  /// The kind of join that gives the same when the probe side is built; nil where there is none.
  var mirrored: JoinKind? {
    switch kind {
    case .left: .right
    case .semi: .buildSemi
    case .anti: .buildAnti
    case .inner, .right, .full, .mark, .single, .buildSemi, .buildAnti: nil
    }
  }

  /// This worker's passes over rows that are all on disk.
  func keylessPasses(_ build: [SpilledRows], _ probe: [SpilledRows]) -> any BatchSource {
    let bytes = max(1 << 14, worker.query.memory.limit / 16 / worker.count)
    let mirrored = mirrored
    let parts = (mirrored == nil ? build : probe).flatMap { $0.parts(of: bytes) }
    let mine = parts.enumerated().filter { $0.offset % worker.count == worker.index }
    return ChainedSource(
      mine.map { _, part in
        { [unowned self] in
          if let mirrored { return mirror(mirrored, part, build) }
          return join([part], probe, isLast: false, level: PartitionHash.levels)
        }
      })
  }

  /// A part of the probe rows, built, with all build rows, probed.
  private func mirror(_ kind: JoinKind, _ part: SpilledRows, _ build: [SpilledRows])
    -> any BatchSource
  {
    let query = worker.query
    let stored = layout.stored.map { buildTypes[$0] }
    let count = stored.count
    // Here the build columns come first.
    let residual = residual.map { residual -> BatchPredicate in
      { batch in
        try residual(
          Batch(
            columns: Array(batch.columns[count...] + batch.columns[..<count]),
            rowCount: batch.rowCount, sequence: batch.sequence))
      }
    }
    let joined = HashJoinOperator(
      probe: ChainedSource(
        build.map { rows in { SpilledRowsSource(rows, query: query, isLast: false) } }),
      build: SpilledRowsSource(part, query: query, isLast: false), probeTypes: stored,
      buildTypes: probeTypes, probeKeys: [], buildKeys: [], nullSafe: [], kind: kind,
      residual: residual,
      ranges: zip(ranges, layout.ranges).map {
        RangeKey(probe: $1, build: $0.probe, operator: $0.operator.flipped)
      }, shared: HashJoinShared(workers: 1), worker: Worker(query: query))
    joined.level = PartitionHash.levels
    if kind != .right { return joined }
    return PickColumnsOperator(
      input: joined, positions: Array(count..<count + probeTypes.count) + Array(0..<count))
  }
}
