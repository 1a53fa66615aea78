import Columnar
import Diagnostics

extension SortShared {
  /// Sorts the worker's share of the stored rows: a range of first words, so that the workers' parts
  /// follow each other. Between two barriers of the caller.
  func sortRange(
    _ assembly: RowAssembly, _ keys: () -> [SortColumn], worker: Worker
  ) throws {
    let query = worker.query
    let rows = assembly.rowCount
    let (sorter, buffer) = prepare(keys, rowCount: rows)
    if worker.count == 1 {
      fill(buffer, 0..<rows, sorter)
      let scratch = SortPair.buffer(rows)
      defer { withExtendedLifetime((buffer, scratch)) {} }
      try sorter.sort(
        buffer.pointer.assumingMemoryBound(to: SortPair.self),
        scratch.pointer.assumingMemoryBound(to: SortPair.self), rows, query: query)
      finish(buffer, rows, worker: 0)
      return
    }
    let start = rows * worker.index / worker.count
    let end = rows * (worker.index + 1) / worker.count
    fill(buffer, start..<end, sorter)
    try barrier.wait(query)
    let (mine, count) = range(of: buffer, rows, worker)
    try barrier.wait(query)
    if worker.index == 0 { releaseWords() }
    let scratch = SortPair.buffer(count)
    defer { withExtendedLifetime((mine, scratch)) {} }
    try sorter.sort(
      mine.pointer.assumingMemoryBound(to: SortPair.self),
      scratch.pointer.assumingMemoryBound(to: SortPair.self), count, query: query)
    finish(mine, count, worker: worker.index)
  }

  /// Writes row number and first word of the rows at some places of the input.
  private func fill(_ buffer: Buffer, _ places: Range<Int>, _ sorter: RowSorter) {
    defer { withExtendedLifetime(buffer) {} }
    let pairs = buffer.pointer.assumingMemoryBound(to: SortPair.self)
    var place = 0
    for segment in inputOrder() {
      let from = max(places.lowerBound, place)
      let to = min(places.upperBound, place + segment.count)
      if from < to {
        let first = segment.start - place
        for target in from..<to {
          pairs[target] = SortPair(key: 0, row: UInt32(truncatingIfNeeded: first + target))
        }
      }
      place += segment.count
    }
    sorter.fillFirst(pairs + places.lowerBound, places.count)
  }

  /// The worker's rows, those of its range of words, in the order of the input.
  private func range(of all: Buffer, _ rows: Int, _ worker: Worker) -> (Buffer, Int) {
    defer { withExtendedLifetime(all) {} }
    let pairs = all.pointer.assumingMemoryBound(to: SortPair.self)
    let splitters = splitters(pairs, rows)
    let low = worker.index == 0 ? nil : splitters[worker.index - 1]
    let high = worker.index == worker.count - 1 ? nil : splitters[worker.index]
    func isMine(_ key: UInt64) -> Bool {
      if let low, key < low { return false }
      if let high, key >= high { return false }
      return true
    }
    var count = 0
    for position in 0..<rows where isMine(pairs[position].key) { count += 1 }
    let mine = SortPair.buffer(count)
    let target = mine.pointer.assumingMemoryBound(to: SortPair.self)
    count = 0
    for position in 0..<rows where isMine(pairs[position].key) {
      target[count] = pairs[position]
      count += 1
    }
    return (mine, count)
  }
}
