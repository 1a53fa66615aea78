import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

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
  package let output: Field
  package let outputKind: OutputKind
  /// Given by CLASSES; otherwise found by TRAIN.
  package let classes: [Value]
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
    if !transform.needsFit && !template.isOutputOpen { return (bound, network) }
    let width =
      outputKind == .number ? Self.width(of: output.type) : max(state.classes.count, 2)
    return (bound, try template.network(bound, output: output, width: width))
  }
}

/// One version of a model, as statements see it from planning to their end. Never changes.
package final class Model: ModelDescription, Sendable {
  package let definition: ModelDefinition
  /// 0: not trained yet.
  package let version: Int
  package let network: Network
  let transform: BoundTransform
  package let weights: Weights?
  package let predictor: Predictor?
  /// What TRAIN found besides the weights.
  package let state: ModelState
  /// A row for each epoch of its training.
  package let epochs: [EpochReport]
  package let classNames: [String]

  init(
    definition: ModelDefinition, version: Int, weights: Weights?, state: ModelState,
    epochs: [EpochReport] = []
  ) throws {
    self.definition = definition
    self.version = version
    (transform, network) = try definition.network(for: state)
    self.weights = weights
    self.state = state
    self.epochs = epochs
    let form: OutputForm
    switch definition.outputKind {
    case .number: form = .raw
    case .binary, .classes:
      form = .probabilities(
        loss: definition.outputKind == .classes ? "cross_entropy" : "bce")
    }
    let network = network
    predictor = try weights.map {
      try Predictor(network: network, weights: $0, output: form)
    }
    classNames = try ModelState.texts(of: state.classes, definition.output.type)
  }

  /// From what `record` gave.
  convenience init(definition: ModelDefinition, record: ModelVersionRecord) throws {
    let state = try ModelState(json: record.state, definition)
    var weights = try Weights(
      network: try definition.network(for: state).network, initializer: .zeros)
    try weights.load(safetensors: record.weights)
    try self.init(
      definition: definition, version: record.version, weights: weights, state: state,
      epochs: record.epochs)
  }

  /// The version as plain data; nil before it is trained.
  package var record: ModelVersionRecord? {
    get throws {
      guard let weights else { return nil }
      return ModelVersionRecord(
        version: version, weights: weights.safetensors(), state: try state.json(definition),
        epochs: epochs)
    }
  }

  package var name: String { definition.name }
  package var inputs: [Field] { definition.inputs }
  package var outputs: [Field] { [definition.output] }
  package var versionLabel: String { "v\(version)" }
  package var isTrained: Bool { weights != nil }
  /// Of the output's type, in the order of the network's units.
  package var classes: [Value] { state.classes }

  package func features(of inputs: [Expression]) -> [Expression] {
    transform.features(of: inputs)
  }
}
