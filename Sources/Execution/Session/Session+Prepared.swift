import Columnar
import Diagnostics
import Planner
import Syntax

/// What PREPARE has made: the statement's syntax, and the plans that were kept of it. Where there is
/// none, EXECUTE binds it anew with the values in place of the parameters: types follow the values,
/// and tables may have changed meanwhile.
struct PreparedQuery {
  let statement: Prepare
  let plans = KeptPlans()

  init(_ statement: Prepare) { self.statement = statement }
}

extension Session {
  func run(_ prepare: Prepare) throws -> StatementResult {
    try check(prepare.statement, hasParameters: !prepare.parameters.isEmpty)
    connection.prepared[prepare.name.name.lowercased()] = PreparedQuery(prepare)
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
    try with(valuesOf: execute) { prepared in
      let prepare = prepared.statement
      return try rows(of: prepare.statement, prepare.parameters, keptIn: prepared.plans)
        ?? run(prepare.statement)
    }
  }

  /// Gives `body` the prepared statement, with the values of EXECUTE for its parameters.
  func with<Result>(valuesOf execute: Execute, _ body: (PreparedQuery) throws -> Result)
    throws -> Result
  {
    let name = execute.name.name
    guard let prepared = connection.prepared[name.lowercased()] else {
      throw SQLError(
        .binder, "prepared statement \"\(name)\" does not exist", at: execute.name.span,
        hint: didYouMean(
          name, among: connection.prepared.values.map(\.statement.name.name).sorted()))
    }
    var values: [String: ParameterValue] = [:]
    let binder = execute.arguments.isEmpty ? nil : binder()
    for (position, argument) in execute.arguments.enumerated() {
      guard let expression = argument.expression else {
        throw SQLError(.binder, "EXECUTE takes values", at: argument.span)
      }
      let key = argument.name?.name.lowercased() ?? "\(position + 1)"
      if values[key] != nil {
        throw SQLError(.binder, "parameter $\(key) is given twice", at: argument.span)
      }
      values[key] = try binder?.constant(expression) ?? evaluate(expression)
    }
    return try with(values, for: prepared.statement.parameters, span: execute.name.span) {
      try body(prepared)
    }
  }

  /// Runs `body` with values for exactly these parameters, by `Parameter.key`.
  func with<Result>(
    _ values: [String: ParameterValue], for parameters: [Parameter], span: SourceSpan?,
    _ body: () throws -> Result
  ) throws -> Result {
    if values.count != parameters.count || parameters.contains(where: { values[$0.key] == nil }) {
      throw Self.mismatch(values, parameters, span)
    }
    let outer = self.parameters
    self.parameters = values
    defer { self.parameters = outer }
    return try body()
  }

  private static func mismatch(
    _ values: [String: ParameterValue], _ parameters: [Parameter], _ span: SourceSpan?
  ) -> SQLError {
    let wanted = Set(parameters.map(\.key))
    let missing = parameters.map(\.key).filter { values[$0] == nil }
    if !missing.isEmpty {
      return SQLError(
        .invalidInput,
        "values were not provided for the following parameters: \(list(missing))", at: span)
    }
    let excess = values.keys.filter { !wanted.contains($0) }
    return SQLError(
      .invalidInput, "the statement has no such parameters: \(list(Array(excess)))", at: span)
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
