import Synchronization

/// What EXPLAIN ANALYZE tells of a PREDICT beyond rows and time.
final class PredictCounters: Sendable {
  private let rowCounter = Atomic<Int>(0)
  private let distinctCounter = Atomic<Int>(0)
  private let flopsPerRow: Int

  init(flopsPerRow: Int) { self.flopsPerRow = flopsPerRow }

  func add(rows: Int, distinct: Int) {
    rowCounter.wrappingAdd(rows, ordering: .relaxed)
    distinctCounter.wrappingAdd(distinct, ordering: .relaxed)
  }

  /// Rows that the network saw.
  var distinct: Int { distinctCounter.load(ordering: .relaxed) }
  var rows: Int { rowCounter.load(ordering: .relaxed) }

  /// Floating-point operations of all that the network did.
  var flops: Double { Double(distinct) * Double(flopsPerRow) }
}
