import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

/// A function that reads the session or the catalog. Its arguments are constants; what it gives is
/// known when the statement is bound, save what draws from a sequence.
struct SessionFunction: Sendable {
  let name: String
  let aliases: [String]
  let summary: String
  let argumentCount: ClosedRange<Int>
  let bind: @Sendable (SessionCall) throws -> Expression

  init(
    _ name: String, aliases: [String] = [], _ argumentCount: ClosedRange<Int> = 0...0,
    summary: String, _ bind: @escaping @Sendable (SessionCall) throws -> Expression
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.argumentCount = argumentCount
    self.bind = bind
  }
}

/// A call of one, with what it may look at.
struct SessionCall {
  let function: String
  let arguments: [Expression]
  let catalog: StatementCatalog
  let span: SourceSpan

  /// The argument's constant and its type.
  func constant(_ position: Int) throws -> (value: Value, type: LogicalType) {
    if case .constant(let value, let type) = arguments[position] { return (value, type) }
    throw SQLError(.binder, "\(function) takes constants", at: span)
  }

  /// A text argument; nil for NULL.
  func text(_ position: Int) throws -> String? {
    switch try constant(position).value {
    case .null: return nil
    case .varchar(let text): return text
    default: throw SQLError(.binder, "\(function) takes a text", at: span)
    }
  }

  func sequence(_ position: Int) throws -> NumberSequence? {
    guard let text = try text(position) else { return nil }
    let name = try QualifiedName.parsing(text, span: span)
    if case .sequence(let sequence)? = try catalog.find(.sequence, name)?.object.item {
      return sequence
    }
    throw SQLError(
      .catalog, "sequence \"\(text)\" does not exist", at: span,
      hint: didYouMean(name.last.name, among: catalog.state.names(.sequence)))
  }
}

enum SessionFunctions {
  static let rows: [SessionFunction] = [
    SessionFunction(
      "current_database", aliases: ["current_catalog"], summary: "the database in use"
    ) {
      text(NameResolution.parts(of: $0.catalog.currentSchema).database)
    },
    SessionFunction("current_query", summary: "the text of the running statement") {
      text($0.catalog.connection.statementText)
    },
    SessionFunction("current_schema", summary: "the schema in use") {
      text(NameResolution.parts(of: $0.catalog.currentSchema).schema)
    },
    SessionFunction("current_schemas", 1...1, summary: "the schemas of the search path", schemas),
    SessionFunction("current_setting", 1...1, summary: "a setting's value", setting),
    SessionFunction(
      "current_user", aliases: ["current_role", "session_user", "user"], summary: "always apus"
    ) { _ in text("apus") },
    SessionFunction("currval", 1...1, summary: "the last number a sequence gave", currentValue),
    SessionFunction("getvariable", 1...1, summary: "what SET VARIABLE gave a name", variable),
    SessionFunction("nextval", 1...1, summary: "the next number of a sequence", nextValue),
    SessionFunction(
      "setval", 2...3, summary: "the number behind which a sequence goes on", setValue),
    SessionFunction("version", summary: "the engine's version") { _ in text("v0.1.0") },
  ]

  static let allNames: [String] = rows.flatMap { [$0.name] + $0.aliases }

  static func named(_ name: String) -> SessionFunction? {
    rows.first { $0.name == name || $0.aliases.contains(name) }
  }

  private static func text(_ value: String) -> Expression { .constant(.varchar(value), .varchar) }

  private static func schemas(_ call: SessionCall) throws -> Expression {
    let withSystem = try call.constant(0).value == .boolean(true)
    var names = call.catalog.searchPath.map { NameResolution.parts(of: $0).schema }
    if withSystem { names = ["main"] + names + ["main", "pg_catalog"] }
    return .constant(.list(names.map { .varchar($0) }), .list(.varchar))
  }

  private static func setting(_ call: SessionCall) throws -> Expression {
    guard let name = try call.text(0) else { return .constant(.null, .varchar) }
    guard let setting = Setting.named(name) else {
      throw SQLError(
        .catalog, "setting \"\(name)\" does not exist", at: call.span,
        hint: didYouMean(name, among: Setting.rows.map(\.name)))
    }
    let text = setting.read(call.catalog.settings)
    switch setting.type {
    case .bigint: return .constant(Int128(text).map { .integer($0) } ?? .null, .bigint)
    case .boolean: return .constant(.boolean(text == "true"), .boolean)
    default: return .constant(.varchar(text), .varchar)
    }
  }

  private static func variable(_ call: SessionCall) throws -> Expression {
    guard let name = try call.text(0),
      let variable = call.catalog.connection.variables[name.lowercased()]
    else { return .constant(.null, .null) }
    return .constant(variable.value.value, variable.value.type)
  }

  // MARK: Sequences

  private static func nextValue(_ call: SessionCall) throws -> Expression {
    guard let sequence = try call.sequence(0) else { return .constant(.null, .bigint) }
    return drawing(call, "nextval('\(sequence.name)')") { count in try sequence.draw(count) }
  }

  private static func currentValue(_ call: SessionCall) throws -> Expression {
    guard let sequence = try call.sequence(0) else { return .constant(.null, .bigint) }
    return drawing(call, "currval('\(sequence.name)')") { count in
      Array(repeating: try sequence.currentValue(), count: count)
    }
  }

  private static func setValue(_ call: SessionCall) throws -> Expression {
    guard let sequence = try call.sequence(0) else { return .constant(.null, .bigint) }
    guard case .integer(let wide) = try call.constant(1).value, let value = Int64(exactly: wide)
    else { throw SQLError(.binder, "setval takes an integer", at: call.span) }
    let isDrawn =
      call.arguments.count < 3 ? true : try call.constant(2).value == .boolean(true)
    return drawing(call, "setval('\(sequence.name)', \(value))") { count in
      try sequence.set(value, isDrawn: isDrawn)
      return Array(repeating: value, count: count)
    }
  }

  /// A volatile call without arguments that gives numbers.
  private static func drawing(
    _ call: SessionCall, _ title: String, _ draw: @escaping @Sendable (Int) throws -> [Int64]
  ) -> Expression {
    let overload = ScalarOverload([], returns: .bigint, nulls: .custom, isVolatile: true) {
      _, count, type in
      let column = Column(flat: type, count: count)
      let values = column.values(as: Int64.self)
      for (row, number) in try draw(count).enumerated() { values[row] = number }
      return column
    }
    let function = ScalarFunction(
      title, category: "session", summary: "", examples: [], overloads: [overload])
    return .call(
      CallExpression(
        resolved: ResolvedScalar(
          function: function, overload: overload, argumentTypes: [], resultType: .bigint),
        arguments: [], span: call.span))
  }
}
