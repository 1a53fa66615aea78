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

  /// The values that a type allows, when it is an ENUM.
  package func enumLabels(of type: TypeName) throws -> [String]? {
    switch type {
    case .enumeration(let labels, _): return labels
    case .named(let name, let arguments):
      return arguments.isEmpty ? try catalog.enumLabels(of: name) : nil
    case .list, .array, .structure, .union, .map: return nil
    }
  }

  /// A text that must be one of the values of an ENUM; with TRY_CAST NULL where it is not.
  func checked(_ text: Expression, among labels: [String], isTry: Bool, span: SourceSpan) throws
    -> Expression
  {
    let known = Set(labels)
    let overload = ScalarOverload([.exactly(.varchar)], returns: .varchar, nulls: .custom) {
      columns, count, type in
      var builder = ColumnBuilder(type, capacity: count)
      for row in 0..<count {
        let value = columns[0].value(row)
        if case .varchar(let text) = value, !known.contains(text) {
          if !isTry {
            throw SQLError(
              .conversion, "could not convert string '\(text)' to ENUM", at: nil,
              hint: didYouMean(text, among: labels))
          }
          builder.appendNull()
        } else {
          try builder.append(value)
        }
      }
      return builder.finish()
    }
    let function = ScalarFunction(
      "enum_value(\(labels.joined(separator: ",")))", category: "enum", summary: "", examples: [],
      overloads: [overload])
    let resolved = ResolvedScalar(
      function: function, overload: overload, argumentTypes: [.varchar], resultType: .varchar)
    return ConstantFolding.fold(
      .call(CallExpression(resolved: resolved, arguments: [text], span: span)))
  }

  /// The type of a written name, among the built-in ones and those of CREATE TYPE.
  package func resolve(_ name: TypeName) throws -> LogicalType {
    try TypeResolution.resolve(
      name, known: { try catalog.type(named: $0) }, knownNames: { catalog.typeNames })
  }
}
