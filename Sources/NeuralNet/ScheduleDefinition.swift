import Diagnostics

/// A learning-rate schedule: one row of the table in `Schedules/ScheduleBuiltins.swift`.
package struct ScheduleDefinition: Sendable {
  package let name: String
  package let aliases: [String]
  /// Names and defaults; nil: it must be given.
  package let options: [(name: String, defaultValue: Double?)]
  package let summary: String
  package let example: String
  /// The rate of epoch `epoch` (from 0) after the monitored losses of the epochs before.
  let rate: @Sendable (ScheduleStep) -> Double
  var readsLosses = false

  /// The schedule of that name or alias, case ignored. Errors: unknown, with the nearest names.
  package static func named(_ name: String) throws -> ScheduleDefinition {
    let wanted = name.lowercased()
    for row in scheduleTable where row.name == wanted || row.aliases.contains(wanted) {
      return row
    }
    throw SQLError(
      .model, "there is no learning-rate schedule named \"\(name)\"",
      hint: didYouMean(name, among: scheduleTable.flatMap { [$0.name] + $0.aliases }))
  }
}

/// What a schedule's rate is computed from: a function of the past, so that a resumed training
/// gives the rates of the one that was not interrupted.
struct ScheduleStep {
  var base: Double
  var epoch: Double
  var values: [Double]
  /// The numbers of the option that takes a list: milestones.
  var list: [Double]
  var losses: [Double]

  func value(_ index: Int) -> Double { values[index] }
}

/// A schedule with its options: `cosine(t_max => 10, eta_min => 0.001)`.
package struct Schedule: Sendable {
  package let name: String
  private let definition: ScheduleDefinition
  private let values: [Double]
  private let list: [Double]

  /// Reads a name, and options in parentheses where there are any.
  /// Errors: unknown names (with the nearest), a missing or repeated option, not a number.
  package init(parsing text: String) throws {
    let trimmed = text.split(separator: " ").joined()
    let open = trimmed.firstIndex(of: "(") ?? trimmed.endIndex
    definition = try ScheduleDefinition.named(String(trimmed[..<open]))
    name = definition.name
    var given: [String: Double] = [:]
    var list: [Double] = []
    if open < trimmed.endIndex {
      guard trimmed.last == ")" else { throw Self.malformed(text, definition) }
      var depth = 0
      let inner = trimmed[trimmed.index(after: open)...].dropLast()
      let parts = inner.split { character in
        if character == "[" { depth += 1 }
        if character == "]" { depth -= 1 }
        return character == "," && depth == 0
      }
      for part in parts {
        guard let sign = part.firstIndex(of: "=") else { throw Self.malformed(text, definition) }
        let key = part[..<sign].lowercased()
        let value = part[part.index(after: sign)...].drop { $0 == ">" }
        guard definition.options.contains(where: { $0.name == key }) else {
          throw Self.unknown(key, definition)
        }
        guard given[key] == nil else { throw Self.malformed(text, definition) }
        let numbers = value.drop { $0 == "[" }.split { $0 == "," || $0 == "]" }.map { Double($0) }
        let known = numbers.compactMap { $0 }
        guard let first = known.first, known.count == numbers.count,
          known.allSatisfy({ $0.isFinite && $0 >= 0 })
        else { throw Self.malformed(text, definition) }
        given[key] = first
        if value.first == "[" { list = known }
      }
    }
    values = try definition.options.map { [definition] option in
      guard let value = given[option.name] ?? option.defaultValue else {
        throw Self.missing(option.name, definition)
      }
      return value
    }
    self.list = list
  }

  /// Whether the rate depends on how training goes.
  package var readsLosses: Bool { definition.readsLosses }

  /// The rate of an epoch (from 0), after the monitored losses of the epochs before.
  package func rate(base: Double, epoch: Int, losses: [Double]) -> Double {
    definition.rate(
      ScheduleStep(base: base, epoch: Double(epoch), values: values, list: list, losses: losses))
  }

  private static func malformed(_ text: String, _ definition: ScheduleDefinition) -> SQLError {
    SQLError(
      .model, "cannot read the learning-rate schedule \"\(text)\"",
      hint: "lr_schedule = '\(definition.example)'")
  }
  private static func unknown(_ key: String, _ definition: ScheduleDefinition) -> SQLError {
    SQLError(
      .model, "the schedule \"\(definition.name)\" has no option \"\(key)\"",
      hint: "its options are " + definition.options.map(\.name).joined(separator: ", "))
  }
  private static func missing(_ key: String, _ definition: ScheduleDefinition) -> SQLError {
    SQLError(
      .model, "the schedule \"\(definition.name)\" needs the option \"\(key)\"",
      hint: "lr_schedule = '\(definition.example)'")
  }
}
