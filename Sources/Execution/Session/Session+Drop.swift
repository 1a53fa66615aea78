import Columnar
import Diagnostics
import Planner
import Syntax

// DROP, and what stands in its way.
extension Session {
  func run(_ drop: Drop) throws -> StatementResult {
    for name in drop.names {
      if drop.target == .schema {
        try dropSchema(name, drop)
      } else {
        try dropObject(name, drop)
      }
    }
    return .none
  }

  private func dropObject(_ name: QualifiedName, _ drop: Drop) throws {
    let word = drop.target == .tableMacro ? "macro" : drop.target.rawValue.lowercased()
    guard let (key, known) = try find(name, drop) else {
      if drop.ifExists { return }
      throw SQLError(
        .catalog, "\(word) \"\(name.last.name)\" does not exist", at: name.span,
        hint: didYouMean(name.last.name, among: candidates(drop.target)))
    }
    let kind = known.item.kind
    if kind != word {
      throw SQLError(
        .catalog, "\"\(known.name)\" is a \(kind)", at: name.span,
        hint: "DROP \(kind.uppercased()) \(quotedIdentifier(known.name))")
    }
    if case .foreign(let table) = known.item { return try self.drop(table) }
    try checkUnused(key, name, isCascade: drop.isCascade)
    remove(key, known)
  }

  /// Takes an object, and what is a part of it, from the catalog.
  private func remove(_ key: CatalogState.Key, _ object: CatalogObject) {
    if case .index(let index) = object.item {
      remove(index: index, key)
      return
    }
    for index in state.indexes(of: key) { change { $0[index.key] = nil } }
    for (owned, other) in state.allObjects() where other.owner == key { remove(owned, other) }
    change { $0[key] = nil }
  }

  private func find(_ name: QualifiedName, _ drop: Drop) throws -> (
    key: CatalogState.Key, object: CatalogObject
  )? {
    for space in spaces(of: drop.target) {
      if let found = try find(space, name, orNil: drop.ifExists) { return found }
    }
    return nil
  }

  private func spaces(of target: Drop.Target) -> [CatalogState.Space] {
    switch target {
    case .table, .view: [.relation]
    case .schema: [.schema]
    case .index: [.index]
    case .sequence: [.sequence]
    case .type: [.type]
    case .macro: [.macro, .tableMacro]
    case .tableMacro: [.tableMacro]
    }
  }

  private func candidates(_ target: Drop.Target) -> [String] {
    switch target {
    case .table, .view: catalog().tableNames
    case .schema, .index, .sequence, .type, .macro, .tableMacro:
      spaces(of: target).flatMap { state.names($0) }
    }
  }

  private func dropSchema(_ name: QualifiedName, _ drop: Drop) throws {
    guard let schema = catalog().names.schema(named: name) else {
      if drop.ifExists { return }
      throw noSchema(name, span: name.span)
    }
    if NameResolution.parts(of: schema).schema == CatalogState.mainSchema {
      throw SQLError(
        .catalog, "schema \"\(name.last.name)\" belongs to the database and cannot be dropped",
        at: name.span)
    }
    let key = CatalogState.Key(.schema, schema: "", schema)
    try checkUnused(key, name, isCascade: drop.isCascade)
    change { $0[key] = nil }
    settings.searchPath.removeAll { $0 == schema }
    if settings.searchPath.isEmpty { settings.searchPath = [CatalogState.mainSchema] }
  }

  /// Throws when something depends on the object; with CASCADE that goes too.
  func checkUnused(_ key: CatalogState.Key, _ name: QualifiedName, isCascade: Bool) throws {
    let dependents = dependents(of: key)
    if dependents.isEmpty { return }
    guard isCascade else {
      let kind = key.space == .schema ? "schema" : state[key]?.item.kind ?? "object"
      let list = dependents.prefix(5).map { "\($0.object.item.kind) \"\($0.object.name)\"" }
      throw SQLError(
        .dependency,
        "\(kind) \"\(name.last.name)\" cannot be dropped: "
          + list.joined(separator: ", ") + (dependents.count > 5 ? " and others" : "")
          + (dependents.count == 1 ? " depends on it" : " depend on it"),
        at: name.span, hint: "DROP … CASCADE")
    }
    for dependent in dependents where state[dependent.key] != nil {
      try checkUnused(dependent.key, name, isCascade: true)
      remove(dependent.key, dependent.object)
    }
  }

  private func dependents(of key: CatalogState.Key) -> [(
    key: CatalogState.Key, object: CatalogObject
  )] {
    switch key.space {
    case .schema: return state.allObjects().filter { $0.key.schema == key.name }
    case .relation:
      return state.referencing(key).filter { $0.key != key }.compactMap { table in
        state[table.key].map { (table.key, $0) }
      }
    case .sequence:
      return catalog().tables().filter { draws($0.table.definition, from: key) }.map {
        ($0.key, $0.object)
      }
    case .index, .type, .macro, .tableMacro, .model, .setting: return []
    }
  }

  /// Whether a default of the table calls nextval of the sequence.
  private func draws(_ definition: TableDefinition, from key: CatalogState.Key) -> Bool {
    definition.columns.compactMap(\.defaultValue).contains { value in
      var found = false
      _ = try? SyntaxRewriter.rewrite(
        value,
        onCall: { call in
          guard ["nextval", "currval"].contains(call.name.last.name.lowercased()),
            case .literal(.string(let text))? = call.arguments.first?.expression?.kind,
            let name = try? QualifiedName.parsing(text, span: call.name.span),
            let sequence = try? catalog().find(.sequence, name)
          else { return }
          if sequence.key == key { found = true }
        }
      ) { _, _ in nil }
      return found
    }
  }
}
