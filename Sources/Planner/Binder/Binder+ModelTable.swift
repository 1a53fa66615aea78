import Columnar
import Diagnostics
import Functions
import Syntax

/// Functions in FROM that take a model.
extension Binder {
  /// What such a function was called with.
  private struct ModelCall {
    var model: any ModelDescription
    var input: BoundQuery?
    /// Columns that DESCRIPTOR names, in the order of the inputs.
    var descriptor: [String] = []
    var options: [(name: String, value: Value, span: SourceSpan)] = []
    var isFlat = false
  }

  private static let overRows = ["predict", "ml_predict", "transform"]

  /// PREDICT, ML_PREDICT, transform and the functions that look into a model; nil for others.
  func bindModelFunction(_ written: FunctionCall, span: SourceSpan) throws -> BoundQuery? {
    let name = written.name.last.name.lowercased()
    let function =
      name == "transform" || catalog.modelFunctionNames.contains(name)
      ? namingModel(written) : written
    let takesModel = function.arguments.contains { argument in
      if case .model = argument.value { true } else { false }
    }
    if ["predict", "ml_predict"].contains(name) || takesModel && name == "transform" {
      let call = try modelCall(function, name, span)
      guard call.input != nil else {
        throw SQLError(
          .binder, "\(name) in FROM takes MODEL m and TABLE t or a query", at: span)
      }
      return name == "transform"
        ? try transformed(call, span: span) : try predictions(call, span: span)
    }
    guard takesModel, catalog.modelFunctionNames.contains(name) else { return nil }
    let call = try modelCall(function, name, span)
    return try bindProvider(call, name, span)
  }

  /// `weights(m)` for `weights(MODEL m)`, unless m is no model.
  func namingModel(_ function: FunctionCall) -> FunctionCall {
    guard function.receiver == nil, function.name.parts.count == 1,
      let first = function.arguments.first, first.name == nil,
      let reference = first.expression.flatMap(Parser.modelReference),
      (try? catalog.model(reference)) != nil,
      catalog.userFunction(named: function.name.last.name.lowercased()) == nil,
      catalog.macro(named: function.name, isTable: false) == nil,
      catalog.macro(named: function.name, isTable: true) == nil
    else { return function }
    var function = function
    function.arguments[0].value = .model(reference)
    return function
  }

  private func modelCall(_ function: FunctionCall, _ name: String, _ span: SourceSpan) throws
    -> ModelCall
  {
    var reference: ModelReference?
    var input: BoundQuery?
    var descriptor: [String] = []
    var options: [(name: String, value: Value, span: SourceSpan)] = []
    for argument in function.arguments {
      func checkFirst() throws {
        guard input != nil else { return }
        throw SQLError(.binder, "\(name) takes one table or query", at: argument.span)
      }
      switch argument.value {
      case .model(let found): reference = found
      case .table(let name):
        try checkFirst()
        let (plan, scope) = try bindTable(name, alias: nil, span: argument.span)
        input = visible(plan, scope)
      case .expression(let expression):
        if let name = argument.name?.name.lowercased() {
          options.append((name, try modelOption(expression, of: name), argument.span))
        } else if case .subquery(let query) = expression.kind {
          try checkFirst()
          input = try bind(query)
        } else if case .function(let list) = expression.kind,
          list.name.last.name.lowercased() == "descriptor"
        {
          descriptor = list.arguments.compactMap { argument in
            if case .column(let name)? = argument.expression?.kind { name.last.name } else { nil }
          }
        } else {
          throw SQLError(.binder, "\(name) takes MODEL m and TABLE t or a query", at: argument.span)
        }
      }
    }
    guard let reference else { throw SQLError(.binder, "\(name) takes MODEL m first", at: span) }
    let isFlat =
      name == "ml_predict"
      || function.name.parts.count > 1 && function.name.parts[0].name.lowercased() == "ml"
    return ModelCall(
      model: try model(reference), input: input, descriptor: descriptor, options: options,
      isFlat: isFlat)
  }

  /// A constant; of a literal with a point a DOUBLE, since a value does not know its scale.
  private func modelOption(_ expression: SyntaxExpression, of name: String) throws -> Value {
    let context = ExpressionContext(
      scope: Scope(), clause: "a table function", subqueries: SubqueryCollector())
    let bound = try bind(expression, context)
    guard case .decimal = bound.type else { return try constant(expression, of: name) }
    let number = try foldedCast(bound, to: .double, isTry: false, span: expression.span)
    if case .constant(let value, _) = ConstantFolding.foldAll(number) { return value }
    return try constant(expression, of: name)
  }

  private func context(of input: BoundQuery) -> ExpressionContext {
    var scope = Scope()
    for (name, column) in zip(input.names, input.plan.output) {
      scope.entries.append(Scope.Entry(table: nil, name: name, reference: column))
    }
    return ExpressionContext(scope: scope, clause: "PREDICT", subqueries: SubqueryCollector())
  }

  /// The model's inputs among the columns of the rows.
  private func inputs(
    of call: ModelCall, _ input: BoundQuery, isTry: Bool = false, span: SourceSpan
  ) throws -> [Expression] {
    let context = context(of: input)
    if !call.descriptor.isEmpty, call.descriptor.count != call.model.inputs.count {
      throw SQLError(
        .binder,
        "DESCRIPTOR names \(call.descriptor.count) columns, model \"\(call.model.name)\" takes \(call.model.inputs.count)",
        at: span)
    }
    return try call.model.inputs.enumerated().map { index, wanted in
      let name = call.descriptor.isEmpty ? wanted.name : call.descriptor[index]
      return try inputByName(
        Field(name, wanted.type), call.model, context, isTry: isTry, span: span)
    }
  }

  /// The input's columns, and `model_output`: a STRUCT with a field for each output and one with the
  /// probabilities of each that is a class; or these as columns.
  private func predictions(_ call: ModelCall, span: SourceSpan) throws -> BoundQuery {
    guard let input = call.input else { throw Binder.noRows(span) }
    let options = try PredictOptions(call.options, isFlat: call.isFlat)
    let model = options.isTry ? call.model.takingUnseenKeys : call.model
    var features = model.features(of: try inputs(of: call, input, isTry: options.isTry, span: span))
    if options.isTry {
      // What TRANSFORM cannot compute is NULL too, as TRY makes it.
      features = features.map { feature in
        switch feature {
        case .column, .constant: feature
        default: .cast(feature, to: feature.type, isTry: true)
        }
      }
    }
    let arguments =
      features
      + (try keysByName(model, context(of: input), isTry: options.isTry, span: span))
    var fields: [Field] = []
    var values: [Expression] = []
    func add(_ name: String, _ form: PredictExpression.Form, _ type: LogicalType) {
      fields.append(Field(name, type))
      values.append(
        .predict(PredictExpression(model: model, form: form, arguments: arguments, type: type)))
    }
    for (index, output) in model.outputs.enumerated() {
      add(output.name, .value(output: index, threshold: options.threshold), output.type)
      if model.classNames[index].isEmpty { continue }
      add(
        "\(output.name)_probs", .probabilityMap(output: index),
        .map(key: .varchar, value: .float))
    }
    if !options.isFlat {
      let packed = Expression.call(
        CallExpression(
          resolved: StructFields.pack(names: fields.map(\.name), types: fields.map(\.type)),
          arguments: values, span: span))
      fields = [Field("model_output", packed.type)]
      values = [packed]
    }
    return appended(values, fields.map(\.name), to: input)
  }

  /// What enters the network for each row: its features in place of the inputs.
  private func transformed(_ call: ModelCall, span: SourceSpan) throws -> BoundQuery {
    guard let input = call.input else { throw Binder.noRows(span) }
    let values = call.model.features(of: try inputs(of: call, input, span: span))
    let items = zip(call.model.featureNames, values).map {
      ($1, makeReference($0, $1.type))
    }
    return BoundQuery(
      plan: .project(ProjectNode(input: input.plan, items: items)), names: call.model.featureNames)
  }

  private func appended(_ values: [Expression], _ names: [String], to input: BoundQuery)
    -> BoundQuery
  {
    var items: [(expression: Expression, reference: ColumnReference)] = input.plan.output.map {
      (.column($0), makeReference($0.name, $0.type))
    }
    for (name, value) in zip(names, values) {
      items.append((value, makeReference(name, value.type)))
    }
    return BoundQuery(
      plan: .project(ProjectNode(input: input.plan, items: items)), names: input.names + names)
  }

  /// A function that Execution runs: over the features of rows, where it takes rows.
  private func bindProvider(_ call: ModelCall, _ name: String, _ span: SourceSpan) throws
    -> BoundQuery
  {
    var plan: Plan?
    if let input = call.input {
      let inputs = try inputs(of: call, input, span: span)
      let features = call.model.features(of: inputs)
      let keys = try keysByName(call.model, context(of: input), span: span)
      let rest = input.plan.output.map { Expression.column($0) }
      let items = (features + keys + rest).map { ($0, makeReference("value", $0.type)) }
      plan = .project(ProjectNode(input: input.plan, items: items))
    }
    let provider = try catalog.modelFunction(
      name, call.model,
      rows: call.input.map { zip($0.names, $0.plan.output).map { Field($0, $1.type) } },
      options: call.options.map { ($0.name, $0.value) }, span: span)
    let columns = provider.schema.map { makeReference($0.name, $0.type) }
    return BoundQuery(
      plan: .rows(RowSourceNode(provider: provider, columns: columns, input: plan)),
      names: columns.map(\.name))
  }

  private static func noRows(_ span: SourceSpan) -> SQLError {
    SQLError(.binder, "this takes TABLE t or a query", at: span)
  }
}

/// The options of PREDICT in FROM.
private struct PredictOptions {
  var threshold: Float?
  var isFlat: Bool
  var isTry = false

  init(_ options: [(name: String, value: Value, span: SourceSpan)], isFlat: Bool) throws {
    self.isFlat = isFlat
    for option in options {
      func wrong(_ wanted: String) -> SQLError {
        SQLError(.binder, "option \"\(option.name)\" of PREDICT must be \(wanted)", at: option.span)
      }
      switch (option.name, option.value) {
      case ("threshold", let value):
        guard let number = value.number, number >= 0, number <= 1 else {
          throw wrong("a number from 0 to 1")
        }
        threshold = Float(number)
      case ("output", .varchar("struct")): self.isFlat = false
      case ("output", .varchar("columns")): self.isFlat = true
      case ("output", _): throw wrong("'struct' or 'columns'")
      case ("on_error", .varchar("null")): isTry = true
      case ("on_error", .varchar("abort")): isTry = false
      case ("on_error", _): throw wrong("'abort' or 'null'")
      case ("batch_size", .integer(let count)) where count > 0: break
      case ("batch_size", _): throw wrong("a whole number from 1 up")
      default:
        throw SQLError(
          .binder, "PREDICT has no option \"\(option.name)\"", at: option.span,
          hint: didYouMean(option.name, among: ["threshold", "output", "on_error", "batch_size"]))
      }
    }
  }
}

extension Value {
  /// Of a number without a scale.
  fileprivate var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .float(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
