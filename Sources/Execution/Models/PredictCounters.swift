import Synchronization

/// What EXPLAIN ANALYZE tells of a PREDICT beyond rows and time: summed over its workers.
final class PredictCounters: Sendable {
  private let distinctCounter = Atomic<Int>(0)
  private let runCounter = Atomic<Int>(0)
  private let flopCounter = Atomic<Int>(0)
  private let nanosecondCounter = Atomic<Int>(0)

  /// The network ran over so many rows, for a batch of any number of them; of several networks each
  /// has a batch.
  func add(distinct: Int, batches: Int = 1, flopsPerRow: Int, nanoseconds: Int) {
    distinctCounter.wrappingAdd(distinct, ordering: .relaxed)
    runCounter.wrappingAdd(batches, ordering: .relaxed)
    flopCounter.wrappingAdd(distinct &* flopsPerRow, ordering: .relaxed)
    nanosecondCounter.wrappingAdd(nanoseconds, ordering: .relaxed)
  }

  /// Rows that the network saw.
  var distinct: Int { distinctCounter.load(ordering: .relaxed) }
  /// Batches that it saw them in.
  var runs: Int { runCounter.load(ordering: .relaxed) }
  /// Floating-point operations of all that it did.
  var flops: Int { flopCounter.load(ordering: .relaxed) }
  /// Time inside the network and around it, of all workers together.
  var nanoseconds: Int { nanosecondCounter.load(ordering: .relaxed) }

  /// `3 distinct inputs, 1 batch, 84 kflop, 1.25 GFLOP/s`; nil where nothing was predicted.
  var text: String? {
    if runs == 0 { return nil }
    let speed = nanoseconds > 0 ? Double(flops) / Double(nanoseconds) : 0
    return "\(distinct) distinct \(distinct == 1 ? "input" : "inputs"), "
      + "\(runs) \(runs == 1 ? "batch" : "batches"), \(flops) flop, \(Self.hundredths(speed)) GFLOP/s"
  }

  private static func hundredths(_ value: Double) -> String {
    let units = Int((min(max(value, 0), 1e12) * 100).rounded())
    let fraction = units % 100
    return "\(units / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}
