import Columnar
import Diagnostics
import Syntax

extension Binder {
  /// `gradient(MODEL m, feature [, inputs …] [, output => 'name'])`: how what the model predicts
  /// changes with one of its features, for each row. A FLOAT, or FLOAT[n] for a feature of n
  /// values; NULL where an input is, or where PREDICT has no network for the keys, which it finds as
  /// PREDICT does. nil for a function that takes no model.
  func bindGradient(_ written: FunctionCall, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression?
  {
    guard written.name.last.name.lowercased() == "gradient" else { return nil }
    let function = namingModel(written)
    guard
      case .model(let reference)? = function.arguments.first?.value
    else { return nil }
    let model = try model(reference)
    var inputs: [Argument] = []
    var output = 0
    for argument in function.arguments.dropFirst(2) {
      if argument.name?.name.lowercased() == "output" {
        output = try gradientOutput(argument, model, context)
      } else {
        inputs.append(argument)
      }
    }
    let feature = try gradientFeature(function, model, span: span)
    let arguments = try predictArguments(inputs, model, context, span: span)
    return .predict(
      PredictExpression(
        model: model, form: .gradient(output: output, feature: feature), arguments: arguments,
        type: Binder.gradientType(of: arguments[feature].type)))
  }

  private func gradientFeature(
    _ function: FunctionCall, _ model: any ModelDescription, span: SourceSpan
  ) throws -> Int {
    guard function.arguments.count > 1,
      case .column(let name)? = function.arguments[1].expression?.kind, name.parts.count == 1
    else {
      throw SQLError(
        .binder, "gradient takes MODEL m and the name of what it is taken by", at: span,
        hint: model.featureNames.joined(separator: ", "))
    }
    let wanted = name.last.name.lowercased()
    if let feature = model.featureNames.firstIndex(where: { $0.lowercased() == wanted }) {
      return feature
    }
    let isInput = model.inputs.contains { $0.name.lowercased() == wanted }
    throw SQLError(
      .model,
      isInput
        ? "\"\(name.last.name)\" does not enter the network of model \"\(model.name)\" itself"
        : "model \"\(model.name)\" has no feature \"\(name.last.name)\"", at: name.span,
      hint: isInput
        ? "what enters it: " + model.featureNames.joined(separator: ", ")
        : didYouMean(name.last.name, among: model.featureNames))
  }

  private func gradientOutput(
    _ argument: Argument, _ model: any ModelDescription, _ context: ExpressionContext
  ) throws -> Int {
    var given: String?
    if let expression = argument.expression,
      case .constant(.varchar(let text), _) = try bind(expression, context)
    {
      given = text
    }
    if let given,
      let output = model.outputs.firstIndex(where: { $0.name.lowercased() == given.lowercased() })
    {
      return output
    }
    throw SQLError(
      .model, "model \"\(model.name)\" has no such output", at: argument.span,
      hint: given.flatMap { didYouMean($0, among: model.outputs.map(\.name)) }
        ?? model.outputs.map(\.name).joined(separator: ", "))
  }

  /// As many FLOATs as the feature has values.
  private static func gradientType(of feature: LogicalType) -> LogicalType {
    var width = 1
    var element = feature
    while case .array(let inner, let count) = element {
      width *= count
      element = inner
    }
    return element == feature ? .float : .array(.float, count: width)
  }
}
