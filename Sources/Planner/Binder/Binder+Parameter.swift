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
  /// A parameter is the constant that was given for it: its type is the value's.
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
    if let given = parameters[parameter.key] { return .constant(given.value, given.type) }
    if allowsMissingParameters { return .constant(.null, .null) }
    throw SQLError(
      .invalidInput, "no value is given for parameter $\(parameter.key)", at: span,
      hint: "PREPARE the statement, then EXECUTE it with values")
  }

  /// The type of a written name, among the built-in ones and those of CREATE TYPE.
  package func resolve(_ name: TypeName) throws -> LogicalType {
    try TypeResolution.resolve(
      name, known: { try catalog.type(named: $0) }, knownNames: { catalog.typeNames })
  }
}
