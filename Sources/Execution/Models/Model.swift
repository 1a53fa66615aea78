import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// An output as CREATE MODEL described it.
package struct ModelOutputDefinition: Sendable {
  package let field: Field
  package let kind: ModelDefinition.OutputKind
  /// Given by CLASSES, or by the type; otherwise found by TRAIN.
  package let classes: [Value]
}

/// What CREATE MODEL said, checked: the same for all versions of the model.
package struct ModelDefinition: Sendable {
  /// What the output stands for.
  package enum OutputKind: Hashable, Sendable {
    /// Numbers as the last layer gives them.
    case number
    /// One of several classes, each with a unit of its own in the last layer.
    case classes
    /// One of two classes, from a single unit's probability.
    case binary
  }

  /// What was typed, without OR REPLACE and the like: a definition can be made of it again.
  package let statement: CreateModel
  package let name: String
  package let inputs: [Field]
  let transform: ModelTransform
  /// At least one.
  package let outputs: [ModelOutputDefinition]
  let template: NetworkTemplate
  /// Where widths hang on what TRAIN finds, one with guesses in their place.
  package let network: Network
  package let options: ModelOptions

  /// The statement as SQL.
  package var sql: String { Printer.sql(.createModel(statement)) }

  /// From what `sql` gave.
  package static func parsed(_ sql: String) throws -> ModelDefinition {
    guard case .createModel(let statement) = try Parser.parseStatement(sql).statement else {
      throw SQLError(.internal, "the text of a model is no CREATE MODEL")
    }
    return try ModelCompiler.compile(statement)
  }

  package var threshold: Float { options.threshold }

  /// Floats of a value: an array counts its elements.
  static func width(of type: LogicalType) -> Int {
    if case .array(let element, let count) = type { return width(of: element) * count }
    return 1
  }
}

extension ModelDefinition {
  /// What enters the network and the network itself, after TRAIN found this.
  func network(for state: ModelState) throws -> (transform: BoundTransform, network: Network) {
    let bound = try transform.bound(state.transforms)
    if !transform.needsFit && !outputs.contains(where: { template.leavesOpen($0.field.name) }) {
      return (bound, network)
    }
    let wanted = outputs.enumerated().map { index, output in
      let classes = index < state.classes.count ? state.classes[index].count : 0
      return GraphOutput(
        output.field.name,
        width: output.kind == .number ? Self.width(of: output.field.type) : max(classes, 2))
    }
    return (bound, try template.network(bound, outputs: wanted))
  }
}

/// One version of a model, as statements see it from planning to their end. Never changes.
package final class Model: ModelDescription, Sendable {
  package let definition: ModelDefinition
  /// 0: not trained yet.
  package let version: Int
  package let network: Network
  let transform: BoundTransform
  /// nil where there is one network for each key, too.
  package let weights: Weights?
  /// What FOR EACH made.
  let groups: ModelGroups?
  /// What TRAIN found besides the weights.
  package let state: ModelState
  /// A row for each epoch of its training.
  package let epochs: [EpochReport]
  /// Of each output; empty for numbers.
  package let classNames: [[String]]
  /// Whether a key that has no network is an error, and not NULL.
  let refusesUnseenKeys: Bool

  init(
    definition: ModelDefinition, version: Int, weights: Weights?, groups: ModelGroups? = nil,
    state: ModelState, epochs: [EpochReport] = [], takesUnseenKeys: Bool = false
  ) throws {
    self.definition = definition
    refusesUnseenKeys = definition.options.unseen == .error && !takesUnseenKeys
    self.version = version
    (transform, network) = try definition.network(for: state)
    self.weights = weights
    self.groups = groups
    self.state = state
    self.epochs = epochs
    classNames = try zip(definition.outputs, state.classes).map {
      try ModelState.texts(of: $1, $0.field.type)
    }
  }

  /// Runs the network for some of its outputs, by their numbers; classes as probabilities.
  func predictor(_ outputs: [Int]) throws -> Predictor {
    guard let weights else {
      throw groups == nil
        ? SQLError(.model, "model \"\(name)\" has not been trained") : Self.manyNetworks(self)
    }
    return try predictor(outputs, weights)
  }

  /// The same with weights of this version's shape.
  func predictor(_ outputs: [Int], _ weights: Weights) throws -> Predictor {
    try Predictor(
      network: network, weights: weights,
      outputs: outputs.map { index in
        let output = definition.outputs[index]
        return PredictedOutput(
          index,
          output.kind == .number
            ? .raw : .probabilities(loss: definition.options.training.lossName(of: output)))
      })
  }

  /// From what `record` gave.
  convenience init(definition: ModelDefinition, record: ModelVersionRecord) throws {
    let state = try ModelState(json: record.state, definition)
    if let keys = state.keys {
      let weights = try Weights.unstacked(
        try Safetensors.read(record.weights), count: keys.count,
        network: try definition.network(for: state).network)
      let epochs =
        record.runs.count == keys.count ? record.runs : keys.values[0].map { _ in [] }
      try self.init(
        definition: definition, version: record.version, weights: nil,
        groups: ModelGroups(keys: keys, weights: weights, epochs: epochs), state: state)
      return
    }
    var weights = try Weights(
      network: try definition.network(for: state).network, initializer: .zeros)
    try weights.load(safetensors: record.weights)
    try self.init(
      definition: definition, version: record.version, weights: weights, state: state,
      epochs: record.runs.first ?? [])
  }

  /// The version as plain data; nil before it is trained.
  package var record: ModelVersionRecord? {
    get throws {
      guard isTrained else { return nil }
      return ModelVersionRecord(
        version: version, weights: Safetensors.write(tensors), state: try state.json(definition),
        runs: groups?.epochs ?? [epochs])
    }
  }

  /// The weights by name; those of several networks stacked, in the order of their keys.
  var tensors: [NamedTensor] {
    groups.map { Weights.stacked($0.weights) } ?? weights?.tensors ?? []
  }

  static func manyNetworks(_ model: Model) -> SQLError {
    SQLError(
      .notSupported,
      "model \"\(model.name)\" has a network for each "
        + model.keys.map(\.name).joined(separator: ", ") + ": this takes one network")
  }

  package var takingUnseenKeys: any ModelDescription {
    guard groups != nil, refusesUnseenKeys else { return self }
    let lenient = try? Model(
      definition: definition, version: version, weights: weights, groups: groups, state: state,
      epochs: epochs, takesUnseenKeys: true)
    return lenient ?? self
  }

  package var name: String { definition.name }
  package var inputs: [Field] { definition.inputs }
  package var outputs: [Field] { definition.outputs.map(\.field) }
  package var versionLabel: String { "v\(version)" }
  package func cost(of outputs: [Int]) -> String {
    let flops = (weights ?? groups?.weights.first).flatMap { try? predictor(outputs, $0) }
    let networks = groups.map { "\($0.weights.count) networks, each " } ?? ""
    return networks
      + "\(network.parameterCount) parameters, \(network.parameterCount &* 4) bytes, "
      + "\(flops?.flopsPerRow ?? network.flopsPerRow) flop a row"
  }

  package var isTrained: Bool { weights != nil || groups != nil }
  package var keys: [Field] { groups?.keys.fields ?? [] }
  package var featureNames: [String] { transform.features.map(\.name) }

  package func features(of inputs: [Expression]) -> [Expression] {
    transform.features(of: inputs)
  }

  /// For each feature, then each key, whether an output of these hangs on it.
  package func readsFeatures(_ outputs: [Int]) -> [Bool] {
    guard definition.template.isGraph, let weights = weights ?? groups?.weights.first,
      let predictor = try? predictor(outputs, weights)
    else {
      return transform.features.map { _ in true } + keys.map { _ in true }
    }
    return predictor.readsInput + keys.map { _ in true }
  }
}
