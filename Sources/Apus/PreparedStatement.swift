import Diagnostics
import Execution
import Planner
import Syntax

/// A statement to be run many times with other values: `Connection.prepare` makes it. It belongs to
/// its connection, as results do; it sees the tables as they are when it runs.
public final class PreparedStatement {
  /// What values are wanted for: `1`, `2` … for `?` and `$2`, else the names without the dollar.
  public let parameterNames: [String]

  private let text: String
  private let statementText: Substring
  private let session: Session
  private let parsed: ParsedStatement
  private let plans = KeptPlans()
  private var bound: [String: ParameterValue] = [:]

  init(_ sql: String, _ session: Session) throws {
    text = sql
    self.session = session
    do {
      parsed = try Parser.parseStatement(sql)
      statementText = parsed.text(in: sql)
      parameterNames = parsed.parameters.map(\.key).sorted { a, b in
        (Int(a) ?? 0, a) < (Int(b) ?? 0, b)
      }
      try session.check(parsed)
    } catch let error as SQLError {
      throw DatabaseError(error, in: sql)
    }
  }

  /// Gives a parameter a value, by position from 1, for the runs to come.
  public func bind(_ value: any SQLValueConvertible, at position: Int) {
    bound["\(position)"] = UserTypes.parameter(value)
  }

  /// Gives a parameter a value, by its name without the dollar, for the runs to come.
  public func bind(_ value: any SQLValueConvertible, to name: String) {
    bound[name.lowercased()] = UserTypes.parameter(value)
  }

  /// Forgets all values.
  public func clearBindings() { bound = [:] }

  /// Runs the statement with the values that were bound; an error when one is missing.
  @discardableResult
  public func execute() throws -> QueryResult { try run(bound) }

  /// Runs the statement with these values, in the order of the parameters; what was bound counts for
  /// nothing.
  @discardableResult
  public func execute(
    _ first: any SQLValueConvertible, _ rest: any SQLValueConvertible...
  ) throws -> QueryResult {
    try execute(values: [first] + rest)
  }

  /// Runs the statement with these values by name, without the dollar.
  @discardableResult
  public func execute(named values: [String: any SQLValueConvertible]) throws -> QueryResult {
    var given: [String: ParameterValue] = [:]
    for (name, value) in values { given[name.lowercased()] = UserTypes.parameter(value) }
    return try run(given)
  }

  func execute(values: [any SQLValueConvertible]) throws -> QueryResult {
    var given: [String: ParameterValue] = [:]
    for (position, value) in values.enumerated() {
      given["\(position + 1)"] = UserTypes.parameter(value)
    }
    return try run(given)
  }

  private func run(_ values: [String: ParameterValue]) throws -> QueryResult {
    do {
      let result = QueryResult(
        try session.run(parsed, values: values, text: statementText, plans: plans), in: text)
      try result.materialize(in: session)
      return result
    } catch let error as SQLError {
      throw DatabaseError(error, in: text)
    }
  }
}
