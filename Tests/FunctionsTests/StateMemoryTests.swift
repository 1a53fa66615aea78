import Columnar
import Functions
import Testing

/// What states of aggregates say that they hold.
struct StateMemoryTests {
  private static func filled(_ resolved: ResolvedAggregate) throws -> any AggregateState {
    let state = try resolved.makeState()
    state.resize(groups: 1)
    let column = Column(flat: .bigint, count: 100_000)
    let values = column.values(as: Int64.self)
    for row in 0..<column.count { values[row] = Int64(row) }
    try state.update([column], count: column.count)
    return state
  }

  /// A merged state refers to the other's values: they are counted once, by it or by the other.
  @Test func mergedListsAreCountedOnce() throws {
    let resolved = try Aggregates.resolve(name: "list", arguments: [.bigint])
    let target = try StateMemoryTests.filled(resolved)
    var source: (any AggregateState)? = try StateMemoryTests.filled(resolved)
    let own = target.byteCount
    let other = try #require(source).byteCount
    #expect(other >= 800_000)
    let zero: [UInt32] = [0]
    try zero.withUnsafeBufferPointer { groups in
      let start = try #require(groups.baseAddress)
      try target.merge(try #require(source), source: start, target: start, count: 1)
    }
    let merged = target.byteCount
    #expect(merged < own + other / 2)
    #expect(source?.byteCount == other)
    source = nil
    #expect(target.byteCount >= merged + 800_000)
    #expect(target.byteCount <= merged + other)
  }
}
