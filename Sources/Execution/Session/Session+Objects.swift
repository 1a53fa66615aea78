import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

// Statements that make, drop and describe named objects other than tables and models.
extension Session {
  // MARK: Names

  /// The key for a new object; nil when there is one already and IF NOT EXISTS says to leave it.
  func claim(
    _ space: CatalogState.Space, _ name: QualifiedName, _ header: CreateHeader, kind: String
  )
    throws -> CatalogState.Key?
  {
    let schema = try catalog().names.target(of: name, isTemporary: header.isTemporary)
    let key = CatalogState.Key(space, schema: schema, name.last.name)
    guard let known = state[key] else { return key }
    if known.item.kind != kind, !header.isIfNotExists {
      throw SQLError(
        .catalog, "\(known.item.kind) \"\(known.name)\" exists already", at: name.span,
        hint: header.isOrReplace ? "it is no \(kind): drop it first" : nil)
    }
    if header.isOrReplace { return key }
    if header.isIfNotExists { return nil }
    throw SQLError(.catalog, "\(kind) \"\(known.name)\" exists already", at: name.span)
  }

  func publish(_ key: CatalogState.Key, _ name: QualifiedName, _ item: CatalogItem) {
    change { $0[key] = CatalogObject(name: name.last.name, item: item) }
  }

  // MARK: Creating

  func run(_ create: CreateView) throws -> StatementResult {
    guard let key = try claim(.relation, create.name, create.header, kind: "view") else {
      return .none
    }
    let name = create.name.last.name
    // Bound once, so that a wrong view fails now and not at its first use.
    let bound = try binder().bind(create.query)
    if create.columns.count > bound.names.count {
      throw SQLError(
        .binder, "view \"\(name)\" has \(bound.names.count) columns, but more names are given",
        at: create.name.span)
    }
    publish(
      key, create.name,
      .view(
        ViewDefinition(
          query: create.query, columns: create.columns.map(\.name),
          text: Printer.sql(create.query), searchPath: settings.searchPath)))
    return .none
  }

  func run(_ create: CreateSequence) throws -> StatementResult {
    guard let key = try claim(.sequence, create.name, create.header, kind: "sequence") else {
      return .none
    }
    let sequence = try NumberSequence(create)
    if state[key] != nil { try checkUnused(key, create.name, isCascade: false) }
    publish(key, create.name, .sequence(sequence))
    return .none
  }

  /// ALTER SEQUENCE … OWNED BY.
  func run(_ alter: AlterSequence) throws -> StatementResult {
    guard let (key, object) = try find(.sequence, alter.name, orNil: alter.ifExists) else {
      if alter.ifExists { return .none }
      throw SQLError(
        .catalog, "sequence \"\(alter.name.last.name)\" does not exist", at: alter.name.span,
        hint: didYouMean(alter.name.last.name, among: state.names(.sequence)))
    }
    guard
      let owner = try find(.relation, alter.owner) ?? find(.sequence, alter.owner)
    else {
      throw SQLError(
        .catalog, "table \"\(alter.owner.last.name)\" does not exist", at: alter.owner.span,
        hint: didYouMean(alter.owner.last.name, among: catalog().tableNames))
    }
    if object.owner == owner.key { return .none }
    let owned = [object, owner.object].first { $0.owner != nil }
    let ownsOthers = state.allObjects().contains { $0.object.owner == key }
    if owned != nil || ownsOthers || owner.key == key {
      let name = (owned ?? object).name
      throw SQLError(
        .dependency,
        owned != nil
          ? "\"\(name)\" is already owned by another object"
          : "\"\(name)\" cannot be owned: it owns another object", at: alter.name.span)
    }
    change { $0[key]?.owner = owner.key }
    return .none
  }

  func run(_ create: CreateType) throws -> StatementResult {
    guard let key = try claim(.type, create.name, create.header, kind: "type") else {
      return .none
    }
    let type: LogicalType
    if let query = create.enumQuery {
      type = .enumeration(EnumLabels(try labels(of: query)))
    } else {
      type = try binder().resolve(create.type)
    }
    publish(key, create.name, .type(type))
    return .none
  }

  /// The values of `ENUM (SELECT …)`: the distinct ones as text, in the query's order, without NULL.
  private func labels(of query: Query) throws -> [String] {
    let bound = try bind(query)
    guard bound.names.count == 1 else {
      throw SQLError(
        .binder, "the query of ENUM needs one column, not \(bound.names.count)", at: query.span)
    }
    var labels: [String] = []
    var seen: Set<String> = []
    try drain(bound) { batch in
      guard let column = batch.columns.first else { return }
      let texts = try Cast.column(column, to: .varchar)
      for row in 0..<batch.rowCount {
        guard case .varchar(let text) = texts.value(row) else { continue }
        if seen.insert(text).inserted { labels.append(text) }
      }
    }
    return labels
  }

  func run(_ create: CreateMacro) throws -> StatementResult {
    let isTable = create.definitions.first?.isTable ?? false
    let space: CatalogState.Space = isTable ? .tableMacro : .macro
    guard let key = try claim(space, create.name, create.header, kind: "macro") else {
      return .none
    }
    let entry = MacroEntry(name: create.name.last.name, definitions: create.definitions)
    try refuseRecursion(entry, create.name.span)
    for definition in create.definitions { try binder().check(definition) }
    publish(key, create.name, .macro(entry))
    return .none
  }

  /// Macros never form a circle, so that expanding one comes to an end.
  private func refuseRecursion(_ entry: MacroEntry, _ span: SourceSpan) throws {
    let own = entry.name.lowercased()
    var seen: Set<String> = []
    var waiting = Array(MacroCalls.names(in: entry))
    while let name = waiting.popLast() {
      if name == own {
        throw SQLError(
          .binder, "macro \"\(entry.name)\" would call itself", at: span,
          hint: "macros cannot be recursive: use WITH RECURSIVE")
      }
      guard seen.insert(name).inserted else { continue }
      let simple = QualifiedName(Identifier(name: name))
      for isTable in [false, true] {
        if let called = catalog().macro(named: simple, isTable: isTable) {
          waiting += MacroCalls.names(in: called)
        }
      }
    }
  }

  func run(_ create: CreateSchema) throws -> StatementResult {
    let parts = create.name.parts.map { $0.name.lowercased() }
    let names = catalog().names
    if parts.count > 2 || parts.count == 2 && !names.hasDatabase(parts[0]) {
      throw SQLError(
        .catalog, "database \"\(create.name.parts[0].name)\" does not exist", at: create.name.span)
    }
    let current = NameResolution.parts(of: catalog().currentSchema).database
    let schema = NameResolution.key(
      database: parts.count == 2 ? names.own(parts[0]) : current, schema: parts[parts.count - 1])
    let key = CatalogState.Key(.schema, schema: "", schema)
    if schema == CatalogState.temporarySchema || NameResolution.systemSchemas.contains(schema) {
      throw SQLError(
        .catalog, "schema \"\(create.name.last.name)\" belongs to the engine", at: create.name.span)
    }
    if state[key] != nil {
      if create.header.isIfNotExists { return .none }
      if !create.header.isOrReplace {
        throw SQLError(
          .catalog, "schema \"\(create.name.last.name)\" exists already", at: create.name.span)
      }
      try checkUnused(key, create.name, isCascade: false)
    }
    change { $0[key] = CatalogObject(name: schema, item: .schema) }
    return .none
  }
}

/// What a macro's bodies call.
enum MacroCalls {
  /// Lower case; built-in functions too.
  static func names(in entry: MacroEntry) -> Set<String> {
    var found: Set<String> = []
    func note(_ call: FunctionCall) { found.insert(call.name.last.name.lowercased()) }
    for definition in entry.definitions {
      switch definition.body {
      case .expression(let body):
        _ = try? SyntaxRewriter.rewrite(body, onCall: note) { _, _ in nil }
      case .table(let query):
        _ = try? SyntaxRewriter.rewrite(query, onCall: note) { _, _ in nil }
      }
    }
    return found
  }
}
