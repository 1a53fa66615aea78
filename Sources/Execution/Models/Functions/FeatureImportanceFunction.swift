import Columnar
import Diagnostics
import NeuralNet
import Planner

extension ModelFunction {
  /// Permutation importance, Breiman 2001: how much worse the model is when a feature's values are
  /// dealt out anew among the rows.
  static let featureImportance = ModelFunction(
    "feature_importance", takesRows: true, options: ["repeats", "seed"],
    summary: "a row per feature: what shuffling it costs, in mean squared error or accuracy",
    example: "SELECT * FROM feature_importance(MODEL m, TABLE t)"
  ) { call in
    let output = call.model.definition.outputs[0]
    guard
      let label = call.rows.firstIndex(where: {
        $0.name.lowercased() == output.field.name.lowercased()
      })
    else {
      throw SQLError(
        .binder, "the rows have no column \"\(output.field.name)\", which is to be predicted",
        at: call.span, hint: didYouMean(output.field.name, among: call.rows.map(\.name)))
    }
    let type = call.rows[label].type
    if output.kind == .number, !TypeResolution.feeds(type, output.field.type) {
      throw SQLError(
        .binder,
        "\"\(output.field.name)\" of model \"\(call.model.name)\" is \(output.field.type), but the column is \(type)",
        at: call.span)
    }
    return FeatureImportanceProvider(
      model: call.model, label: label, repeats: min(try call.integer("repeats", 3), 1_000),
      seed: try call.integer("seed", 1))
  }
}

/// Some rows that follow each other, and the network that they are for.
private struct NetworkPart {
  let weights: Weights
  let rowCount: Int
}

private final class FeatureImportanceProvider: RunnableRowProvider, Sendable {
  let model: Model
  let label: Int
  let repeats: Int
  let seed: Int

  init(model: Model, label: Int, repeats: Int, seed: Int) {
    self.model = model
    self.label = label
    self.repeats = repeats
    self.seed = seed
  }

  var title: String { "Feature importance" }
  var details: [String] { ["model: \(model.name) \(model.versionLabel)"] }
  var schema: [Field] {
    [Field("feature", .varchar), Field("importance", .double), Field("error", .double)]
  }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    guard let input else { throw SQLError(.internal, "feature_importance has no input") }
    let rows = try importances(input, query)
    return try ModelRowsProvider(title, model, schema, rows).run(input: nil, query: query)
  }

  private func importances(_ input: any BatchSource, _ query: QueryContext) throws -> [[Value]] {
    let features = model.transform.features
    let weights = try RowWeights(model)
    let predictor = try model.predictor([0], weights.all[0])
    // The rows of each network, which are to stand together.
    var parts = [Int: (values: [[Float]], labels: [Value])]()
    var count = 0
    let memory = MemoryHolder(query.memory, "feature_importance")
    while let batch = try input.next() {
      try query.checkCancelled()
      let wanted = batch.columns.prefix(features.count).map(\.withNullsOfElements)
      let passed = features.count + model.keys.count
      var label = batch.columns[passed + self.label]
      let output = model.definition.outputs[0]
      if output.kind == .number {
        let type = output.field.type
        label = try castColumn(label, to: type.elementType == nil ? .double : type)
          .withNullsOfElements
      }
      let columns = try FeatureColumns(wanted, rows: batch.rowCount)
      try weights.forEachNetwork(
        keys: Array(batch.columns[features.count..<passed]), rows: batch.rowCount,
        where: { row in !label.isNull(row) && !wanted.contains { $0.isNull(row) } }
      ) { network, kept in
        var part =
          parts.removeValue(forKey: network)
          ?? ([[Float]](repeating: [], count: predictor.inputWidth), [])
        columns.keepingAlive { pointers in
          for (index, pointer) in pointers.enumerated() {
            for row in kept { part.values[index].append(pointer[row]) }
          }
        }
        for row in kept { part.labels.append(label.value(row)) }
        parts[network] = part
        count += kept.count
      }
      try memory.hold(count * (predictor.inputWidth * 4 + 40))
    }
    if count == 0 { return [] }
    var values = [[Float]](repeating: [], count: predictor.inputWidth)
    var labels: [Value] = []
    var networks: [NetworkPart] = []
    for (network, part) in parts.sorted(by: { $0.key < $1.key }) {
      if labels.isEmpty {
        values = part.values
      } else {
        for index in values.indices { values[index] += part.values[index] }
      }
      labels += part.labels
      networks.append(NetworkPart(weights: weights.all[network], rowCount: part.labels.count))
    }
    let wanted = try targets(labels)
    let scratch = try predictor.makeScratch()
    func error(_ values: [[Float]]) -> Double {
      self.error(values, wanted, networks, predictor, scratch)
    }
    let base = error(values)
    var place = 0
    return try features.map { feature in
      let range = place..<place + ModelDefinition.width(of: feature.type)
      place = range.upperBound
      var sum = 0.0
      for round in 0..<repeats {
        try query.checkCancelled()
        var shuffled = values
        let order = permutation(labels.count, round)
        for index in range { shuffled[index] = order.map { values[index][$0] } }
        sum += error(shuffled)
      }
      return [.varchar(feature.name), .double(sum / Double(repeats) - base), .double(base)]
    }
  }

  /// The labels as numbers, row by row, or as positions of their classes.
  private func targets(_ labels: [Value]) throws -> [Double] {
    let output = model.definition.outputs[0]
    if output.kind == .number {
      return try labels.flatMap { label -> [Double] in
        if case .list(let items) = label { return try targets(items) }
        return [try number(label)]
      }
    }
    let texts = model.classNames[0]
    var known: [Value: Double] = [:]
    for (position, value) in model.state.classes[0].enumerated() { known[value] = Double(position) }
    return try labels.map { label in
      guard let position = known[label] else {
        throw SQLError(
          .model, "a label is no class of model \"\(model.name)\"",
          hint: "its classes are " + texts.joined(separator: ", "))
      }
      return position
    }
  }

  private func number(_ value: Value) throws -> Double {
    switch value {
    case .float(let number): return Double(number)
    case .double(let number): return number
    case .integer(let number): return Double(number)
    default: throw SQLError(.internal, "a label of feature_importance was not cast to a number")
    }
  }

  /// The mean squared error, or the share of rows whose class is not the one predicted.
  private func error(
    _ values: [[Float]], _ labels: [Double], _ networks: [NetworkPart], _ predictor: Predictor,
    _ scratch: PredictorScratch
  ) -> Double {
    let width = predictor.outputWidth
    let isClass = model.definition.outputs[0].kind != .number
    let rows = isClass ? labels.count : labels.count / width
    var raw = [Float](repeating: 0, count: rows * width)
    let flat = Column(flat: .float, count: rows * values.count)
    let base = flat.values(as: Float.self)
    for (index, column) in values.enumerated() {
      for row in 0..<rows { base[index * rows + row] = column[row] }
    }
    var first = 0
    for network in networks {
      let pointers = values.indices.map { UnsafePointer(base + $0 * rows + first) }
      raw.withUnsafeMutableBufferPointer { buffer in
        pointers.withUnsafeBufferPointer { pointers in
          guard let target = buffer.baseAddress, let from = pointers.baseAddress else { return }
          predictor.predict(
            rows: network.rowCount, columns: from, rowMajor: target + first * width,
            scratch: scratch, weights: network.weights)
        }
      }
      first += network.rowCount
    }
    withExtendedLifetime(flat) {}
    var sum = 0.0
    if !isClass {
      for (score, label) in zip(raw, labels) {
        sum += (Double(score) - label) * (Double(score) - label)
      }
      return sum / Double(labels.count)
    }
    for row in 0..<rows {
      let scores = raw[row * width..<(row + 1) * width]
      if width == 1 {
        let isSecond = scores[scores.startIndex] > model.definition.options.threshold
        sum += (isSecond ? 1 : 0) == labels[row] ? 0 : 1
      } else {
        let best = scores.indices.max { scores[$0] < scores[$1] } ?? scores.startIndex
        sum += Double(best - scores.startIndex) == labels[row] ? 0 : 1
      }
    }
    return sum / Double(rows)
  }

  /// Fisher and Yates over splitmix64: the same for the same seed.
  private func permutation(_ count: Int, _ round: Int) -> [Int] {
    var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(round)
    var order = Array(0..<count)
    for position in stride(from: count - 1, to: 0, by: -1) {
      state = state &+ 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      order.swapAt(position, Int((mixed ^ mixed >> 31) % UInt64(position + 1)))
    }
    return order
  }
}
