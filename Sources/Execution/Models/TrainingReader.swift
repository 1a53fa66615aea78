import Columnar
import Diagnostics
import NeuralNet

/// Turns batches of features and labels into rows to train on; finds the classes where none are
/// given. A batch has the features, a label per output, the keys of FOR EACH, and a weight and a
/// validation flag where TRAIN has such.
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
  /// Where the rows go once they do not fit into memory.
  private var spilled: (training: TrainingRecords, validation: TrainingRecords?)?
  /// The keys of FOR EACH, numbered as they come; nil without.
  private let keyTable: GroupTable?
  private let keyCount: Int
  /// Where the rows of FOR EACH go once they do not fit into memory.
  private var spilledGroups: (training: GroupRecords, validation: GroupRecords?)?
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
    /// Numbers of keys; empty without FOR EACH.
    var keys: [UInt32]
    var isValidation: Bool
  }

  init(
    _ definition: ModelDefinition, _ options: ModelOptions, transform: BoundTransform,
    labels: [String], keys: [Field], query: TrainQuery
  ) {
    self.definition = definition
    self.options = options
    featureCount = transform.features.count
    hasWeight = query.hasWeight
    hasValidation = query.hasValidation
    keyCount = keys.count
    keyTable = keys.isEmpty ? nil : GroupTable(keys.map(\.type))
    columnNames =
      transform.features.map(\.name) + labels + keys.map(\.name) + (hasWeight ? ["WEIGHT"] : [])
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
    var batch = Batch(
      columns: given.columns.map(\.withNullsOfElements), rowCount: given.rowCount)
    if options.nulls == .skip {
      let nullable = batch.columns.filter(\.mayHaveNulls)
      guard
        let kept = batch.taking(
          (0..<batch.rowCount).filter { row in !nullable.contains { $0.isNull(row) } })
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
      values: [], groups: [], weights: nil, keys: [], isValidation: isValidation)
    part.features.hash(into: &hash, rows: count)
    for (index, output) in definition.outputs.enumerated() {
      let label = batch.columns[featureCount + index]
      if output.kind == .number {
        let values = try FeatureColumns([label], rows: count)
        try checkProbabilities(values, index, rows: count)
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
    let firstKey = featureCount + definition.outputs.count
    if let keyTable {
      part.keys = [UInt32](repeating: 0, count: count)
      keyTable.lookUp(
        Array(batch.columns[firstKey..<firstKey + keyCount]), count: count, groups: &part.keys)
      for key in part.keys { hash = (hash ^ UInt64(key)) &* 0x100_0000_01b3 }
    }
    if hasWeight {
      part.weights = try FeatureColumns([batch.columns[firstKey + keyCount]], rows: count)
    }
    if !isValidation { trainingRows += count }
    if isSpilled {
      try spill(part)
      return
    }
    parts.append(part)
    byteCount +=
      count * 4
      * (part.features.width + definition.outputs.count + (hasWeight ? 1 : 0)
        + (keyTable == nil ? 0 : 1))
  }

  /// Errors: a label that is no probability where the loss compares probabilities.
  private func checkProbabilities(_ values: FeatureColumns, _ index: Int, rows: Int) throws {
    let output = definition.outputs[index]
    let loss = options.training.lossName(of: output)
    guard ["bce", "bce_with_logits"].contains(loss) else { return }
    let wrong = values.keepingAlive { pointers in
      pointers.lazy.compactMap { pointer in
        (0..<rows).first { pointer[$0] < 0 || pointer[$0] > 1 }.map { pointer[$0] }
      }.first
    }
    guard let wrong else { return }
    throw SQLError(
      .model,
      "a label of output \"\(output.field.name)\" of model \"\(definition.name)\" is \(wrong): "
        + "loss '\(loss)' takes 0 to 1")
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
      if given.isEmpty { return try newClasses(index) }
      let classes = try checkClasses(index, given)
      if known.isEmpty, tables[index].count == 1, classes.count > 1 { throw onlyClass(index) }
      return classes
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

  /// A training that goes on may have the rows of one class only: it has seen the others.
  private func onlyClass(_ index: Int) -> SQLError {
    let label = tables[index].keys(first: 0, count: 1)[0].value(0)
    return SQLError(
      .model,
      "every label of output \"\(definition.outputs[index].field.name)\" of model \"\(definition.name)\" is \(Self.text(label))",
      hint: "one class cannot be learned")
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

  // MARK: Rows that do not fit into memory

  var isSpilled: Bool { spilled != nil || spilledGroups != nil }

  /// Puts the rows so far away, and all that come.
  func spill(seed: UInt64, stores: () throws -> any RecordStore) throws {
    guard !isSpilled, let first = parts.first else { return }
    let form = TrainingRecords.Form(
      width: first.features.width,
      valueWidth: first.values.reduce(0) { $0 + ($1?.width ?? 0) },
      groupWidth: definition.outputs.reduce(0) { $0 + ($1.kind == .number ? 0 : 1) },
      isWeighted: hasWeight)
    if keyTable == nil {
      spilled = (
        training: try TrainingRecords(form, seed: seed, store: try stores()),
        validation: hasValidation ? try TrainingRecords(form, seed: seed, store: try stores()) : nil
      )
    } else {
      spilledGroups = (
        training: try GroupRecords(form, store: try stores()),
        validation: hasValidation ? try GroupRecords(form, store: try stores()) : nil
      )
    }
    for part in parts { try spill(part) }
    parts = []
    byteCount = 0
  }

  private func spill(_ part: Part) throws {
    let groups = zip(definition.outputs, part.groups).filter { $0.0.kind != .number }.map(\.1)
    // SAFETY: `part` outlives the call, which copies.
    try withExtendedLifetime(part) {
      let columns = part.features.addresses
      let values = part.values.flatMap { $0?.addresses ?? [] }
      if let spilled {
        try (part.isValidation ? spilled.validation ?? spilled.training : spilled.training).append(
          rows: part.rows, columns: columns, values: values, groups: groups,
          weights: part.weights?.addresses.first)
      } else if let rows = spilledGroups {
        try (part.isValidation ? rows.validation ?? rows.training : rows.training).append(
          rows: part.rows, keys: part.keys, columns: columns, values: values, groups: groups,
          weights: part.weights?.addresses.first)
      }
    }
  }

  // MARK: The end

  /// The rows to train on and those to validate on, where some are marked so or `split` asks for a
  /// part of them.
  func finish(
    _ classes: [[Value]], _ network: Network, split: Double, seed: UInt64,
    stores: () throws -> any RecordStore
  ) throws -> (training: any TrainingSource, validation: (any TrainingSource)?) {
    let ids = classIds(classes)
    if let spilled {
      self.spilled = nil
      let targets = spilledTargets(ids, network)
      var rows = spilled
      if !hasValidation, split > 0 {
        let parts = try spilled.training.split(fraction: split, seed: seed, stores: stores)
        rows = (parts.training, parts.validation)
      }
      return (try rows.training.source(targets), try rows.validation?.source(targets))
    }
    var training = try set(false, ids, network)
    var validation = hasValidation ? try set(true, ids, network) : nil
    parts = []
    if !hasValidation, split > 0 {
      (training, validation) = try training.split(fraction: split, seed: seed)
    }
    return (MemorySource(training), validation.map { MemorySource($0) })
  }

  /// The rows of FOR EACH: those of all keys, or of some at a time where they were put away.
  func finishGroups(_ classes: [[Value]], _ network: Network) throws -> GroupedRows {
    let ids = classIds(classes)
    if let spilled = spilledGroups {
      spilledGroups = nil
      return GroupedRows(
        spilled.training, spilled.validation, targets: spilledTargets(ids, network))
    }
    func grouped(_ isValidation: Bool) throws -> GroupedSet {
      GroupedSet(
        try set(isValidation, ids, network),
        keys: parts.filter { $0.isValidation == isValidation }.flatMap(\.keys))
    }
    let rows = GroupedRows(try grouped(false), hasValidation ? try grouped(true) : nil)
    parts = []
    return rows
  }

  /// The keys that were found, by their numbers: a column for each field.
  func keys() -> [Column] {
    guard let keyTable else { return [] }
    return keyTable.keys(first: 0, count: keyTable.count)
  }

  /// Of each output: the class of each label found.
  private func classIds(_ classes: [[Value]]) -> [[Int32]] {
    definition.outputs.indices.map { index -> [Int32] in
      let found = tables[index].keys(first: 0, count: tables[index].count)[0]
      return (0..<tables[index].count).map { row in
        Int32(truncatingIfNeeded: classes[index].firstIndex(of: found.value(row)) ?? 0)
      }
    }
  }

  private func spilledTargets(_ ids: [[Int32]], _ network: Network) -> [SpilledTarget] {
    definition.outputs.indices.map { index -> SpilledTarget in
      switch target(index, network) {
      case .classes(let count): .classes(count: count, ids: ids[index])
      case .values(let width):
        definition.outputs[index].kind == .number
          ? .values(width: width) : .binary(ids: ids[index])
      }
    }
  }

  /// The rows that are in memory, those to validate on or the others.
  private func set(_ isValidation: Bool, _ ids: [[Int32]], _ network: Network) throws
    -> TrainingSet
  {
    let set = try TrainingSet(
      TrainingLayout(
        width: network.inputWidth,
        targets: definition.outputs.indices.map { target($0, network) }, isWeighted: hasWeight))
    try set.reserve(
      rows: parts.reduce(0) { $0 + ($1.isValidation == isValidation ? $1.rows : 0) })
    for part in parts where part.isValidation == isValidation { try append(part, ids, to: set) }
    return set
  }

  private func target(_ index: Int, _ network: Network) -> TargetKind {
    switch definition.outputs[index].kind {
    case .number: .values(width: ModelDefinition.width(of: definition.outputs[index].field.type))
    case .binary: .values(width: 1)
    case .classes: .classes(count: network.outputs[index].width)
    }
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
