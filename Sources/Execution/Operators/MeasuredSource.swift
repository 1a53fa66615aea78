import Columnar
import Glibc
import Synchronization

/// What EXPLAIN ANALYZE tells of one node: summed over its workers.
package final class NodeStatistics: Sendable {
  private let rowCounter = Atomic<Int>(0)
  private let batchCounter = Atomic<Int>(0)
  private let nanosecondCounter = Atomic<Int>(0)
  private let byteCounter = Atomic<Int>(0)
  private let skippedCounter = Atomic<Int>(0)
  private let partitionCounter = Atomic<Int>(0)
  /// Of a node that predicts.
  let predictions = PredictCounters()

  package var rows: Int { rowCounter.load(ordering: .relaxed) }
  package var batches: Int { batchCounter.load(ordering: .relaxed) }
  /// Time inside the node and those below it, of all workers together.
  package var nanoseconds: Int { nanosecondCounter.load(ordering: .relaxed) }
  /// Memory that breakers held at their peak.
  package var bytes: Int { byteCounter.load(ordering: .relaxed) }

  /// Partitions that a scan left out, and all that it came to.
  package var partitions: (skipped: Int, all: Int) {
    (skippedCounter.load(ordering: .relaxed), partitionCounter.load(ordering: .relaxed))
  }

  func add(partition isSkipped: Bool) {
    partitionCounter.wrappingAdd(1, ordering: .relaxed)
    skippedCounter.wrappingAdd(isSkipped ? 1 : 0, ordering: .relaxed)
  }

  func add(rows: Int, nanoseconds: Int) {
    rowCounter.wrappingAdd(rows, ordering: .relaxed)
    batchCounter.wrappingAdd(rows > 0 ? 1 : 0, ordering: .relaxed)
    nanosecondCounter.wrappingAdd(nanoseconds, ordering: .relaxed)
  }

  func add(bytes: Int) { byteCounter.wrappingAdd(bytes, ordering: .relaxed) }
}

/// An operator that can say how much it held.
protocol MemoryReporting: AnyObject {
  var peakBytes: Int { get }
}

/// Counts what passes.
final class MeasuredSource: RewindableSource, SkippingSource {
  private let source: any BatchSource
  private let statistics: NodeStatistics
  private var isReported = false

  init(_ source: any BatchSource, _ statistics: NodeStatistics) {
    self.source = source
    self.statistics = statistics
  }

  func rewind() -> Bool { Execution.rewind(source) }

  func skip(_ count: Int) throws -> Int { try Columnar.skip(count, of: source) }

  func next() throws -> Batch? {
    let start = monotonicNanoseconds()
    let batch = try source.next()
    statistics.add(rows: batch?.rowCount ?? 0, nanoseconds: monotonicNanoseconds() - start)
    if batch == nil, !isReported, let reporting = source as? any MemoryReporting {
      isReported = true
      statistics.add(bytes: reporting.peakBytes)
    }
    return batch
  }
}

package func monotonicNanoseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
