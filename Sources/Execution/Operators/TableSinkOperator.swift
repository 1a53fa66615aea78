import Columnar
import Storage

/// Ends a worker's copy of a plan that loads a table: stores its rows and passes none on.
final class TableSinkOperator: BatchSource {
  private let input: any BatchSource
  private let collector: RowGroupCollector
  private let worker: Worker
  private let memory: MemoryHolder

  init(input: any BatchSource, collector: RowGroupCollector, worker: Worker) {
    self.input = input
    self.collector = collector
    self.worker = worker
    memory = MemoryHolder(worker.query.memory, "table load")
  }

  func next() throws -> Batch? {
    var writer = RowGroupWriter(types: collector.types)
    var sequence: Int?
    var bytes = 0
    func publish(_ groups: [RowGroup], next: Int) throws {
      for group in groups { bytes += group.byteCount }
      try collector.add(sequence ?? next, groups, next: next, of: worker)
      try memory.hold(collector.writesEarly ? collector.byteCount / worker.count : bytes)
    }
    while let batch = try input.next() {
      if let check = collector.check { try check(batch) }
      if sequence != batch.sequence {
        try publish(writer.finish(), next: batch.sequence)
        sequence = batch.sequence
      }
      writer.append(batch)
      if let full = writer.takeFinished() { try publish(full, next: batch.sequence) }
    }
    try publish(writer.finish(), next: .max)
    return nil
  }
}
