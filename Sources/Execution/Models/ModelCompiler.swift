import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// CREATE MODEL: from syntax to a checked definition. Every shape is known and checked here, but for
/// those that hang on what TRAIN finds.
enum ModelCompiler {
  static func compile(_ statement: CreateModel) throws -> ModelDefinition {
    let name = statement.name.last.name
    if statement.origin != nil {
      throw notYet("models from files and other models", statement.name)
    }
    guard !statement.inputs.isEmpty else {
      throw SQLError(
        .model, "model \"\(name)\" has no INPUT", at: statement.name.span,
        hint: "INPUT (a FLOAT, b FLOAT)")
    }
    let inputs = try statement.inputs.map {
      try input($0, isTransformed: !statement.transform.isEmpty)
    }
    guard let first = statement.outputs.first else {
      throw SQLError(
        .model, "model \"\(name)\" has no OUTPUT", at: statement.name.span,
        hint: "OUTPUT (y FLOAT)")
    }
    if statement.outputs.count > 1 { throw notYet("several outputs", statement.name) }
    if let twice = duplicate(inputs.map(\.name) + [first.name.name]) {
      throw SQLError(
        .model, "model \"\(name)\" uses the name \"\(twice)\" twice", at: statement.name.span)
    }
    let outputType = try TypeResolution.resolve(first.type)
    let output = Field(first.name.name, outputType)
    var options = ModelOptions()
    for option in statement.options { try options.set(option) }
    let template = try NetworkTemplate(statement)
    let transform = try ModelTransform(
      statement.transform, inputs: inputs, textForm: template.textForm, unseen: options.unseen)
    let classes = try classValues(first, outputType)
    let known = classes.isEmpty && outputType == .boolean ? 2 : classes.count
    let isClass =
      known > 0 || outputType == .varchar
      || (options.training.loss.map(isCrossEntropyName) ?? false)
    let network = try template.network(
      try transform.bound([]), output: output,
      width: isClass ? max(known, 2) : ModelDefinition.width(of: outputType))
    let kind = try outputKind(
      output, classes: classes, network: network, isOpen: template.isOutputOpen,
      options: &options.training, span: first.name.span)
    var kept = statement
    kept.header.isOrReplace = false
    kept.header.isIfNotExists = false
    kept.header.isTemporary = false
    kept.query = nil
    return ModelDefinition(
      statement: kept, name: name, inputs: inputs, transform: transform, output: output,
      outputKind: kind,
      classes: classes.isEmpty && outputType == .boolean
        ? [.boolean(false), .boolean(true)] : classes,
      template: template, network: network, options: options)
  }

  private static func input(_ input: ModelInput, isTransformed: Bool) throws -> Field {
    let type = try TypeResolution.resolve(input.type)
    var scalar = type
    while case .array(let element, _) = scalar { scalar = element }
    let isText = ModelTransform.isText(type)
    guard isTransformed || isText || scalar.isNumeric || scalar == .boolean else {
      throw SQLError(
        .model,
        "input \"\(input.name.name)\" is \(type): inputs are numbers, BOOLEAN, VARCHAR, or arrays of numbers",
        at: input.type.span, hint: "TRANSFORM makes numbers of other types")
    }
    return Field(input.name.name, type)
  }

  private static func duplicate(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0.lowercased()).inserted }
  }

  // MARK: Output

  private static func classValues(_ output: ModelOutput, _ type: LogicalType) throws -> [Value] {
    let values = try output.classes.map { expression -> Value in
      let value: Value
      switch expression.kind {
      case .literal(.string(let text)): value = .varchar(text)
      case .literal(.integer(let text)): value = Int128(text).map { .integer($0) } ?? .null
      case .literal(.boolean(let flag)): value = .boolean(flag)
      case .unary(.minus, let operand):
        if case .literal(.integer(let text)) = operand.kind, let number = Int128(text) {
          value = .integer(-number)
        } else {
          value = .null
        }
      default: value = .null
      }
      var builder = ColumnBuilder(type, capacity: 1)
      if value.isNull || (try? builder.append(value)) == nil {
        throw SQLError(
          .model, "a class of output \"\(output.name.name)\" must be a literal of type \(type)",
          at: expression.span)
      }
      return value
    }
    if Set(values).count != values.count {
      throw SQLError(
        .model, "output \"\(output.name.name)\" lists a class twice", at: output.name.span)
    }
    return values
  }

  /// A class when CLASSES, VARCHAR, BOOLEAN or cross_entropy say so; sets the loss that follows.
  private static func outputKind(
    _ output: Field, classes: [Value], network: Network, isOpen: Bool,
    options: inout TrainerOptions, span: SourceSpan
  ) throws -> ModelDefinition.OutputKind {
    let units = network.outputWidth
    let isCrossEntropy = options.loss.map(isCrossEntropyName) ?? false
    let isClass =
      !classes.isEmpty || output.type == .varchar || output.type == .boolean
      || isCrossEntropy
    if !isClass {
      guard output.type.isNumeric || output.type.elementType != nil else {
        throw SQLError(
          .model, "output \"\(output.name)\" cannot be \(output.type)", at: span)
      }
      let wanted = ModelDefinition.width(of: output.type)
      if units != wanted {
        throw SQLError(
          .model,
          "the last layer gives \(units) values, but output \"\(output.name)\" \(output.type) takes "
            + "\(wanted)", at: span,
          hint: wanted == 1 ? "end with linear(1), or make it FLOAT[\(units)]" : nil)
      }
      return .number
    }
    let known = output.type == .boolean && classes.isEmpty ? 2 : classes.count
    if units == 1 {
      if known > 2 || isCrossEntropy {
        throw SQLError(
          .model, "the last layer gives 1 value for the \(known) classes of \"\(output.name)\"",
          at: span, hint: "end with linear(\(max(known, 2)))")
      }
      if options.loss == nil { options.loss = "bce" }
      return .binary
    }
    if !isOpen && known > 0 && known != units {
      throw SQLError(
        .model,
        "the last layer gives \(units) values, but output \"\(output.name)\" has \(known) classes",
        at: span)
    }
    if options.loss == nil { options.loss = "cross_entropy" }
    return .classes
  }

  private static func isCrossEntropyName(_ loss: String) -> Bool {
    ["cross_entropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "nll"]
      .contains(loss.lowercased())
  }

  static func notYet(_ what: String, _ name: QualifiedName) -> SQLError {
    SQLError(.notSupported, "not supported yet: \(what)", at: name.span)
  }
}
