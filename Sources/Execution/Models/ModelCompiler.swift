import Columnar
import Diagnostics
import NeuralNet
import Planner
import Syntax

/// CREATE MODEL: from syntax to a checked definition. Every shape is known and checked here.
enum ModelCompiler {
  static func compile(_ statement: CreateModel) throws -> ModelDefinition {
    let name = statement.name.last.name
    if statement.origin != nil {
      throw notYet("models from files and other models", statement.name)
    }
    if !statement.transform.isEmpty { throw notYet("TRANSFORM clauses", statement.name) }
    if statement.query != nil { throw notYet("CREATE MODEL … AS queries", statement.name) }
    guard !statement.inputs.isEmpty else {
      throw SQLError(
        .model, "model \"\(name)\" has no INPUT", at: statement.name.span,
        hint: "INPUT (a FLOAT, b FLOAT)")
    }
    let inputs = try statement.inputs.map { try field($0.name, $0.type, what: "input") }
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

    var options = TrainerOptions()
    var threshold: Float = 0.5
    var texts: [(name: String, value: String)] = []
    for option in statement.options {
      let (value, text) = try optionValue(option)
      texts.append((option.name.name.lowercased(), text))
      if option.name.name.lowercased() == "threshold", case .number(let number) = value {
        threshold = Float(number)
        continue
      }
      try set(option, value, in: &options)
    }

    let calls: [LayerCall]
    switch statement.architecture {
    case .sequential(let layers): calls = try layers.map(layer)
    case .graph: throw notYet("GRAPH models", statement.name)
    case nil:
      throw SQLError(
        .model, "model \"\(name)\" has no network", at: statement.name.span,
        hint: "SEQUENTIAL (linear(64), relu(), linear(1))")
    }
    let width = inputs.reduce(0) { $0 + ModelDefinition.width(of: $1.type) }
    let network = try network(calls, inputs: inputs, width: width, statement)
    let classes = try classValues(first, outputType)
    let kind = try outputKind(
      output, classes: classes, network: network, options: &options, span: first.name.span)
    var kept = statement
    kept.header.isOrReplace = false
    kept.header.isIfNotExists = false
    kept.header.isTemporary = false
    return ModelDefinition(
      statement: kept, name: name, inputs: inputs, output: output, outputKind: kind,
      classes: classes.isEmpty && outputType == .boolean
        ? [.boolean(false), .boolean(true)] : classes,
      layers: calls, network: network, options: options, optionTexts: texts, threshold: threshold)
  }

  /// The network, shapes checked. An error stands at the layer that is wrong; where the first does
  /// not fit the inputs, the hint names their columns.
  private static func network(
    _ calls: [LayerCall], inputs: [Field], width: Int, _ statement: CreateModel
  ) throws -> Network {
    do {
      return try Network.sequential(inputWidth: width, layers: calls)
    } catch var error as SQLError {
      guard case .sequential(let layers) = statement.architecture else { throw error }
      let wrong = calls.indices.first { last in
        (try? Network.sequential(inputWidth: width, layers: Array(calls[0...last]))) == nil
      }
      error.span = wrong.map { layers[$0].span } ?? statement.name.span
      if wrong == 0, error.hint == nil {
        error.hint =
          "the inputs are " + inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
      }
      throw error
    }
  }

  private static func field(_ name: Identifier, _ typeName: TypeName, what: String) throws -> Field
  {
    let type = try TypeResolution.resolve(typeName)
    var scalar = type
    while case .array(let element, _) = scalar { scalar = element }
    guard scalar.isNumeric || scalar == .boolean else {
      throw SQLError(
        .model,
        "\(what) \"\(name.name)\" is \(type): inputs are numbers, BOOLEAN, or arrays of numbers",
        at: typeName.span)
    }
    return Field(name.name, type)
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
    _ output: Field, classes: [Value], network: Network, options: inout TrainerOptions,
    span: SourceSpan
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
    if known > 0 && known != units {
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

  // MARK: Layers and options

  private static func layer(_ layer: ModelLayer) throws -> LayerCall {
    var positional: [LayerArgument] = []
    var named: [LayerCall.NamedArgument] = []
    for argument in layer.call.arguments {
      guard let expression = argument.expression, let value = layerArgument(expression) else {
        throw SQLError(
          .model, "an argument of \(layer.call.name.last.name) must be a literal",
          at: argument.span)
      }
      if let name = argument.name {
        named.append(LayerCall.NamedArgument(name.name, value))
      } else {
        positional.append(value)
      }
    }
    return LayerCall(
      layer.call.name.last.name, positional, named: named, alias: layer.name?.name)
  }

  private static func layerArgument(_ expression: SyntaxExpression) -> LayerArgument? {
    switch expression.kind {
    case .literal(.integer(let text)): return Int(text).map { .integer($0) }
    case .literal(.decimal(let text)), .literal(.double(let text)):
      return Double(text).map { .number($0) }
    case .literal(.string(let text)): return .text(text)
    case .literal(.boolean(let value)): return .boolean(value)
    case .unary(.minus, let operand):
      switch layerArgument(operand) {
      case .integer(let value): return .integer(0 &- value)
      case .number(let value): return .number(-value)
      case .text, .boolean, .list, nil: return nil
      }
    case .list(let elements):
      var extents: [Int] = []
      for element in elements {
        guard case .integer(let extent) = layerArgument(element) else { return nil }
        extents.append(extent)
      }
      return .list(extents)
    default: return nil
    }
  }

  /// The value of an option and its text.
  static func optionValue(_ option: SyntaxOption) throws -> (OptionValue, String) {
    if case .column(let word) = option.value.kind, word.parts.count == 1 {
      return (.text(word.last.name), word.last.name)
    }
    switch layerArgument(option.value) {
    case .integer(let value): return (.number(Double(value)), "\(value)")
    case .number(let value): return (.number(value), "\(value)")
    case .text(let text): return (.text(text), "'\(text)'")
    case .boolean(let value): return (.boolean(value), "\(value)")
    case .list, nil:
      throw SQLError(
        .model, "option \"\(option.name.name)\" needs a number, text or boolean",
        at: option.value.span)
    }
  }

  static func set(_ option: SyntaxOption, _ value: OptionValue, in options: inout TrainerOptions)
    throws
  {
    do {
      try options.set(option.name.name, to: value)
    } catch let error as SQLError {
      throw error.placed(at: option.name.span)
    }
  }

  static func notYet(_ what: String, _ name: QualifiedName) -> SQLError {
    SQLError(.notSupported, "not supported yet: \(what)", at: name.span)
  }
}
