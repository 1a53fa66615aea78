import Diagnostics

/// What an option says of each output.
extension TrainerOptions {
  /// The outputs that an option names.
  package var outputNames: [String] {
    Set(outputLosses.keys).union(lossWeights.keys).union(outputClassWeights.keys)
      .union(namedClassWeights.keys.filter { !$0.isEmpty }).sorted()
  }

  /// `loss = 'mse'`, `loss = {price: 'mse', segment: 'cross_entropy'}`.
  mutating func setLoss(_ reader: OptionReader) throws {
    guard case .entries(let entries) = reader.value else {
      loss = try LossDefinition.named(try reader.text()).name
      return
    }
    for entry in entries {
      let text = try OptionReader(name: reader.name, value: entry.value).text()
      outputLosses[entry.name.lowercased()] = try LossDefinition.named(text).name
    }
  }

  /// `loss_weights = {price: 1, segment: 0.5}`.
  mutating func setLossWeights(_ reader: OptionReader) throws {
    guard case .entries(let entries) = reader.value else {
      throw reader.error("a number for each output: {price: 1, segment: 0.5}")
    }
    for entry in entries {
      lossWeights[entry.name.lowercased()] = try OptionReader(
        name: reader.name, value: entry.value
      ).number(from: 0)
    }
  }

  /// `class_weights = 'none' | 'balanced' | {spam: 2, ham: 1} | {segment: {luxury: 2}}`.
  mutating func setClassWeights(_ reader: OptionReader) throws {
    balancesClasses = false
    namedClassWeights = [:]
    switch reader.value {
    case .text(let text) where text.lowercased() == "balanced": balancesClasses = true
    case .text(let text) where text.lowercased() == "none": break
    case .entries(let entries):
      for entry in entries {
        if case .entries(let inner) = entry.value {
          for one in inner { try addClassWeight(one, output: entry.name, reader) }
        } else {
          try addClassWeight(entry, output: "", reader)
        }
      }
    case .text, .number, .boolean, .list:
      throw reader.error("'none', 'balanced', or a number for each class")
    }
  }

  private mutating func addClassWeight(
    _ entry: OptionEntry, output: String, _ reader: OptionReader
  ) throws {
    namedClassWeights[output.lowercased(), default: [:]][entry.name] = try OptionReader(
      name: reader.name, value: entry.value
    ).number(from: 0)
  }

  /// Turns the classes' names in `class_weights` into ids: `classes` are the names of an output's
  /// classes in the order of their ids. A class that is not named counts 1.
  ///
  /// Errors: a name that is no class of the output, or of any where the option names no output.
  package mutating func resolveClassWeights(_ classes: [(output: String, names: [String])]) throws {
    for (output, wanted) in namedClassWeights.sorted(by: { $0.key < $1.key }) {
      let meant = classes.filter { output.isEmpty || $0.output.lowercased() == output }
      for name in wanted.keys.sorted() where !meant.contains(where: { $0.names.contains(name) }) {
        throw SQLError(
          .model, "option \"class_weights\" names a class \"\(name)\" that there is not",
          hint: didYouMean(name, among: meant.flatMap(\.names)))
      }
      for one in meant {
        outputClassWeights[one.output.lowercased()] = one.names.map { Float(wanted[$0] ?? 1) }
      }
    }
    namedClassWeights = [:]
  }
}
