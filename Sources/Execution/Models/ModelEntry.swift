import Diagnostics
import NeuralNet
import Planner
import Syntax

/// A version of a model as plain data: what a file keeps of it.
package struct ModelVersionRecord: Sendable {
  package var version: Int
  /// The weights as a safetensors file.
  package var weights: [UInt8]
  /// What else TRAIN found, as JSON: see `ModelState`.
  package var state: String
  /// The epochs of its training: of each network's, where FOR EACH made several.
  package var runs: [[EpochReport]]

  package init(version: Int, weights: [UInt8], state: String, runs: [[EpochReport]]) {
    self.version = version
    self.weights = weights
    self.state = state
    self.runs = runs
  }
}

/// A model of the catalog: its definition and its versions. A value, as all of the catalog: TRAIN
/// and ALTER MODEL make another.
package struct ModelEntry: Sendable {
  package private(set) var definition: ModelDefinition
  /// The trained ones, oldest first.
  package private(set) var versions: [Model]
  /// The highest number that was ever given.
  package private(set) var lastVersion: Int
  /// What ALTER MODEL … SET DEFAULT VERSION chose; nil: the newest.
  package private(set) var defaultVersion: Int?
  /// Numbers of versions by the lower-case names that they have besides.
  package private(set) var aliases: [String: Int]
  private let untrained: Model

  package init(definition: ModelDefinition) throws {
    self.definition = definition
    versions = []
    lastVersion = 0
    aliases = [:]
    untrained = try Model(
      definition: definition, version: 0, weights: nil,
      state: ModelState(classes: definition.outputs.map(\.classes)))
  }

  /// From plain data: what `definition.sql`, `records` and the other properties gave.
  package init(
    sql: String, versions: [ModelVersionRecord], lastVersion: Int, defaultVersion: Int? = nil,
    aliases: [String: Int] = [:]
  ) throws {
    try self.init(definition: try ModelDefinition.parsed(sql))
    let definition = self.definition
    self.versions = try versions.map { try Model(definition: definition, record: $0) }
    self.lastVersion = lastVersion
    self.defaultVersion = defaultVersion
    self.aliases = aliases
  }

  package var sql: String { definition.sql }

  /// The versions as plain data.
  package var records: [ModelVersionRecord] {
    get throws { try versions.compactMap { try $0.record } }
  }

  /// What a statement means that names no version.
  package var current: Model {
    if let chosen = versions.first(where: { $0.version == defaultVersion }) { return chosen }
    return versions.last ?? untrained
  }

  /// The version of that number or alias; nil means the default one.
  func model(_ version: ModelVersion?, at span: SourceSpan?) throws -> Model {
    switch version {
    case nil: return current
    case .number(let number)?:
      if let found = versions.first(where: { $0.version == number }) { return found }
      throw unknown("\(number)", at: span)
    case .alias(let alias)?:
      let number = aliases[alias.lowercased()] ?? Int(alias)
      if let number, let found = versions.first(where: { $0.version == number }) { return found }
      throw unknown(alias, at: span)
    }
  }

  private func unknown(_ version: String, at span: SourceSpan?) -> SQLError {
    let numbers = versions.map { "\($0.version)" }
    return SQLError(
      .catalog, "model \"\(definition.name)\" has no version \(version)", at: span,
      hint: versions.isEmpty
        ? "it has not been trained"
        : "it has " + (numbers + aliases.keys.sorted()).joined(separator: ", "))
  }

  /// Adds the newest version, which statements use from now on.
  mutating func add(
    weights: Weights?, groups: ModelGroups? = nil, state: ModelState, epochs: [EpochReport],
    alias: String? = nil
  ) throws {
    versions.append(
      try Model(
        definition: definition, version: lastVersion + 1, weights: weights, groups: groups,
        state: state, epochs: epochs))
    lastVersion += 1
    defaultVersion = nil
    if let alias { aliases[alias.lowercased()] = lastVersion }
  }
}

// What ALTER and DROP MODEL change.
extension ModelEntry {
  /// Makes a version the one that statements use which name none.
  mutating func setDefault(_ version: ModelVersion, at span: SourceSpan?) throws {
    defaultVersion = try model(version, at: span).version
  }

  /// Goes back to the version before the one in use.
  mutating func rollBack(at span: SourceSpan?) throws {
    guard let before = versions.last(where: { $0.version < current.version }) else {
      throw SQLError(
        .model,
        versions.isEmpty
          ? "model \"\(definition.name)\" has not been trained"
          : "model \"\(definition.name)\" has no version before \(current.versionLabel)", at: span)
    }
    defaultVersion = before.version
  }

  mutating func setAlias(_ alias: String, of version: ModelVersion, at span: SourceSpan?) throws {
    guard Int(alias) == nil, !alias.isEmpty else {
      throw SQLError(.model, "a version's alias is a word, no number", at: span)
    }
    aliases[alias.lowercased()] = try model(version, at: span).version
  }

  mutating func drop(_ version: ModelVersion, at span: SourceSpan?) throws {
    let gone = try model(version, at: span).version
    versions.removeAll { $0.version == gone }
    aliases = aliases.filter { $0.value != gone }
    if defaultVersion == gone { defaultVersion = nil }
  }

  /// The same model, described anew: its versions keep what they have learned. An error where that
  /// does not fit.
  func described(by definition: ModelDefinition) throws -> ModelEntry {
    var result = try ModelEntry(definition: definition)
    guard
      zip(definition.outputs, self.definition.outputs).allSatisfy({ $0.kind == $1.kind })
    else {
      throw SQLError(
        .model, "this makes other outputs of model \"\(definition.name)\": create it anew")
    }
    result.versions = try versions.map {
      try Model(
        definition: definition, version: $0.version, weights: $0.weights, groups: $0.groups,
        state: $0.state, epochs: $0.epochs)
    }
    result.lastVersion = lastVersion
    result.defaultVersion = defaultVersion
    result.aliases = aliases
    return result
  }

  /// A new model of another name with one version of this one, if it has any.
  func copy(_ version: ModelVersion?, named definition: ModelDefinition, at span: SourceSpan?)
    throws -> ModelEntry
  {
    let source = try model(version, at: span)
    var result = try ModelEntry(definition: definition)
    if source.isTrained {
      try result.add(
        weights: source.weights, groups: source.groups, state: source.state,
        epochs: source.epochs)
    }
    return result
  }
}

/// Where TRAIN finds and leaves models: the session.
protocol ModelTarget: AnyObject, Sendable {
  func model(_ key: CatalogState.Key) -> ModelEntry?
  func publish(_ model: ModelEntry, at key: CatalogState.Key)
  /// Publishes a model although the statement is about to fail: a training that was interrupted.
  func keep(_ model: ModelEntry, at key: CatalogState.Key)
}

extension Session: ModelTarget {
  func model(_ key: CatalogState.Key) -> ModelEntry? {
    guard case .model(let entry)? = state[key]?.item else { return nil }
    return entry
  }

  func publish(_ model: ModelEntry, at key: CatalogState.Key) {
    change { state in
      guard var object = state[key] else { return }
      object.name = model.definition.name
      object.item = .model(model)
      state[key] = object
    }
  }

  func keep(_ model: ModelEntry, at key: CatalogState.Key) {
    publish(model, at: key)
    if let object = state[key] { keptModels.append((key, object)) }
  }
}
