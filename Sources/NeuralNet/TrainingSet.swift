import Diagnostics

/// What a training row is compared with.
package enum TargetKind: Hashable, Sendable {
  case values(width: Int)
  /// Class ids from 0 to count - 1.
  case classes(count: Int)
}

/// What a row to train on is: its features, a target for each output, maybe a weight.
package struct TrainingLayout: Hashable, Sendable {
  /// Floats of all inputs, side by side.
  package let width: Int
  /// One for each output of the network, in their order.
  package let targets: [TargetKind]
  package let isWeighted: Bool

  package init(width: Int, targets: [TargetKind], isWeighted: Bool = false) {
    self.width = width
    self.targets = targets
    self.isWeighted = isWeighted
  }

  /// Floats of all targets that are values.
  package var valueWidth: Int { valueOffset(targets.count) }
  /// The number of targets that are classes.
  package var classWidth: Int { classOffset(targets.count) }

  /// Floats or class ids of a whole row.
  var recordWidth: Int { width + valueWidth + classWidth + (isWeighted ? 1 : 0) }

  /// Floats of a row's targets before those of a target.
  func valueOffset(_ target: Int) -> Int {
    targets[..<target].reduce(0) { sum, kind in
      if case .values(let width) = kind { sum + width } else { sum }
    }
  }

  /// Class ids of a row before that of a target.
  func classOffset(_ target: Int) -> Int {
    targets[..<target].reduce(0) { sum, kind in
      if case .classes = kind { sum + 1 } else { sum }
    }
  }
}

/// Rows to train on: features [rows, width] row-major, targets [rows, valueWidth], class ids
/// [rows, classWidth], and weights where given. Grows by appending; read-only once a trainer has it.
package final class TrainingSet: @unchecked Sendable {
  // SAFETY: filled by one owner, then only read.
  package let layout: TrainingLayout
  package let width: Int
  package let isWeighted: Bool
  /// Floats of target per row.
  package let targetWidth: Int
  let classWidth: Int
  package private(set) var rows = 0
  private var capacity = 0
  private(set) var features: FloatBuffer
  private(set) var targets: FloatBuffer
  private(set) var weights: FloatBuffer
  private(set) var classes: [Int32] = []

  /// One target.
  package convenience init(width: Int, target: TargetKind, weighted: Bool = false) throws {
    try self.init(TrainingLayout(width: width, targets: [target], isWeighted: weighted))
  }

  /// Errors: no features, no targets, a target of no width.
  package init(_ layout: TrainingLayout) throws {
    guard layout.width > 0 else { throw Self.noFeatures() }
    guard !layout.targets.isEmpty else { throw Self.noTargets() }
    for target in layout.targets {
      switch target {
      case .values(let count), .classes(let count):
        guard count > 0 else { throw Self.noTargets() }
      }
    }
    self.layout = layout
    width = layout.width
    isWeighted = layout.isWeighted
    targetWidth = layout.valueWidth
    classWidth = layout.classWidth
    features = try FloatBuffer(count: 0)
    targets = try FloatBuffer(count: 0)
    weights = try FloatBuffer(count: 0)
  }

  /// The first target.
  package var target: TargetKind { layout.targets[0] }

  /// Bytes held, for the memory broker.
  package var byteCount: Int {
    4 * (features.count + targets.count + weights.count + classes.capacity)
  }

  /// Bytes of a row.
  package var bytesPerRow: Int { 4 * layout.recordWidth }

  /// The same memory for other rows, from the first on: what a source does between two pieces.
  package func removeAll() {
    rows = 0
    classes.removeAll(keepingCapacity: true)
  }

  /// How many rows each class of a target has; a target of one value counts as the classes 0 and 1.
  package func classCounts(target: Int) -> [Int] {
    switch layout.targets[target] {
    case .classes(let count):
      var counts = [Int](repeating: 0, count: count)
      let offset = layout.classOffset(target)
      for row in 0..<rows { counts[Int(classes[row * classWidth + offset])] += 1 }
      return counts
    case .values:
      let offset = layout.valueOffset(target)
      let ones = (0..<rows).reduce(0) {
        $0 + (targets.pointer[$1 * targetWidth + offset] > 0.5 ? 1 : 0)
      }
      return [rows - ones, ones]
    }
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
    if classWidth > 0 { classes.reserveCapacity(size * classWidth) }
    capacity = size
  }

  private func grown(_ old: FloatBuffer, rows size: Int, width: Int) throws -> FloatBuffer {
    let (count, overflow) = size.multipliedReportingOverflow(by: width)
    guard !overflow else { throw Self.tooManyRows(size) }
    let fresh = try FloatBuffer(count: count)
    fresh.pointer.update(from: old.pointer, count: rows * width)
    return fresh
  }

  /// Appends rows given as columns, one pointer per feature and per target value; targets that are
  /// classes have none here, but one each in `classes`. Errors: an id outside 0 ..< count, a weight
  /// that is negative or not finite.
  package func append(
    rows count: Int, columns: [UnsafePointer<Float>],
    targets targetColumns: [UnsafePointer<Float>] = [],
    classes classColumns: [UnsafePointer<Int32>], weights rowWeights: UnsafePointer<Float>? = nil
  ) throws {
    guard targetColumns.count == targetWidth, classColumns.count == classWidth else {
      throw Self.wrongTarget(
        targetColumns.count + classColumns.count, targetWidth + classWidth)
    }
    try checkClasses(count, classColumns)
    try appendFeatures(count, columns, rowWeights)
    scatter(targetColumns, into: targets.pointer + rows * targetWidth, count: count)
    if classWidth == 1 {
      classes.append(contentsOf: UnsafeBufferPointer(start: classColumns[0], count: count))
    } else if classWidth > 1 {
      for row in 0..<count { for column in classColumns { classes.append(column[row]) } }
    }
    rows += count
  }

  private func checkClasses(_ count: Int, _ columns: [UnsafePointer<Int32>]) throws {
    var place = 0
    for case .classes(let limit) in layout.targets {
      let ids = columns[place]
      for i in 0..<max(0, count) where ids[i] < 0 || Int(ids[i]) >= limit {
        throw Self.wrongClass(ids[i], limit: limit)
      }
      place += 1
    }
  }

  /// The same where no target is a class.
  package func append(
    rows count: Int, columns: [UnsafePointer<Float>], targets targetColumns: [UnsafePointer<Float>],
    weights rowWeights: UnsafePointer<Float>? = nil
  ) throws {
    try append(
      rows: count, columns: columns, targets: targetColumns, classes: [], weights: rowWeights)
  }

  /// The same with one target, which is a class.
  package func append(
    rows count: Int, columns: [UnsafePointer<Float>], classes ids: UnsafePointer<Int32>,
    weights rowWeights: UnsafePointer<Float>? = nil
  ) throws {
    try append(rows: count, columns: columns, classes: [ids], weights: rowWeights)
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
    guard width > 0 else { return }
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
      classWidth == 0, !isWeighted
    else { throw Self.wrongTarget(targetValues.count, count * targetWidth) }
    try reserve(rows: rows + count)
    for i in values.indices { features.pointer[rows * width + i] = values[i] }
    for i in targetValues.indices { targets.pointer[rows * targetWidth + i] = targetValues[i] }
    rows += count
  }

  /// Appends rows in row-major order, with class ids.
  package func append(features values: [Float], classes ids: [Int32]) throws {
    let count = values.count / width
    guard case .classes(let limit) = target, layout.targets.count == 1,
      count * width == values.count, ids.count == count, !isWeighted
    else { throw Self.wrongTarget(ids.count, count) }
    for id in ids where id < 0 || Int(id) >= limit { throw Self.wrongClass(id, limit: limit) }
    try reserve(rows: rows + count)
    for i in values.indices { features.pointer[rows * width + i] = values[i] }
    classes.append(contentsOf: ids)
    rows += count
  }

  /// Appends rows as records: features, values, class ids (their bits), weight, one after the other.
  /// The values were checked when the records were made.
  func append(records: UnsafePointer<Float>, count: Int) throws {
    try reserve(rows: rows + count)
    let record = layout.recordWidth
    let (width, targetWidth, classWidth) = (width, targetWidth, classWidth)
    let features = features.pointer + rows * width
    let targets = targets.pointer + rows * targetWidth
    let weights = isWeighted ? weights.pointer + rows : nil
    for i in 0..<count {
      let source = records + i * record
      (features + i * width).update(from: source, count: width)
      let values = source + width
      for k in 0..<targetWidth { targets[i * targetWidth + k] = values[k] }
      weights?[i] = source[record - 1]
    }
    if classWidth > 0 {
      for i in 0..<count {
        let ids = records + i * record + width + targetWidth
        for k in 0..<classWidth { classes.append(Int32(bitPattern: ids[k].bitPattern)) }
      }
    }
    rows += count
  }

  /// Appends a row of a set of the same layout.
  func append(row: Int, of other: TrainingSet) throws {
    try reserve(rows: rows + 1)
    appendRow(row, of: other)
  }

  /// Appends rows of a set of the same layout, by their numbers.
  func append(_ numbers: ArraySlice<Int32>, of other: TrainingSet) throws {
    try reserve(rows: rows + numbers.count)
    let (width, targetWidth, classWidth) = (width, targetWidth, classWidth)
    let (fromFeatures, fromTargets) = (other.features.pointer, other.targets.pointer)
    var (toFeatures, toTargets) = (
      features.pointer + rows * width, targets.pointer + rows * targetWidth
    )
    for number in numbers {
      let row = Int(number)
      toFeatures.update(from: fromFeatures + row * width, count: width)
      toTargets.update(from: fromTargets + row * targetWidth, count: targetWidth)
      toFeatures += width
      toTargets += targetWidth
    }
    if isWeighted {
      var to = weights.pointer + rows
      for number in numbers {
        to.pointee = other.weights.pointer[Int(number)]
        to += 1
      }
    }
    if classWidth > 0 {
      for number in numbers {
        let start = Int(number) * classWidth
        classes.append(contentsOf: other.classes[start..<start + classWidth])
      }
    }
    rows += numbers.count
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
    let training = try TrainingSet(layout)
    let validation = try TrainingSet(layout)
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
    if classWidth > 0 {
      classes.append(contentsOf: other.classes[row * classWidth..<(row + 1) * classWidth])
    }
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
  static func wrongWeight(_ weight: Float) -> SQLError {
    SQLError(.model, "a row weight must be finite and not negative, got \(weight)")
  }
  static func wrongFraction(_ fraction: Double) -> SQLError {
    SQLError(.model, "the validation split must lie between 0 and 1, got \(fraction)")
  }
  static func tooFewToSplit(_ rows: Int) -> SQLError {
    SQLError(.model, "a validation split needs at least 2 rows, got \(rows)")
  }
}
