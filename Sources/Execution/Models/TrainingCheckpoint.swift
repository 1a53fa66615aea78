import Diagnostics
import NeuralNet
import Syntax

/// A training under way, as plain data: at the end of an epoch, with all it takes to go on.
struct TrainingCheckpoint: Sendable {
  /// CREATE MODEL … and TRAIN MODEL …: only the same go on.
  var model: String
  var statement: String
  /// What was found before the first epoch, with the receipt.
  var state: ModelState
  var epochs: [EpochReport]
  /// See `Trainer.checkpoint`.
  var trainer: [UInt8]

  init(
    _ provider: TrainProvider, state: ModelState, epochs: [EpochReport], trainer: [UInt8]
  ) {
    model = provider.entry.definition.sql
    statement = TrainingReceipt.text(of: provider.statement, provider.entry.definition)
    self.state = state
    self.epochs = epochs
    self.trainer = trainer
  }

  /// The length of a JSON object, the object, the trainer's bytes.
  func bytes(_ definition: ModelDefinition) throws -> [UInt8] {
    let json = ModelJSON.object([
      ("model", .text(model)), ("statement", .text(statement)),
      ("state", .text(try state.json(definition))), ("epochs", .array(epochs.map(Self.json))),
    ])
    let text = Array(json.written.utf8)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + trainer
  }

  /// From what `bytes` gave. Errors: anything else.
  init(_ bytes: [UInt8], _ definition: ModelDefinition) throws {
    guard bytes.count >= 8 else { throw Self.damaged() }
    let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8),
      let json = ModelJSON(
        parsing: String(decoding: bytes[8..<8 + Int(length)], as: UTF8.self)),
      let model = json["model"]?.text, let statement = json["statement"]?.text,
      let state = json["state"]?.text, let epochs = json["epochs"]?.items
    else { throw Self.damaged() }
    self.model = model
    self.statement = statement
    self.state = try ModelState(json: state, definition)
    self.epochs = try epochs.map(Self.report)
    trainer = Array(bytes[(8 + Int(length))...])
  }

  static func json(_ report: EpochReport) -> ModelJSON {
    .object([
      ("epoch", .number(Double(report.epoch))), ("loss", .number(report.loss)),
      ("validation_loss", report.validationLoss.map { .number($0) } ?? .null),
      ("metrics", report.metricsJSON),
      ("learning_rate", .number(report.learningRate)), ("rows", .number(Double(report.rows))),
      ("seconds", .number(report.seconds)), ("best", .boolean(report.best)),
      ("stop_reason", report.stopReason.map { .text($0) } ?? .null),
    ])
  }

  static func report(_ json: ModelJSON) throws -> EpochReport {
    guard let epoch = json["epoch"]?.number.flatMap({ Int(exactly: $0) }),
      let rows = json["rows"]?.number.flatMap({ Int(exactly: $0) }),
      case .boolean(let isBest)? = json["best"]
    else { throw damaged() }
    return EpochReport(
      epoch: epoch, loss: json["loss"]?.number ?? .nan,
      validationLoss: json["validation_loss"]?.number,
      metrics: EpochReport.metrics(json["metrics"]),
      learningRate: json["learning_rate"]?.number ?? 0, rows: rows,
      seconds: json["seconds"]?.number ?? 0, best: isBest,
      stopReason: json["stop_reason"]?.text)
  }

  static func damaged() -> SQLError {
    SQLError(.model, "the checkpoint is damaged: training cannot go on from it")
  }
}

extension TrainProvider {
  /// What RESUME goes on from; nil: from the start, when there is none. Errors: it is of another model
  /// or statement.
  func checkpointToResume() throws -> TrainingCheckpoint? {
    guard case .resume = statement.start,
      let bytes = try checkpoints?.checkpoint(of: key)
    else { return nil }
    let definition = entry.definition
    let checkpoint = try TrainingCheckpoint(bytes, definition)
    let written = TrainingReceipt.text(of: statement, definition)
    guard checkpoint.model == definition.sql, checkpoint.statement == written else {
      throw SQLError(
        .model,
        "the checkpoint of model \"\(definition.name)\" is of another training: \(checkpoint.statement)",
        at: statement.name.span, hint: "RESUME goes on with the same statement, or TRAIN without it"
      )
    }
    return checkpoint
  }
}

extension TrainingCheckpoint {
  /// Errors: the rows that were read now are others.
  func check(_ found: ModelState) throws {
    guard let former = state.receipt, let receipt = found.receipt, former.rows == receipt.rows,
      former.hash == receipt.hash
    else {
      throw SQLError(
        .model, "the query gives other rows than those that the checkpoint was made with",
        hint: "TRAIN without RESUME begins anew")
    }
  }
}

/// When to leave a checkpoint: every so many epochs where that is asked for, else as often as takes
/// about a fiftieth of the time.
struct CheckpointPace {
  private let interval: Int?
  private var last: Double
  private var cost = 0.0

  init(every interval: Int?) {
    self.interval = interval
    last = Self.now
  }

  private static var now: Double { Double(monotonicNanoseconds()) * 1e-9 }

  /// Calls `save` where it is time.
  mutating func note(epoch: Int, _ save: () -> Void) {
    if let interval {
      if interval > 0, epoch % interval == 0 { save() }
      return
    }
    let start = Self.now
    guard start - last >= 50 * cost else { return }
    save()
    last = Self.now
    cost = last - start
  }
}
