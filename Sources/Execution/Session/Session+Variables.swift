import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

/// What a connection keeps between statements besides its settings.
struct ConnectionState: Sendable {
  /// SET VARIABLE, by lower-case name.
  var variables: [String: (name: String, value: ParameterValue)] = [:]
  /// PREPARE, by lower-case name.
  var prepared: [String: PreparedQuery] = [:]
  /// The text of the running statement, where it is known.
  var statementText: Substring = ""
  /// Which version of each of `DatabaseSettings.rows` the connection's settings show.
  var adopted = [Int](repeating: 0, count: DatabaseSettings.rows.count)
}

// SET, RESET and what they name.
extension Session {
  func run(_ set: SetVariable) throws -> StatementResult {
    if set.scope == .variable {
      let value = try evaluate(set.value)
      let name = set.name.last.name
      connection.variables[name.lowercased()] = (name, value)
      return .none
    }
    let text = try settingText(set.value)
    if set.scope == .global {
      try applyToDatabase(set.name, text: text)
    } else {
      try apply(set.name, text: text)
    }
    return .none
  }

  func run(_ reset: ResetVariable) throws -> StatementResult {
    if reset.scope == .variable {
      connection.variables[reset.name.last.name.lowercased()] = nil
    } else if reset.scope == .global {
      try applyToDatabase(reset.name, text: nil)
    } else {
      try apply(reset.name, text: nil)
    }
    return .none
  }

  /// The one value of an expression without columns; subqueries may read tables.
  func evaluate(_ expression: SyntaxExpression) throws -> ParameterValue {
    let select = Select(
      items: [SelectItem(expression: expression, span: expression.span)], span: expression.span)
    let bound = try bind(Query(body: .select(select), span: expression.span), keepsNull: true)
    var value = ParameterValue(.null, bound.plan.output.first?.type ?? .null)
    try drain(bound) { batch in
      if batch.rowCount > 0, let column = batch.columns.first { value.value = column.value(0) }
    }
    return value
  }

  /// What a setting is set to, as text: a word stands for itself.
  func settingText(_ expression: SyntaxExpression) throws -> String {
    switch expression.kind {
    case .literal(.string(let value)), .literal(.integer(let value)), .literal(.decimal(let value)),
      .literal(.double(let value)):
      return value
    case .literal(.boolean(let value)): return "\(value)"
    case .column(let word): return word.parts.map(\.name).joined(separator: ".")
    case .list(let items):
      return try items.map { try settingText($0) }.joined(separator: ",")
    default:
      let value = try evaluate(expression)
      if value.value.isNull { return "" }
      let column = try Column.constant(value.value, value.type, count: 1)
      guard
        case .varchar(let text) = try Functions.Cast.column(column, to: .varchar, tryCast: false)
          .value(0)
      else { return "" }
      return text
    }
  }

  /// Sets for this connection, or with nil gives back what the database has, else what was there at
  /// first.
  func apply(_ name: QualifiedName, text: String?) throws {
    guard let setting = Setting.named(name.last.name) else { throw noSetting(name) }
    if let text {
      settings = try placed(name.span) { try changed(setting, text) }
      settings.own.insert(setting.storedAs ?? setting.name)
    } else {
      settings.own.remove(setting.storedAs ?? setting.name)
      adopt(setting.storedAs.flatMap(DatabaseSettings.named) ?? setting)
      if setting.name == "memory_limit" { settings.memoryLimit = Settings.defaultMemoryLimit }
    }
    database.memory.limit = settings.memoryLimit
    database.memory.spillSpace.directory = settings.temporaryDirectory
    database.memory.spillSpace.limit = settings.temporaryLimit
  }

  /// The settings with another value of one; throws when it does not take that.
  func changed(_ setting: Setting, _ text: String) throws -> Settings {
    var changed = settings
    try setting.write(&changed, text)
    switch setting.name {
    case "disabled_optimizers": try checkRules(changed.disabledRules)
    case "schema", "search_path":
      changed.searchPath = try changed.searchPath.map { try schemaKey($0) }
      if changed.searchPath.isEmpty { changed.searchPath = [CatalogState.mainSchema] }
    default: break
    }
    return changed
  }

  func placed<Result>(_ span: SourceSpan, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as SQLError { throw error.placed(at: span) }
  }

  func noSetting(_ name: QualifiedName) -> SQLError {
    SQLError(
      .catalog, "setting \"\(name.last.name)\" does not exist", at: name.span,
      hint: didYouMean(name.last.name, among: Setting.rows.map(\.name)))
  }

  private func checkRules(_ rules: Set<String>) throws {
    for rule in rules where !Optimizer.rules.contains(where: { $0.name == rule }) {
      throw SQLError(
        .invalidInput, "optimizer rule \"\(rule)\" does not exist",
        hint: didYouMean(rule, among: Optimizer.rules.map(\.name)))
    }
  }

  private func schemaKey(_ text: String) throws -> String {
    let name = try QualifiedName.parsing(text, span: SourceSpan(0, 0))
    if let key = catalog().names.schema(named: name) { return key }
    throw noSchema(name, span: nil)
  }

  func run(use name: QualifiedName) throws -> StatementResult {
    guard let key = catalog().names.schema(named: name) else {
      throw noSchema(name, span: name.span)
    }
    settings.searchPath = [key]
    settings.own.insert("search_path")
    return .none
  }

  func noSchema(_ name: QualifiedName, span: SourceSpan?) -> SQLError {
    let text = name.parts.map(\.name).joined(separator: ".")
    return SQLError(
      .catalog, "schema \"\(text)\" does not exist", at: span,
      hint: didYouMean(text, among: state.names(.schema)))
  }
}
