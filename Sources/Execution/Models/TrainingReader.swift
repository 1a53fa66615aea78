import Columnar
import Diagnostics
import NeuralNet

/// Turns batches of inputs and a label into a training set; finds the classes where none are given.
final class TrainingReader {
  private let definition: ModelDefinition
  private let columnNames: [String]
  private let nulls: ModelOptions.NullRule
  /// Floats of a row.
  private let width: Int
  private var nullCounts: [Int]
  /// Numbers go straight to the set.
  private var set: TrainingSet?
  /// Class labels wait until all classes are known.
  private var pending: [(features: FeatureColumns, groups: [UInt32], rows: Int)] = []
  private let labels: GroupTable
  private(set) var byteCount = 0
  private var rows = 0

  init(
    definition: ModelDefinition, nulls: ModelOptions.NullRule, width: Int, columnNames: [String]
  ) {
    self.definition = definition
    self.nulls = nulls
    self.width = width
    self.columnNames = columnNames
    nullCounts = Array(repeating: 0, count: columnNames.count)
    labels = GroupTable([definition.output.type])
  }

  func append(_ given: Batch) throws {
    var batch = given
    if nulls == .skip {
      guard let kept = Self.withoutNulls(given) else { return }
      batch = kept
    }
    rows += batch.rowCount
    for (position, column) in batch.columns.enumerated() where column.mayHaveNulls {
      for row in 0..<batch.rowCount where column.isNull(row) { nullCounts[position] += 1 }
    }
    if nullCounts.contains(where: { $0 > 0 }) { return }
    let features = try FeatureColumns(Array(batch.columns.dropLast()), rows: batch.rowCount)
    guard let label = batch.columns.last else { return }
    if definition.outputKind == .number {
      let targets = try FeatureColumns([label], rows: batch.rowCount)
      let target = try numberSet(width: targets.width)
      try features.keepingAlive { columns in
        try targets.keepingAlive {
          try target.append(rows: batch.rowCount, columns: columns, targets: $0)
        }
      }
      byteCount = target.byteCount
    } else {
      var groups = [UInt32](repeating: 0, count: batch.rowCount)
      labels.lookUp([label], count: batch.rowCount, groups: &groups)
      pending.append((features, groups, batch.rowCount))
      byteCount += batch.rowCount * (features.width + 1) * 4
    }
  }

  private func numberSet(width: Int) throws -> TrainingSet {
    if let set { return set }
    let made = try TrainingSet(
      width: self.width, target: .values(width: width))
    set = made
    return made
  }

  /// The rows that have no NULL; nil where there are none.
  private static func withoutNulls(_ batch: Batch) -> Batch? {
    let nullable = batch.columns.filter(\.mayHaveNulls)
    if nullable.isEmpty { return batch }
    var kept = Selection(capacity: batch.rowCount)
    var count = 0
    for row in 0..<batch.rowCount where !nullable.contains(where: { $0.isNull(row) }) {
      kept.indices[count] = UInt32(row)
      count += 1
    }
    if count == batch.rowCount { return batch }
    if count == 0 { return nil }
    kept.count = count
    return Batch(
      columns: batch.columns.map { Column.dictionary($0.flattened(), kept).flattened() },
      rowCount: count)
  }

  /// The classes, in their order. Errors name NULLs by column, missing rows, one class alone, and
  /// labels that are outside of CLASSES.
  func findClasses() throws -> [Value] {
    let name = definition.name
    for (position, count) in nullCounts.enumerated() where count > 0 {
      throw SQLError(
        .model,
        "column \"\(columnNames[position])\" is NULL in \(count) of \(rows) training rows of model \"\(name)\"",
        hint:
          "filter them out with WHERE, use coalesce, impute(…) in TRANSFORM, or on_null = 'skip'")
    }
    if rows == 0 { throw SQLError(.model, "TRAIN of model \"\(name)\" got no rows") }
    if definition.outputKind == .number { return [] }
    let found = labels.keys(first: 0, count: labels.count)[0]
    let values = (0..<labels.count).map { found.value($0) }
    guard definition.classes.isEmpty else {
      if let outside = values.first(where: { !definition.classes.contains($0) }) {
        throw SQLError(
          .model, "a label of model \"\(name)\" is outside its CLASSES: \(text(outside))")
      }
      return definition.classes
    }
    let comparator = ColumnComparator(found, found)
    let classes = (0..<labels.count).sorted { comparator.compare($0, $1) < 0 }.map { values[$0] }
    let units =
      definition.template.isOutputOpen
      ? max(classes.count, 2)
      : definition.outputKind == .binary ? 2 : definition.network.outputWidth
    if classes.count != units {
      throw SQLError(
        .model,
        "the labels of model \"\(name)\" have \(classes.count) class\(classes.count == 1 ? "" : "es"), its last layer is made for \(units)",
        hint: classes.count == 1 ? "one class cannot be learned" : nil)
    }
    return classes
  }

  /// The set, for these classes.
  func finish(_ classes: [Value], _ network: Network) throws -> TrainingSet {
    if definition.outputKind == .number { return try numberSet(width: 1) }
    let found = labels.keys(first: 0, count: labels.count)[0]
    let ids = (0..<labels.count).map { row in
      Int32(truncatingIfNeeded: classes.firstIndex(of: found.value(row)) ?? 0)
    }
    let result = try TrainingSet(
      width: width,
      target: definition.outputKind == .binary
        ? .values(width: 1) : .classes(count: network.outputWidth))
    try result.reserve(rows: rows)
    for part in pending {
      try part.features.keepingAlive { columns in
        if definition.outputKind == .binary {
          let targets = part.groups.map { Float(ids[Int($0)]) }
          try targets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            try result.append(rows: part.rows, columns: columns, targets: [start])
          }
        } else {
          let targets = part.groups.map { ids[Int($0)] }
          try targets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            try result.append(rows: part.rows, columns: columns, classes: start)
          }
        }
      }
    }
    pending = []
    return result
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .varchar(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    default: "\(value)"
    }
  }
}
