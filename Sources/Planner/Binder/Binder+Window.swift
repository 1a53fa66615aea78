import Columnar
import Diagnostics
import Functions
import Syntax

/// Window functions met while binding SELECT, QUALIFY and ORDER BY of one block, and what the block
/// calls windows.
final class WindowCollector {
  struct Entry {
    var call: BoundWindow
    var partition: [Expression]
    var order: [SortItem]
    var reference: ColumnReference
  }
  var entries: [Entry] = []
  private var named: [String: NamedWindow] = [:]

  init(_ windows: [NamedWindow]) throws {
    for window in windows {
      let key = window.name.name.lowercased()
      if named[key] != nil {
        throw SQLError(
          .binder, "window \"\(window.name.name)\" is defined twice", at: window.name.span)
      }
      named[key] = window
    }
  }

  private var ids: Set<Int> { Set(entries.map(\.reference.id)) }

  /// What OVER says, with the window that it builds on filled in.
  func specification(_ over: WindowReference) throws -> WindowSpecification {
    switch over {
    case .named(let name): return try resolve(find(name).specification)
    case .specification(let specification): return try resolve(specification)
    }
  }

  private func find(_ name: Identifier) throws -> NamedWindow {
    if let window = named[name.name.lowercased()] { return window }
    throw SQLError(
      .binder, "window \"\(name.name)\" does not exist", at: name.span,
      hint: didYouMean(name.name, among: named.values.map(\.name.name).sorted()))
  }

  private func resolve(_ written: WindowSpecification) throws -> WindowSpecification {
    // Without recursion: the chain may be long.
    var chain: [(window: WindowSpecification, base: Identifier)] = []
    var base = written
    while let name = base.base {
      if chain.count > named.count {
        throw SQLError(.binder, "window \"\(name.name)\" refers to itself", at: name.span)
      }
      chain.append((base, name))
      base = try find(name).specification
    }
    for (window, name) in chain.reversed() { base = try combine(window, on: base, name) }
    return base
  }

  private func combine(
    _ written: WindowSpecification, on base: WindowSpecification, _ name: Identifier
  ) throws -> WindowSpecification {
    if base.frame != nil {
      throw SQLError(
        .binder, "window \"\(name.name)\" has a frame, so no other can build on it", at: name.span,
        hint: "write OVER \(quotedIdentifier(name.name)) without parentheses")
    }
    if !written.partitionBy.isEmpty {
      throw SQLError(
        .binder, "a window that builds on \"\(name.name)\" cannot have a PARTITION BY of its own",
        at: written.partitionBy[0].span)
    }
    if !written.orderBy.isEmpty && !base.orderBy.isEmpty {
      throw SQLError(
        .binder, "window \"\(name.name)\" has an ORDER BY already", at: written.orderBy[0].span)
    }
    var result = written
    result.base = nil
    result.partitionBy = base.partitionBy
    if written.orderBy.isEmpty { result.orderBy = base.orderBy }
    return result
  }

  /// Windows come after grouping: no key may read one.
  func refuseGrouping(by keys: [Expression], at span: SourceSpan) throws {
    let ids = ids
    if keys.contains(where: { !$0.columnIDs.isDisjoint(with: ids) }) {
      throw SQLError(.binder, "window functions are not allowed in GROUP BY", at: span)
    }
  }

  /// Takes the subqueries that read a window function's result: they are joined above.
  func takeReaders(from collector: SubqueryCollector) -> SubqueryCollector {
    let ids = ids
    let above = SubqueryCollector()
    func readsWindow(_ entry: SubqueryCollector.Entry) -> Bool {
      entry.keys.contains { !$0.left.columnIDs.isDisjoint(with: ids) }
        || !entry.plan.freeColumns.isDisjoint(with: ids)
    }
    above.entries = collector.entries.filter(readsWindow)
    collector.entries.removeAll(where: readsWindow)
    return above
  }
}

extension Binder {
  /// `f(…) OVER (…)`: stands in the expression as a column of the window node that will be made.
  func bindWindow(
    _ function: FunctionCall, _ arguments: [Argument], _ over: WindowReference,
    _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    guard let collector = context.windows else {
      throw SQLError(
        .binder, "window functions are not allowed in \(context.clause)", at: span,
        hint: context.clause == "WHERE" || context.clause == "HAVING" ? "use QUALIFY" : nil)
    }
    var inner = context
    inner.windows = nil
    inner.clause = "a window function's arguments"
    var call = try windowCall(function, arguments, inner, span: span)
    call.span = span
    if let filter = function.filter { call.filter = try bindCondition(filter, inner) }
    inner.clause = "a window's definition"
    let specification = try collector.specification(over)
    var partition: [Expression] = []
    for expression in specification.partitionBy {
      let key = collationKey(try bind(expression, inner))
      if case .constant = key { continue }
      if !partition.contains(key) { partition.append(key) }
    }
    let order = try specification.orderBy.map { item -> SortItem in
      guard let expression = item.expression else {
        throw SQLError(.binder, "ORDER BY ALL has no meaning in a window", at: item.span)
      }
      return sortItem(try bind(expression, inner), item)
    }
    call.orderCount = order.count
    if let frame = specification.frame {
      call.frame = try bind(frame, order, inner, span: specification.span)
    }
    if case .builtin(let builtin) = call.function, !call.order.isEmpty,
      call.frame.exclusion != .noOthers, !builtin.picksFromFrame
    {
      throw SQLError(
        .binder, "EXCLUDE does not apply to \(builtin.rawValue) with an ORDER BY of its own",
        at: span)
    }
    if call.function == .builtin(.fill), order.count + call.order.count != 1 {
      throw SQLError(.binder, "fill needs a window with exactly one ORDER BY expression", at: span)
    }
    if let known = collector.entries.first(where: {
      $0.call == call && $0.order == order && Binder.sameKeys($0.partition, partition)
    }) {
      return .column(known.reference)
    }
    let name = Printer.sql(SyntaxExpression(.function(function), span: span))
    let reference = makeReference(name, call.type)
    collector.entries.append(
      WindowCollector.Entry(call: call, partition: partition, order: order, reference: reference))
    return .column(reference)
  }

  fileprivate static func sameKeys(_ a: [Expression], _ b: [Expression]) -> Bool {
    a.count == b.count && a.allSatisfy { b.contains($0) }
  }

  // MARK: Functions

  private func windowCall(
    _ function: FunctionCall, _ arguments: [Argument], _ context: ExpressionContext,
    span: SourceSpan
  ) throws -> BoundWindow {
    let name = function.name.last.name
    let key = name.lowercased()
    let builtin = WindowFunction.named(key)
    if builtin == nil {
      if Aggregates.named(key) == nil { try checkExists(name, function.name.span) }
      if Aggregates.named(key) == nil || catalog.userFunction(named: key) != nil {
        throw SQLError(
          .binder, "\(name) is no aggregate or window function: OVER does not apply", at: span)
      }
    }
    var bound: [Expression] = []
    for argument in arguments {
      guard let expression = argument.expression else {
        throw SQLError(.binder, "\(name) takes values", at: argument.span)
      }
      if case .star(let star) = expression.kind {
        if key == "count", star.exclude.isEmpty { continue }
        throw SQLError(.binder, "* is only an argument of count", at: argument.span)
      }
      bound.append(try bind(expression, context))
    }
    var order = try (function.orderBy + function.withinGroup).map { item -> SortItem in
      guard let expression = item.expression else {
        throw Binder.notYet("ORDER BY ALL among arguments", item.span)
      }
      return sortItem(try bind(expression, context), item)
    }
    if let builtin {
      try checkModifiers(of: builtin, function, span: span)
      let (cast, type) = try windowArguments(builtin, bound, span: span)
      return BoundWindow(
        function: .builtin(builtin), arguments: cast, type: type,
        ignoresNulls: function.nullTreatment == .ignore, order: order, frame: BoundFrame())
    }
    if function.nullTreatment != nil {
      throw SQLError(
        .binder, "IGNORE NULLS and RESPECT NULLS do not apply to the aggregate \(name)", at: span)
    }
    let resolved: ResolvedAggregate
    do {
      resolved = try Aggregates.resolve(name: key, arguments: bound.map(\.type))
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
    bound = try zip(bound, resolved.argumentTypes).map {
      try foldedCast($0, to: $1, isTry: false, span: span)
    }
    if Binder.orderBlind.contains(resolved.function.name) { order = [] }
    return BoundWindow(
      function: .aggregate(resolved), arguments: bound, type: resolved.resultType,
      isDistinct: function.isDistinct, order: order, frame: BoundFrame())
  }

  /// Aggregates whose result does not depend on the order of the rows.
  private static let orderBlind: Set<String> = [
    "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "count", "count_if", "max",
    "median", "min", "quantile_cont", "quantile_disc", "sum",
  ]

  private func checkModifiers(
    of builtin: WindowFunction, _ function: FunctionCall, span: SourceSpan
  ) throws {
    let name = builtin.rawValue
    if function.isDistinct {
      throw SQLError(.binder, "DISTINCT does not apply to the window function \(name)", at: span)
    }
    if function.filter != nil {
      throw SQLError(.binder, "FILTER does not apply to the window function \(name)", at: span)
    }
    switch builtin {
    case .lag, .lead, .firstValue, .lastValue, .nthValue: break
    case .denseRank where !function.orderBy.isEmpty:
      throw SQLError(
        .binder, "ORDER BY among the arguments does not apply to \(name)", at: span,
        hint: "order the window instead")
    case .rowNumber, .rank, .denseRank, .percentRank, .cumeDist, .ntile, .fill:
      if function.nullTreatment != nil {
        throw SQLError(
          .binder, "IGNORE NULLS and RESPECT NULLS do not apply to \(name)", at: span)
      }
    }
  }

  /// The arguments cast to what the function takes, and its type.
  private func windowArguments(
    _ function: WindowFunction, _ arguments: [Expression], span: SourceSpan
  ) throws -> ([Expression], LogicalType) {
    let counts: ClosedRange<Int>
    switch function {
    case .rowNumber, .rank, .denseRank, .percentRank, .cumeDist: counts = 0...0
    case .ntile, .firstValue, .lastValue, .fill: counts = 1...1
    case .nthValue: counts = 2...2
    case .lag, .lead: counts = 1...3
    }
    if !counts.contains(arguments.count) {
      let wanted =
        counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
      throw SQLError(
        .binder, "\(function.rawValue) takes \(wanted) arguments, not \(arguments.count)", at: span)
    }
    func cast(_ position: Int, to type: LogicalType) throws -> Expression {
      try foldedCast(arguments[position], to: type, isTry: false, span: span)
    }
    switch function {
    case .rowNumber, .rank, .denseRank: return ([], .bigint)
    case .percentRank, .cumeDist: return ([], .double)
    case .ntile: return ([try cast(0, to: .bigint)], .bigint)
    case .firstValue, .lastValue, .nthValue, .lag, .lead, .fill:
      let type: LogicalType = arguments[0].type == .null ? .integer : arguments[0].type
      if function == .fill, !Binder.canInterpolate(type) {
        throw SQLError(.binder, "fill cannot interpolate values of type \(type)", at: span)
      }
      var result = [try cast(0, to: type)]
      if arguments.count > 1 { result.append(try cast(1, to: .bigint)) }
      if arguments.count > 2 { result.append(try cast(2, to: type)) }
      return (result, type)
    }
  }

  private static func canInterpolate(_ type: LogicalType) -> Bool {
    type.isNumeric || type.isTemporal && type != .timeTZ
  }

  // MARK: Frames

  private func bind(
    _ frame: WindowFrame, _ order: [SortItem], _ context: ExpressionContext, span: SourceSpan
  ) throws -> BoundFrame {
    try check(frame, span: span)
    var result = BoundFrame(
      unit: BoundFrame.Unit(rawValue: frame.unit.rawValue) ?? .rows,
      exclusion: BoundFrame.Exclusion(rawValue: frame.exclusion.rawValue) ?? .noOthers)
    func bound(_ bound: WindowFrame.Bound) throws -> BoundFrame.Bound {
      switch bound {
      case .unboundedPreceding: return .unboundedPreceding
      case .currentRow: return .currentRow
      case .unboundedFollowing: return .unboundedFollowing
      case .preceding(let distance):
        return .preceding(
          try offset(distance, isPreceding: true, frame.unit, order, context, span: span))
      case .following(let distance):
        return .following(
          try offset(distance, isPreceding: false, frame.unit, order, context, span: span))
      }
    }
    result.start = try bound(frame.start)
    result.end = try bound(frame.end)
    let offsets = [result.start.expression, result.end.expression].compactMap { $0 }
    if frame.unit == .range, let first = offsets.first {
      var type = order[0].expression.type
      for offset in offsets {
        type = try unify(type, offset, what: "a RANGE frame", span: span)
      }
      type = offsets.count == 1 ? first.type : type
      func cast(_ expression: Expression) throws -> Expression {
        try foldedCast(expression, to: type, isTry: false, span: span)
      }
      result.key = try cast(order[0].expression)
      result.start = try result.start.map(cast)
      result.end = try result.end.map(cast)
    }
    return result
  }

  /// The distance of a bound: a count, or with RANGE the bound itself.
  private func offset(
    _ written: SyntaxExpression, isPreceding: Bool, _ unit: WindowFrame.Unit, _ order: [SortItem],
    _ context: ExpressionContext, span: SourceSpan
  ) throws -> Expression {
    let distance = try bind(written, context)
    switch unit {
    case .rows, .groups:
      return try foldedCast(distance, to: .bigint, isTry: false, span: written.span)
    case .range:
      guard order.count == 1 else {
        throw SQLError(
          .binder, "a RANGE frame with an offset needs exactly one ORDER BY expression", at: span)
      }
      if case .constant(.null, _) = distance {
        throw SQLError(.binder, "the offset of a RANGE frame cannot be NULL", at: written.span)
      }
      let subtracts = isPreceding != order[0].descending
      return try combine(
        subtracts ? .minus : .plus, order[0].expression, distance, span: written.span)
    }
  }

  private func check(_ frame: WindowFrame, span: SourceSpan) throws {
    func refuse(_ message: String) throws -> Never {
      throw SQLError(.binder, message, at: span)
    }
    switch (frame.start, frame.end) {
    case (.unboundedFollowing, _): try refuse("a frame cannot start at UNBOUNDED FOLLOWING")
    case (_, .unboundedPreceding): try refuse("a frame cannot end at UNBOUNDED PRECEDING")
    case (.currentRow, .preceding):
      try refuse("a frame that starts at the current row cannot end before it")
    case (.following, .preceding), (.following, .currentRow):
      try refuse("a frame that starts after the current row cannot end before it")
    case (.unboundedPreceding, _), (.preceding, _), (.currentRow, _), (.following, _): break
    }
  }

  // MARK: The plan

  /// QUALIFY, which needs a window function somewhere in the block.
  func bindQualify(_ qualify: SyntaxExpression?, _ context: ExpressionContext) throws -> Expression?
  {
    guard let qualify else { return nil }
    var context = context
    context.clause = "QUALIFY"
    let condition = try bindCondition(qualify, context)
    if context.windows?.entries.isEmpty ?? true {
      throw SQLError(
        .binder, "QUALIFY needs a window function in SELECT or QUALIFY", at: qualify.span,
        hint: "use WHERE or HAVING")
    }
    return condition
  }

  /// The plan with the collected windows on top. `lift` moves expressions above the aggregation.
  ///
  /// A node sorts once for all calls of one partition whose orders begin alike: the longest order
  /// serves the others.
  func attach(
    _ windows: WindowCollector, to input: Plan, _ lift: (Expression) throws -> Expression
  ) throws -> Plan {
    var nodes: [WindowNode] = []
    // Longest orders first; within equals as written, so that EXPLAIN shows them in that order.
    let longest = windows.entries.map(\.order.count).max() ?? 0
    for count in stride(from: longest, through: 0, by: -1) {
      for entry in windows.entries where entry.order.count == count {
        let known = nodes.firstIndex {
          Binder.sameKeys($0.partition, entry.partition)
            && Array($0.order.prefix(count)) == entry.order
        }
        if let known {
          nodes[known].calls.append((entry.call, entry.reference))
        } else {
          nodes.append(
            WindowNode(
              input: input, partition: entry.partition, order: entry.order,
              calls: [(entry.call, entry.reference)]))
        }
      }
    }
    // The node with the longest order ends on top: its order is the one that shows.
    var plan = input
    for var node in nodes.reversed() {
      node.partition = try node.partition.map(lift)
      node.order = try node.order.map { try $0.map(lift) }
      node.calls = try node.calls.map { (try $0.call.mapExpressions(lift), $0.reference) }
      node.input = plan
      plan = computingVolatile(node)
    }
    return plan
  }

  /// The node with volatile expressions computed below it, once a row: they equal nothing, so that
  /// nobody could find them again.
  private func computingVolatile(_ node: WindowNode) -> Plan {
    var computed: [(expression: Expression, reference: ColumnReference)] = []
    let window = Plan.window(node).mapExpressions { expression in
      guard expression.isVolatile else { return expression }
      let reference = makeReference("volatile", expression.type)
      computed.append((expression, reference))
      return .column(reference)
    }
    if computed.isEmpty { return window }
    let items = node.input.output.map {
      (expression: Expression.column($0), reference: $0)
    }
    return window.mapChildren { .project(ProjectNode(input: $0, items: items + computed)) }
  }
}
