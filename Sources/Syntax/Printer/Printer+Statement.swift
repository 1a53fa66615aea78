extension Printer {
  mutating func write(_ statement: Statement) {
    switch statement {
    case .query(let query): write(query)
    case .createTable(let create): write(create)
    case .createView(let create):
      header("VIEW", create.header, create.name)
      if !create.columns.isEmpty {
        put(" ")
        names(create.columns)
      }
      put(" AS ")
      write(create.query)
    case .createSchema(let create): header("SCHEMA", create.header, create.name)
    case .createType(let create):
      header("TYPE", create.header, create.name)
      put(" AS ")
      if let query = create.enumQuery {
        put("ENUM (")
        write(query)
        put(")")
      } else {
        write(create.type)
      }
    case .createSequence(let create): write(create)
    case .createIndex(let create): write(create)
    case .createMacro(let create): write(create)
    case .alterTable(let alter): write(alter)
    case .alterSequence(let alter):
      put(alter.ifExists ? "ALTER SEQUENCE IF EXISTS " : "ALTER SEQUENCE ")
      write(alter.name)
      put(" OWNED BY ")
      write(alter.owner)
    case .drop(let drop):
      put("DROP \(drop.target.rawValue) ")
      if drop.ifExists { put("IF EXISTS ") }
      list(drop.names) { $0.write($1) }
      if drop.isCascade { put(" CASCADE") }
    case .comment(let comment): write(comment)
    case .insert(let insert): write(insert)
    case .update(let update): write(update)
    case .merge(let merge): write(merge)
    case .delete(let delete): write(delete)
    case .truncate(let name): named("TRUNCATE", name)
    case .copyTo(let copy): write(copy)
    case .copyFrom(let copy):
      named("COPY", copy.table)
      if !copy.columns.isEmpty { names(copy.columns) }
      put(" FROM ")
      write(copy.path, .postfix)
      options(copy.options)
    case .exportDatabase(let export):
      put("EXPORT DATABASE ")
      if let database = export.database {
        write(database)
        put(" TO ")
      }
      put(Self.literal(export.path))
      options(export.options)
    case .importDatabase(let folder): put("IMPORT DATABASE " + Self.literal(folder.path))
    case .createModel(let create): write(create)
    case .trainModel(let train): write(train)
    case .evaluateModel(let evaluate): write(evaluate)
    case .alterModel(let alter): write(alter)
    case .exportModel(let export):
      put("EXPORT ")
      write(export.model)
      put(" TO " + Self.literal(export.path))
      options(export.options)
    case .dropModel(let drop):
      put(drop.ifExists ? "DROP MODEL IF EXISTS " : "DROP MODEL ")
      bare(drop.model)
    case .verifyModel(let model):
      put("VERIFY ")
      write(model)
    case .explain(let explain):
      put(explain.isAnalyze ? "EXPLAIN ANALYZE" : "EXPLAIN")
      options(explain.options)
      put(" ")
      write(explain.statement)
    case .describe(let describe): write("DESCRIBE", describe)
    case .summarize(let describe): write("SUMMARIZE", describe)
    case .show(let show): write(show)
    case .set(let set):
      put("SET ")
      if let scope = set.scope { put(scope.rawValue + " ") }
      write(set.name)
      put(" = ")
      write(set.value)
    case .reset(let reset):
      put("RESET ")
      if let scope = reset.scope { put(scope.rawValue + " ") }
      write(reset.name)
    case .pragma(let pragma):
      named("PRAGMA", pragma.name)
      switch pragma.argument {
      case .none: break
      case .value(let value):
        put(" = ")
        write(value)
      case .call(let arguments):
        put("(")
        expressions(arguments)
        put(")")
      }
    case .use(let name): named("USE", name)
    case .transaction(let transaction): write(transaction)
    case .prepare(let prepare):
      put("PREPARE ")
      write(prepare.name)
      put(" AS ")
      write(prepare.statement)
    case .execute(let execute):
      put("EXECUTE ")
      write(execute.name)
      guard !execute.arguments.isEmpty else { return }
      put("(")
      list(execute.arguments) { $0.write($1) }
      put(")")
    case .deallocate(let name):
      put("DEALLOCATE ")
      if let name { write(name) } else { put("ALL") }
    case .call(let call):
      put("CALL ")
      write(call)
    case .attach(let attach):
      put(attach.ifNotExists ? "ATTACH IF NOT EXISTS " : "ATTACH ")
      put(Self.literal(attach.path))
      if let name = attach.name {
        put(" AS ")
        write(name)
      }
      options(attach.options)
    case .detach(let name, let ifExists):
      put(ifExists ? "DETACH IF EXISTS " : "DETACH ")
      write(name)
    case .load(let name, let isInstall):
      put((isInstall ? "INSTALL " : "LOAD ") + Self.literal(name))
    case .maintenance(let maintenance): write(maintenance)
    }
  }

  private mutating func named(_ word: String, _ name: QualifiedName) {
    put(word + " ")
    write(name)
  }

  mutating func header(_ word: String, _ header: CreateHeader, _ name: QualifiedName) {
    put("CREATE ")
    if header.isOrReplace { put("OR REPLACE ") }
    if header.isTemporary { put("TEMP ") }
    put(word + " ")
    if header.isIfNotExists { put("IF NOT EXISTS ") }
    write(name)
  }

  /// ` (NAME value, …)`, nothing where there are none.
  mutating func options(_ options: [CopyOption]) {
    guard !options.isEmpty else { return }
    put(" (")
    list(options) { printer, option in
      printer.write(option.name)
      guard let value = option.value else { return }
      printer.put(" ")
      printer.write(value)
    }
    put(")")
  }

  private mutating func write(_ word: String, _ describe: Describe) {
    put(word)
    switch describe.target {
    case .all: return
    case .table(let name):
      put(" ")
      write(name)
    case .file(let path, _): put(" " + Self.literal(path))
    case .query(let query):
      put(" ")
      write(query)
    case .model(let model):
      put(" ")
      write(model)
    }
  }

  private mutating func write(_ show: Show) {
    switch show {
    case .tables: put("SHOW TABLES")
    case .tablesFrom(let name): named("SHOW TABLES FROM", name)
    case .allTables: put("SHOW ALL TABLES")
    case .databases: put("SHOW DATABASES")
    case .schemas: put("SHOW SCHEMAS")
    case .models: put("SHOW MODELS")
    case .variables: put("SHOW VARIABLES")
    case .allSettings: put("SHOW ALL")
    case .functions: put("SHOW FUNCTIONS")
    case .name(let name): named("SHOW", name)
    case .createModel(let name): named("SHOW CREATE MODEL", name)
    case .createTable(let name): named("SHOW CREATE TABLE", name)
    case .versions(let name): named("SHOW VERSIONS IN MODEL", name)
    }
  }

  private mutating func write(_ transaction: TransactionStatement) {
    switch transaction {
    case .begin(let isReadOnly): put(isReadOnly ? "BEGIN READ ONLY" : "BEGIN")
    case .commit: put("COMMIT")
    case .rollback: put("ROLLBACK")
    case .savepoint(let name): named("SAVEPOINT", QualifiedName(name))
    case .release(let name): named("RELEASE SAVEPOINT", QualifiedName(name))
    case .rollbackTo(let name): named("ROLLBACK TO SAVEPOINT", QualifiedName(name))
    }
  }

  private mutating func write(_ maintenance: Maintenance) {
    switch maintenance {
    case .checkpoint(let name):
      put("CHECKPOINT")
      if let name { put(" " + Self.quoted(name.name)) }
    case .vacuum(let name): write("VACUUM", of: name)
    case .analyze(let name): write("ANALYZE", of: name)
    case .reindex(let name): write("REINDEX", of: name)
    }
  }

  private mutating func write(_ word: String, of name: QualifiedName?) {
    put(word)
    if let name {
      put(" ")
      write(name)
    }
  }
}
