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
    if statement.origin != nil { throw notYet("models from files", statement.name) }
    guard !statement.inputs.isEmpty else {
      throw SQLError(
        .model, "model \"\(name)\" has no INPUT", at: statement.name.span,
        hint: "INPUT (a FLOAT, b FLOAT)")
    }
    let inputs = try statement.inputs.map {
      try input($0, isTransformed: !statement.transform.isEmpty)
    }
    guard !statement.outputs.isEmpty else {
      throw SQLError(
        .model, "model \"\(name)\" has no OUTPUT", at: statement.name.span,
        hint: "OUTPUT (y FLOAT)")
    }
    if let twice = duplicate(inputs.map(\.name) + statement.outputs.map(\.name.name)) {
      throw SQLError(
        .model, "model \"\(name)\" uses the name \"\(twice)\" twice", at: statement.name.span)
    }
    var options = ModelOptions()
    for option in statement.options { try options.set(option) }
    let template = try NetworkTemplate(statement)
    if statement.outputs.count > 1, !template.isGraph {
      throw SQLError(
        .model, "SEQUENTIAL has one output, model \"\(name)\" has \(statement.outputs.count)",
        at: statement.outputs[1].name.span, hint: "GRAPH (linear(h, 1) AS price, …)")
    }
    let transform = try ModelTransform(
      statement.transform, inputs: inputs, textForm: template.textForm, unseen: options.unseen)
    let drafts = try statement.outputs.map { try draft($0, options.training) }
    let network = try template.network(
      try transform.bound([]), outputs: drafts.map { GraphOutput($0.field.name, width: $0.width) })
    let outputs = try zip(drafts, network.outputs).map { draft, made in
      let kind = try outputKind(
        draft, units: made.width, isOpen: template.leavesOpen(draft.field.name))
      return ModelOutputDefinition(field: draft.field, kind: kind, classes: draft.classes)
    }
    for output in outputs {
      options.training.setDefaultLoss(of: output, isOnly: outputs.count == 1)
    }
    var kept = statement
    kept.header.isOrReplace = false
    kept.header.isIfNotExists = false
    kept.header.isTemporary = false
    kept.query = nil
    return ModelDefinition(
      statement: kept, name: name, inputs: inputs, transform: transform, outputs: outputs,
      template: template, network: network, options: options)
  }

  /// What a new model must keep to besides; those that a file has are not asked. Errors: options that
  /// name other outputs, one class alone, classes whose layer gives no vector, functions of chance.
  static func checkNew(_ definition: ModelDefinition) throws {
    let statement = definition.statement
    try ModelTransform.checkPurity(statement.transform)
    let names = statement.outputs.map(\.name.name)
    for output in definition.options.training.outputNames
    where !names.contains(where: { $0.lowercased() == output }) {
      throw SQLError(
        .model,
        "an option names the output \"\(output)\", which model \"\(definition.name)\" does not have",
        at: statement.name.span,
        hint: didYouMean(output, among: names) ?? "it has " + names.joined(separator: ", "))
    }
    let monitors = ["loss", "accuracy"] + names.flatMap { ["\($0)_loss", "\($0)_accuracy"] }
    let known = monitors.flatMap { [$0.lowercased(), "val_" + $0.lowercased()] }
    let monitor = definition.options.training.monitor
    if !known.contains(monitor) {
      throw SQLError(
        .model, "option \"monitor\" names \"\(monitor)\", which no training gives",
        at: statement.options.first { $0.name.name.lowercased() == "monitor" }?.value.span,
        hint: didYouMean(monitor, among: known) ?? "'val_loss' or 'val_accuracy'")
    }
    for output in statement.outputs where output.classes.count == 1 {
      throw SQLError(
        .model, "output \"\(output.name.name)\" has one class only: nothing to tell it from",
        at: output.classes[0].span)
    }
    for (index, made) in definition.network.outputs.enumerated()
    where definition.outputs[index].kind != .number && made.shape.dimensions.count > 1 {
      throw SQLError(
        .model,
        "the last layer gives \(made.shape), but the classes of \"\(made.name)\" need a vector",
        at: statement.outputs[index].name.span,
        hint: "flatten() or last() before the last linear(…)")
    }
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

  // MARK: Outputs

  /// An output before its network is made.
  private struct Draft {
    var field: Field
    /// Those that are known.
    var classes: [Value]
    var isCrossEntropy: Bool
    var span: SourceSpan

    var isClass: Bool { !classes.isEmpty || ModelTransform.isText(field.type) || isCrossEntropy }
    /// The units that a `linear(h)` gets: at least two classes, until TRAIN has found them.
    var width: Int { isClass ? max(classes.count, 2) : ModelDefinition.width(of: field.type) }
  }

  private static func draft(_ output: ModelOutput, _ options: TrainerOptions) throws -> Draft {
    let type = try TypeResolution.resolve(output.type)
    var classes = try classValues(output, type)
    if classes.isEmpty, type == .boolean { classes = [.boolean(false), .boolean(true)] }
    let loss = options.outputLosses[output.name.name.lowercased()] ?? options.loss
    return Draft(
      field: Field(output.name.name, type), classes: classes,
      isCrossEntropy: loss.map(isCrossEntropyName) ?? false, span: output.name.span)
  }

  private static func classValues(_ output: ModelOutput, _ type: LogicalType) throws -> [Value] {
    let values = try output.classes.map { expression -> Value in
      let value: Value =
        switch LayerArgument(expression) {
        case .text(let text): .varchar(text)
        case .integer(let number): .integer(Int128(number))
        case .boolean(let flag): .boolean(flag)
        case .number, .list, nil: .null
        }
      var builder = ColumnBuilder(type, capacity: 1)
      if value.isNull || (try? builder.append(value)) == nil {
        throw SQLError(
          .model, "a class of output \"\(output.name.name)\" must be a literal of type \(type)",
          at: expression.span)
      }
      return builder.finish().value(0)
    }
    if Set(values).count != values.count {
      throw SQLError(
        .model, "output \"\(output.name.name)\" lists a class twice", at: output.name.span)
    }
    return values
  }

  /// A class when CLASSES, VARCHAR, BOOLEAN or cross_entropy say so.
  private static func outputKind(_ output: Draft, units: Int, isOpen: Bool) throws
    -> ModelDefinition.OutputKind
  {
    let name = output.field.name
    if !output.isClass {
      let type = output.field.type
      guard type.isNumeric || type.elementType != nil else {
        throw SQLError(.model, "output \"\(name)\" cannot be \(type)", at: output.span)
      }
      let wanted = ModelDefinition.width(of: type)
      if units != wanted {
        throw SQLError(
          .model,
          "the last layer gives \(units) values, but output \"\(name)\" \(type) takes \(wanted)",
          at: output.span,
          hint: wanted == 1 ? "end with linear(1), or make it FLOAT[\(units)]" : nil)
      }
      return .number
    }
    let known = output.classes.count
    if units == 1 {
      if known > 2 || output.isCrossEntropy {
        throw SQLError(
          .model, "the last layer gives 1 value for the \(known) classes of \"\(name)\"",
          at: output.span, hint: "end with linear(\(max(known, 2)))")
      }
      return .binary
    }
    if !isOpen && known > 0 && known != units {
      throw SQLError(
        .model,
        "the last layer gives \(units) values, but output \"\(name)\" has \(known) classes",
        at: output.span)
    }
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

extension TrainerOptions {
  /// The loss of a class where none was chosen.
  fileprivate mutating func setDefaultLoss(of output: ModelOutputDefinition, isOnly: Bool) {
    let name = output.field.name.lowercased()
    guard loss == nil, outputLosses[name] == nil else { return }
    switch output.kind {
    case .number: break
    case .binary: if isOnly { loss = "bce" } else { outputLosses[name] = "bce" }
    case .classes:
      if isOnly { loss = "cross_entropy" } else { outputLosses[name] = "cross_entropy" }
    }
  }

  /// The loss of an output by name.
  func lossName(of output: ModelOutputDefinition) -> String {
    outputLosses[output.field.name.lowercased()] ?? loss ?? "mse"
  }
}
