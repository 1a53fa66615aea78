import Diagnostics

/// A literal value in `OPTIONS (…)`.
package enum OptionValue: Hashable, Sendable {
  case number(Double)
  case text(String)
  case boolean(Bool)
  case list([OptionValue])
  /// `{price: 'mse', segment: 'cross_entropy'}`.
  case entries([OptionEntry])
}

/// A name and its value within an option.
package struct OptionEntry: Hashable, Sendable {
  package var name: String
  package var value: OptionValue

  package init(_ name: String, _ value: OptionValue) {
    self.name = name
    self.value = value
  }
}

package enum BatchSize: Hashable, Sendable {
  case rows(Int)
  case full
}

/// How to train: the options of model-sql.md with their defaults.
package struct TrainerOptions: Sendable {
  /// Of every output that `outputLosses` does not name; nil: by the kind of target.
  package var loss: String?
  /// By the outputs' names in lower case, as all such tables here.
  package var outputLosses: [String: String] = [:]
  /// What each output's loss counts in their sum; 1 where it is not named.
  package var lossWeights: [String: Double] = [:]
  package var lossParameter: Double?
  /// Of the classes, in the order of their ids: a row counts with that of its class. Empty: all 1.
  package var classWeights: [Float] = []
  /// The same for each of several outputs.
  package var outputClassWeights: [String: [Float]] = [:]
  /// Each class that has no weight here gets rows / (classes x its rows).
  package var balancesClasses = false
  /// `class_weights` by the classes' names, to be resolved when the classes are known; under "" for
  /// the outputs that are not named.
  package var namedClassWeights: [String: [String: Double]] = [:]
  /// Of the positive cases of each output, or one for all. Empty: all 1.
  package var positiveWeights: [Float] = []
  /// The probability that is spread over all classes. Szegedy et al. 2016.
  package var labelSmoothing = 0.0
  /// The sum over the rows in place of their mean.
  package var sumsLoss = false
  package var optimizer = "adam"
  /// Only those given: momentum, nesterov, beta1, beta2, eps, weight_decay, …
  package var optimizerOptions: [String: Double] = [:]
  package var learningRate = 0.001
  /// 0: no limit on the gradient's norm.
  package var clipNorm = 0.0
  /// 0: no limit on the gradient's values.
  package var clipValue = 0.0
  /// What joins the loss that is trained on: these times the sum of |w| and of w² over the weights,
  /// biases and the like left out.
  package var l1Penalty = 0.0
  package var l2Penalty = 0.0
  /// The learning rate epoch by epoch; nil: constant.
  package var schedule: Schedule?
  package var epochs = 10
  package var batchSize = BatchSize.rows(32)
  package var shuffle = true
  package var seed: UInt64 = 0
  /// 0: as many as there are cores.
  package var threads = 0
  package var initializer = Initializer.pytorch
  package var validationSplit = 0.0
  package var earlyStop = false
  package var patience = 5
  package var minDelta = 0.0
  /// A loss or accuracy of the epoch, in lower case; without rows to validate on `val_…` stands for
  /// that of the training rows.
  package var monitor = "val_loss"
  package var restoreBest = true
  package var maxSeconds: Double?

  package init() {}

  /// The names that `set` takes, aliases included.
  package static var names: [String] {
    optionTable.flatMap { [$0.name] + $0.aliases }
      + Set(optimizerTable.flatMap { $0.options.map(\.name) }).sorted()
  }

  /// Sets one option by its SQL name. Errors: unknown (with the nearest names), wrong kind, out of
  /// range.
  package mutating func set(_ name: String, to value: OptionValue) throws {
    let key = name.lowercased()
    for row in optionTable where row.name == key || row.aliases.contains(key) {
      try row.apply(&self, OptionReader(name: key, value: value))
      return
    }
    if optimizerTable.contains(where: { $0.options.contains { $0.name == key } }) {
      let reader = OptionReader(name: key, value: value)
      optimizerOptions[key] =
        ["nesterov", "amsgrad", "centered"].contains(key)
        ? (try reader.boolean() ? 1 : 0) : try reader.number(from: 0)
      return
    }
    throw SQLError(
      .model, "there is no model option named \"\(name)\"",
      hint: didYouMean(name, among: Self.names))
  }

  /// Checks what does not depend on the network. Errors name the option and its range.
  func check() throws {
    func require(_ holds: Bool, _ name: String, _ range: String) throws {
      guard holds else { throw SQLError(.model, "option \"\(name)\" must be \(range)") }
    }
    try require(learningRate >= 0 && learningRate.isFinite, "learning_rate", "a number from 0 up")
    try require(epochs >= 1 && epochs <= Int(Int32.max), "epochs", "a whole number from 1 up")
    if case .rows(let rows) = batchSize {
      try require(rows >= 1, "batch_size", "a whole number from 1 up, or 'full'")
    }
    try require(threads >= 0 && threads <= 1024, "threads", "a whole number from 0 to 1024")
    try require(patience >= 0, "patience", "a whole number from 0 up")
    try require(clipNorm >= 0 && clipNorm.isFinite, "clip_norm", "a number from 0 up")
    try require(clipValue >= 0 && clipValue.isFinite, "clip_value", "a number from 0 up")
    try require(l1Penalty >= 0 && l1Penalty.isFinite, "l1_reg", "a number from 0 up")
    try require(l2Penalty >= 0 && l2Penalty.isFinite, "l2_reg", "a number from 0 up")
    if optimizerOptions["nesterov", default: 0] != 0 {
      let isPlain =
        optimizerOptions["momentum", default: 0] > 0
        && optimizerOptions["dampening", default: 0] == 0
      try require(isPlain, "nesterov", "given with a momentum above 0 and no dampening")
    }
    for (name, value) in optimizerOptions.sorted(by: { $0.key < $1.key }) {
      try require(value >= 0 && value.isFinite, name, "a number from 0 up")
      if ["alpha", "beta1", "beta2", "rho"].contains(name) {
        try require(value < 1, name, "below 1")
      }
    }
  }
}

/// One row of the table of options.
struct OptionDefinition: Sendable {
  let name: String
  let aliases: [String]
  let apply: @Sendable (inout TrainerOptions, OptionReader) throws -> Void

  init(
    _ name: String, _ aliases: [String] = [],
    _ apply: @escaping @Sendable (inout TrainerOptions, OptionReader) throws -> Void
  ) {
    self.name = name
    self.aliases = aliases
    self.apply = apply
  }
}

private let optionTable: [OptionDefinition] = [
  OptionDefinition("batch_size") { options, value in
    if case .text(let text) = value.value, text.lowercased() == "full" {
      options.batchSize = .full
    } else if case .text = value.value {
      throw value.error("a whole number from 1 up, or 'full'")
    } else {
      options.batchSize = .rows(try value.integer(from: 1))
    }
  },
  OptionDefinition("class_weights", ["class_weight"]) { try $0.setClassWeights($1) },
  OptionDefinition("clip_norm") { $0.clipNorm = try $1.number(from: 0) },
  OptionDefinition("clip_value") { $0.clipValue = try $1.number(from: 0) },
  OptionDefinition("delta", ["beta", "margin"]) { $0.lossParameter = try $1.number(from: 0) },
  OptionDefinition("early_stop", ["early_stopping"]) { $0.earlyStop = try $1.boolean() },
  OptionDefinition("epochs") { $0.epochs = try $1.integer(from: 1) },
  OptionDefinition("init", ["initializer"]) { options, value in
    let text = try value.text()
    guard let choice = Initializer(rawValue: text.lowercased()) else {
      throw value.error("one of 'pytorch', 'keras', 'zeros'")
    }
    options.initializer = choice
  },
  OptionDefinition("l1_reg") { $0.l1Penalty = try $1.number(from: 0) },
  OptionDefinition("l2_reg") { $0.l2Penalty = try $1.number(from: 0) },
  OptionDefinition("label_smoothing") { options, value in
    let share = try value.number(from: 0)
    guard share <= 1 else { throw value.error("a number from 0 to 1") }
    options.labelSmoothing = share
  },
  OptionDefinition("learning_rate", ["lr"]) { $0.learningRate = try $1.number(from: 0) },
  OptionDefinition("loss") { try $0.setLoss($1) },
  OptionDefinition("loss_weights") { try $0.setLossWeights($1) },
  OptionDefinition("lr_schedule", ["schedule"]) {
    $0.schedule = try Schedule(parsing: try $1.text())
  },
  OptionDefinition("max_seconds") { $0.maxSeconds = try $1.number(from: 0) },
  OptionDefinition("min_delta") { $0.minDelta = try $1.number(from: 0) },
  OptionDefinition("monitor") { options, value in
    options.monitor = try value.text().lowercased()
  },
  OptionDefinition("optimizer") { options, value in
    options.optimizer = try OptimizerDefinition.named(try value.text()).name
  },
  OptionDefinition("patience") { $0.patience = try $1.integer(from: 0) },
  OptionDefinition("pos_weight") { $0.positiveWeights = [Float(try $1.number(from: 0))] },
  OptionDefinition("precision") { _, value in
    guard try value.text().lowercased() == "f32" else { throw value.error("'f32'") }
  },
  OptionDefinition("reduction") { options, value in
    let text = try value.text().lowercased()
    guard text == "mean" || text == "sum" else { throw value.error("'mean' or 'sum'") }
    options.sumsLoss = text == "sum"
  },
  OptionDefinition("restore_best") { $0.restoreBest = try $1.boolean() },
  OptionDefinition("seed") { options, value in
    options.seed = UInt64(bitPattern: Int64(try value.integer(from: Int.min)))
  },
  OptionDefinition("shuffle") { $0.shuffle = try $1.boolean() },
  OptionDefinition("threads") { $0.threads = try $1.integer(from: 0) },
  OptionDefinition("validation_split") { options, value in
    let fraction = try value.number(from: 0)
    guard fraction < 1 else { throw value.error("a number from 0 to below 1") }
    options.validationSplit = fraction
  },
]

/// An option's value, read as the kind that the option wants.
struct OptionReader {
  let name: String
  let value: OptionValue

  func number(from low: Double) throws -> Double {
    guard case .number(let number) = value, number.isFinite, number >= low else {
      throw error("a number from \(low) up")
    }
    return number
  }

  func integer(from low: Int) throws -> Int {
    guard case .number(let number) = value, let integer = Int(exactly: number), integer >= low
    else { throw error(low == Int.min ? "a whole number" : "a whole number from \(low) up") }
    return integer
  }

  func text() throws -> String {
    guard case .text(let text) = value else { throw error("a text") }
    return text
  }

  func boolean() throws -> Bool {
    switch value {
    case .boolean(let flag): return flag
    case .number(0): return false
    case .number(1): return true
    case .number, .text, .list, .entries: throw error("true or false")
    }
  }

  func error(_ range: String) -> SQLError {
    SQLError(.model, "option \"\(name)\" must be \(range)")
  }
}
