import Columnar
import Diagnostics
import Functions
import Planner
import Synchronization
import Syntax

/// What a model computes of its inputs before the network: the TRANSFORM clause, or the inputs
/// themselves.
struct ModelTransform: Sendable {
  /// A call of a transform that TRAIN fits.
  struct Step: Sendable {
    let definition: TransformDefinition
    let arguments: TransformArguments
    /// Expressions of inputs and of earlier steps, as SQL.
    let columns: [String]
    /// Steps of level n are fitted by one look at rows to which the levels below were applied.
    let level: Int

    var isFitted: Bool {
      if case .nothing = definition.fit { false } else { true }
    }
  }

  /// A value that enters the network.
  struct Item: Sendable {
    let name: String
    /// With calls of steps by their written names.
    let sql: String
    /// Whether it is nothing but a step's result.
    let step: Int?
    let span: SourceSpan
  }

  let inputs: [Field]
  private(set) var steps: [Step] = []
  private(set) var items: [Item] = []
  /// No expression at all: the inputs enter as they are.
  var isPlain: Bool { steps.isEmpty && items.isEmpty }
  var needsFit: Bool { steps.contains(where: \.isFitted) }
  var levels: Int { (steps.map(\.level).max() ?? -1) + 1 }

  /// `textForm` is the transform of a text input that stands alone.
  init(
    _ clause: [TransformItem], inputs: [Field], textForm: String, unseen: UnseenRule
  ) throws {
    self.inputs = inputs
    let hasText = inputs.contains { Self.isText($0.type) }
    if clause.isEmpty, !hasText { return }
    let written =
      clause.isEmpty
      ? inputs.map { input in
        let name = Identifier(name: input.name, quoted: true, span: SourceSpan(0, 0))
        return TransformItem(
          expression: SyntaxExpression(.column(QualifiedName(name)), span: name.span),
          names: [name], span: name.span)
      } : clause
    for item in written { try add(item, textForm: textForm, unseen: unseen) }
  }

  static func isText(_ type: LogicalType) -> Bool {
    if case .enumeration = type { return true }
    return type == .varchar
  }

  private mutating func add(_ item: TransformItem, textForm: String, unseen: UnseenRule) throws {
    if item.names.count > 1 {
      throw SQLError(
        .notSupported, "not supported yet: several names for one transform", at: item.span)
    }
    var expression = item.expression
    var name = item.names.first?.name ?? Printer.sql(expression)
    if case .column(let column) = expression.kind, column.parts.count == 1,
      let input = inputs.first(where: { $0.name.lowercased() == column.last.name.lowercased() })
    {
      if item.names.isEmpty { name = input.name }
      if Self.isText(input.type) {
        expression = SyntaxExpression(
          .function(
            FunctionCall(
              name: QualifiedName(Identifier(name: textForm, quoted: false, span: item.span)),
              arguments: [Argument(expression)])), span: item.span)
      }
    }
    if items.contains(where: { $0.name.lowercased() == name.lowercased() }) {
      throw SQLError(.model, "TRANSFORM gives the name \"\(name)\" twice", at: item.span)
    }
    let isStep = Self.definition(of: expression) != nil
    let rewritten = try replacingSteps(expression, unseen: unseen)
    items.append(
      Item(
        name: name, sql: Printer.sql(rewritten), step: isStep ? steps.count - 1 : nil,
        span: item.span))
  }

  /// A model gives the same for the same row. Errors: functions of the clock, of chance, of the
  /// session. Models that are read from a file are not asked.
  static func checkPurity(_ clause: [TransformItem]) throws {
    for item in clause {
      _ = try SyntaxRewriter.rewrite(item.expression) { part, _ in
        guard case .function(let call) = part.kind else { return nil }
        let name = call.name.last.name.lowercased()
        let isVolatile = ScalarFunctions.named(name).map {
          $0.isVolatile || $0.overloads.contains(where: \.isVolatile)
        }
        if isVolatile == true || SessionFunctions.allNames.contains(name) {
          throw SQLError(
            .model, "TRANSFORM cannot have \(name)(): it gives another result for the same row",
            at: part.span, hint: "compute it in the query, as a column")
        }
        return nil
      }
    }
  }

  private static func definition(of expression: SyntaxExpression) -> TransformDefinition? {
    guard case .function(let call) = expression.kind, call.name.parts.count == 1,
      call.receiver == nil
    else { return nil }
    return TransformDefinition.named(call.name.last.name)
  }

  /// The expression with a call of its own function for each step in it; innermost first.
  private mutating func replacingSteps(_ expression: SyntaxExpression, unseen: UnseenRule) throws
    -> SyntaxExpression
  {
    try SyntaxRewriter.rewrite(expression) { part, _ in
      guard let definition = Self.definition(of: part), case .function(var call) = part.kind else {
        return nil
      }
      guard call.arguments.count >= definition.columnCount else {
        throw SQLError(
          .model,
          "\(definition.name) needs \(definition.columnCount == 1 ? "a column" : "columns")",
          at: part.span, hint: "for example \(definition.example)")
      }
      let columns = try call.arguments.prefix(definition.columnCount).map { argument in
        guard argument.name == nil, let column = argument.expression else {
          throw SQLError(
            .model, "\(definition.name) takes its column first", at: argument.span,
            hint: "for example \(definition.example)")
        }
        return try replacingSteps(column, unseen: unseen)
      }
      let texts = columns.map { column in
        let text = Printer.sql(column)
        return definition.prepared.map { $0.replacing("(x)", with: "(\(text))") } ?? text
      }
      let inner = steps.indices.filter { index in
        texts.contains { $0.contains(Printer.quoted(Self.written(index))) }
      }
      let level = (inner.map { steps[$0].level + (steps[$0].isFitted ? 1 : 0) }.max() ?? 0)
      steps.append(
        Step(
          definition: definition,
          arguments: try TransformArguments(
            Array(call.arguments.dropFirst(definition.columnCount)), of: definition,
            unseen: unseen, span: part.span),
          columns: texts, level: level))
      call.name = QualifiedName(
        Identifier(name: Self.written(steps.count - 1), quoted: true, span: part.span))
      call.arguments = try texts.map { Argument(try Parser.parseExpression($0)) }
      return SyntaxExpression(.function(call), span: part.span)
    }
  }

  /// The name of a step's function.
  static func written(_ step: Int) -> String { "transform #\(step)" }
}

/// A value that enters the network, as an expression over `BoundTransform.references`.
struct ModelFeature: Sendable {
  let name: String
  let expression: Expression
  /// Its values are ids from 0 to below this.
  let cardinality: Int?

  var type: LogicalType { expression.type }
}

/// A transform that knows what it needs of the training rows.
struct BoundTransform: Sendable {
  /// Stand for the inputs, in their order, in the features' expressions.
  let references: [ColumnReference]
  let features: [ModelFeature]
  /// Whether widths or numbers of ids are known only after a fit, and this is before it.
  let isOpen: Bool

  /// The features of these expressions in place of the inputs.
  func features(of inputs: [Expression]) -> [Expression] {
    let replacements = Dictionary(
      zip(references.map(\.id), inputs), uniquingKeysWith: { first, _ in first })
    return features.map { $0.expression.substituting(replacements) }
  }
}

extension ModelTransform {
  /// `states` of the steps that were fitted; missing ones count as before the fit.
  func bound(_ states: [ModelJSON?]) throws -> BoundTransform {
    if isPlain {
      let references = inputs.enumerated().map {
        ColumnReference(id: -1 - $0, name: $1.name, type: $1.type)
      }
      return BoundTransform(
        references: references,
        features: references.map {
          ModelFeature(name: $0.name, expression: .column($0), cardinality: nil)
        }, isOpen: false)
    }
    let fitted = try self.fitted(states)
    let functions = functions(fitted)
    let scope = try TransformScope(inputs, functions: functions)
    let (columns, expressions) = try bound(functions, scope)
    let references = inputs.enumerated().map { position, input in
      columns.first { $0.position == position }?.reference
        ?? ColumnReference(id: -1 - position, name: input.name, type: input.type)
    }
    let features = zip(items, expressions).map { item, expression in
      ModelFeature(
        name: item.name, expression: expression,
        cardinality: item.step.flatMap { fitted[$0].cardinality })
    }
    for (feature, item) in zip(features, items) {
      var type = feature.type
      while case .array(let element, _) = type { type = element }
      guard type.isNumeric || type == .boolean else {
        throw SQLError(
          .model, "feature \"\(feature.name)\" of TRANSFORM is \(feature.type), not a number",
          at: item.span,
          hint: Self.isText(type) ? "category(…) or one_hot(…) makes numbers of texts" : nil)
      }
    }
    let isOpen = steps.indices.contains {
      fitted[$0].isOpen && ($0 >= states.count || states[$0] == nil)
    }
    return BoundTransform(references: references, features: features, isOpen: isOpen)
  }

  /// The items' expressions; an error stands at the item that is wrong.
  private func bound(_ functions: [ScalarFunction], _ scope: TransformScope) throws -> (
    references: [(position: Int, reference: ColumnReference)], expressions: [Expression]
  ) {
    do {
      return try scope.expressions(items.map { Self.naming(functions, in: $0.sql) })
    } catch let first as SQLError {
      for item in items {
        do {
          _ = try scope.expressions([Self.naming(functions, in: item.sql)])
        } catch var error as SQLError {
          error.span = item.span
          error.message = functions.enumerated().reduce(error.message) { text, function in
            text.replacing(
              function.element.name, with: steps[function.offset].definition.name)
          }
          if error.message.hasPrefix("function \""),
            let name = error.message.split(separator: "\"").dropFirst().first,
            let near = didYouMean(
              String(name), among: transformTable.flatMap { [$0.name] + $0.aliases })
          {
            error.hint = near
          }
          throw error
        }
      }
      throw first
    }
  }

  func fitted(_ states: [ModelJSON?]) throws -> [FittedTransform] {
    try steps.enumerated().map { index, step in
      let state = index < states.count ? states[index] : nil
      do {
        return try step.definition.make(step.arguments, state)
      } catch let error as SQLError {
        throw error.placed(at: step.arguments.span)
      }
    }
  }

  /// A function for each step, its name unlike any other's: equal calls have equal names.
  func functions(_ fitted: [FittedTransform]) -> [ScalarFunction] {
    let number = Self.numbers.wrappingAdd(1, ordering: .relaxed).newValue
    return zip(steps.indices, fitted).map { index, transform in
      let definition = steps[index].definition
      return ScalarFunction(
        "\(definition.name) \(number).\(index)", category: "transform",
        summary: definition.summary, examples: [], overloads: transform.overloads)
    }
  }

  /// SQL that was written with the steps' numbers, with these functions in their place.
  static func naming(_ functions: [ScalarFunction], in sql: String) -> String {
    functions.enumerated().reduce(sql) { text, function in
      text.replacing(
        Printer.quoted(written(function.offset)), with: Printer.quoted(function.element.name))
    }
  }

  private static let numbers = Atomic<Int>(0)
}
