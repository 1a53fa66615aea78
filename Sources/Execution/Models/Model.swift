import Columnar
import Diagnostics
import NeuralNet
import Planner
import Synchronization

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

  package let name: String
  package let inputs: [Field]
  package let output: Field
  package let outputKind: OutputKind
  /// Given by CLASSES; otherwise found by TRAIN.
  package let classes: [Value]
  package let layers: [LayerCall]
  package let network: Network
  package let options: TrainerOptions
  /// `name = value` as written, for DESCRIBE.
  package let optionTexts: [(name: String, value: String)]
  /// Probability from which a binary output is the second class.
  package let threshold: Float

  /// Float columns that enter the network: an array input counts its elements.
  package var inputWidth: Int { inputs.reduce(0) { $0 + ModelDefinition.width(of: $1.type) } }

  static func width(of type: LogicalType) -> Int {
    if case .array(let element, let count) = type { return width(of: element) * count }
    return 1
  }
}

/// One version of a model, as statements see it from planning to their end: a TRAIN that finishes
/// meanwhile makes another object.
package final class Model: ModelDescription, Sendable {
  package let definition: ModelDefinition
  /// 0: not trained yet.
  package let version: Int
  package let weights: Weights?
  package let predictor: Predictor?
  /// Of the output's type, in the order of the network's units.
  package let classes: [Value]
  package let classNames: [String]

  init(definition: ModelDefinition, version: Int, weights: Weights?, classes: [Value]) throws {
    self.definition = definition
    self.version = version
    self.weights = weights
    self.classes = classes
    let form: OutputForm
    switch definition.outputKind {
    case .number: form = .raw
    case .binary, .classes:
      form = .probabilities(
        loss: definition.outputKind == .classes ? "cross_entropy" : "bce")
    }
    predictor = try weights.map {
      try Predictor(network: definition.network, weights: $0, output: form)
    }
    if classes.isEmpty {
      classNames = []
    } else {
      var builder = ColumnBuilder(definition.output.type, capacity: classes.count)
      for value in classes { try builder.append(value) }
      let texts = ValueText.text(of: builder.finish())
      classNames = (0..<classes.count).map {
        texts.values(as: StringView.self)[texts.valueIndex($0)].string
      }
    }
  }

  package var name: String { definition.name }
  package var inputs: [Field] { definition.inputs }
  package var outputs: [Field] { [definition.output] }
  package var versionLabel: String { "v\(version)" }
  package var isTrained: Bool { weights != nil }
}

/// One row that TRAIN gave.
package struct EpochRow: Sendable {
  package let version: Int
  package let report: EpochReport
}

/// A model of the catalog: its definition and its newest version.
package final class ModelEntry: Sendable {
  package let definition: ModelDefinition
  private let state: Mutex<(current: Model, history: [EpochRow])>

  init(definition: ModelDefinition) throws {
    self.definition = definition
    let untrained = try Model(
      definition: definition, version: 0, weights: nil, classes: definition.classes)
    state = Mutex((untrained, []))
  }

  package var current: Model { state.withLock { $0.current } }
  package var history: [EpochRow] { state.withLock { $0.history } }

  /// Makes the weights the newest version; all statements planned from now on use it.
  func publish(weights: Weights, classes: [Value], epochs: [EpochReport]) throws {
    let version = current.version + 1
    let model = try Model(
      definition: definition, version: version, weights: weights, classes: classes)
    state.withLock {
      $0.current = model
      $0.history += epochs.map { EpochRow(version: version, report: $0) }
    }
  }
}
