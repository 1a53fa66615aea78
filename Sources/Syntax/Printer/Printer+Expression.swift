extension SyntaxExpression.Kind {
  /// The level at which the printed form binds; what is enclosed or a single word is `.postfix`.
  var precedence: Precedence {
    switch self {
    case .binary(let symbol, _, _): symbol.precedence
    case .and: .and
    case .or: .or
    case .not: .not
    case .isTest, .distinctFrom: .isTest
    case .between, .inList, .inQuery, .inCollection, .like: .membership
    case .quantified(let quantified): quantified.comparison.precedence
    case .unary(let symbol, _):
      switch symbol {
      case .minus, .plus: .unary
      case .bitNot, .absolute: .other
      }
    case .collate: .collate
    // As an operand these are always put in parentheses.
    case .lambda, .star, .typedLiteral, .interval: .lowest
    case .columns, .literal, .list, .structure, .map, .row, .column, .parameter, .function,
      .predict, .caseWhen, .cast, .exists, .subquery, .arraySubquery, .listComprehension,
      .element, .slice, .field, .defaultValue:
      .postfix
    }
  }
}

extension Printer {
  /// As an operand of something that binds at `minimum`.
  mutating func write(_ expression: SyntaxExpression, _ minimum: Precedence) {
    guard expression.kind.precedence < minimum else { return write(expression) }
    put("(")
    write(expression)
    put(")")
  }

  mutating func write(_ expression: SyntaxExpression) {
    switch expression.kind {
    case .literal(let literal): write(literal)
    case .typedLiteral(let type, let text):
      write(type)
      put(" " + Self.literal(text))
    case .interval(let interval): write(interval)
    case .list(let items):
      put("[")
      expressions(items)
      put("]")
    case .structure(let fields):
      put("{")
      list(fields) { printer, field in
        if field.name.quoted {
          printer.put(Self.literal(field.name.name))
        } else {
          printer.write(field.name)
        }
        printer.put(": ")
        printer.write(field.value)
      }
      put("}")
    case .map(let entries):
      put("MAP {")
      list(entries) { printer, entry in
        printer.write(entry.key)
        printer.put(": ")
        printer.write(entry.value)
      }
      put("}")
    case .row(let items):
      put(items.count < 2 ? "ROW(" : "(")
      expressions(items)
      put(")")
    case .column(let name): write(name)
    case .parameter(.position(let number)): put("$\(number)")
    case .parameter(.named(let name)): put("$" + name)
    case .star(let star): write(star)
    case .columns(let columns):
      if columns.isUnpacked { put("*") }
      if let qualifier = columns.qualifier {
        write(qualifier)
        put(".")
      }
      put("COLUMNS(")
      write(columns.selector)
      put(")")
    case .unary(let symbol, let operand):
      put(symbol.rawValue)
      // `--` would begin a comment: a sign before a sign gets parentheses.
      write(operand, .postfix)
    case .binary(let symbol, let left, let right):
      let level = symbol.precedence
      write(left, level)
      put(" \(symbol.rawValue) ")
      write(right, level.tighter)
    case .and(let terms): list(terms, " AND ") { $0.write($1, .not) }
    case .or(let terms): list(terms, " OR ") { $0.write($1, .and) }
    case .not(let operand):
      put("NOT ")
      write(operand, .not)
    case .isTest(let test):
      write(test.operand, .isTest)
      put(test.isNegated ? " IS NOT " : " IS ")
      put(test.property.rawValue.uppercased())
    case .distinctFrom(let test):
      write(test.left, .isTest)
      put(test.isNegated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ")
      write(test.right, .comparison)
    case .between, .inList, .inQuery, .inCollection, .like, .quantified:
      writeMembership(expression.kind)
    case .function(let call): write(call)
    case .predict(let call): write(call)
    case .caseWhen(let value): write(value)
    case .cast(let cast):
      put(cast.isTry ? "TRY_CAST(" : "CAST(")
      write(cast.operand)
      put(" AS ")
      write(cast.type)
      put(")")
    case .collate(let operand, let name):
      write(operand, .collate)
      put(" COLLATE ")
      write(name)
    case .exists(let query): enclosed("EXISTS ", query)
    case .subquery(let query): enclosed("", query)
    case .arraySubquery(let query): enclosed("ARRAY", query)
    case .lambda(let lambda):
      put("lambda ")
      list(lambda.parameters) { $0.write($1) }
      put(": ")
      write(lambda.body)
    case .listComprehension(let comprehension):
      put("[")
      write(comprehension.result)
      put(" FOR ")
      list(comprehension.variables) { $0.write($1) }
      put(" IN ")
      write(comprehension.source)
      clause("IF", comprehension.condition)
      put("]")
    case .element(let operand, let index):
      write(operand, .postfix)
      put("[")
      write(index)
      put("]")
    case .slice(let slice): write(slice)
    case .field(let operand, let name):
      receiver(operand)
      put(".")
      write(name)
    case .defaultValue: put("DEFAULT")
    }
  }

  /// A name before a dot would read as its qualifier, a number as its digits.
  mutating func receiver(_ operand: SyntaxExpression) {
    put("(")
    write(operand)
    put(")")
  }

  mutating func enclosed(_ word: String, _ query: Query) {
    put(word + "(")
    write(query)
    put(")")
  }

  private mutating func writeMembership(_ kind: SyntaxExpression.Kind) {
    switch kind {
    case .between(let test):
      write(test.operand, .membership)
      put(test.isNegated ? " NOT BETWEEN " : " BETWEEN ")
      write(test.low, .other)
      put(" AND ")
      write(test.high, .other)
    case .inList(let test):
      write(test.operand, .membership)
      put(test.isNegated ? " NOT IN (" : " IN (")
      expressions(test.items)
      put(")")
    case .inQuery(let test):
      write(test.operand, .membership)
      enclosed(test.isNegated ? " NOT IN " : " IN ", test.query)
    case .inCollection(let test):
      write(test.operand, .membership)
      put(test.isNegated ? " NOT IN " : " IN ")
      write(test.collection, .other)
    case .like(let test):
      write(test.operand, .membership)
      put(test.isNegated ? " NOT " : " ")
      put(test.style.rawValue + " ")
      write(test.pattern, .other)
      if let escape = test.escape {
        put(" ESCAPE ")
        write(escape, .other)
      }
    case .quantified(let test):
      write(test.operand, test.comparison.precedence)
      put(" \(test.comparison.rawValue) \(test.quantifier.rawValue) (")
      switch test.source {
      case .query(let query): write(query)
      case .list(let list): write(list)
      }
      put(")")
    default: write(SyntaxExpression(kind, span: .init(0, 0)))
    }
  }

  private mutating func write(_ literal: Literal) {
    switch literal {
    case .null: put("NULL")
    case .boolean(let value): put(value ? "TRUE" : "FALSE")
    case .integer(let text), .decimal(let text), .double(let text): put(text)
    case .string(let text): put(Self.literal(text))
    case .blob(let bytes):
      let digits = bytes.map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
      put("X'" + digits.joined() + "'")
    }
  }

  private mutating func write(_ interval: IntervalLiteral) {
    put("INTERVAL ")
    if case .literal(.string(let text)) = interval.value.kind {
      put(Self.literal(text))
    } else {
      receiver(interval.value)
    }
    if let unit = interval.unit { put(" " + unit.rawValue.uppercased()) }
  }

  private mutating func write(_ star: Star) {
    if let qualifier = star.qualifier {
      write(qualifier)
      put(".")
    }
    put("*")
    if !star.exclude.isEmpty {
      put(" EXCLUDE (")
      list(star.exclude) { $0.write($1) }
      put(")")
    }
    if !star.replace.isEmpty {
      put(" REPLACE (")
      list(star.replace) { printer, item in
        printer.write(item.expression)
        printer.put(" AS ")
        printer.write(item.name)
      }
      put(")")
    }
    if !star.rename.isEmpty {
      put(" RENAME (")
      list(star.rename) { printer, item in
        printer.write(item.column)
        printer.put(" AS ")
        printer.write(item.name)
      }
      put(")")
    }
  }

  private mutating func write(_ value: CaseExpression) {
    put("CASE")
    if let operand = value.operand {
      put(" ")
      write(operand)
    }
    for branch in value.branches {
      clause("WHEN", branch.condition)
      clause("THEN", branch.result)
    }
    clause("ELSE", value.otherwise)
    put(" END")
  }

  private mutating func write(_ slice: Slice) {
    write(slice.operand, .postfix)
    put("[")
    bound(slice.lower)
    put(":")
    if slice.step != nil, slice.upper == nil { put("-") } else { bound(slice.upper) }
    if let step = slice.step {
      put(":")
      bound(step)
    }
    put("]")
  }

  private mutating func bound(_ expression: SyntaxExpression?) {
    if let expression { write(expression) }
  }
}

// MARK: - Calls

extension Printer {
  mutating func write(_ call: FunctionCall) {
    if let operand = call.receiver {
      receiver(operand)
      put(".")
    }
    // `"left"(x)` would be as good, but a function's word needs no quotes before a parenthesis.
    if call.name.parts.count == 1, !call.name.last.quoted,
      Keyword(rawValue: call.name.last.name.lowercased())?.canNameFunction ?? false
    {
      put(call.name.last.name)
    } else {
      write(call.name)
    }
    put("(")
    if call.isDistinct { put("DISTINCT ") }
    list(call.arguments) { $0.write($1) }
    if !call.orderBy.isEmpty {
      if !call.arguments.isEmpty { put(" ") }
      orderBy(call.orderBy)
    }
    put(")")
    if !call.withinGroup.isEmpty {
      put(" WITHIN GROUP (")
      orderBy(call.withinGroup)
      put(")")
    }
    if let filter = call.filter {
      put(" FILTER (WHERE ")
      write(filter)
      put(")")
    }
    if let treatment = call.nullTreatment { put(" " + treatment.rawValue) }
    switch call.over {
    case nil: break
    case .named(let name)?:
      put(" OVER ")
      write(name)
    case .specification(let window)?:
      put(" OVER ")
      write(window)
    }
  }

  mutating func write(_ argument: Argument) {
    if let name = argument.name {
      write(name)
      put(" => ")
    }
    switch argument.value {
    case .expression(let expression): write(expression)
    case .model(let model): write(model)
    case .table(let name):
      put("TABLE ")
      write(name)
    }
  }

  mutating func write(_ call: PredictCall) {
    put(call.form.rawValue + "(")
    write(call.model)
    clause("FOR", call.forClass)
    for argument in call.arguments {
      put(", ")
      write(argument)
    }
    put(")")
  }

  mutating func orderBy(_ items: [OrderItem]) {
    put("ORDER BY ")
    list(items) { printer, item in
      if let expression = item.expression { printer.write(expression) } else { printer.put("ALL") }
      if let direction = item.direction { printer.put(" " + direction.rawValue) }
      if let nulls = item.nulls { printer.put(" " + nulls.rawValue) }
    }
  }

  mutating func write(_ window: WindowSpecification) {
    var pieces: [String] = []
    if let base = window.base { pieces.append(piece { $0.write(base) }) }
    if !window.partitionBy.isEmpty {
      pieces.append("PARTITION BY " + piece { $0.expressions(window.partitionBy) })
    }
    if !window.orderBy.isEmpty { pieces.append(piece { $0.orderBy(window.orderBy) }) }
    if let frame = window.frame { pieces.append(piece { $0.write(frame) }) }
    put("(" + pieces.joined(separator: " ") + ")")
  }

  private func piece(_ body: (inout Printer) -> Void) -> String {
    var printer = Printer()
    body(&printer)
    return printer.text
  }

  private mutating func write(_ frame: WindowFrame) {
    put(frame.unit.rawValue + " BETWEEN ")
    write(frame.start)
    put(" AND ")
    write(frame.end)
    if frame.exclusion != .noOthers { put(" EXCLUDE " + frame.exclusion.rawValue) }
  }

  private mutating func write(_ bound: WindowFrame.Bound) {
    switch bound {
    case .unboundedPreceding: put("UNBOUNDED PRECEDING")
    case .currentRow: put("CURRENT ROW")
    case .unboundedFollowing: put("UNBOUNDED FOLLOWING")
    case .preceding(let distance):
      write(distance, .comparison)
      put(" PRECEDING")
    case .following(let distance):
      write(distance, .comparison)
      put(" FOLLOWING")
    }
  }
}
