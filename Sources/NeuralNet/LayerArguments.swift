import Diagnostics

/// A layer's arguments, bound to the names of its definition.
struct LayerArguments: Sendable {
  /// Which layer it is, for messages: `layer 2`, `node "h"`.
  let place: String
  let name: String
  private var values: [String: LayerArgument] = [:]

  init(_ call: LayerCall, place: String, definition: LayerDefinition) throws {
    self.place = place
    self.name = definition.name
    let names = definition.parameters.map(\.name)
    var positional = names
    if call.positional.count == definition.shortForm.count { positional = definition.shortForm }
    guard call.positional.count <= positional.count else {
      throw error(
        "takes at most \(positional.count) argument\(positional.count == 1 ? "" : "s"), "
          + "got \(call.positional.count)")
    }
    for (key, value) in zip(positional, call.positional) { values[key] = value }
    for argument in call.named {
      let key = argument.name.lowercased()
      guard names.contains(key) else {
        throw error(
          "has no argument named \"\(argument.name)\"",
          hint: didYouMean(argument.name, among: names))
      }
      guard values[key] == nil else { throw error("got the argument \"\(key)\" twice") }
      values[key] = argument.value
    }
    for parameter in definition.parameters where values[parameter.name] == nil {
      if let value = parameter.defaultValue {
        values[parameter.name] = value
      } else if !parameter.isOptional {
        throw error("needs the argument \"\(parameter.name)\"", hint: definition.example)
      }
    }
  }

  /// A whole number; nil where the argument is optional and absent.
  func integer(_ key: String, atLeast low: Int = 1) throws -> Int? {
    guard let value = values[key] else { return nil }
    let number: Int?
    switch value {
    case .integer(let integer): number = integer
    case .number(let double): number = Int(exactly: double)
    case .text, .boolean, .list: number = nil
    }
    guard let number, number >= low, number <= Shape.maximumElements else {
      throw error(
        "needs a whole number from \(low) to \(Shape.maximumElements) for \"\(key)\", got \(value)")
    }
    return number
  }

  func has(_ key: String) -> Bool { values[key] != nil }

  /// A whole number for each of two axes: `3` or `[3, 2]`.
  func pair(_ key: String, atLeast low: Int) throws -> (Int, Int) {
    guard case .list(let list) = values[key] else {
      let both = try integer(key, atLeast: low) ?? low
      return (both, both)
    }
    guard list.count == 2, list.allSatisfy({ $0 >= low && $0 <= Shape.maximumElements }) else {
      throw error("needs a whole number from \(low) up, or two, for \"\(key)\"")
    }
    return (list[0], list[1])
  }

  func text(_ key: String) throws -> String {
    guard case .text(let value) = values[key] else { throw error("needs a text for \"\(key)\"") }
    return value.lowercased()
  }

  func number(_ key: String) throws -> Double {
    switch values[key] {
    case .integer(let value): return Double(value)
    case .number(let value) where value.isFinite: return value
    case let value:
      throw error("needs a number for \"\(key)\", got \(value?.description ?? "none")")
    }
  }

  func boolean(_ key: String) throws -> Bool {
    guard case .boolean(let value) = values[key] else {
      throw error("needs true or false for \"\(key)\"")
    }
    return value
  }

  func wrongTensorCount(_ count: Int, _ definition: LayerDefinition) -> SQLError {
    let range = definition.tensorCount
    let wanted =
      range.lowerBound == range.upperBound
      ? "\(range.lowerBound)"
      : count < range.lowerBound
        ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
    return error(
      "takes \(wanted) tensor\(wanted == "1" ? "" : "s"), got \(count)",
      hint: range.upperBound > 1 && count < 2 ? "GRAPH (\(definition.example) AS y)" : nil)
  }

  func error(_ message: String, hint: String? = nil) -> SQLError {
    SQLError(.model, "\(place) (\(name)): \(message)", hint: hint)
  }
}
