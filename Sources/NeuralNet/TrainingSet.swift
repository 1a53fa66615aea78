import Diagnostics

/// What a training row is compared with.
package enum TargetKind: Hashable, Sendable {
  case values(width: Int)
  /// Class ids from 0 to count - 1.
  case classes(count: Int)
}

/// Rows to train on: features [rows, width] row-major, targets [rows, targetWidth] or class ids,
/// and weights where given. Grows by appending; read-only once a trainer has it.
package final class TrainingSet: @unchecked Sendable {
  // SAFETY: filled by one owner, then only read.
  package let width: Int
  package let target: TargetKind
  package let isWeighted: Bool
  package private(set) var rows = 0
  private var capacity = 0
  private(set) var features: FloatBuffer
  private(set) var targets: FloatBuffer
  private(set) var weights: FloatBuffer
  private(set) var classes: [Int32] = []

  package init(width: Int, target: TargetKind, weighted: Bool = false) throws {
    guard width > 0 else { throw Self.noFeatures() }
    switch target {
    case .values(let count), .classes(let count):
      guard count > 0 else { throw Self.noTargets() }
    }
    self.width = width
    self.target = target
    self.isWeighted = weighted
    features = try FloatBuffer(count: 0)
    targets = try FloatBuffer(count: 0)
    weights = try FloatBuffer(count: 0)
  }

  /// Floats of target per row; 0 for class ids.
  package var targetWidth: Int {
    switch target {
    case .values(let width): width
    case .classes: 0
    }
  }

  /// Bytes held, for the memory broker.
  package var byteCount: Int {
    4 * (features.count + targets.count + weights.count + classes.capacity)
  }

  /// Room for so many rows in all.
  package func reserve(rows wanted: Int) throws {
    guard wanted > capacity else { return }
    // Row numbers are 32-bit in the shuffle.
    guard wanted <= Int(UInt32.max) else { throw Self.tooManyRows(wanted) }
    let size = max(wanted, min(capacity &* 2, Int(UInt32.max)))
    features = try grown(features, rows: size, width: width)
    targets = try grown(targets, rows: size, width: targetWidth)
    if isWeighted { weights = try grown(weights, rows: size, width: 1) }
    if case .classes = target { classes.reserveCapacity(size) }
    capacity = size
  }

  private func grown(_ old: FloatBuffer, rows size: Int, width: Int) throws -> FloatBuffer {
    let (count, overflow) = size.multipliedReportingOverflow(by: width)
    guard !overflow else { throw Self.tooManyRows(size) }
    let fresh = try FloatBuffer(count: count)
    fresh.pointer.update(from: old.pointer, count: rows * width)
    return fresh
  }

  /// Appends rows given as columns, one pointer per feature and per target value.
  package func append(
    rows count: Int, columns: [UnsafePointer<Float>], targets targetColumns: [UnsafePointer<Float>],
    weights rowWeights: UnsafePointer<Float>? = nil
  ) throws {
    guard targetColumns.count == targetWidth, targetWidth > 0 else {
      throw Self.wrongTarget(targetColumns.count, targetWidth)
    }
    try appendFeatures(count, columns, rowWeights)
    scatter(targetColumns, into: targets.pointer + rows * targetWidth, count: count)
    rows += count
  }

  /// The same with class ids. Errors: an id outside 0 ..< count.
  package func append(
    rows count: Int, columns: [UnsafePointer<Float>], classes ids: UnsafePointer<Int32>,
    weights rowWeights: UnsafePointer<Float>? = nil
  ) throws {
    guard case .classes(let limit) = target else { throw Self.wrongTarget(0, targetWidth) }
    for i in 0..<max(0, count) where ids[i] < 0 || Int(ids[i]) >= limit {
      throw Self.wrongClass(ids[i], limit: limit)
    }
    try appendFeatures(count, columns, rowWeights)
    classes.append(contentsOf: UnsafeBufferPointer(start: ids, count: count))
    rows += count
  }

  private func appendFeatures(
    _ count: Int, _ columns: [UnsafePointer<Float>], _ rowWeights: UnsafePointer<Float>?
  ) throws {
    guard columns.count == width else { throw Self.wrongWidth(columns.count, width) }
    guard count >= 0 else { throw Self.tooManyRows(count) }
    guard (rowWeights != nil) == isWeighted else { throw Self.weightsMissing() }
    let (total, overflow) = rows.addingReportingOverflow(count)
    guard !overflow else { throw Self.tooManyRows(count) }
    try reserve(rows: total)
    scatter(columns, into: features.pointer + rows * width, count: count)
    if let rowWeights {
      for i in 0..<count where !(rowWeights[i] >= 0 && rowWeights[i].isFinite) {
        throw Self.wrongWeight(rowWeights[i])
      }
      (weights.pointer + rows).update(from: rowWeights, count: count)
    }
  }

  /// Columns to rows, in blocks that stay in cache.
  private func scatter(
    _ columns: [UnsafePointer<Float>], into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    let width = columns.count
    var start = 0
    while start < count {
      let end = min(count, start + 64)
      for (j, column) in columns.enumerated() {
        var at = start * width + j
        for i in start..<end {
          target[at] = column[i]
          at += width
        }
      }
      start = end
    }
  }

  /// Appends rows in row-major order.
  package func append(features values: [Float], targets targetValues: [Float]) throws {
    let count = values.count / width
    guard count * width == values.count, targetValues.count == count * targetWidth,
      targetWidth > 0, !isWeighted
    else { throw Self.wrongTarget(targetValues.count, count * targetWidth) }
    try reserve(rows: rows + count)
    for i in values.indices { features.pointer[rows * width + i] = values[i] }
    for i in targetValues.indices { targets.pointer[rows * targetWidth + i] = targetValues[i] }
    rows += count
  }

  /// Appends rows in row-major order, with class ids.
  package func append(features values: [Float], classes ids: [Int32]) throws {
    let count = values.count / width
    guard case .classes(let limit) = target, count * width == values.count, ids.count == count,
      !isWeighted
    else { throw Self.wrongTarget(ids.count, count) }
    for id in ids where id < 0 || Int(id) >= limit { throw Self.wrongClass(id, limit: limit) }
    try reserve(rows: rows + count)
    for i in values.indices { features.pointer[rows * width + i] = values[i] }
    classes.append(contentsOf: ids)
    rows += count
  }

  /// Two sets: a row goes to validation by a seeded draw on its number.
  package func split(fraction: Double, seed: UInt64) throws
    -> (training: TrainingSet, validation: TrainingSet)
  {
    guard fraction > 0, fraction < 1 else { throw Self.wrongFraction(fraction) }
    let random = CounterRandom(seed, 0x5B11)
    let wanted = min(rows - 1, max(1, Int((Double(rows) * fraction).rounded())))
    guard rows >= 2 else { throw Self.tooFewToSplit(rows) }
    // Selection sampling (Knuth, algorithm S): exactly `wanted` rows, in order.
    var left = wanted
    let training = try TrainingSet(width: width, target: target, weighted: isWeighted)
    let validation = try TrainingSet(width: width, target: target, weighted: isWeighted)
    try training.reserve(rows: rows - wanted)
    try validation.reserve(rows: wanted)
    for row in 0..<rows {
      if random.index(UInt64(row), below: rows - row) < left {
        left -= 1
        validation.appendRow(row, of: self)
      } else {
        training.appendRow(row, of: self)
      }
    }
    return (training, validation)
  }

  /// Capacity was reserved by the caller.
  private func appendRow(_ row: Int, of other: TrainingSet) {
    (features.pointer + rows * width).update(
      from: other.features.pointer + row * width, count: width)
    (targets.pointer + rows * targetWidth).update(
      from: other.targets.pointer + row * targetWidth, count: targetWidth)
    if isWeighted { weights.pointer[rows] = other.weights.pointer[row] }
    if case .classes = target { classes.append(other.classes[row]) }
    rows += 1
  }

  private static func noFeatures() -> SQLError {
    SQLError(.model, "a training set needs at least one feature")
  }
  private static func noTargets() -> SQLError {
    SQLError(.model, "a training set needs at least one target value or class")
  }
  private static func tooManyRows(_ rows: Int) -> SQLError {
    SQLError(.model, "a training set cannot hold \(rows) rows", hint: "sample the rows")
  }
  private static func wrongWidth(_ actual: Int, _ expected: Int) -> SQLError {
    SQLError(.model, "the training set expects \(expected) features, got \(actual)")
  }
  private static func wrongTarget(_ actual: Int, _ expected: Int) -> SQLError {
    SQLError(.model, "the training set expects \(expected) target values, got \(actual)")
  }
  private static func wrongClass(_ id: Int32, limit: Int) -> SQLError {
    SQLError(.model, "class id \(id) is outside 0 to \(limit - 1)")
  }
  private static func weightsMissing() -> SQLError {
    SQLError(.model, "either every batch of a training set has row weights, or none")
  }
  private static func wrongWeight(_ weight: Float) -> SQLError {
    SQLError(.model, "a row weight must be finite and not negative, got \(weight)")
  }
  private static func wrongFraction(_ fraction: Double) -> SQLError {
    SQLError(.model, "the validation split must lie between 0 and 1, got \(fraction)")
  }
  private static func tooFewToSplit(_ rows: Int) -> SQLError {
    SQLError(.model, "a validation split needs at least 2 rows, got \(rows)")
  }
}
