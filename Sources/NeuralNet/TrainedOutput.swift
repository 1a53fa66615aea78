import CVectorMath
import Diagnostics

/// An output of the network with what it is compared with: its loss, weights and target. A class, since
/// every step passes it about: one reference to count.
final class TrainedOutput: Sendable {
  let index: Int
  let name: String
  let loss: LossDefinition
  /// The loss takes the input of the output's last layer.
  let isFused: Bool
  /// What its loss counts in the sum over the outputs.
  let lossWeight: Double
  let width: Int
  let target: TargetKind
  /// Of a row's target values, or of its class ids, those before this one's.
  let offset: Int
  /// delta, beta, margin.
  let parameter: Float
  let smoothing: Float
  /// Of the classes, by id; empty: all 1.
  let classWeights: [Float]
  /// [width] weights of the positive cases; nil: all 1.
  let positiveWeights: FloatBuffer?

  /// Errors: shapes and weights that do not fit the loss, the classes or the output.
  init(
    _ output: NetworkOutput, index: Int, isOnly: Bool, options: TrainerOptions,
    source: any TrainingSource
  ) throws {
    let layout = source.layout
    let target = layout.targets[index]
    let key = output.name.lowercased()
    loss = try Self.chooseLoss(options.outputLosses[key] ?? options.loss, target: target)
    self.index = index
    name = output.name
    isFused = loss.fusesWith != nil && loss.fusesWith == output.lastLayerName
    lossWeight = options.lossWeights[key] ?? 1
    width = output.width
    self.target = target
    switch target {
    case .values: offset = layout.valueOffset(index)
    case .classes: offset = layout.classOffset(index)
    }
    let subject = isOnly ? "the network" : "output \"\(output.name)\""
    try Self.checkWidths(output, loss, target, subject: subject)
    let parameter = options.lossParameter ?? loss.parameter?.defaultValue ?? 0
    if let own = loss.parameter, parameter < 0 || (parameter == 0 && own.defaultValue > 0) {
      throw Self.badParameter(own.name)
    }
    self.parameter = Float(parameter)
    smoothing =
      loss.name == "cross_entropy" && Self.isClass(target) ? Float(options.labelSmoothing) : 0
    if options.labelSmoothing > 0, isOnly, smoothing == 0 {
      throw Self.refuse("label_smoothing", "needs cross_entropy over classes")
    }
    classWeights = try Self.chooseClassWeights(
      loss, target, options, key: key, index: index, isOnly: isOnly, source: source)
    positiveWeights = try Self.choosePositiveWeights(loss, options, width: width, isOnly: isOnly)
  }

  /// Values of the target as the loss reads them.
  var targetWidth: Int {
    switch target {
    case .values(let width): width
    case .classes: width
    }
  }

  /// Whether the loss reads class ids, where the target has them.
  var takesClasses: Bool { loss.kind == .classes && Self.isClass(target) }

  static func isClass(_ target: TargetKind) -> Bool {
    if case .classes = target { true } else { false }
  }

  static func chooseLoss(_ name: String?, target: TargetKind) throws -> LossDefinition {
    if let name { return try LossDefinition.named(name) }
    switch target {
    case .values: return .meanSquaredError
    case .classes: return .crossEntropy
    }
  }

  static func checkWidths(
    _ output: NetworkOutput, _ loss: LossDefinition, _ target: TargetKind, subject: String
  ) throws {
    let outputs = output.width
    guard loss.kind != .classes || output.shape.dimensions.count <= 1 else {
      throw SQLError(
        .model,
        "loss '\(loss.name)' expects a vector of classes, \(subject) gives \(output.shape)",
        hint: "end with flatten() and linear(…)")
    }
    switch target {
    case .values(let width):
      guard width == outputs + loss.extraTargets else {
        throw SQLError(
          .model, "\(subject) gives \(outputs) outputs, the target has \(width) values",
          hint: loss.extraTargets > 0 ? "loss '\(loss.name)' wants one more" : nil)
      }
    case .classes(let count):
      switch loss.kind {
      case .classes:
        guard count <= outputs else {
          throw SQLError(
            .model, "\(subject) gives \(outputs) outputs, but there are \(count) classes",
            hint: "end with linear(\(count))")
        }
      case .binary, .regression:
        guard outputs == 1 ? count <= 2 : count <= outputs else {
          throw SQLError(
            .model,
            "loss '\(loss.name)' compares \(count) classes with \(outputs) output"
              + (outputs == 1 ? "" : "s"), hint: "loss = 'cross_entropy'")
        }
      }
    }
  }

  private static func chooseClassWeights(
    _ loss: LossDefinition, _ target: TargetKind, _ options: TrainerOptions, key: String,
    index: Int, isOnly: Bool, source: any TrainingSource
  ) throws -> [Float] {
    let given = options.outputClassWeights[key] ?? (isOnly ? options.classWeights : [])
    let count: Int
    switch target {
    case .classes(let classes): count = classes
    case .values(let width): count = width == 1 && loss.kind == .binary ? 2 : 0
    }
    if given.isEmpty {
      if options.balancesClasses, isOnly, count == 0 {
        throw refuse("class_weights", "needs a class as target")
      }
      guard options.balancesClasses, count > 0 else { return [] }
      // scikit-learn's: rows / (classes x rows of the class).
      let counts = try source.classCounts(target: index)
      let rows = Double(counts.reduce(0, +))
      return counts.map { $0 == 0 ? 0 : Float(rows / (Double(count) * Double($0))) }
    }
    guard given.count == count else {
      throw refuse("class_weights", "needs a class as target, and a weight for each class")
    }
    guard given.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw refuse("class_weights", "must be numbers from 0 up")
    }
    return given
  }

  private static func choosePositiveWeights(
    _ loss: LossDefinition, _ options: TrainerOptions, width: Int, isOnly: Bool
  ) throws -> FloatBuffer? {
    let given = options.positiveWeights
    guard !given.isEmpty, isOnly || loss.kind == .binary else { return nil }
    guard loss.kind == .binary, given.count == 1 || given.count == width else {
      throw refuse("pos_weight", "needs the loss bce, and a weight for each output")
    }
    let buffer = try FloatBuffer(count: width)
    for i in 0..<width {
      buffer.pointer[i] = given[given.count == 1 ? 0 : i]
      guard buffer.pointer[i] >= 0, buffer.pointer[i].isFinite else {
        throw refuse("pos_weight", "must be a number from 0 up")
      }
    }
    return buffer
  }

  private static func refuse(_ name: String, _ reason: String) -> SQLError {
    SQLError(.model, "option \"\(name)\" \(reason)")
  }
  private static func badParameter(_ name: String) -> SQLError {
    SQLError(.model, "option \"\(name)\" must be above 0")
  }
}
