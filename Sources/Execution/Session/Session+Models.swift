import Diagnostics
import Planner
import Syntax

// Statements that make, change and drop models.
extension Session {
  func run(_ create: CreateModel) throws -> StatementResult {
    guard let key = try claim(.model, create.name, create.header, kind: "model") else {
      return .none
    }
    publish(key, create.name, .model(try entry(create)))
    guard let query = create.query else { return .none }
    return try rows(
      try binder().bindRowStatement(
        .trainModel(TrainModel(name: create.name, source: .query(query)))))
  }

  private func entry(_ create: CreateModel) throws -> ModelEntry {
    guard case .model(let reference)? = create.origin else {
      let definition = try ModelCompiler.compile(create)
      try ModelCompiler.checkNew(definition)
      return try ModelEntry(definition: definition)
    }
    guard create.inputs.isEmpty, create.outputs.isEmpty, create.transform.isEmpty,
      create.architecture == nil
    else {
      throw SQLError(
        .model, "a model made FROM MODEL is like that: only OPTIONS can be given besides",
        at: create.name.span)
    }
    let source = try catalog().findModel(reference.name).entry
    var statement = source.definition.statement
    statement.name = create.name
    statement.set(create.options)
    return try source.described(by: try ModelCompiler.compile(statement)).copy(
      reference.version, named: try ModelCompiler.compile(statement), at: reference.span)
  }

  func run(_ alter: AlterModel) throws -> StatementResult {
    guard let (key, object) = try find(.model, alter.name, orNil: alter.ifExists),
      case .model(var entry) = object.item
    else {
      if alter.ifExists { return .none }
      throw unknownModel(alter.name)
    }
    let span = alter.name.span
    switch alter.action {
    case .rename(let name):
      try rename(entry, key, to: name)
      return .none
    case .setDefaultVersion(let version): try entry.setDefault(version, at: span)
    case .rollback: try entry.rollBack(at: span)
    case .setAlias(let version, let alias): try entry.setAlias(alias, of: version, at: span)
    case .setOptions(let options):
      var statement = entry.definition.statement
      statement.set(options)
      entry = try entry.described(by: try ModelCompiler.compile(statement))
    case .loadWeights(let path, let options, let place):
      try entry.load(path, options, at: place)
    }
    publish(entry, at: key)
    return .none
  }

  private func rename(_ entry: ModelEntry, _ key: CatalogState.Key, to name: Identifier) throws {
    let target = CatalogState.Key(.model, schema: key.schema, name.name)
    if target != key, let known = state[target] {
      throw SQLError(.catalog, "model \"\(known.name)\" exists already", at: name.span)
    }
    var statement = entry.definition.statement
    statement.name = QualifiedName(name)
    let renamed = try entry.described(by: try ModelCompiler.compile(statement))
    change { state in
      guard var object = state[key] else { return }
      object.name = name.name
      object.item = .model(renamed)
      state[key] = nil
      state[target] = object
    }
  }

  func run(_ drop: DropModel) throws -> StatementResult {
    let name = drop.model.name
    guard let (key, object) = try find(.model, name, orNil: drop.ifExists) else {
      if drop.ifExists { return .none }
      throw unknownModel(name)
    }
    if let version = drop.model.version, case .model(var entry) = object.item {
      do {
        try entry.drop(version, at: drop.model.span)
      } catch {
        if drop.ifExists { return .none }
        throw error
      }
      publish(entry, at: key)
    } else {
      change { $0[key] = nil }
    }
    return .none
  }

  private func unknownModel(_ name: QualifiedName) -> SQLError {
    SQLError(
      .catalog, "model \"\(name.last.name)\" does not exist", at: name.span,
      hint: didYouMean(name.last.name, among: catalog().modelNames))
  }
}

extension CreateModel {
  /// With these options in place of those of the same names.
  fileprivate mutating func set(_ given: [SyntaxOption]) {
    let names = given.map { $0.name.name.lowercased() }
    options.removeAll { names.contains($0.name.name.lowercased()) }
    options += given
  }
}
