import Columnar
import Diagnostics
import NeuralNet

/// Turns batches of features and labels into training sets; finds the classes where none are given.
/// A batch has the features, a label per output, and a weight and a validation flag where TRAIN has
/// such.
final class TrainingReader {
  private let definition: ModelDefinition
  private let options: ModelOptions
  private let columnNames: [String]
  private let featureCount: Int
  private let hasWeight: Bool
  private let hasValidation: Bool
  private var nullCounts: [Int]
  private var parts: [Part] = []
  /// The labels of each output that is a class.
  private let tables: [GroupTable]
  private(set) var byteCount = 0
  private(set) var rows = 0
  private var trainingRows = 0
  private let width: Int
  /// Once they do not fit into memory: the rows to train on, and those to validate on.
  private var spilled: (training: NeuralNet.SpilledRows, validation: NeuralNet.SpilledRows)?
  /// Of all values that were read, in their order: the same data has the same.
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  /// What a batch gives, until all classes are known.
  private struct Part {
    var rows: Int
    var features: FeatureColumns
    /// Of outputs that are numbers.
    var values: [FeatureColumns?]
    /// Of outputs that are classes: numbers of groups.
    var groups: [[UInt32]]
    var weights: FeatureColumns?
    var isValidation: Bool
  }

  init(
    _ definition: ModelDefinition, _ options: ModelOptions, transform: BoundTransform,
    labels: [String], query: TrainQuery
  ) {
    self.definition = definition
    self.options = options
    featureCount = transform.features.count
    width = transform.features.reduce(0) { $0 + ModelDefinition.width(of: $1.type) }
    hasWeight = query.hasWeight
    hasValidation = query.hasValidation
    columnNames = transform.features.map(\.name) + labels + (hasWeight ? ["WEIGHT"] : [])
    nullCounts = Array(repeating: 0, count: columnNames.count)
    tables = definition.outputs.map { GroupTable([$0.field.type]) }
  }

  func append(_ batch: Batch) throws {
    guard hasValidation, let flags = batch.columns.last else {
      try append(batch, isValidation: false)
      return
    }
    let rest = Batch(columns: Array(batch.columns.dropLast()), rowCount: batch.rowCount)
    for wanted in [false, true] {
      let kept = (0..<batch.rowCount).filter { (flags.value($0) == .boolean(true)) == wanted }
      if let part = rest.taking(kept) { try append(part, isValidation: wanted) }
    }
  }

  private func append(_ given: Batch, isValidation: Bool) throws {
    var batch = given
    if options.nulls == .skip {
      let nullable = given.columns.filter(\.mayHaveNulls)
      guard
        let kept = given.taking(
          (0..<given.rowCount).filter { row in !nullable.contains { $0.isNull(row) } })
      else { return }
      batch = kept
    }
    rows += batch.rowCount
    for (position, column) in batch.columns.enumerated() where column.mayHaveNulls {
      for row in 0..<batch.rowCount where column.isNull(row) { nullCounts[position] += 1 }
    }
    if nullCounts.contains(where: { $0 > 0 }) { return }
    let count = batch.rowCount
    var part = Part(
      rows: count,
      features: try FeatureColumns(Array(batch.columns[0..<featureCount]), rows: count),
      values: [], groups: [], weights: nil, isValidation: isValidation)
    part.features.hash(into: &hash, rows: count)
    for (index, output) in definition.outputs.enumerated() {
      let label = batch.columns[featureCount + index]
      if output.kind == .number {
        let values = try FeatureColumns([label], rows: count)
        values.hash(into: &hash, rows: count)
        part.values.append(values)
        part.groups.append([])
      } else {
        var groups = [UInt32](repeating: 0, count: count)
        tables[index].lookUp([label], count: count, groups: &groups)
        for group in groups { hash = (hash ^ UInt64(group)) &* 0x100_0000_01b3 }
        part.values.append(nil)
        part.groups.append(groups)
      }
    }
    if hasWeight {
      part.weights = try FeatureColumns(
        [batch.columns[featureCount + definition.outputs.count]], rows: count)
    }
    if !isValidation { trainingRows += count }
    if spilled != nil {
      try spill(part)
      return
    }
    parts.append(part)
    byteCount += count * 4 * (part.features.width + definition.outputs.count + (hasWeight ? 1 : 0))
  }

  /// The classes of each output, in their order. Errors name NULLs by column, missing rows, one
  /// class alone, and labels that are outside of CLASSES. `known` are those of a version to go on
  /// from.
  func findClasses(known: [[Value]]) throws -> [[Value]] {
    let name = definition.name
    for (position, count) in nullCounts.enumerated() where count > 0 {
      throw SQLError(
        .model,
        "column \"\(columnNames[position])\" is NULL in \(count) of \(rows) training rows of model \"\(name)\"",
        hint:
          "filter them out with WHERE, use coalesce, impute(…) in TRANSFORM, or on_null = 'skip'")
    }
    if trainingRows == 0 {
      throw SQLError(.model, "TRAIN of model \"\(name)\" got no rows")
    }
    return try definition.outputs.indices.map { index in
      let output = definition.outputs[index]
      if output.kind == .number { return [] }
      let given = index < known.count && !known[index].isEmpty ? known[index] : output.classes
      return given.isEmpty ? try newClasses(index) : try checkClasses(index, given)
    }
  }

  private func checkClasses(_ index: Int, _ classes: [Value]) throws -> [Value] {
    let found = tables[index].keys(first: 0, count: tables[index].count)[0]
    for row in 0..<tables[index].count where !classes.contains(found.value(row)) {
      throw SQLError(
        .model,
        "a label of model \"\(definition.name)\" is outside its CLASSES: \(Self.text(found.value(row)))"
      )
    }
    return classes
  }

  private func newClasses(_ index: Int) throws -> [Value] {
    let count = tables[index].count
    let found = tables[index].keys(first: 0, count: count)[0]
    let comparator = ColumnComparator(found, found)
    let classes = (0..<count).sorted { comparator.compare($0, $1) < 0 }.map { found.value($0) }
    let output = definition.outputs[index]
    let units =
      definition.template.leavesOpen(output.field.name)
      ? max(count, 2) : output.kind == .binary ? 2 : definition.network.outputs[index].width
    if count != units {
      throw SQLError(
        .model,
        "the labels of model \"\(definition.name)\" have \(count) class\(count == 1 ? "" : "es"), its last layer is made for \(units)",
        hint: count == 1 ? "one class cannot be learned" : nil)
    }
    return classes
  }

  // MARK: Rows beyond memory

  /// Puts what was read into a temporary file, and all that is read from now on. What remains in
  /// memory is a piece of each bucket.
  func spill(to file: () throws -> SpillFile) throws {
    if spilled != nil { return }
    let form = NeuralNet.SpilledRows.Form(
      width: width,
      valueWidth: definition.outputs.reduce(0) {
        $0 + ($1.kind == .number ? ModelDefinition.width(of: $1.field.type) : 0)
      },
      groupWidth: definition.outputs.filter { $0.kind != .number }.count, isWeighted: hasWeight)
    let seed = options.training.seed
    spilled = (
      NeuralNet.SpilledRows(form, seed: seed, store: SpilledTrainingRows(try file())),
      NeuralNet.SpilledRows(form, seed: seed, store: SpilledTrainingRows(try file()))
    )
    for part in parts { try spill(part) }
    parts = []
    byteCount = 4 << 20
  }

  private func spill(_ part: Part) throws {
    guard let spilled else { return }
    let target = part.isValidation ? spilled.validation : spilled.training
    try part.features.keepingAlive { columns in
      try withExtendedLifetime(part) {
        try target.append(
          rows: part.rows, columns: columns, values: part.values.flatMap { $0?.addresses ?? [] },
          groups: zip(definition.outputs, part.groups).filter { $0.0.kind != .number }.map(\.1),
          weights: part.weights?.addresses.first)
      }
    }
  }

  // MARK: Sets

  /// The rows to train on and those to validate on: rows that are marked so, or that part of all.
  func finish(
    _ classes: [[Value]], _ network: Network, split fraction: Double, file: () throws -> SpillFile
  ) throws -> (training: any TrainingSource, validation: (any TrainingSource)?) {
    let ids = definition.outputs.indices.map { index -> [Int32] in
      let found = tables[index].keys(first: 0, count: tables[index].count)[0]
      return (0..<tables[index].count).map { row in
        Int32(truncatingIfNeeded: classes[index].firstIndex(of: found.value(row)) ?? 0)
      }
    }
    let seed = options.training.seed
    if let spilled {
      let targets = definition.outputs.indices.map { index -> SpilledTarget in
        switch definition.outputs[index].kind {
        case .number:
          .values(width: ModelDefinition.width(of: definition.outputs[index].field.type))
        case .binary: .binary(ids: ids[index])
        case .classes: .classes(count: network.outputs[index].width, ids: ids[index])
        }
      }
      if hasValidation {
        return (try spilled.training.source(targets), try spilled.validation.source(targets))
      }
      if fraction <= 0 { return (try spilled.training.source(targets), nil) }
      let parts = try spilled.training.split(fraction: fraction, seed: seed) {
        SpilledTrainingRows(try file())
      }
      self.spilled = nil
      return (try parts.training.source(targets), try parts.validation.source(targets))
    }
    let (training, validation) = try sets(ids, network)
    if let validation { return (MemorySource(training), MemorySource(validation)) }
    if fraction <= 0 { return (MemorySource(training), nil) }
    let parts = try training.split(fraction: fraction, seed: seed)
    return (MemorySource(parts.training), MemorySource(parts.validation))
  }

  private func sets(_ ids: [[Int32]], _ network: Network) throws
    -> (training: TrainingSet, validation: TrainingSet?)
  {
    let layout = TrainingLayout(
      width: network.inputWidth,
      targets: definition.outputs.indices.map { index in
        switch definition.outputs[index].kind {
        case .number:
          .values(width: ModelDefinition.width(of: definition.outputs[index].field.type))
        case .binary: .values(width: 1)
        case .classes: .classes(count: network.outputs[index].width)
        }
      }, isWeighted: hasWeight)
    func set(_ isValidation: Bool) throws -> TrainingSet {
      let set = try TrainingSet(layout)
      try set.reserve(
        rows: parts.reduce(0) { $0 + ($1.isValidation == isValidation ? $1.rows : 0) })
      for part in parts where part.isValidation == isValidation { try append(part, ids, to: set) }
      return set
    }
    let result = (try set(false), hasValidation ? try set(true) : nil)
    parts = []
    return result
  }

  private func append(_ part: Part, _ ids: [[Int32]], to set: TrainingSet) throws {
    var binary: [Column] = []
    var classes: [[Int32]] = []
    for (index, output) in definition.outputs.enumerated() {
      switch output.kind {
      case .number: binary.append(Column.nulls(.float, count: 0))
      case .binary:
        let column = Column(flat: .float, count: part.rows)
        let values = column.values(as: Float.self)
        for row in 0..<part.rows { values[row] = Float(ids[index][Int(part.groups[index][row])]) }
        binary.append(column)
      case .classes:
        binary.append(Column.nulls(.float, count: 0))
        classes.append(part.groups[index].map { ids[index][Int($0)] })
      }
    }
    try part.features.keepingAlive { columns in
      var targets: [UnsafePointer<Float>] = []
      for (index, output) in definition.outputs.enumerated() {
        switch output.kind {
        case .number: targets += part.values[index]?.addresses ?? []
        case .binary: targets.append(UnsafePointer(binary[index].values(as: Float.self)))
        case .classes: break
        }
      }
      // SAFETY: `part`, `binary` and the buffer outlive the call, which copies.
      let flat = classes.flatMap { $0 }
      try flat.withUnsafeBufferPointer { buffer in
        var places: [UnsafePointer<Int32>] = []
        if let start = buffer.baseAddress {
          places = classes.indices.map { start + $0 * part.rows }
        }
        try withExtendedLifetime((part, binary)) {
          try set.append(
            rows: part.rows, columns: columns, targets: targets, classes: places,
            weights: part.weights?.addresses.first)
        }
      }
    }
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .varchar(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    default: "\(value)"
    }
  }
}

extension Batch {
  /// These rows; nil where there are none.
  func taking(_ rows: [Int]) -> Batch? {
    if rows.isEmpty { return nil }
    if rows.count == rowCount { return self }
    let kept = Selection(rows)
    return Batch(
      columns: columns.map { Column.dictionary($0.flattened(), kept).flattened() },
      rowCount: rows.count)
  }
}
