import Diagnostics

extension Parser {
  static let statementKeywords: [Keyword] = [
    .select, .from, .with, .values, .table, .create, .drop, .alter, .insert, .update, .delete,
    .merge, .truncate, .copy, .train, .evaluate, .validate, .verify, .export, .import, .explain,
    .describe,
    .show,
    .summarize, .set, .reset, .pragma, .use, .begin, .commit, .rollback, .prepare, .execute,
    .deallocate, .call, .attach, .detach, .load, .install, .checkpoint, .vacuum, .analyze,
    .pivot, .unpivot, .pivotWider, .pivotLonger, .start, .savepoint, .release, .replace, .reindex,
  ]

  /// The statement at hand; nested statements (EXPLAIN, PREPARE, WITH) come here too.
  mutating func parseStatement() throws -> Statement {
    try nested { try $0.statementBody() }
  }

  private mutating func statementBody() throws -> Statement {
    if at(.leftParenthesis) { return .query(try query()) }
    switch peek.keyword {
    case .with: return try withStatement()
    case .select, .from, .values, .table, .pivot, .unpivot, .pivotWider, .pivotLonger:
      return .query(try query())
    case .create: return try create()
    case .drop: return try drop()
    case .alter: return try alter()
    case .insert: return .insert(try insert(with: nil))
    case .replace where next.keyword == .into: return .insert(try insert(with: nil))
    case .update: return .update(try update(with: nil))
    case .delete: return .delete(try delete(with: nil))
    case .merge: return .merge(try merge(with: nil))
    case .truncate:
      advance()
      _ = accept(.table)
      return .truncate(try qualifiedName("a table"))
    case .copy: return try copy()
    case .train: return .trainModel(try trainModel())
    case .evaluate, .validate: return .evaluateModel(try evaluateModel())
    case .export where next.keyword == .database: return .exportDatabase(try exportDatabase())
    case .import where next.keyword == .database: return .importDatabase(try importDatabase())
    case .export: return .exportModel(try exportModel())
    case .verify:
      try expect(.verify, .model)
      return .verifyModel(try modelReference())
    case .explain: return try explain()
    case .describe, .desc, .show, .summarize: return try inspect()
    default:
      // COMMENT may name anything: it is a statement only here.
      if wordText() == "comment", next.keyword == .on { return try comment() }
      return try sessionStatement()
    }
  }

  private mutating func explain() throws -> Statement {
    advance()
    let isAnalyze = accept(.analyze) || accept(.analyse)
    var options: [CopyOption] = []
    if at(.leftParenthesis), !startsQuery(at: 1), next.kind == .word {
      options = try copyOptionList()
    }
    let start = peek.start
    let statement = try parseStatement()
    return .explain(
      Explain(
        isAnalyze: isAnalyze, options: options, statement: statement, span: span(from: start)))
  }

  private mutating func inspect() throws -> Statement {
    let word = peek.keyword
    advance()
    if word == .show, let show = try show() { return .show(show) }
    if word != .summarize, accept(.tables) { return .show(.tables) }
    let target: Describe.Target
    if startsQuery() || at(.leftParenthesis) {
      target = .query(try query())
    } else if peek.kind == .string {
      let token = peek
      target = .file(try stringLiteral(), span: token.span)
    } else if atModelReference {
      advance()
      target = .model(try modelReference())
    } else if isName() {
      let name = try qualifiedName("a table")
      if word == .show { return .show(.name(name)) }
      target = .table(name)
    } else if word != .summarize, atEnd || at(.rightParenthesis) {
      if word == .show { throw unexpected("TABLES, MODELS, ALL, a setting or a query", [.tables]) }
      target = .all
    } else {
      throw unexpected("a table, a model or a query", [.select, .model])
    }
    let describe = Describe(target: target)
    return word == .summarize ? .summarize(describe) : .describe(describe)
  }

  /// What follows SHOW; nil where it is a name or a query.
  private mutating func show() throws -> Show? {
    if accept(.tables) {
      return accept(.from) ? .tablesFrom(try qualifiedName("a schema")) : .tables
    }
    if accept(.all) { return accept(.tables) ? .allTables : .allSettings }
    if accept(.databases) { return .databases }
    if accept(.schemas) { return .schemas }
    if accept(.models) { return .models }
    if accept(.functions) { return .functions }
    if accept(.variables) { return .variables }
    if accept(.create) {
      if accept(.model) { return .createModel(try qualifiedName("a model")) }
      _ = accept(.table) || accept(.view)
      return .createTable(try qualifiedName("a table"))
    }
    if at(.versions, .in) {
      try expect(.versions, .in, .model)
      return .versions(try qualifiedName("a model"))
    }
    return nil
  }

  private mutating func drop() throws -> Statement {
    advance()
    if accept(.model) {
      let ifExists = accept(.if, .exists)
      return .dropModel(DropModel(ifExists: ifExists, model: try modelReference()))
    }
    let targets: [(Keyword, Drop.Target)] = [
      (.table, .table), (.view, .view), (.schema, .schema), (.index, .index),
      (.sequence, .sequence), (.type, .type), (.macro, .macro), (.function, .macro),
    ]
    guard let target = targets.first(where: { at($0.0) }) else {
      throw unexpected("TABLE, VIEW, MODEL or SCHEMA", targets.map(\.0) + [.model])
    }
    advance()
    let isTableMacro = target.1 == .macro && accept(.table)
    let ifExists = accept(.if, .exists)
    let names = try list(until: { $0.atEnd }) { try $0.qualifiedName() }
    let isCascade = accept(.cascade)
    if !isCascade { _ = accept(.restrict) }
    return .drop(
      Drop(
        target: isTableMacro ? .tableMacro : target.1, ifExists: ifExists, names: names,
        isCascade: isCascade))
  }
}
