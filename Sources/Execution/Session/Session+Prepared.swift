import Columnar
import Diagnostics
import Planner
import Syntax

// PREPARE keeps the statement's syntax. EXECUTE binds it anew with the values in place of the
// parameters: types follow the values, and tables may have changed meanwhile.
extension Session {
  func run(_ prepare: Prepare) throws -> StatementResult {
    try check(prepare.statement, hasParameters: !prepare.parameters.isEmpty)
    connection.prepared[prepare.name.name.lowercased()] = prepare
    return .none
  }

  /// Binds a statement with NULL for its parameters, for names that do not exist.
  func check(_ statement: Statement, hasParameters: Bool) throws {
    let binder = binder()
    binder.allowsMissingParameters = true
    do {
      switch statement {
      case .query(let query): _ = try binder.bind(query)
      case .trainModel, .evaluateModel: _ = try binder.bindRowStatement(statement)
      case .explain(let explain):
        try check(explain.statement, hasParameters: hasParameters)
      case .prepare, .execute, .deallocate:
        throw SQLError(.syntax, "PREPARE takes no PREPARE, EXECUTE or DEALLOCATE")
      default: break
      }
    } catch let error as SQLError {
      // A NULL may fit where no value of another type would: only what holds for all of them counts.
      let isName = error.code == .catalog || error.message.contains("not exist")
      if !hasParameters || isName || error.code == .syntax { throw error }
    }
  }

  func run(_ execute: Execute) throws -> StatementResult {
    try with(valuesOf: execute) { try run($0) }
  }

  /// Gives `body` the prepared statement, with the values of EXECUTE for its parameters.
  func with<Result>(valuesOf execute: Execute, _ body: (Statement) throws -> Result) throws
    -> Result
  {
    let name = execute.name.name
    guard let prepare = connection.prepared[name.lowercased()] else {
      throw SQLError(
        .binder, "prepared statement \"\(name)\" does not exist", at: execute.name.span,
        hint: didYouMean(name, among: connection.prepared.values.map(\.name.name).sorted()))
    }
    var values: [String: ParameterValue] = [:]
    for (position, argument) in execute.arguments.enumerated() {
      guard let expression = argument.expression else {
        throw SQLError(.binder, "EXECUTE takes values", at: argument.span)
      }
      let key = argument.name?.name.lowercased() ?? "\(position + 1)"
      if values[key] != nil {
        throw SQLError(.binder, "parameter $\(key) is given twice", at: argument.span)
      }
      values[key] = try evaluate(expression)
    }
    return try with(values, for: prepare.parameters, span: execute.name.span) {
      try body(prepare.statement)
    }
  }

  /// Runs `body` with values for exactly these parameters, by `Parameter.key`.
  func with<Result>(
    _ values: [String: ParameterValue], for parameters: [Parameter], span: SourceSpan?,
    _ body: () throws -> Result
  ) throws -> Result {
    let wanted = Set(parameters.map(\.key))
    let missing = parameters.map(\.key).filter { values[$0] == nil }
    if !missing.isEmpty {
      throw SQLError(
        .invalidInput,
        "values were not provided for the following parameters: \(Self.list(missing))", at: span)
    }
    let excess = values.keys.filter { !wanted.contains($0) }
    if !excess.isEmpty {
      throw SQLError(
        .invalidInput,
        "the statement has no such parameters: \(Self.list(Array(excess)))", at: span)
    }
    let outer = self.parameters
    self.parameters = values
    defer { self.parameters = outer }
    return try body()
  }

  /// In the order of numbers, then of names.
  private static func list(_ keys: [String]) -> String {
    keys.sorted { a, b in
      if let x = Int(a), let y = Int(b) { return x < y }
      return a < b
    }.joined(separator: ", ")
  }

  func deallocate(_ name: Identifier?) throws -> StatementResult {
    if let name {
      connection.prepared[name.name.lowercased()] = nil
    } else {
      connection.prepared = [:]
    }
    return .none
  }
}
