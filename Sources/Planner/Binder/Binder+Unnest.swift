import Columnar
import Diagnostics
import Functions
import Syntax

/// The unnests of one block's SELECT list: they become one node, in which all lists advance in step.
/// A list of lists that is unnested to its depth has a reference per level, its last the elements.
final class UnnestCollector {
  struct Chain {
    var list: Expression
    var references: [ColumnReference]
  }
  var chains: [Chain] = []
  /// Chains that GROUP BY took: still known here by their lists.
  private(set) var taken: [Chain] = []

  var references: [Int] { chains.flatMap { $0.references.map(\.id) } }

  /// Takes over the chains whose elements `ids` names: GROUP BY has them below the aggregation.
  func take(_ ids: Set<Int>, from other: UnnestCollector) {
    func isNamed(_ chain: Chain) -> Bool { chain.references.contains { ids.contains($0.id) } }
    let named = other.chains.filter(isNamed)
    chains += named
    other.taken += named
    other.chains.removeAll(where: isNamed)
  }

  /// The input with the lists' elements; chains of several levels end together.
  func attach(to input: Plan) -> Plan {
    let depth = chains.map(\.references.count).max() ?? 0
    var plan = input
    for level in 0..<depth {
      let lists = chains.compactMap {
        chain -> (expression: Expression, reference: ColumnReference)? in
        let own = level - (depth - chain.references.count)
        guard own >= 0 else { return nil }
        let list = own == 0 ? chain.list : .column(chain.references[own - 1])
        return (Binder.asList(list), chain.references[own])
      }
      plan = .unnest(UnnestNode(input: plan, lists: lists))
    }
    return plan
  }
}

/// What follows the list in `unnest(list, recursive := true)`.
struct UnnestOptions {
  /// How many levels of lists and structs are opened.
  var depth = 1
  var keepsParentNames = false
}

extension Binder {
  static func isUnnest(_ call: FunctionCall) -> Bool {
    call.name.parts.count == 1 && call.receiver == nil
      && ["explode", "unlist", "unnest"].contains(call.name.last.name.lowercased())
  }

  /// The list that a call gives element by element, where the call is short for its unnest: DuckDB
  /// has macros of these names.
  static func unnestedList(_ call: FunctionCall, span: SourceSpan) -> SyntaxExpression? {
    guard call.name.parts.count == 1, call.receiver == nil, call.arguments.count == 2 else {
      return nil
    }
    func make(_ name: String, _ arguments: [Argument]) -> SyntaxExpression {
      let name = QualifiedName(Identifier(name: name, span: call.name.span))
      return SyntaxExpression(.function(FunctionCall(name: name, arguments: arguments)), span: span)
    }
    switch call.name.last.name.lowercased() {
    case "regexp_split_to_table": return make("regexp_split_to_array", call.arguments)
    case "generate_subscripts":
      let one = SyntaxExpression(.literal(.integer("1")), span: span)
      return make(
        "generate_series", [Argument(one), Argument(make("array_length", call.arguments))])
    default: return nil
    }
  }

  /// Their names, for "did you mean".
  static let unnestingNames = ["generate_subscripts", "regexp_split_to_table"]

  /// An array as the list it is; a NULL as a list of nothing.
  static func asList(_ expression: Expression) -> Expression {
    switch expression.type {
    case .array(let element, _): .cast(expression, to: .list(element), isTry: false)
    case .null: .cast(expression, to: .list(.null), isTry: false)
    default: expression
    }
  }

  /// `unnest(…)` inside an expression.
  func bindUnnest(_ call: FunctionCall, _ context: ExpressionContext, span: SourceSpan) throws
    -> Expression
  {
    let (list, options) = try unnestArguments(call, context, span: span)
    if case .structure = list.type { throw Binder.structInside(span) }
    let (element, depth) = try unnest(list, options, context, span: span)
    if case .structure = element.type, depth < options.depth { throw Binder.structInside(span) }
    return element
  }

  /// The columns of a SELECT item that is an unnest; nil for any other item. Structs spread.
  func bindUnnestItem(_ item: ExpandedItem, _ context: ExpressionContext) throws
    -> [(expression: Expression, name: String)]?
  {
    guard case .syntax(let expression) = item.content, case .function(let call) = expression.kind,
      Binder.isUnnest(call)
    else { return nil }
    let (list, options) = try unnestArguments(call, context, span: expression.span)
    if case .structure = list.type {
      return try spread(list, options, depth: 0, prefix: "", span: expression.span)
    }
    let (element, depth) = try unnest(list, options, context, span: expression.span)
    if case .structure = element.type, depth < options.depth {
      return try spread(element, options, depth: depth, prefix: "", span: expression.span)
    }
    return [(element, item.name)]
  }

  private func spread(
    _ value: Expression, _ options: UnnestOptions, depth: Int, prefix: String, span: SourceSpan
  ) throws -> [(expression: Expression, name: String)] {
    guard case .structure(let fields) = value.type, !fields.isEmpty else {
      throw SQLError(.binder, "unnest of a struct without fields gives no column", at: span)
    }
    return try fields.enumerated().flatMap {
      position, field -> [(expression: Expression, name: String)] in
      let part = Expression.call(
        CallExpression(
          resolved: StructFields.extract(at: position, of: fields), arguments: [value]))
      // The fields of a row have no names to put behind their parents'.
      let isUnnamed = field.name.isEmpty
      let own = isUnnamed ? "element\(position + 1)" : field.name
      let keepsPrefix = options.keepsParentNames && !prefix.isEmpty && !isUnnamed
      let name = keepsPrefix ? "\(prefix).\(own)" : own
      if case .structure = field.type, depth + 1 < options.depth {
        return try spread(part, options, depth: depth + 1, prefix: name, span: span)
      }
      return [(part, name)]
    }
  }

  /// The innermost element of a list, and how many levels of lists were opened.
  private func unnest(
    _ list: Expression, _ options: UnnestOptions, _ context: ExpressionContext, span: SourceSpan
  ) throws -> (Expression, depth: Int) {
    guard let collector = context.unnests else {
      throw SQLError(.binder, "unnest is not allowed in \(context.clause)", at: span)
    }
    var types: [LogicalType] = []
    var type = list.type
    while types.count < options.depth, let element = type == .null ? .null : type.elementType {
      types.append(element)
      type = element
      if type == .null { break }
    }
    if types.isEmpty { throw Binder.cannotUnnest(list.type, span) }
    let known = (collector.chains + collector.taken).first {
      $0.list == list && $0.references.count == types.count
    }
    let references = known?.references ?? types.map { makeReference("unnest", $0) }
    if known == nil {
      collector.chains.append(UnnestCollector.Chain(list: list, references: references))
    }
    return (.column(references[references.count - 1]), types.count)
  }

  private func unnestArguments(
    _ call: FunctionCall, _ context: ExpressionContext, span: SourceSpan
  ) throws -> (Expression, UnnestOptions) {
    if context.isInsideUnnest { throw Binder.nestedUnnest(span) }
    guard context.unnests != nil else {
      throw SQLError(.binder, "unnest is not allowed in \(context.clause)", at: span)
    }
    var options = UnnestOptions()
    var list: Expression?
    for argument in call.arguments {
      guard let expression = argument.expression else {
        throw SQLError(.binder, "unnest takes a list or a struct", at: argument.span)
      }
      if let name = argument.name {
        try set(name, expression, &options)
        continue
      }
      if list != nil {
        throw SQLError(
          .binder,
          "unnest takes one list here, then recursive, max_depth or keep_parent_names by name",
          at: argument.span)
      }
      var inner = context
      inner.isInsideUnnest = true
      list = try bind(expression, inner)
    }
    guard let list else { throw SQLError(.binder, "unnest needs a list or a struct", at: span) }
    return (list, options)
  }

  private func set(
    _ name: Identifier, _ expression: SyntaxExpression, _ options: inout UnnestOptions
  ) throws {
    let context = ExpressionContext(
      scope: Scope(), clause: "an option of unnest", subqueries: SubqueryCollector())
    let bound = try bind(expression, context)
    guard case .constant(let value, _) = bound, !value.isNull else {
      throw SQLError(.binder, "\(name.name) of unnest takes a constant", at: expression.span)
    }
    switch (name.name.lowercased(), value) {
    case ("recursive", .integer(let number)): if number != 0 { options.depth = .max }
    case ("recursive", .boolean(let isOn)): if isOn { options.depth = .max }
    case ("keep_parent_names", .boolean(let isOn)): options.keepsParentNames = isOn
    case ("max_depth", .integer(let depth)):
      guard depth >= 1 else {
        throw SQLError(
          .binder, "max_depth of unnest is at least 1, not \(depth)", at: expression.span)
      }
      options.depth = Int(clamping: depth)
    case ("recursive", _), ("keep_parent_names", _):
      throw SQLError(.binder, "\(name.name) of unnest takes true or false", at: expression.span)
    case ("max_depth", _):
      throw SQLError(.binder, "max_depth of unnest takes an integer", at: expression.span)
    default:
      throw SQLError(
        .binder, "unnest has no option \"\(name.name)\"", at: name.span,
        hint: didYouMean(name.name, among: ["recursive", "max_depth", "keep_parent_names"]))
    }
  }

  // MARK: In FROM

  /// `FROM unnest(list, …)` and `FROM range(…)` with arguments that are no constants: the elements
  /// of lists over one row. nil when the call is an ordinary table function.
  func bindListTable(
    _ function: TableFunction, _ context: ExpressionContext, span: SourceSpan
  ) throws -> BoundQuery? {
    let call = function.call
    let name = call.name.last.name.lowercased()
    var lists: [Expression] = []
    if Binder.isUnnest(call) {
      for argument in call.arguments {
        guard let expression = argument.expression, argument.name == nil else {
          throw SQLError(.binder, "unnest in FROM takes lists only", at: argument.span)
        }
        let list = try bind(expression, context)
        guard list.type.elementType != nil else {
          throw Binder.cannotUnnest(list.type, expression.span)
        }
        lists.append(Binder.asList(list))
      }
      if lists.isEmpty { throw SQLError(.binder, "unnest needs a list", at: span) }
    } else if let list = Binder.unnestedList(call, span: span) {
      lists = [Binder.asList(try bind(list, context))]
    } else if name == "range" || name == "generate_series" {
      let arguments = try call.arguments.map { argument -> Expression in
        guard let expression = argument.expression, argument.name == nil else {
          throw SQLError(.binder, "\(name) takes no options", at: argument.span)
        }
        return try bind(expression, context)
      }
      let areIntegers = arguments.allSatisfy { argument in
        guard case .constant(let value, let type) = ConstantFolding.fold(argument) else {
          return false
        }
        return type.isInteger || value.isNull
      }
      if areIntegers && !function.hasOrdinality { return nil }
      if case .constant(.interval(let step), _)? = arguments.last.map(ConstantFolding.fold),
        step == Interval()
      {
        throw SQLError(
          .binder, "\(name) needs a step that is not 0", at: call.arguments.last?.span)
      }
      lists = [try self.call(name, arguments, span: span)]
    } else if name == "json_each" || name == "json_tree" {
      return try bindJSONTable(function, context, span: span)
    } else {
      if function.hasOrdinality {
        throw Binder.notYet("WITH ORDINALITY of \(name)", span)
      }
      return nil
    }
    let one = Plan.values(ValuesNode(columns: [], rows: [[]]))
    let references = lists.map { makeReference(name, $0.type.elementType ?? .null) }
    let ordinality = function.hasOrdinality ? makeReference("ordinality", .bigint) : nil
    let node = UnnestNode(
      input: context.subqueries.attach(to: one),
      lists: zip(lists, references).map { ($0, $1) }, ordinality: ordinality)
    let names = references.map { _ in name } + (ordinality == nil ? [] : ["ordinality"])
    // Subqueries' columns are not the table's.
    let visible = references + (ordinality.map { [$0] } ?? [])
    if case .unnest(let made) = Plan.unnest(node), made.input.output.isEmpty {
      return BoundQuery(plan: .unnest(node), names: names)
    }
    let items = visible.map { (expression: Expression.column($0), reference: $0) }
    return BoundQuery(
      plan: .project(ProjectNode(input: .unnest(node), items: items)), names: names)
  }

  // MARK: Messages

  private static func structInside(_ span: SourceSpan) -> SQLError {
    SQLError(
      .binder, "unnest of a struct gives several columns and must be a SELECT item of its own",
      at: span)
  }

  private static func nestedUnnest(_ span: SourceSpan) -> SQLError {
    SQLError(
      .binder, "unnest cannot stand inside unnest", at: span,
      hint: "unnest(x, recursive := true) opens all levels")
  }

  private static func cannotUnnest(_ type: LogicalType, _ span: SourceSpan) -> SQLError {
    SQLError(.binder, "unnest takes a list or a struct, not \(type)", at: span)
  }
}
