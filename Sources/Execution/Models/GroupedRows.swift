import Diagnostics
import NeuralNet

/// The rows of FOR EACH, some groups at a time: as many as make a few megabytes, or one that is
/// larger. In which order the groups come means nothing.
final class GroupedRows {
  /// A group's number, and its rows, which whoever trains on them copies.
  struct Group {
    let key: UInt32
    let sets: @Sendable () throws -> GroupTrainer.Rows.Sets
  }

  private enum Source {
    case memory
    case spilled(GroupRecords, GroupRecords?, targets: [SpilledTarget], nextBucket: Int)
  }

  /// Enough to keep all threads busy, little beside the rows themselves.
  private static let waveBytes = 4 << 20

  private var source: Source
  private var training: GroupedSet?
  private var validation: GroupedSet?
  /// Groups of the sets at hand that are still to come, the next last.
  private var waiting: [(key: UInt32, rows: ArraySlice<Int32>)] = []
  private var validationRows: [UInt32: ArraySlice<Int32>] = [:]

  init(_ training: GroupedSet, _ validation: GroupedSet?) {
    source = .memory
    take(training, validation)
  }

  init(_ training: GroupRecords, _ validation: GroupRecords?, targets: [SpilledTarget]) {
    source = .spilled(training, validation, targets: targets, nextBucket: 0)
  }

  /// What rows that were put away take of memory, a bucket of them at a time.
  var byteCount: Int {
    switch source {
    case .memory: 2 * ((training?.set.byteCount ?? 0) + (validation?.set.byteCount ?? 0))
    case .spilled(let rows, let others, _, _):
      2 * (rows.largestBucketBytes + (others?.largestBucketBytes ?? 0))
    }
  }

  /// The next groups; nil when there are no more.
  func next() throws -> [Group]? {
    while waiting.isEmpty {
      guard case .spilled(let rows, let others, let targets, let bucket) = source,
        bucket < GroupRecords.bucketCount
      else { return nil }
      source = .spilled(rows, others, targets: targets, nextBucket: bucket + 1)
      take(
        try rows.read(bucket: bucket, targets), try others?.read(bucket: bucket, targets))
    }
    var groups: [Group] = []
    var bytes = 0
    while bytes < Self.waveBytes, let (key, rows) = waiting.popLast(), let training {
      // A group may have no rows to validate on: its trainer says so.
      let others = validation.map { ($0, validationRows[key] ?? []) }
      bytes += (rows.count + (others?.1.count ?? 0)) * training.set.bytesPerRow
      groups.append(
        Group(key: key) {
          (try training.subset(rows), try others.map { try $0.subset($1) })
        })
    }
    return groups
  }

  private func take(_ rows: GroupedSet, _ others: GroupedSet?) {
    training = rows
    validation = others
    waiting = rows.rowsByGroup().reversed()
    validationRows = [:]
    for (key, rows) in others?.rowsByGroup() ?? [] { validationRows[key] = rows }
    // Groups that have rows to validate on alone are still groups, which have nothing to train on.
    let known = Set(waiting.map(\.key))
    let only = validationRows.keys.filter { !known.contains($0) }.sorted(by: >)
    waiting.insert(contentsOf: only.map { ($0, []) }, at: 0)
  }
}
