import Columnar
import Diagnostics
import Planner

/// Some rows of the input, in its order; runs on one worker. Draws depend on the seed and the number
/// of a row alone, so the same seed gives the same rows for any batch size and number of threads.
final class SampleOperator: BatchSource {
  /// Rows that a system sample takes or leaves together.
  private static let systemBlock = 2048
  /// Rows among which a reservoir of a percentage is drawn.
  private static let reservoirBlock = 100_000

  private var input: (any BatchSource)?
  private let method: SampleNode.Method
  private let amount: SampleNode.Amount
  private let draws: CounterDraws
  private let types: [LogicalType]
  private let batchRows: Int
  private var rowNumber = 0
  private var ready: [Batch] = []
  /// What a batch had beyond the end of a block.
  private var rest: Batch?

  init(
    input: any BatchSource, types: [LogicalType], method: SampleNode.Method,
    amount: SampleNode.Amount, seed: Int?, batchRows: Int
  ) {
    self.input = input
    self.types = types
    self.method = method
    self.amount = amount
    self.batchRows = batchRows
    draws = CounterDraws(seed: seed.map { UInt64(bitPattern: Int64($0)) })
    if case .rows(0) = amount { self.input = nil }
    if case .fraction(0) = amount { self.input = nil }
  }

  func next() throws -> Batch? {
    switch (method, amount) {
    case (.bernoulli, .fraction(let fraction)):
      return try passing { [draws] in draws.unit($0) < fraction }
    case (.system, .fraction(let fraction)):
      return try passing { [draws] in draws.unit($0 / SampleOperator.systemBlock) < fraction }
    case (.bernoulli, .rows(let count)), (.system, .rows(let count)),
      (.reservoir, .rows(let count)):
      return try drained { try reservoir(of: count) }
    case (.reservoir, .fraction(let fraction)):
      while ready.isEmpty, input != nil {
        ready = try block(fraction).reversed()
      }
      return ready.popLast()
    }
  }

  /// The rows that pass a test of their number.
  private func passing(_ test: (Int) -> Bool) throws -> Batch? {
    while let batch = try input?.next() {
      var rows = Selection(capacity: batch.rowCount)
      var kept = 0
      for row in 0..<batch.rowCount where test(rowNumber + row) {
        rows.indices[kept] = UInt32(truncatingIfNeeded: row)
        kept += 1
      }
      rowNumber += batch.rowCount
      rows.count = kept
      rows.isIdentity = kept == batch.rowCount
      if kept > 0 { return batch.selecting(rows) }
    }
    input = nil
    return nil
  }

  private func drained(_ make: () throws -> [Batch]) throws -> Batch? {
    if input != nil {
      ready = try make().reversed()
      input = nil
    }
    return ready.popLast()
  }

  // MARK: Reservoirs

  /// `count` rows of all, each set of them equally likely (Vitter's algorithm R): row n takes the
  /// place of a row in the reservoir with probability count / n.
  private func reservoir(of count: Int) throws -> [Batch] {
    var rows = RowReservoir(types: types, capacity: count)
    while let batch = try input?.next() {
      for row in 0..<batch.rowCount {
        let number = rowNumber + row
        if number < count {
          rows.take(row, as: number)
        } else {
          let place = draws.below(number + 1, at: number)
          if place < count { rows.take(row, as: place) }
        }
      }
      rowNumber += batch.rowCount
      rows.store(batch)
    }
    return rows.batches(of: batchRows)
  }

  /// The share of the next block of rows, at the end of the input of what is left.
  private func block(_ fraction: Double) throws -> [Batch] {
    var batches: [Batch] = []
    var count = 0
    while count < SampleOperator.reservoirBlock {
      guard let batch = try rest ?? input?.next() else {
        input = nil
        break
      }
      // Blocks are cut at the same rows whatever the batches.
      let part = min(batch.rowCount, SampleOperator.reservoirBlock - count)
      batches.append(batch.slice(0, part))
      rest = part < batch.rowCount ? batch.slice(part, batch.rowCount - part) : nil
      count += part
    }
    let wanted = Int((Double(count) * fraction).rounded())
    // Selection sampling (Knuth, algorithm S): keeps the order.
    var left = wanted
    var result: [Batch] = []
    var seen = 0
    for batch in batches {
      var rows = Selection(capacity: batch.rowCount)
      var kept = 0
      for row in 0..<batch.rowCount {
        if draws.below(count - seen, at: rowNumber) < left {
          rows.indices[kept] = UInt32(truncatingIfNeeded: row)
          kept += 1
          left -= 1
        }
        seen += 1
        rowNumber += 1
      }
      rows.count = kept
      if kept > 0 { result.append(batch.selecting(rows)) }
    }
    return result
  }
}

/// The rows of a reservoir: what was replaced is cleared out when it outweighs what is there.
private struct RowReservoir {
  private let types: [LogicalType]
  private let capacity: Int
  private var builders: [ColumnBuilder]
  /// Of each place in the reservoir, the stored row.
  private var places: [Int] = []
  private var storedRows = 0
  /// Rows of the batch at hand that were taken.
  private var taken: [Int] = []

  init(types: [LogicalType], capacity: Int) {
    self.types = types
    self.capacity = capacity
    builders = types.map { ColumnBuilder($0) }
  }

  /// Row `row` of the batch to be stored next takes a place.
  mutating func take(_ row: Int, as place: Int) {
    let stored = storedRows + taken.count
    taken.append(row)
    if place < places.count { places[place] = stored } else { places.append(stored) }
  }

  mutating func store(_ batch: Batch) {
    if taken.isEmpty { return }
    let part = batch.selecting(Selection(taken))
    for column in builders.indices { builders[column].append(part.columns[column]) }
    storedRows += taken.count
    taken.removeAll(keepingCapacity: true)
    if storedRows > 2 * capacity + 8192 {
      let kept = collected()
      builders = types.map { ColumnBuilder($0, capacity: places.count) }
      for column in builders.indices { builders[column].append(kept.columns[column]) }
      storedRows = kept.rowCount
    }
  }

  /// The rows in the order they came; afterwards they are numbered so.
  private mutating func collected() -> Batch {
    let order = places.sorted()
    let all = Batch(columns: builders.indices.map { builders[$0].finish() }, rowCount: storedRows)
    var ranks: [Int: Int] = [:]
    for (rank, stored) in order.enumerated() { ranks[stored] = rank }
    places = places.map { ranks[$0] ?? 0 }
    return all.selecting(Selection(order))
  }

  mutating func batches(of size: Int) -> [Batch] { collected().pieces(of: size) }
}

/// Random numbers by their place in a sequence: a mixing of seed and counter.
struct CounterDraws: Sendable {
  private let seed: UInt64

  /// nil: another sequence each time.
  init(seed: UInt64?) {
    if let seed {
      self.seed = SplitMix64.mixed(seed &+ SplitMix64.increment)
    } else {
      var system = SystemRandomNumberGenerator()
      self.seed = system.next()
    }
  }

  private func bits(_ counter: Int) -> UInt64 {
    SplitMix64.mixed(seed &+ UInt64(bitPattern: Int64(counter)) &* SplitMix64.increment)
  }

  /// In 0 ..< 1.
  func unit(_ counter: Int) -> Double { Double(bits(counter) >> 11) * 0x1p-53 }

  /// In 0 ..< bound, for a bound of at least 1.
  func below(_ bound: Int, at counter: Int) -> Int {
    Int(truncatingIfNeeded: bits(counter).multipliedFullWidth(by: UInt64(max(bound, 1))).high)
  }
}
