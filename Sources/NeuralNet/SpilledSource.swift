import Diagnostics

/// Makes rows of a layout out of records.
struct RecordDecoder {
  let layout: TrainingLayout
  private let form: TrainingRecords.Form
  private let targets: [SpilledTarget]

  init(_ form: TrainingRecords.Form, _ targets: [SpilledTarget]) {
    self.form = form
    self.targets = targets
    layout = TrainingLayout(
      width: form.width,
      targets: targets.map { target in
        switch target {
        case .values(let width): .values(width: width)
        case .classes(let count, _): .classes(count: count)
        case .binary: .values(width: 1)
        }
      }, isWeighted: form.isWeighted)
  }

  /// Appends records to a set. Errors: a group that has no class.
  func append(_ records: UnsafePointer<Float>, count: Int, to set: TrainingSet) throws {
    // Without classes a record is a row as it lies.
    if form.groupWidth == 0 { return try set.append(records: records, count: count) }
    // A record has as many words as a row of the layout: a group for each class, or value of one.
    var row = [Float](repeating: 0, count: form.recordWidth)
    for i in 0..<count {
      let record = records + i * form.recordWidth
      for j in 0..<form.width { row[j] = record[j] }
      var value = form.width
      var group = form.width + form.valueWidth
      var to = form.width
      var classes = form.width + layout.valueWidth
      for target in targets {
        switch target {
        case .values(let width):
          for _ in 0..<width {
            row[to] = record[value]
            to += 1
            value += 1
          }
        case .binary(let ids):
          row[to] = Float(try id(record[group], ids))
          to += 1
          group += 1
        case .classes(_, let ids):
          row[classes] = Float(bitPattern: UInt32(bitPattern: try id(record[group], ids)))
          classes += 1
          group += 1
        }
      }
      if form.isWeighted { row[form.recordWidth - 1] = record[form.recordWidth - 1] }
      try row.withUnsafeBufferPointer { row in
        if let start = row.baseAddress { try set.append(records: start, count: 1) }
      }
    }
  }

  private func id(_ word: Float, _ ids: [Int32]) throws -> Int32 {
    let group = Int(word.bitPattern)
    guard group < ids.count else { throw Self.damaged() }
    return ids[group]
  }

  /// Rows of each class of a target, out of rows of each group.
  func classCounts(target index: Int, _ groups: [[Int]]) -> [Int] {
    var label = 0
    for target in targets[..<index] {
      if case .values = target { continue }
      label += 1
    }
    let (count, ids): (Int, [Int32])
    switch targets[index] {
    case .values: return []
    case .classes(let classes, let given): (count, ids) = (classes, given)
    case .binary(let given): (count, ids) = (2, given)
    }
    var counts = [Int](repeating: 0, count: count)
    for (group, rows) in groups[label].enumerated() where group < ids.count {
      let id = Int(ids[group])
      if counts.indices.contains(id) { counts[id] += rows }
    }
    return counts
  }

  private static func damaged() -> SQLError {
    SQLError(.io, "a temporary file does not hold what was written to it")
  }
}

/// Rows on disk, shuffled run by run.
final class SpilledSource: TrainingSource {
  private let spilled: TrainingRecords
  private let decoder: RecordDecoder
  private let runs: ShuffleRuns
  private var epoch = (seed: UInt64(0), number: 0)
  /// Runs still to come, the next last.
  private var left: [Int] = []
  /// The run at hand, its order, and how many of its rows are given.
  private let current: TrainingSet
  private var order = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private var given = 0
  /// A piece that is no part of one run.
  private let joined: TrainingSet
  private var natural: NaturalReader?
  private var isNatural = false

  init(_ spilled: TrainingRecords, _ decoder: RecordDecoder, runBytes: Int) throws {
    self.spilled = spilled
    self.decoder = decoder
    runs = ShuffleRuns(rows: spilled.rows, layout: decoder.layout, runBytes: runBytes)
    current = try TrainingSet(decoder.layout)
    joined = try TrainingSet(decoder.layout)
  }

  deinit { order.deallocate() }

  var layout: TrainingLayout { decoder.layout }
  var rows: Int { spilled.rows }
  var preferredRows: Int { max(1, (8 << 20) / (4 * layout.recordWidth)) }

  func begin(_ wanted: TrainingOrder) throws {
    setOrder(rows: 0)
    current.removeAll()
    given = 0
    natural = nil
    switch wanted {
    case .natural:
      isNatural = true
      natural = try NaturalReader(spilled)
    case .shuffled(let seed, let number):
      isNatural = false
      epoch = (seed, number)
      left = runs.order(seed: seed, epoch: number).reversed()
    }
  }

  func next(rows count: Int) throws -> TrainingPiece {
    joined.removeAll()
    if isNatural {
      for _ in 0..<count {
        if let record = try natural?.next() { try decoder.append(record, count: 1, to: joined) }
      }
      return TrainingPiece(joined, first: 0, count: count)
    }
    while joined.rows < count {
      if given == order.count { try loadRun() }
      if joined.rows == 0, given + count <= order.count {
        defer { given += count }
        // SAFETY: the order lives until the next run is loaded, in another call.
        return TrainingPiece(
          current, first: given, count: count, order: order.baseAddress.map { UnsafePointer($0) })
      }
      try joined.append(row: Int(order[given]), of: current)
      given += 1
    }
    return TrainingPiece(joined, first: 0, count: count)
  }

  private func loadRun() throws {
    guard let run = left.popLast() else { throw Self.exhausted() }
    current.removeAll()
    let width = spilled.form.recordWidth
    let capacity = max(1, (1 << 20) / (4 * width))
    let window = try FloatBuffer(count: capacity * width)
    for bucket in runs.buckets(of: run) {
      var first = 0
      let rows = spilled.bucketRows(bucket)
      while first < rows {
        let count = min(capacity, rows - first)
        try spilled.store.read(
          bucket: bucket, from: 4 * first * width,
          into: UnsafeMutableRawBufferPointer(start: window.pointer, count: 4 * count * width))
        try decoder.append(UnsafePointer(window.pointer), count: count, to: current)
        first += count
      }
    }
    setOrder(rows: current.rows)
    ShuffleRuns.shuffle(
      order, runs.random(seed: epoch.seed, epoch: epoch.number, run: run))
    given = 0
  }

  private func setOrder(rows: Int) {
    order.deallocate()
    order = .allocate(capacity: rows)
    for row in 0..<rows { order.initializeElement(at: row, to: UInt32(truncatingIfNeeded: row)) }
  }

  func classCounts(target: Int) throws -> [Int] {
    decoder.classCounts(target: target, spilled.groupCounts)
  }

  private static func exhausted() -> SQLError {
    SQLError(.internal, "an epoch wants more rows than there are")
  }
}
