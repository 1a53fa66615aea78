extension Printer {
  mutating func write(_ insert: Insert) {
    write(insert.with)
    put("INSERT ")
    if case .replace? = insert.conflict { put("OR REPLACE ") }
    if case .ignore? = insert.conflict { put("OR IGNORE ") }
    put("INTO ")
    target(insert.table, insert.alias)
    if !insert.columns.isEmpty {
      put(" ")
      names(insert.columns)
    }
    if insert.isByName { put(" BY NAME") }
    switch insert.source {
    case .defaultValues: put(" DEFAULT VALUES")
    case .query(let query):
      put(" ")
      write(query)
    }
    if case .onConflict(let conflict)? = insert.conflict {
      put(" ON CONFLICT")
      if !conflict.columns.isEmpty {
        put(" ")
        names(conflict.columns)
      }
      clause("WHERE", conflict.columnFilter)
      if conflict.assignments.isEmpty {
        put(" DO NOTHING")
      } else {
        put(" DO UPDATE SET ")
        assignments(conflict.assignments)
      }
      clause("WHERE", conflict.filter)
    }
    returning(insert.returning)
  }

  private mutating func target(_ table: QualifiedName, _ alias: Identifier?) {
    write(table)
    guard let alias else { return }
    put(" AS ")
    write(alias)
  }

  private mutating func returning(_ items: [SelectItem]) {
    guard !items.isEmpty else { return }
    put(" RETURNING ")
    list(items) { $0.write($1) }
  }

  private mutating func assignments(_ assignments: [Assignment]) {
    list(assignments) { printer, assignment in
      if assignment.columns.count == 1, let only = assignment.columns.first {
        printer.write(only)
      } else {
        printer.put("(")
        printer.list(assignment.columns) { $0.write($1) }
        printer.put(")")
      }
      printer.put(" = ")
      printer.write(assignment.value)
    }
  }

  mutating func write(_ update: Update) {
    write(update.with)
    put("UPDATE ")
    target(update.table, update.alias)
    put(" SET ")
    assignments(update.assignments)
    if !update.from.isEmpty {
      put(" FROM ")
      list(update.from) { $0.write($1) }
    }
    clause("WHERE", update.filter)
    returning(update.returning)
  }

  mutating func write(_ delete: Delete) {
    write(delete.with)
    put("DELETE FROM ")
    target(delete.table, delete.alias)
    if !delete.using.isEmpty {
      put(" USING ")
      list(delete.using) { $0.write($1) }
    }
    clause("WHERE", delete.filter)
    returning(delete.returning)
  }

  mutating func write(_ merge: Merge) {
    write(merge.with)
    put("MERGE INTO ")
    target(merge.table, merge.alias)
    put(" USING ")
    write(merge.source)
    switch merge.condition {
    case .on(let condition): clause("ON", condition)
    case .using(let columns):
      put(" USING ")
      names(columns)
    }
    for part in merge.clauses {
      put(" WHEN \(part.match.rawValue)")
      clause("AND", part.condition)
      put(" THEN ")
      write(part.action)
    }
    returning(merge.returning)
  }

  private mutating func write(_ action: Merge.Action) {
    switch action {
    case .update(let set):
      put("UPDATE SET ")
      assignments(set)
    case .updateAll(let byPosition): put("UPDATE BY \(byPosition ? "POSITION" : "NAME")")
    case .delete: put("DELETE")
    case .insert(let columns, let values):
      put("INSERT ")
      if !columns.isEmpty {
        names(columns)
        put(" ")
      }
      put("VALUES (")
      list(values) { $0.write($1) }
      put(")")
    case .insertAll(let columns, let byPosition):
      put("INSERT ")
      if !columns.isEmpty {
        names(columns)
        put(" ")
      }
      put("BY \(byPosition ? "POSITION" : "NAME")")
    case .insertDefaults: put("INSERT DEFAULT VALUES")
    case .nothing: put("DO NOTHING")
    case .error(let message):
      put("ERROR")
      if let message {
        put(" ")
        write(message)
      }
    }
  }

  mutating func write(_ copy: CopyTo) {
    put("COPY ")
    switch copy.source {
    case .table(let name, let columns):
      write(name)
      if !columns.isEmpty { names(columns) }
    case .query(let query): enclosed("", query)
    }
    put(" TO ")
    write(copy.path, .postfix)
    options(copy.options)
  }
}

// MARK: - Tables

extension Printer {
  mutating func write(_ create: CreateTable) {
    header("TABLE", create.header, create.name)
    switch create.content {
    case .query(let query, let columns, let hasData):
      if !columns.isEmpty {
        put(" ")
        names(columns)
      }
      put(" AS ")
      write(query)
      if !hasData { put(" WITH NO DATA") }
    case .columns(let columns, let constraints):
      put(" (")
      list(columns) { $0.write($1) }
      for constraint in constraints {
        put(", ")
        write(constraint)
      }
      put(")")
    }
  }

  private mutating func write(_ column: ColumnDefinition) {
    write(column.name)
    if let type = column.type {
      put(" ")
      write(type)
    }
    for constraint in column.constraints {
      put(" ")
      write(constraint)
    }
  }

  private mutating func write(_ constraint: ColumnConstraint) {
    switch constraint {
    case .notNull: put("NOT NULL")
    case .null: put("NULL")
    case .primaryKey: put("PRIMARY KEY")
    case .unique: put("UNIQUE")
    case .defaultValue(let value):
      put("DEFAULT ")
      write(value, .comparison)
    case .check(let condition):
      put("CHECK (")
      write(condition)
      put(")")
    case .references(let reference): write(reference)
    case .generated(let expression, let isStored):
      put("GENERATED ALWAYS AS (")
      write(expression)
      put(isStored ? ") STORED" : ")")
    case .collate(let name):
      put("COLLATE ")
      write(name)
    }
  }

  private mutating func write(_ reference: ForeignReference) {
    put("REFERENCES ")
    write(reference.table)
    if !reference.columns.isEmpty { names(reference.columns) }
  }

  private mutating func write(_ constraint: TableConstraint) {
    if let name = constraint.name {
      put("CONSTRAINT ")
      write(name)
      put(" ")
    }
    switch constraint.kind {
    case .primaryKey(let columns):
      put("PRIMARY KEY ")
      names(columns)
    case .unique(let columns):
      put("UNIQUE ")
      names(columns)
    case .check(let condition):
      put("CHECK (")
      write(condition)
      put(")")
    case .foreignKey(let columns, let reference):
      put("FOREIGN KEY ")
      names(columns)
      put(" ")
      write(reference)
    }
  }

  mutating func write(_ create: CreateSequence) {
    header("SEQUENCE", create.header, create.name)
    if let start = create.start { put(" START \(start)") }
    if let increment = create.increment { put(" INCREMENT \(increment)") }
    if let minimum = create.minimum { put(" MINVALUE \(minimum)") }
    if let maximum = create.maximum { put(" MAXVALUE \(maximum)") }
    if create.isCycle { put(" CYCLE") }
  }

  mutating func write(_ create: CreateIndex) {
    put(create.isUnique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ")
    if create.header.isIfNotExists { put("IF NOT EXISTS ") }
    if let name = create.name {
      write(name)
      put(" ")
    }
    put("ON ")
    write(create.table)
    put(" (")
    expressions(create.expressions)
    put(")")
  }

  /// CREATE MACRO … for definitions that belong to one macro.
  package static func sql(macro name: String, _ definitions: [MacroDefinition]) -> String {
    sql(
      .createMacro(
        CreateMacro(
          header: CreateHeader(), name: QualifiedName(Identifier(name: name)),
          definitions: definitions)))
  }

  mutating func write(_ create: CreateMacro) {
    header("MACRO", create.header, create.name)
    let isOnly = create.definitions.count == 1
    list(create.definitions) { $0.write($1, isOnly: isOnly) }
  }

  mutating func write(_ definition: MacroDefinition, isOnly: Bool = false) {
    put("(")
    list(definition.parameters) { printer, parameter in
      printer.write(parameter.name)
      if let type = parameter.type {
        printer.put(" ")
        printer.write(type)
      }
      guard let value = parameter.defaultValue else { return }
      printer.put(" := ")
      printer.write(value)
    }
    put(") AS ")
    switch definition.body {
    case .expression(let expression): write(expression)
    case .table(let query):
      put("TABLE ")
      // Of two definitions the comma would else be taken for one of the query's.
      if isOnly || query.isBareNested {
        write(query)
      } else {
        put("(")
        write(query)
        put(")")
      }
    }
  }

  mutating func write(_ comment: CommentOn) {
    put("COMMENT ON \(comment.target.rawValue) ")
    write(comment.name)
    put(" IS " + (comment.text.map(Self.literal) ?? "NULL"))
  }

  mutating func write(_ alter: AlterTable) {
    put(alter.isView ? "ALTER VIEW " : "ALTER TABLE ")
    if alter.ifExists { put("IF EXISTS ") }
    write(alter.name)
    put(" ")
    switch alter.action {
    case .renameTable(let name): words("RENAME TO", name)
    case .renameColumn(let column, let name):
      words("RENAME COLUMN", column)
      words(" TO", name)
    case .addColumn(let column, let ifNotExists):
      put(ifNotExists ? "ADD COLUMN IF NOT EXISTS " : "ADD COLUMN ")
      write(column)
    case .dropColumn(let column, let ifExists, let isCascade):
      words(ifExists ? "DROP COLUMN IF EXISTS" : "DROP COLUMN", column)
      if isCascade { put(" CASCADE") }
    case .setType(let column, let type, let conversion):
      words("ALTER COLUMN", column)
      put(" TYPE ")
      write(type)
      clause("USING", conversion)
    case .setDefault(let column, let value):
      words("ALTER COLUMN", column)
      clause("SET DEFAULT", value)
    case .dropDefault(let column):
      words("ALTER COLUMN", column)
      put(" DROP DEFAULT")
    case .setNotNull(let column):
      words("ALTER COLUMN", column)
      put(" SET NOT NULL")
    case .dropNotNull(let column):
      words("ALTER COLUMN", column)
      put(" DROP NOT NULL")
    case .addConstraint(let constraint):
      put("ADD ")
      write(constraint)
    }
  }

  private mutating func words(_ words: String, _ name: Identifier) {
    put(words + " ")
    write(name)
  }
}
