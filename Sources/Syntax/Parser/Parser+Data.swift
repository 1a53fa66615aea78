import Diagnostics

extension Parser {
  mutating func insert(with: WithClause?) throws -> Insert {
    var conflict: Insert.ConflictPolicy?
    if accept(.replace) {
      // SQLite's and MySQL's form of INSERT OR REPLACE.
      conflict = .replace
    } else {
      try expect(.insert)
    }
    if conflict == nil, accept(.or) {
      if accept(.replace) {
        conflict = .replace
      } else if accept(.ignore) {
        conflict = .ignore
      } else {
        throw unexpected("REPLACE or IGNORE", [.replace, .ignore])
      }
    }
    try expect(.into)
    let table = try qualifiedName("a table")
    let alias = accept(.as) ? try identifier("an alias") : nil
    var columns: [Identifier] = []
    var isByName = false
    if at(.leftParenthesis), !startsQuery(at: 1), next.kind != .leftParenthesis {
      columns = try identifierList()
    }
    if accept(.by) {
      if accept(.name) { isByName = true } else { try expect(.position) }
    }
    let source: Insert.Source
    if accept(.default) {
      try expect(.values)
      source = .defaultValues
    } else {
      guard startsQuery() || at(.leftParenthesis) else {
        throw unexpected("VALUES or a query", [.values, .select, .from, .with, .default])
      }
      source = .query(try query())
    }
    if at(.on) { conflict = .onConflict(try onConflict()) }
    return Insert(
      with: with, table: table, alias: alias, columns: columns, isByName: isByName,
      source: source, conflict: conflict, returning: try returning())
  }

  private mutating func onConflict() throws -> OnConflict {
    try expect(.on, .conflict)
    var clause = OnConflict(columns: [], assignments: [])
    if at(.leftParenthesis) { clause.columns = try identifierList() }
    if accept(.where) { clause.columnFilter = try expression() }
    try expect(.do)
    if accept(.nothing) { return clause }
    try expect(.update)
    try expect(.set)
    clause.assignments = try assignments()
    if accept(.where) { clause.filter = try expression() }
    return clause
  }

  private mutating func returning() throws -> [SelectItem] {
    guard accept(.returning) else { return [] }
    return try list(until: { $0.atEnd || $0.at(.rightParenthesis) }) { try $0.selectItem() }
  }

  private mutating func assignments() throws -> [Assignment] {
    try list(until: { $0.atEnd || !($0.isName() || $0.at(.leftParenthesis)) }) { parser in
      let columns: [QualifiedName]
      if parser.at(.leftParenthesis) {
        columns = try parser.parenthesized { try $0.qualifiedName("a column") }
      } else {
        columns = [try parser.qualifiedName("a column")]
      }
      try parser.expect(.equal, "\"=\"")
      return Assignment(columns: columns, value: try parser.expression())
    }
  }

  mutating func update(with: WithClause?) throws -> Update {
    try expect(.update)
    let table = try qualifiedName("a table")
    var alias: Identifier?
    if accept(.as) {
      alias = try identifier("an alias")
    } else if isName(), !at(.set) {
      bareAliasIndex = index
      alias = try identifier()
    }
    try expect(.set)
    let assignments = try assignments()
    let from = accept(.from) ? try tableReferences() : []
    let filter = accept(.where) ? try expression() : nil
    return Update(
      with: with, table: table, alias: alias, assignments: assignments, from: from,
      filter: filter, returning: try returning())
  }

  mutating func delete(with: WithClause?) throws -> Delete {
    try expect(.delete)
    try expect(.from)
    let table = try qualifiedName("a table")
    let alias = try alias()
    let using = accept(.using) ? try tableReferences() : []
    let filter = accept(.where) ? try expression() : nil
    return Delete(
      with: with, table: table, alias: alias, using: using, filter: filter,
      returning: try returning())
  }

  mutating func merge(with: WithClause?) throws -> Merge {
    try expect(.merge)
    try expect(.into)
    let table = try qualifiedName("a table")
    let alias = try alias()
    try expect(.using)
    let source = try tableReference()
    let condition: Merge.Condition
    if accept(.using) {
      condition = .using(try identifierList())
    } else {
      try expect(.on)
      condition = .on(try expression())
    }
    var clauses: [Merge.Clause] = []
    while at(.when) { clauses.append(try mergeClause()) }
    if clauses.isEmpty { throw unexpected("WHEN MATCHED or WHEN NOT MATCHED", [.when]) }
    return Merge(
      with: with, table: table, alias: alias, source: source, condition: condition,
      clauses: clauses, returning: try returning())
  }

  private mutating func mergeClause() throws -> Merge.Clause {
    let start = peek.start
    try expect(.when)
    var match = Merge.Match.matched
    if accept(.not) {
      match = .notMatchedByTarget
      try expect(.matched)
      if accept(.by) {
        if accept(.source) { match = .notMatchedBySource } else { try expect(.target) }
      }
    } else {
      try expect(.matched)
    }
    let condition = accept(.and) ? try expression() : nil
    try expect(.then)
    let action = try mergeAction()
    return Merge.Clause(
      match: match, condition: condition, action: action, span: span(from: start))
  }

  private mutating func mergeAction() throws -> Merge.Action {
    if accept(.delete) { return .delete }
    if accept(.do) {
      try expect(.nothing)
      return .nothing
    }
    if accept(.error) {
      return .error(at(.when) || at(.returning) || atEnd ? nil : try expression())
    }
    if accept(.update) {
      if accept(.set) {
        if accept(.star) { return .updateAll(byPosition: false) }
        return .update(try assignments())
      }
      if accept(.star) { return .updateAll(byPosition: false) }
      return .updateAll(byPosition: try byPosition())
    }
    guard accept(.insert) else {
      throw unexpected(
        "UPDATE, DELETE, INSERT, DO NOTHING or ERROR", [.update, .delete, .insert, .do, .error])
    }
    if accept(.star) { return .insertAll(columns: [], byPosition: false) }
    if accept(.default) {
      try expect(.values)
      return .insertDefaults
    }
    let columns = at(.leftParenthesis) ? try identifierList() : []
    if at(.by) { return .insertAll(columns: columns, byPosition: try byPosition()) }
    guard accept(.values) else { return .insertAll(columns: columns, byPosition: false) }
    return .insert(columns: columns, values: try parenthesized { try $0.expression() })
  }

  private mutating func byPosition() throws -> Bool {
    guard accept(.by) else { return false }
    if accept(.name) { return false }
    try expect(.position)
    return true
  }

  mutating func copy() throws -> Statement {
    try expect(.copy)
    if at(.from), next.keyword == .database { return .copyDatabase(try copyDatabase()) }
    if at(.leftParenthesis) {
      advance()
      let query = try query()
      try expect(.rightParenthesis, "\")\"")
      try expect(.to)
      let path = try primary()
      return .copyTo(CopyTo(source: .query(query), path: path, options: try copyOptions()))
    }
    let table = try qualifiedName("a table or a query")
    let columns = at(.leftParenthesis) ? try identifierList() : []
    let isFrom = accept(.from)
    guard isFrom || accept(.to) else { throw unexpected("TO or FROM", [.to, .from]) }
    let path = try primary()
    let options = try copyOptions()
    if isFrom {
      return .copyFrom(CopyFrom(table: table, columns: columns, path: path, options: options))
    }
    return .copyTo(
      CopyTo(source: .table(table, columns: columns), path: path, options: options))
  }

  /// `(NAME value, …)`, or PostgreSQL's old `WITH CSV HEADER DELIMITER ','`.
  private mutating func copyOptions() throws -> [CopyOption] {
    _ = accept(.with)
    if at(.leftParenthesis) { return try copyOptionList() }
    var options: [CopyOption] = []
    while !atEnd {
      let name = try label("an option")
      _ = accept(.as)
      var value: SyntaxExpression?
      if peek.kind == .string || peek.kind == .integer || at(.true) || at(.false) {
        value = try primary()
      }
      options.append(CopyOption(name: name, value: value))
    }
    return options
  }

  mutating func copyOptionList() throws -> [CopyOption] {
    try parenthesized { parser in
      let name = try parser.label("an option's name")
      _ = parser.accept(.equal)
      if parser.at(.comma) || parser.at(.rightParenthesis) { return CopyOption(name: name) }
      return CopyOption(name: name, value: try parser.expression())
    }
  }
}
