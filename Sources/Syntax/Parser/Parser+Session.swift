import Diagnostics

extension Parser {
  mutating func sessionStatement() throws -> Statement {
    switch peek.keyword {
    case .set: return try set()
    case .reset:
      advance()
      let scope = settingScope()
      return .reset(ResetVariable(scope: scope, name: try qualifiedName("a setting")))
    case .pragma: return try pragma()
    case .use:
      advance()
      return .use(try qualifiedName("a schema"))
    case .begin, .start, .commit, .end, .rollback, .savepoint, .release:
      return .transaction(try transaction())
    case .prepare: return try prepare()
    case .execute: return try execute()
    case .deallocate:
      advance()
      _ = accept(.prepare)
      return .deallocate(accept(.all) ? nil : try identifier())
    case .call:
      advance()
      guard peek.kind == .word || peek.kind == .quotedIdentifier else {
        throw unexpected("a function")
      }
      let name = try qualifiedName(after: try takeIdentifier())
      return .call(try functionCall(name, receiver: nil))
    case .attach: return try attach()
    case .detach:
      advance()
      _ = accept(.database)
      let ifExists = accept(.if, .exists)
      return .detach(try identifier(), ifExists: ifExists)
    case .load, .install:
      let isInstall = at(.install)
      advance()
      let name = peek.kind == .string ? try stringLiteral() : try identifier().name
      return .load(name: name, isInstall: isInstall)
    case .checkpoint:
      advance()
      return .maintenance(.checkpoint(isName() ? try identifier() : nil))
    case .vacuum:
      advance()
      _ = accept(.analyze)
      return .maintenance(.vacuum(isName() ? try qualifiedName() : nil))
    case .reindex:
      advance()
      return .maintenance(.reindex(isName() ? try qualifiedName() : nil))
    case .analyze, .analyse:
      advance()
      return .maintenance(.analyze(isName() ? try qualifiedName() : nil))
    default: throw unexpected("a statement", Self.statementKeywords)
    }
  }

  private mutating func settingScope() -> SetVariable.Scope? {
    let scopes: [(Keyword, SetVariable.Scope)] = [
      (.session, .session), (.global, .global), (.local, .local), (.variable, .variable),
    ]
    for (word, scope) in scopes where at(word) && isName(at: 1) && next.keyword != .to {
      advance()
      return scope
    }
    return nil
  }

  private mutating func set() throws -> Statement {
    advance()
    let scope = settingScope()
    if at(.time, .zone) {
      let start = peek.start
      advance()
      advance()
      let name = Identifier(name: "TimeZone", span: span(from: start))
      return .set(
        SetVariable(scope: scope, name: QualifiedName(name), value: try settingValue()))
    }
    let name = try qualifiedName("a setting")
    guard accept(.equal) || accept(.to) else { throw unexpected("\"=\" or TO", [.to]) }
    let first = try settingValue()
    guard at(.comma) else { return .set(SetVariable(scope: scope, name: name, value: first)) }
    var values = [first]
    while accept(.comma) { values.append(try settingValue()) }
    let list = SyntaxExpression(.list(values), span: span(from: first.span.start))
    return .set(SetVariable(scope: scope, name: name, value: list))
  }

  /// An expression; a reserved word such as ON counts as a name.
  private mutating func settingValue() throws -> SyntaxExpression {
    switch peek.keyword {
    case .on, .all, .full:
      return SyntaxExpression(.column(QualifiedName(try takeIdentifier())), span: peek.span)
    default: return try expression()
    }
  }

  private mutating func pragma() throws -> Statement {
    advance()
    let name = QualifiedName(try label("a pragma"))
    if accept(.equal) { return .pragma(Pragma(name: name, argument: .value(try settingValue()))) }
    guard at(.leftParenthesis) else { return .pragma(Pragma(name: name, argument: .none)) }
    if next.kind == .rightParenthesis {
      advance()
      advance()
      return .pragma(Pragma(name: name, argument: .call([])))
    }
    return .pragma(Pragma(name: name, argument: .call(try parenthesized { try $0.expression() })))
  }

  private mutating func transaction() throws -> TransactionStatement {
    let word = peek.keyword
    advance()
    switch word {
    case .savepoint: return .savepoint(try identifier("a savepoint"))
    case .release:
      _ = accept(.savepoint)
      return .release(try identifier("a savepoint"))
    case .start: try expect(.transaction)
    default: if !accept(.transaction) { _ = accept(.work) }
    }
    if word == .commit || word == .end { return .commit }
    if word == .rollback {
      guard accept(.to) else { return .rollback }
      _ = accept(.savepoint)
      return .rollbackTo(try identifier("a savepoint"))
    }
    if accept(.read) {
      if wordText() == "only" {
        advance()
        return .begin(isReadOnly: true)
      }
      try expect(.write)
    }
    return .begin(isReadOnly: false)
  }

  private mutating func prepare() throws -> Statement {
    advance()
    let name = try identifier("the statement's name")
    // PostgreSQL's types of the parameters: they come with the values.
    if at(.leftParenthesis) { _ = try parenthesized { try $0.typeName() } }
    try expect(.as)
    let start = peek.start
    let statement = try parseStatement()
    return .prepare(
      Prepare(
        name: name, statement: statement, span: span(from: start), parameters: parameters))
  }

  private mutating func execute() throws -> Statement {
    advance()
    let name = try identifier("a prepared statement")
    var arguments: [Argument] = []
    if accept(.leftParenthesis), !accept(.rightParenthesis) {
      arguments = try list(until: { $0.at(.rightParenthesis) }) { try $0.argument() }
      try expect(.rightParenthesis, "\",\" or \")\"")
    }
    return .execute(Execute(name: name, arguments: arguments))
  }

  private mutating func attach() throws -> Statement {
    advance()
    _ = accept(.database)
    let ifNotExists = accept(.if, .not, .exists)
    let path = try stringLiteral("a path")
    let name = accept(.as) ? try identifier() : nil
    let options = at(.leftParenthesis) ? try copyOptionList() : []
    return .attach(Attach(path: path, name: name, ifNotExists: ifNotExists, options: options))
  }
}
