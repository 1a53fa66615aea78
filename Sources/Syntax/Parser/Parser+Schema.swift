import Diagnostics

extension Parser {
  mutating func create() throws -> Statement {
    advance()
    var header = CreateHeader()
    header.isOrReplace = accept(.or, .replace)
    header.isTemporary = accept(.temp) || accept(.temporary)
    let isRecursive = at(.recursive) && next.keyword == .view
    if isRecursive { advance() }
    let word = peek.keyword
    switch word {
    case .model:
      advance()
      return .createModel(try createModel(header))
    case .unique, .index:
      return .createIndex(try createIndex(&header))
    case .table, .view, .schema, .type, .sequence, .macro, .function:
      advance()
      header.isIfNotExists = accept(.if, .not, .exists)
      let name = try qualifiedName()
      switch word {
      case .table: return .createTable(try createTable(header, name))
      case .view: return .createView(try createView(header, name, isRecursive: isRecursive))
      case .schema: return .createSchema(CreateSchema(header: header, name: name))
      case .type:
        return .createType(try createType(header, name))
      case .sequence: return .createSequence(try createSequence(header, name))
      default: return .createMacro(try createMacro(header, name))
      }
    default:
      throw unexpected(
        "TABLE, VIEW, MODEL or SCHEMA",
        [.table, .view, .model, .schema, .type, .sequence, .index, .macro, .or, .temp])
    }
  }

  private mutating func createType(
    _ header: CreateHeader, _ name: QualifiedName
  ) throws -> CreateType {
    try expect(.as)
    let start = peek.start
    guard at(.enum), next.kind == .leftParenthesis, startsQuery(at: 2) else {
      return CreateType(header: header, name: name, type: try typeName())
    }
    advance()
    advance()
    let query = try query()
    try expect(.rightParenthesis, "\")\"")
    return CreateType(
      header: header, name: name, type: .enumeration([], span: span(from: start)),
      enumQuery: query)
  }

  private mutating func createTable(
    _ header: CreateHeader, _ name: QualifiedName
  ) throws -> CreateTable {
    var columns: [ColumnDefinition] = []
    var constraints: [TableConstraint] = []
    if at(.leftParenthesis) {
      advance()
      _ = try list(until: { $0.at(.rightParenthesis) }) { parser in
        if let constraint = try parser.tableConstraint() {
          constraints.append(constraint)
        } else {
          columns.append(try parser.columnDefinition())
        }
      }
      try expect(.rightParenthesis, "\",\" or \")\"")
    }
    guard accept(.as) else {
      if columns.isEmpty { throw unexpected("\"(\" and columns, or AS and a query", [.as]) }
      if let bare = columns.first(where: { $0.type == nil && $0.constraints.isEmpty }) {
        throw mistake("column \"\(bare.name.name)\" has no type", at: bare.span)
      }
      return CreateTable(
        header: header, name: name, content: .columns(columns, constraints: constraints))
    }
    if let typed = columns.first(where: { $0.type != nil || !$0.constraints.isEmpty }) {
      throw mistake("CREATE TABLE AS takes names of columns, not types", at: typed.span)
    }
    let query = try query()
    var hasData = true
    if accept(.with) {
      if accept(.no) { hasData = false }
      try expect(.data)
    }
    return CreateTable(
      header: header, name: name,
      content: .query(query, columns: columns.map(\.name), hasData: hasData))
  }

  mutating func columnDefinition() throws -> ColumnDefinition {
    let start = peek.start
    let name = try identifier("a column")
    var column = ColumnDefinition(name: name, constraints: [], span: name.span)
    if !at(.comma), !at(.rightParenthesis), !startsColumnConstraint, !atEnd {
      column.type = try typeName()
    }
    while let constraint = try columnConstraint() { column.constraints.append(constraint) }
    column.span = span(from: start)
    return column
  }

  private var startsColumnConstraint: Bool {
    switch peek.keyword {
    case .not, .null, .primary, .unique, .default, .check, .references, .generated, .collate,
      .constraint, .as:
      true
    default: false
    }
  }

  private mutating func columnConstraint() throws -> ColumnConstraint? {
    if accept(.constraint) { _ = try label("a constraint's name") }
    let word = peek.keyword
    guard startsColumnConstraint else { return nil }
    advance()
    switch word {
    case .not:
      try expect(.null)
      return .notNull
    case .null: return .null
    case .primary:
      try expect(.key)
      return .primaryKey
    case .unique: return .unique
    // Above the level of IS: `DEFAULT 1 NOT NULL` is two constraints.
    case .default: return .defaultValue(try expression(.comparison))
    case .check: return .check(try enclosed())
    case .references: return .references(try foreignReference())
    case .collate: return .collate(try qualifiedName("a collation"))
    default:
      if word == .generated {
        try expect(.always)
        try expect(.as)
      }
      let expression = try enclosed()
      let isStored = accept(.stored)
      if !isStored { _ = accept(.virtual) }
      return .generated(expression, isStored: isStored)
    }
  }

  private mutating func enclosed() throws -> SyntaxExpression {
    try expect(.leftParenthesis, "\"(\"")
    let expression = try expression()
    try expect(.rightParenthesis, "\")\"")
    return expression
  }

  private mutating func foreignReference() throws -> ForeignReference {
    let table = try qualifiedName("a table")
    let columns = at(.leftParenthesis) ? try identifierList() : []
    return ForeignReference(table: table, columns: columns)
  }

  private mutating func tableConstraint() throws -> TableConstraint? {
    let start = peek.start
    var name: Identifier?
    if at(.constraint) {
      advance()
      name = try label("a constraint's name")
    }
    let kind: TableConstraint.Kind
    if accept(.primary) {
      try expect(.key)
      kind = .primaryKey(try identifierList())
    } else if accept(.unique) {
      kind = .unique(try identifierList())
    } else if accept(.check) {
      kind = .check(try enclosed())
    } else if accept(.foreign) {
      try expect(.key)
      let columns = try identifierList()
      try expect(.references)
      kind = .foreignKey(columns, try foreignReference())
    } else {
      guard name == nil else {
        throw unexpected("PRIMARY KEY, UNIQUE, CHECK or FOREIGN KEY", [.primary, .check, .foreign])
      }
      return nil
    }
    return TableConstraint(name: name, kind: kind, span: span(from: start))
  }

  private mutating func createView(
    _ header: CreateHeader, _ name: QualifiedName, isRecursive: Bool
  ) throws -> CreateView {
    let columns = at(.leftParenthesis) ? try identifierList() : []
    try expect(.as)
    let query = try query()
    if !isRecursive {
      return CreateView(header: header, name: name, columns: columns, query: query)
    }
    // CREATE RECURSIVE VIEW v (a) AS q is CREATE VIEW v AS WITH RECURSIVE v (a) AS (q) FROM v.
    let table = CommonTable(
      name: name.last, columns: columns, usingKey: [], isMaterialized: nil, query: query,
      span: query.span)
    let star = SelectItem(
      expression: SyntaxExpression(.star(Star()), span: name.span), span: name.span)
    let reference = TableReference(.table(QualifiedName(name.last)), span: name.span)
    let all = Select(items: [star], from: [reference], span: query.span)
    return CreateView(
      header: header, name: name, columns: [],
      query: Query(
        with: WithClause(isRecursive: true, tables: [table], span: query.span),
        body: .select(all), span: query.span))
  }

  private mutating func createIndex(_ header: inout CreateHeader) throws -> CreateIndex {
    let isUnique = accept(.unique)
    try expect(.index)
    header.isIfNotExists = accept(.if, .not, .exists)
    let name = at(.on) ? nil : try identifier("an index's name")
    try expect(.on)
    let table = try qualifiedName("a table")
    if accept(.using) { _ = try label("a kind of index") }
    let items = try parenthesized { parser in
      let expression = try parser.expression()
      if !parser.accept(.asc) { _ = parser.accept(.desc) }
      return expression
    }
    return CreateIndex(
      header: header, isUnique: isUnique, name: name, table: table, expressions: items)
  }

  private mutating func createSequence(
    _ header: CreateHeader, _ name: QualifiedName
  ) throws -> CreateSequence {
    var sequence = CreateSequence(header: header, name: name, isCycle: false)
    var seen: Set<Keyword> = []
    while !atEnd {
      let start = peek.start
      let isNegated = accept(.no)
      let word = peek.keyword
      let isOption: Bool
      switch word {
      case .minvalue, .maxvalue, .cycle: isOption = true
      case .start, .increment: isOption = !isNegated
      default: isOption = false
      }
      guard isOption else {
        throw unexpected(
          "START, INCREMENT, MINVALUE, MAXVALUE or CYCLE",
          [.start, .increment, .minvalue, .maxvalue, .cycle])
      }
      advance()
      guard seen.insert(word).inserted else {
        throw mistake("\(word.spelling) is given twice", at: span(from: start))
      }
      if isNegated { continue }
      switch word {
      case .start:
        _ = accept(.with)
        sequence.start = try integerLiteral("a number", signed: true)
      case .increment:
        _ = accept(.by)
        sequence.increment = try integerLiteral("a number", signed: true)
      case .minvalue: sequence.minimum = try integerLiteral("a number", signed: true)
      case .maxvalue: sequence.maximum = try integerLiteral("a number", signed: true)
      default: sequence.isCycle = true
      }
    }
    return sequence
  }

  private mutating func createMacro(
    _ header: CreateHeader, _ name: QualifiedName
  ) throws -> CreateMacro {
    let start = peek.start
    var definitions = [try macroDefinition()]
    while accept(.comma) {
      let next = try macroDefinition()
      if next.isTable != definitions[0].isTable {
        throw mistake(
          "the definitions of macro \"\(name.last.name)\" must be all scalar or all tables",
          at: span(from: start))
      }
      if definitions.contains(where: { $0.signature == next.signature }) {
        throw mistake(
          "macro \"\(name.last.name)\" has two definitions with the same \(next.parameters.count) parameters",
          at: span(from: start))
      }
      definitions.append(next)
    }
    return CreateMacro(header: header, name: name, definitions: definitions)
  }

  private mutating func macroDefinition() throws -> MacroDefinition {
    try expect(.leftParenthesis, "\"(\"")
    var parameters: [MacroParameter] = []
    if !at(.rightParenthesis) {
      parameters = try list(until: { $0.at(.rightParenthesis) }) { try $0.macroParameter() }
    }
    try checkParameters(parameters)
    try expect(.rightParenthesis, "\")\"")
    try expect(.as)
    guard at(.table), startsQuery(at: 1) || token(at: 1).kind == .leftParenthesis else {
      return MacroDefinition(parameters: parameters, body: .expression(try expression()))
    }
    advance()
    return MacroDefinition(parameters: parameters, body: .table(try query()))
  }

  private mutating func macroParameter() throws -> MacroParameter {
    var parameter = MacroParameter(name: try identifier("a parameter"))
    let isBare =
      at(.comma) || at(.rightParenthesis) || at(.colonEquals) || at(.fatArrow) || at(.default)
    if !isBare { parameter.type = try typeName() }
    if accept(.colonEquals) || accept(.fatArrow) || accept(.default) {
      parameter.defaultValue = try expression()
    }
    return parameter
  }

  private func checkParameters(_ parameters: [MacroParameter]) throws {
    var seen: Set<String> = []
    var hasDefault = false
    for parameter in parameters {
      if !seen.insert(parameter.name.name.lowercased()).inserted {
        throw mistake(
          "parameter \"\(parameter.name.name)\" is defined twice", at: parameter.name.span)
      }
      if parameter.defaultValue != nil {
        hasDefault = true
      } else if hasDefault {
        throw mistake(
          "parameter \"\(parameter.name.name)\" has no default but follows one that has",
          at: parameter.name.span)
      }
    }
  }

  /// COMMENT ON kind name IS text. COMMENT is no keyword of the grammar otherwise.
  mutating func comment() throws -> Statement {
    advance()
    try expect(.on)
    let targets: [(Keyword, CommentOn.Target)] = [
      (.table, .table), (.view, .view), (.column, .column), (.index, .index),
      (.sequence, .sequence), (.type, .type), (.macro, .macro), (.function, .macro),
      (.schema, .schema), (.model, .model),
    ]
    var target: CommentOn.Target
    if let found = targets.first(where: { at($0.0) }) {
      target = found.1
    } else if wordText() == "database" {
      target = .database
    } else {
      throw unexpected("TABLE, VIEW or COLUMN", targets.map(\.0))
    }
    advance()
    if target == .macro, accept(.table) { target = .tableMacro }
    let name = try qualifiedName()
    try expect(.is)
    let text = accept(.null) ? nil : try stringLiteral("a string or NULL")
    return .comment(CommentOn(target: target, name: name, text: text))
  }

  mutating func alter() throws -> Statement {
    advance()
    if accept(.model) { return .alterModel(try alterModel()) }
    if accept(.sequence) {
      let ifExists = accept(.if, .exists)
      let name = try qualifiedName("a sequence")
      guard wordText() == "owned" else { throw unexpected("OWNED BY") }
      advance()
      try expect(.by)
      return .alterSequence(
        AlterSequence(ifExists: ifExists, name: name, owner: try qualifiedName("a table")))
    }
    let isView = at(.view)
    guard accept(.table) || accept(.view) else {
      throw unexpected("TABLE, VIEW or MODEL", [.table, .view, .model])
    }
    let ifExists = accept(.if, .exists)
    let name = try qualifiedName("a table")
    return .alterTable(
      AlterTable(
        isView: isView, ifExists: ifExists, name: name, action: try alterTableAction()))
  }

  private mutating func alterTableAction() throws -> AlterTable.Action {
    if accept(.rename) {
      if accept(.to) { return .renameTable(to: try identifier()) }
      _ = accept(.column)
      let column = try identifier("a column")
      try expect(.to)
      return .renameColumn(column, to: try identifier())
    }
    if accept(.add) {
      if let constraint = try tableConstraint() { return .addConstraint(constraint) }
      _ = accept(.column)
      let ifNotExists = accept(.if, .not, .exists)
      return .addColumn(try columnDefinition(), ifNotExists: ifNotExists)
    }
    if accept(.drop) {
      _ = accept(.column)
      let ifExists = accept(.if, .exists)
      let column = try identifier("a column")
      return .dropColumn(column, ifExists: ifExists, isCascade: accept(.cascade))
    }
    try expect(.alter)
    _ = accept(.column)
    let column = try identifier("a column")
    if accept(.drop) {
      if accept(.default) { return .dropDefault(column) }
      try expect(.not, .null)
      return .dropNotNull(column)
    }
    if accept(.set) {
      if accept(.default) { return .setDefault(column, try expression()) }
      if accept(.not) {
        try expect(.null)
        return .setNotNull(column)
      }
      try expect(.data)
    }
    try expect(.type)
    let type = try typeName()
    return .setType(column, type, using: accept(.using) ? try expression() : nil)
  }
}
