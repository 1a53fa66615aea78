import Columnar
import Diagnostics
import Syntax

/// Functions in FROM whose argument says what to read: query('SELECT …'), query_table('t').
extension Binder {
  func bindQueryFunction(_ call: FunctionCall, _ name: String, span: SourceSpan) throws
    -> BoundQuery?
  {
    switch name {
    case "query":
      guard call.arguments.count == 1, let argument = call.arguments[0].expression else {
        throw SQLError(.binder, "query takes one text", at: span)
      }
      if case .subquery(let query) = argument.kind { return try bind(query) }
      guard case .varchar(let text) = try constant(argument, of: name) else {
        if allowsMissingParameters { throw Binder.unknownText(argument.span) }
        throw SQLError(.binder, "query takes a text, not NULL", at: argument.span)
      }
      let statements: [ParsedStatement]
      do {
        statements = try Parser.parseScript(text)
      } catch var error as SQLError {
        error.span = argument.span
        throw error
      }
      guard statements.count == 1, case .query(let query) = statements[0].statement else {
        throw SQLError(.syntax, "query takes one SELECT statement", at: argument.span)
      }
      return try placed(at: argument.span) { try bind(query) }
    case "query_table": return try bindQueryTable(call, span: span)
    default: return nil
    }
  }

  /// CALL f(…): the rows of a table function or table macro.
  package func bindCall(_ call: FunctionCall) throws -> BoundQuery {
    let span = call.name.span
    let function = TableFunction(call: call)
    let (plan, scope) = try bind(TableReference(.function(function), span: span))
    return BoundQuery(plan: plan, names: scope.entries.map(\.name))
  }

  /// query_table('t'), query_table(t), query_table(['a', 'b'], by_name): UNION ALL of several.
  private func bindQueryTable(_ call: FunctionCall, span: SourceSpan) throws -> BoundQuery {
    guard (1...2).contains(call.arguments.count), let argument = call.arguments[0].expression
    else {
      throw SQLError(.binder, "query_table takes a table's name or a list of them", at: span)
    }
    var isByName = false
    if call.arguments.count == 2, let second = call.arguments[1].expression {
      isByName = try constant(second, of: "query_table") == .boolean(true)
    }
    let bodies = try tables(argument)
    guard let first = bodies.first else {
      throw SQLError(.binder, "query_table needs at least one table", at: argument.span)
    }
    let body = bodies.dropFirst().reduce(first) { left, right in
      .setOperation(
        SetOperation(
          kind: .union, isAll: true, isByName: isByName, left: left, right: right, span: span))
    }
    return try bind(Query(body: body, span: span))
  }

  private func tables(_ argument: SyntaxExpression) throws -> [QueryBody] {
    switch argument.kind {
    case .column(let name): return [.table(name)]
    case .list(let items): return try items.flatMap { try tables($0) }
    default: break
    }
    let texts: [Value]
    switch try constant(argument, of: "query_table") {
    case .list(let items): texts = items
    case let single: texts = [single]
    }
    return try texts.map { text in
      guard case .varchar(let name) = text else {
        if allowsMissingParameters { throw Binder.unknownText(argument.span) }
        throw SQLError(.binder, "query_table takes names of tables", at: argument.span)
      }
      // A query in parentheses stands for its rows.
      if name.utf8.first == UInt8(ascii: "("),
        case .query(let query) = try placed(
          at: argument.span, { try Parser.parseStatement(name).statement })
      {
        return .nested(query)
      }
      return .table(try QualifiedName.parsing(name, span: argument.span))
    }
  }

  func constant(_ expression: SyntaxExpression, of function: String) throws -> Value {
    let context = ExpressionContext(
      scope: Scope(), clause: "a table function", subqueries: SubqueryCollector())
    let bound = ConstantFolding.foldAll(try bind(expression, context))
    if case .constant(let value, _) = bound { return value }
    if case .call(let call) = bound, call.resolved.function.name == "list_value" {
      let items = call.arguments.compactMap { item -> Value? in
        if case .constant(let value, _) = item { value } else { nil }
      }
      if items.count == call.arguments.count { return .list(items) }
    }
    throw SQLError(
      .binder, "arguments of \(function) must be constants", at: expression.span)
  }

  /// What a macro reads when a parameter of its says it: known where it is called.
  static func unknownText(_ span: SourceSpan) -> SQLError {
    SQLError(.binder, "what is read here hangs on a parameter", at: span)
  }

  /// Errors inside a text point into that text: here they point at the text as a whole.
  private func placed<Result>(at span: SourceSpan, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch var error as SQLError {
      error.span = span
      throw error
    }
  }
}

extension QualifiedName {
  /// A name in a text, such as `s.t` or `"a b".t`.
  package static func parsing(_ text: String, span: SourceSpan) throws -> QualifiedName {
    var parts: [Identifier] = []
    var part = ""
    var isQuoted = false
    var wasQuoted = false
    var characters = text.unicodeScalars.makeIterator()
    var pending = characters.next()
    func finish() {
      parts.append(Identifier(name: part, quoted: wasQuoted, span: span))
      part = ""
      wasQuoted = false
    }
    while let character = pending {
      pending = characters.next()
      if character == "\"" {
        if isQuoted, pending == "\"" {
          part.unicodeScalars.append(character)
          pending = characters.next()
        } else {
          isQuoted.toggle()
          wasQuoted = true
        }
      } else if character == ".", !isQuoted {
        finish()
      } else {
        part.unicodeScalars.append(character)
      }
    }
    finish()
    if isQuoted || parts.contains(where: { $0.name.isEmpty }) {
      throw SQLError(.syntax, "'\(text)' is no name", at: span)
    }
    return QualifiedName(parts: parts, span: span)
  }
}
