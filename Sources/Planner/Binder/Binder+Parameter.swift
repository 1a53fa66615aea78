import Columnar
import Diagnostics
import Functions
import Syntax

/// A value given for a parameter, and its type.
package struct ParameterValue: Sendable {
  package var value: Value
  package var type: LogicalType

  package init(_ value: Value, _ type: LogicalType) {
    self.value = value
    self.type = type
  }
}

extension Binder {
  /// A parameter is the constant that was given for it: its type is the value's. In a plan that is
  /// kept it reads a slot.
  func value(of parameter: Parameter, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    if checkedParameters.contains(parameter.key),
      !context.scope.matches(table: nil, name: parameter.key).isEmpty
    {
      throw SQLError(
        .binder, "the macro's parameter \"\(parameter.key)\" is also a column here", at: span,
        hint: "give the parameter another name")
    }
    if let slot = slots?.expression(parameter.key) { return slot }
    if let given = parameters[parameter.key] { return .constant(given.value, given.type) }
    if allowsMissingParameters { return .constant(.null, .null) }
    throw SQLError(
      .invalidInput, "no value is given for parameter $\(parameter.key)", at: span,
      hint: "PREPARE the statement, then EXECUTE it with values")
  }

  /// The value of an expression that reads nothing; nil when it is more than that, or a mistake.
  package func constant(_ expression: SyntaxExpression) -> ParameterValue? {
    let context = ExpressionContext(
      scope: Scope(), clause: "EXECUTE", subqueries: SubqueryCollector())
    guard let bound = try? bind(expression, context),
      case .constant(let value, let type) = ConstantFolding.value(of: unmarked(bound))
    else { return nil }
    return ParameterValue(value, type)
  }

  /// Notes whether a call that takes parameters as slots would be another one with constants of
  /// these types in their place: an integer literal adapts to what stands beside it, and some
  /// results hang on the values of constants.
  func noteParameters(
    _ written: [Expression], _ resolved: ResolvedScalar,
    _ resolve: ([ArgumentLiteral]) throws -> ResolvedScalar
  ) {
    if resolved.function.signature != nil || resolved.overload.resultFromLiterals != nil {
      isReusable = false
      return
    }
    let adapting = written.map { argument -> ArgumentLiteral in
      guard argument.isParameter else { return literal(argument) }
      switch argument.type {
      case .integer: return .integer(0)
      case .bigint: return .integer(1 << 40)
      case .hugeint: return .integer(1 << 100)
      default: return literal(argument)
      }
    }
    guard let other = try? resolve(adapting), other.argumentTypes == resolved.argumentTypes,
      other.resultType == resolved.resultType
    else {
      isReusable = false
      return
    }
  }

  /// The type of a written name, among the built-in ones and those of CREATE TYPE.
  package func resolve(_ name: TypeName) throws -> LogicalType {
    try TypeResolution.resolve(
      name, known: { try catalog.type(named: $0) }, knownNames: { catalog.typeNames })
  }
}
