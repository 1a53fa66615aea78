/// Copies a tree with some of its expressions replaced. `replace` is asked from the outside in; what
/// it gives stands as it is, nil goes on inside.
package struct SyntaxRewriter {
  /// Where an expression stands in the tree that is rewritten.
  package struct Place: Sendable {
    /// How many queries lie around it.
    package var queryDepth = 0
    /// Names, lower case, that lambdas around it give another meaning.
    package var lambdaParameters: Set<String> = []
  }

  package typealias Replacement = (SyntaxExpression, Place) throws -> SyntaxExpression?

  private let replace: Replacement
  private let onCall: (FunctionCall) -> Void
  private var place = Place()

  private init(_ replace: @escaping Replacement, onCall: @escaping (FunctionCall) -> Void) {
    self.replace = replace
    self.onCall = onCall
  }

  /// `onCall` sees every call that is not replaced, of scalar and of table functions.
  package static func rewrite(
    _ expression: SyntaxExpression, onCall: (FunctionCall) -> Void = { _ in },
    _ replace: Replacement
  ) throws -> SyntaxExpression {
    try withoutActuallyEscaping(replace) { replace in
      try withoutActuallyEscaping(onCall) { onCall in
        var rewriter = SyntaxRewriter(replace, onCall: onCall)
        return try rewriter.expression(expression)
      }
    }
  }

  /// The query's own expressions have depth 1.
  package static func rewrite(
    _ query: Query, onCall: (FunctionCall) -> Void = { _ in }, _ replace: Replacement
  ) throws -> Query {
    try withoutActuallyEscaping(replace) { replace in
      try withoutActuallyEscaping(onCall) { onCall in
        var rewriter = SyntaxRewriter(replace, onCall: onCall)
        return try rewriter.query(query)
      }
    }
  }

  mutating func expressions(_ items: [SyntaxExpression]) throws -> [SyntaxExpression] {
    var result: [SyntaxExpression] = []
    for item in items { result.append(try expression(item)) }
    return result
  }

  mutating func optional(_ item: SyntaxExpression?) throws -> SyntaxExpression? {
    guard let item else { return nil }
    return try expression(item)
  }

  mutating func expression(_ expression: SyntaxExpression) throws -> SyntaxExpression {
    if let replaced = try replace(expression, place) { return replaced }
    return SyntaxExpression(try kind(expression.kind), span: expression.span)
  }

  private mutating func kind(_ kind: SyntaxExpression.Kind) throws -> SyntaxExpression.Kind {
    switch kind {
    case .literal, .typedLiteral, .column, .parameter, .defaultValue: return kind
    case .interval(let literal): return .interval(try rewritten(literal, \.value))
    case .list(let items): return .list(try expressions(items))
    case .structure(var fields):
      for index in fields.indices { fields[index].value = try expression(fields[index].value) }
      return .structure(fields)
    case .map(var entries):
      for index in entries.indices {
        entries[index].key = try expression(entries[index].key)
        entries[index].value = try expression(entries[index].value)
      }
      return .map(entries)
    case .row(let items): return .row(try expressions(items))
    case .star(var star):
      for index in star.replace.indices {
        star.replace[index].expression = try expression(star.replace[index].expression)
      }
      return .star(star)
    case .columns(let columns): return .columns(try rewritten(columns, \.selector))
    case .unary(let op, let operand): return .unary(op, try expression(operand))
    case .binary(let op, let left, let right):
      return .binary(op, try expression(left), try expression(right))
    case .and(let terms): return .and(try expressions(terms))
    case .or(let terms): return .or(try expressions(terms))
    case .not(let operand): return .not(try expression(operand))
    case .isTest(let test): return .isTest(try rewritten(test, \.operand))
    case .distinctFrom(let test): return .distinctFrom(try rewritten(test, \.left, \.right))
    case .between(let between):
      return .between(try rewritten(between, \.operand, \.low, \.high))
    case .inList(var list):
      list.operand = try expression(list.operand)
      list.items = try expressions(list.items)
      return .inList(list)
    case .inQuery(var test):
      test.operand = try expression(test.operand)
      test.query = try query(test.query)
      return .inQuery(test)
    case .inCollection(let test):
      return .inCollection(try rewritten(test, \.operand, \.collection))
    case .like(var like):
      like.operand = try expression(like.operand)
      like.pattern = try expression(like.pattern)
      like.escape = try optional(like.escape)
      return .like(like)
    case .quantified(var test):
      test.operand = try expression(test.operand)
      switch test.source {
      case .query(let inner): test.source = .query(try query(inner))
      case .list(let list): test.source = .list(try expression(list))
      }
      return .quantified(test)
    case .function(let function): return .function(try call(function))
    case .predict(var predict):
      predict.forClass = try optional(predict.forClass)
      predict.arguments = try arguments(predict.arguments)
      return .predict(predict)
    case .caseWhen(var branches):
      branches.operand = try optional(branches.operand)
      for index in branches.branches.indices {
        branches.branches[index].condition = try expression(branches.branches[index].condition)
        branches.branches[index].result = try expression(branches.branches[index].result)
      }
      branches.otherwise = try optional(branches.otherwise)
      return .caseWhen(branches)
    case .cast(let cast): return .cast(try rewritten(cast, \.operand))
    case .collate(let operand, let name): return .collate(try expression(operand), name)
    case .exists(let inner): return .exists(try query(inner))
    case .subquery(let inner): return .subquery(try query(inner))
    case .arraySubquery(let inner): return .arraySubquery(try query(inner))
    case .lambda(var lambda):
      lambda.body = try shadowed(by: lambda.parameters) { try $0.expression(lambda.body) }
      return .lambda(lambda)
    case .listComprehension(var comprehension):
      comprehension.source = try expression(comprehension.source)
      let result = comprehension.result
      let condition = comprehension.condition
      try shadowed(by: comprehension.variables) { rewriter in
        comprehension.result = try rewriter.expression(result)
        comprehension.condition = try rewriter.optional(condition)
      }
      return .listComprehension(comprehension)
    case .element(let operand, let index):
      return .element(try expression(operand), index: try expression(index))
    case .slice(var slice):
      slice.operand = try expression(slice.operand)
      slice.lower = try optional(slice.lower)
      slice.upper = try optional(slice.upper)
      slice.step = try optional(slice.step)
      return .slice(slice)
    case .field(let operand, let name): return .field(try expression(operand), name)
    }
  }

  /// A copy of the node with the expressions at these places rewritten, in this order.
  private mutating func rewritten<Node>(
    _ node: Node, _ places: WritableKeyPath<Node, SyntaxExpression>...
  ) throws -> Node {
    var node = node
    for place in places { node[keyPath: place] = try expression(node[keyPath: place]) }
    return node
  }

  private mutating func shadowed<Result>(
    by names: [Identifier], _ body: (inout SyntaxRewriter) throws -> Result
  ) throws -> Result {
    let outer = place.lambdaParameters
    defer { place.lambdaParameters = outer }
    place.lambdaParameters.formUnion(names.map { $0.name.lowercased() })
    return try body(&self)
  }

  // MARK: Calls

  mutating func arguments(_ items: [Argument]) throws -> [Argument] {
    var result = items
    for index in result.indices {
      if case .expression(let value) = result[index].value {
        result[index].value = .expression(try expression(value))
      }
    }
    return result
  }

  mutating func call(_ call: FunctionCall) throws -> FunctionCall {
    onCall(call)
    var call = call
    call.receiver = try optional(call.receiver)
    call.arguments = try arguments(call.arguments)
    call.orderBy = try order(call.orderBy)
    call.withinGroup = try order(call.withinGroup)
    call.filter = try optional(call.filter)
    if case .specification(let window)? = call.over {
      call.over = .specification(try specification(window))
    }
    return call
  }

  mutating func order(_ items: [OrderItem]) throws -> [OrderItem] {
    var result = items
    for index in result.indices {
      result[index].expression = try optional(result[index].expression)
    }
    return result
  }

  mutating func specification(_ window: WindowSpecification) throws -> WindowSpecification {
    var window = window
    window.partitionBy = try expressions(window.partitionBy)
    window.orderBy = try order(window.orderBy)
    if var frame = window.frame {
      frame.start = try bound(frame.start)
      frame.end = try bound(frame.end)
      window.frame = frame
    }
    return window
  }

  private mutating func bound(_ bound: WindowFrame.Bound) throws -> WindowFrame.Bound {
    switch bound {
    case .unboundedPreceding, .currentRow, .unboundedFollowing: return bound
    case .preceding(let distance): return .preceding(try expression(distance))
    case .following(let distance): return .following(try expression(distance))
    }
  }

  // MARK: Queries

  mutating func query(_ query: Query) throws -> Query {
    place.queryDepth += 1
    defer { place.queryDepth -= 1 }
    var query = query
    if var with = query.with {
      for index in with.tables.indices {
        with.tables[index].query = try self.query(with.tables[index].query)
      }
      query.with = with
    }
    query.body = try body(query.body)
    query.orderBy = try order(query.orderBy)
    if var limit = query.limit {
      limit.count = try expression(limit.count)
      query.limit = limit
    }
    query.offset = try optional(query.offset)
    return query
  }

  private mutating func body(_ body: QueryBody) throws -> QueryBody {
    switch body {
    case .select(let select): return .select(try self.select(select))
    case .values(var values):
      for index in values.rows.indices { values.rows[index] = try expressions(values.rows[index]) }
      return .values(values)
    case .table, .statement: return body
    case .setOperation(var operation):
      operation.left = try self.body(operation.left)
      operation.right = try self.body(operation.right)
      return .setOperation(operation)
    case .nested(let inner): return .nested(try query(inner))
    }
  }

  private mutating func select(_ select: Select) throws -> Select {
    var select = select
    if case .on(let keys) = select.distinct { select.distinct = .on(try expressions(keys)) }
    select.items = try items(select.items)
    for index in select.from.indices { select.from[index] = try reference(select.from[index]) }
    select.filter = try optional(select.filter)
    if case .elements(let elements)? = select.groupBy {
      select.groupBy = .elements(try groupings(elements))
    }
    select.having = try optional(select.having)
    for index in select.windows.indices {
      select.windows[index].specification = try specification(
        select.windows[index].specification)
    }
    select.qualify = try optional(select.qualify)
    if var sample = select.sample {
      sample.size = try expression(sample.size)
      select.sample = sample
    }
    return select
  }

  private mutating func items(_ items: [SelectItem]) throws -> [SelectItem] {
    var result = items
    for index in result.indices {
      result[index].expression = try expression(result[index].expression)
    }
    return result
  }

  private mutating func groupings(_ elements: [GroupingElement]) throws -> [GroupingElement] {
    var result: [GroupingElement] = []
    for element in elements {
      switch element {
      case .expression(let item): result.append(.expression(try expression(item)))
      case .empty: result.append(.empty)
      case .rollup(let items): result.append(.rollup(try expressions(items)))
      case .cube(let items): result.append(.cube(try expressions(items)))
      case .sets(let inner): result.append(.sets(try groupings(inner)))
      }
    }
    return result
  }

  private mutating func reference(_ reference: TableReference) throws -> TableReference {
    var reference = reference
    switch reference.kind {
    case .table, .file: break
    case .function(var function):
      function.call = try call(function.call)
      reference.kind = .function(function)
    case .derived(var derived):
      derived.query = try query(derived.query)
      reference.kind = .derived(derived)
    case .join(var join):
      join.left = try self.reference(join.left)
      join.right = try self.reference(join.right)
      if case .on(let condition) = join.condition {
        join.condition = .on(try expression(condition))
      }
      reference.kind = .join(join)
    case .pivot(var pivot):
      pivot.source = try self.reference(pivot.source)
      pivot.aggregates = try items(pivot.aggregates)
      for index in pivot.columns.indices {
        pivot.columns[index].expression = try expression(pivot.columns[index].expression)
        switch pivot.columns[index].values {
        case .found, .enumeration: break
        case .listed(let values): pivot.columns[index].values = .listed(try items(values))
        case .query(let query): pivot.columns[index].values = .query(try self.query(query))
        }
      }
      reference.kind = .pivot(pivot)
    case .unpivot(var unpivot):
      unpivot.source = try self.reference(unpivot.source)
      unpivot.columns = try items(unpivot.columns)
      reference.kind = .unpivot(unpivot)
    }
    if var sample = reference.sample {
      sample.size = try expression(sample.size)
      reference.sample = sample
    }
    return reference
  }
}
