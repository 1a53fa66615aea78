/// A state that keeps one record of constant size per group: records say how they join, and what is
/// the same for all such states (memory, merging) is here. States of generic classes have their own:
/// see `SpecialisedState`.
protocol RecordState: AggregateState {
  associatedtype Record: AggregateRecord
  var records: StateMemory { get }
}

/// What a group's rows have come to; all bits zero for a group without rows.
protocol AggregateRecord: BitwiseCopyable {
  mutating func add(_ other: Self)
}

extension RecordState {
  var byteCount: Int { records.byteCount }

  func resize(groups count: Int) { records.resize(count) }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) {
    let mine = records.values(Record.self)
    let theirs = sameState(other, as: Self.self).records.values(Record.self)
    for row in 0..<count { mine[Int(target[row])].add(theirs[Int(source[row])]) }
  }
}
