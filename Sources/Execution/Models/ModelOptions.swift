import Diagnostics
import NeuralNet
import Syntax

/// What OPTIONS say: how to train, and what else a model does by them.
package struct ModelOptions: Sendable {
  package var training = TrainerOptions()
  /// Probability from which a binary output is the second class.
  package var threshold: Float = 0.5
  var unseen = UnseenRule.other
  var nulls = NullRule.error
  /// What TRAIN measures after each epoch; nil: the accuracy of classes as training goes.
  var metrics: [String]?
  /// Bytes of rows that TRAIN keeps in memory, below what memory_limit allows.
  var memoryLimit: Int?
  /// Epochs from one checkpoint to the next, 0 for none; nil: as often as costs little.
  var checkpointEvery: Int?
  /// `name = value` as written, for DESCRIBE.
  package var texts: [(name: String, value: String)] = []

  /// What TRAIN does with rows that have a NULL where the network wants a number.
  enum NullRule: String, CaseIterable, Sendable {
    case error
    /// Leaves them out.
    case skip
  }

  /// Errors: unknown (with the nearest names), wrong kind, out of range.
  mutating func set(_ option: SyntaxOption) throws {
    let (value, text) = try Self.value(option)
    let name = option.name.name.lowercased()
    texts.removeAll { $0.name == name }
    texts.append((name, text))
    switch name {
    case "threshold":
      guard case .number(let number) = value, number >= 0, number <= 1 else {
        throw Self.wrong(option, "a number from 0 to 1")
      }
      threshold = Float(number)
    case "checkpoint_every":
      guard case .number(let number) = value, let epochs = Int(exactly: number), epochs >= 0 else {
        throw Self.wrong(option, "a whole number of epochs, or 0 for none")
      }
      checkpointEvery = epochs
    case "metrics":
      guard case .list(let list) = value else { throw Self.wrong(option, "a list of names") }
      metrics = try list.map { item in
        guard case .text(let text) = item else { throw Self.wrong(option, "a list of names") }
        return try Metrics.named(text, at: option.value.span).name
      }
    case "memory_limit":
      guard case .text(let text) = value else { throw Self.wrong(option, "a size: '512MB'") }
      do {
        memoryLimit = try Setting.bytes(text, "memory_limit", from: 1)
      } catch let error as SQLError { throw error.placed(at: option.value.span) }
    case "on_unseen": unseen = try Self.choice(value, option)
    case "on_null": nulls = try Self.choice(value, option)
    default:
      do {
        try training.set(option.name.name, to: value)
      } catch var error as SQLError {
        if error.message.contains("no model option"), let near = didYouMean(name, among: Self.own) {
          error.hint = near
        }
        throw error.placed(at: option.name.span)
      }
    }
  }

  private static let own = [
    "threshold", "on_unseen", "on_null", "checkpoint_every", "metrics", "memory_limit",
  ]

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ value: OptionValue, _ option: SyntaxOption
  ) throws -> Choice where Choice.RawValue == String {
    if case .text(let text) = value, let choice = Choice(rawValue: text.lowercased()) {
      return choice
    }
    throw wrong(
      option, "one of " + Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "))
  }

  private static func wrong(_ option: SyntaxOption, _ wanted: String) -> SQLError {
    SQLError(
      .model, "option \"\(option.name.name)\" must be \(wanted)", at: option.value.span)
  }

  /// The value of an option and its text. A bare word is a text.
  private static func value(_ option: SyntaxOption) throws -> (OptionValue, String) {
    guard let value = OptionValue(option.value) else {
      throw SQLError(
        .model, "option \"\(option.name.name)\" needs a constant", at: option.value.span)
    }
    return (value, Printer.sql(option.value))
  }
}
