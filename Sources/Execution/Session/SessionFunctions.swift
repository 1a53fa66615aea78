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
  let forms: [FunctionForm]
  let bind: @Sendable (SessionCall) throws -> Expression

  init(
    _ name: String, aliases: [String] = [], _ argumentCount: ClosedRange<Int> = 0...0,
    summary: String, takes: [String] = [], gives: String = "VARCHAR",
    _ bind: @escaping @Sendable (SessionCall) throws -> Expression
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.argumentCount = argumentCount
    forms = argumentCount.map {
      FunctionForm(parameters: Array(takes.prefix($0)), variadic: nil, result: gives)
    }
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
  func text(_ position: Int, casting: Bool = false) throws -> String? {
    let (value, type) = try constant(position)
    switch value {
    case .null: return nil
    case .varchar(let text): return text
    case _ where casting:
      let texts = ValueText.text(of: try Column.constant(value, type, count: 1))
      guard case .varchar(let text) = texts.value(0) else { return nil }
      return text
    default: throw SQLError(.binder, "\(function) takes a text", at: span)
    }
  }

  /// What a function of a sequence gives for its first argument, constant or not.
  func drawing(
    _ draw: @escaping @Sendable (NumberSequence, Int) throws -> [Int64]
  ) throws -> Expression {
    let names = catalog.names
    let isConstant: Bool
    if case .constant = arguments[0] { isConstant = true } else { isConstant = false }
    if isConstant {
      // Looked up now, so that a wrong name is found when the statement is bound.
      guard let text = try self.text(0, casting: true) else { return .constant(.null, .bigint) }
      let sequence = try SessionCall.sequence(text, names, span)
      return volatile([]) { _, count in try draw(sequence, count) }
    }
    let argument =
      arguments[0].type == .varchar ? arguments[0] : .cast(arguments[0], to: .varchar, isTry: false)
    let span = span
    return volatile([argument]) { columns, count in
      try (0..<count).map { row in
        guard case .varchar(let text) = columns[0].value(row) else { return nil }
        return try draw(try SessionCall.sequence(text, names, span), 1).first
      }
    }
  }

  private static func sequence(_ text: String, _ names: NameResolution, _ span: SourceSpan) throws
    -> NumberSequence
  {
    let name = try QualifiedName.parsing(text, span: span)
    if name.parts.count > 3 {
      throw SQLError(.syntax, "'\(text)' has too many parts for the name of a sequence", at: span)
    }
    if case .sequence(let sequence)? = try names.find(.sequence, name)?.object.item {
      return sequence
    }
    throw SQLError(
      .catalog, "sequence \"\(text)\" does not exist", at: span,
      hint: didYouMean(name.last.name, among: names.state.names(.sequence)))
  }

  /// A call that is made anew for every row.
  private func volatile(
    _ operands: [Expression], _ body: @escaping @Sendable ([Column], Int) throws -> [Int64?]
  ) -> Expression {
    let overload = ScalarOverload(
      operands.map { _ in .exactly(.varchar) }, returns: .bigint, nulls: .custom, isVolatile: true
    ) { columns, count, type in
      var builder = ColumnBuilder(type, capacity: count)
      for number in try body(columns, count) {
        try builder.append(number.map { .integer(Int128($0)) } ?? .null)
      }
      return builder.finish()
    }
    let resolved = ResolvedScalar(
      function: ScalarFunction(
        function, category: "session", summary: "", examples: [], overloads: [overload]),
      overload: overload, argumentTypes: operands.map(\.type), resultType: .bigint)
    return .call(CallExpression(resolved: resolved, arguments: operands, span: span))
  }
}

enum SessionFunctions {
  static let rows: [SessionFunction] = [
    SessionFunction(
      "current_database", aliases: ["current_catalog"], summary: "the database in use"
    ) {
      let database = NameResolution.parts(of: $0.catalog.currentSchema).database
      return text($0.catalog.state.shown(database: database))
    },
    SessionFunction("current_query", summary: "the text of the running statement") {
      text(String($0.catalog.connection.statementText))
    },
    SessionFunction("current_schema", summary: "the schema in use") {
      text(NameResolution.parts(of: $0.catalog.currentSchema).schema)
    },
    SessionFunction(
      "current_schemas", 1...1, summary: "the schemas of the search path", takes: ["BOOLEAN"],
      gives: "VARCHAR[]", schemas),
    SessionFunction(
      "current_setting", 1...1, summary: "a setting's value", takes: ["VARCHAR"],
      gives: "the setting's type", setting),
    SessionFunction(
      "current_user", aliases: ["current_role", "session_user", "user"], summary: "always apus"
    ) { _ in text("apus") },
    SessionFunction(
      "currval", 1...1, summary: "the last number a sequence gave", takes: ["VARCHAR"],
      gives: "BIGINT", currentValue),
    SessionFunction(
      "getvariable", 1...1, summary: "what SET VARIABLE gave a name", takes: ["VARCHAR"],
      gives: "the variable's type", variable),
    SessionFunction(
      "in_search_path", 2...2, summary: "whether names are looked up in the schema of the database",
      takes: ["VARCHAR", "VARCHAR"], gives: "BOOLEAN", searched),
    SessionFunction(
      "nextval", 1...1, summary: "the next number of a sequence", takes: ["VARCHAR"],
      gives: "BIGINT", nextValue),
    SessionFunction(
      "setval", 2...3, summary: "the number behind which a sequence goes on",
      takes: ["VARCHAR", "BIGINT", "BOOLEAN"], gives: "BIGINT", setValue),
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
    if withSystem { names = ["main"] + names + ["main", "main", "pg_catalog"] }
    return .constant(.list(names.map { .varchar($0) }), .list(.varchar))
  }

  private static func searched(_ call: SessionCall) throws -> Expression {
    guard let database = try call.text(0)?.lowercased(), let schema = try call.text(1)?.lowercased()
    else { return .constant(.null, .boolean) }
    let isSearched = call.catalog.searchPath.contains {
      let parts = NameResolution.parts(of: $0)
      return call.catalog.state.shown(database: parts.database).lowercased() == database
        && parts.schema.lowercased() == schema
    }
    return .constant(.boolean(isSearched), .boolean)
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
    try call.drawing { sequence, count in try sequence.draw(count) }
  }

  private static func currentValue(_ call: SessionCall) throws -> Expression {
    try call.drawing { sequence, count in
      Array(repeating: try sequence.currentValue(), count: count)
    }
  }

  private static func setValue(_ call: SessionCall) throws -> Expression {
    let given = try call.constant(1).value
    if given.isNull { return .constant(.null, .bigint) }
    guard case .integer(let wide) = given, let value = Int64(exactly: wide) else {
      throw SQLError(.binder, "setval takes an integer", at: call.span)
    }
    let isDrawn = call.arguments.count < 3 ? true : try call.constant(2).value == .boolean(true)
    return try call.drawing { sequence, count in
      try sequence.set(value, isDrawn: isDrawn)
      return Array(repeating: value, count: count)
    }
  }
}
