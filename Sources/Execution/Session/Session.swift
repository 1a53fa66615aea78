import Columnar
import Diagnostics
import Formats
import Functions
import Planner
import Storage
import Synchronization
import Syntax

/// What a statement gives: rows to pull, and how many it changed.
package struct StatementResult {
  package var fields: [Field]
  package var source: any BatchSource
  package var changedRows: Int?
  /// What the rows' TIMESTAMPTZ are to be shown in.
  package let time = SessionTime.current

  static var none: StatementResult {
    StatementResult(fields: [], source: BatchListSource([]), changedRows: nil)
  }

  package init(fields: [Field], source: any BatchSource, changedRows: Int?) {
    self.fields = fields
    self.source = source
    self.changedRows = changedRows
  }
}

/// One connection's settings and its running statement. Statements run one at a time; `interrupt`
/// and `progress` may be called from any thread.
package final class Session: @unchecked Sendable {
  let database: DatabaseCatalog
  package internal(set) var settings = Settings() { didSet { settingsChanges &+= 1 } }
  private(set) var settingsChanges = 0
  /// What ran as texts.
  let statements = StatementCache()
  /// Counts what makes `state` another one without a commit.
  var stateChanges = 0
  var connection = ConnectionState()
  /// Values for the parameters of the running statement.
  var parameters: [String: ParameterValue] = [:]
  /// What the running statement sees and changes; between statements it counts only in a
  /// transaction, and for its temporary objects.
  var state = CatalogState()
  private var isChanged = false
  /// What is published although the statement fails: trainings that were interrupted.
  var keptModels: [(key: CatalogState.Key, object: CatalogObject)] = []
  /// Between BEGIN and COMMIT.
  var transaction: OpenTransaction?
  private let running = Mutex<(query: QueryContext?, text: String?)>((nil, nil))

  /// SAFETY: `settings` is used by the one thread that runs statements; the rest is in `running`.
  package init(_ database: DatabaseCatalog) { self.database = database }

  package func interrupt() { running.withLock { $0.query }?.cancel() }

  package var progress: (fraction: Double?, text: String?) {
    running.withLock { ($0.query?.progress.fraction, $0.text) }
  }

  /// Runs a statement. Rows of queries come as they are pulled; everything else is done on return.
  package func run(_ parsed: ParsedStatement, text: Substring = "") throws -> StatementResult {
    connection.statementText = text
    readMemorySettings()
    return try perform(parsed.statement, span: parsed.span) { try run(parsed.statement) }
  }

  /// Runs a prepared statement with values for its parameters, by `Parameter.key`.
  package func run(
    _ parsed: ParsedStatement, values: [String: ParameterValue], text: Substring = "",
    plans: KeptPlans
  ) throws -> StatementResult {
    connection.statementText = text
    readMemorySettings()
    return try perform(parsed.statement, span: parsed.span) {
      try with(values, for: parsed.parameters, span: nil) {
        try rows(of: parsed.statement, parsed.parameters, keptIn: plans) ?? run(parsed.statement)
      }
    }
  }

  /// Memory is the database's: another connection may have changed its limits.
  private func readMemorySettings() {
    let memory = database.memory
    // Written only where it differs: plans are kept for the settings as they are.
    if settings.memoryLimit != memory.limit { settings.memoryLimit = memory.limit }
    if settings.temporaryDirectory != memory.spillSpace.directory {
      settings.temporaryDirectory = memory.spillSpace.directory
    }
    if settings.temporaryLimit != memory.spillSpace.limit {
      settings.temporaryLimit = memory.spillSpace.limit
    }
  }

  /// Binds a statement that is to run later, for the mistakes in it.
  package func check(_ parsed: ParsedStatement) throws {
    if transaction == nil { state = try database.snapshot().withTemporary(of: state) }
    defer { if transaction == nil { state.snapshots = [] } }
    adoptDatabaseSettings()
    try SessionTime.with(time) {
      try check(parsed.statement, hasParameters: !parsed.parameters.isEmpty)
    }
  }

  /// Runs `body` on the newest state, and publishes what it changed or takes it back.
  private func perform(
    _ statement: Statement, span: SourceSpan, _ body: () throws -> StatementResult
  ) throws -> StatementResult {
    if let transaction, transaction.isAborted, !statement.endsTransaction {
      throw SQLError(.transaction, "current transaction is aborted (please ROLLBACK)", at: span)
    }
    if transaction == nil { state = try database.snapshot().withTemporary(of: state) }
    // Rows that are still to be pulled hold the snapshots themselves.
    defer { if transaction == nil { state.snapshots = [] } }
    var before = state
    // Nothing may hold a file's older state longer than the statement needs it.
    before.snapshots = []
    isChanged = false
    adoptDatabaseSettings()
    let settingsBefore = settings
    keptModels = []
    do {
      return try SessionTime.with(time) {
        let result = try body()
        if isChanged { try publish(from: before) }
        return result
      }
    } catch {
      before.snapshots = state.snapshots
      state = before
      settings = settingsBefore
      stateChanges &+= 1
      if !keptModels.isEmpty {
        try keepModels(from: before)
      } else {
        transaction?.isAborted = true
      }
      throw error
    }
  }

  /// Of a statement that failed, what is to be kept, and nothing else.
  private func keepModels(from before: CatalogState) throws {
    for (key, object) in keptModels { state[key] = object }
    keptModels = []
    do {
      try publish(from: before)
    } catch {
      state = before
      stateChanges &+= 1
      transaction?.isAborted = true
      throw error
    }
  }

  /// A statement did not even parse: that ends an open transaction's use as any failure does.
  package func noteFailure() { transaction?.isAborted = true }

  private func publish(from before: CatalogState) throws {
    if let transaction {
      if transaction.isReadOnly {
        throw SQLError(.transaction, "the transaction is read-only: nothing can be changed in it")
      }
    } else {
      try commit(from: before)
    }
  }

  /// Publishes what this connection has changed since `base`.
  func commit(from base: CatalogState) throws {
    database.setBusyTimeout(settings.busyTimeout)
    try database.commit(from: base, to: state)
  }

  /// The session's zone, and the moment of the transaction or of the statement that begins.
  private var time: SessionTime {
    SessionTime(
      zone: settings.timeZone, now: transaction?.start ?? Clock.now(),
      memory: MemoryAllowance(limit: settings.memoryLimit), cancellation: Cancellation())
  }

  /// Changes the catalog, for this statement at first and for all when it ends well.
  func change<Result>(_ body: (inout CatalogState) throws -> Result) rethrows -> Result {
    isChanged = true
    stateChanges &+= 1
    return try body(&state)
  }

  func run(_ statement: Statement) throws -> StatementResult {
    switch statement {
    case .query(let query): return try rows(try bind(query))
    case .trainModel, .evaluateModel: return try rows(try binder().bindRowStatement(statement))
    case .createTable(let create): return try run(create)
    case .createView(let create): return try run(create)
    case .drop(let drop): return try run(drop)
    case .insert, .update, .delete, .merge, .truncate, .copyFrom:
      return try rows(try binder().bindRowStatement(statement))
    case .alterTable(let alter): return try run(alter)
    case .alterSequence(let alter): return try run(alter)
    case .maintenance(let maintenance): return try run(maintenance)
    case .createIndex(let create): return try run(create)
    case .transaction(let statement): return try run(statement)
    case .copyTo(let copy): return try run(copy)
    case .copyDatabase(let copy): return try run(copy)
    case .exportDatabase(let export): return try run(export)
    case .importDatabase(let folder): return try run(folder)
    case .explain(let explain): return try run(explain)
    case .describe(let describe): return try run(describe)
    case .show(let show): return try run(show)
    case .set(let set): return try run(set)
    case .reset(let reset): return try run(reset)
    case .pragma(let pragma): return try run(pragma)
    case .use(let name): return try run(use: name)
    case .prepare(let prepare): return try run(prepare)
    case .execute(let execute): return try run(execute)
    case .deallocate(let name): return try deallocate(name)
    case .createSchema(let create): return try run(create)
    case .createType(let create): return try run(create)
    case .createSequence(let create): return try run(create)
    case .createMacro(let create): return try run(create)
    case .comment(let comment): return try run(comment)
    case .attach(let attach): return try run(attach)
    case .detach(let name, let ifExists): return try detach(name, ifExists: ifExists)
    case .call(let call): return try rows(try binder().bindCall(call))
    case .summarize: return try rows(try binder().bindRowStatement(statement))
    case .load(let name, _):
      // What these add elsewhere is built in here.
      if ["core_functions", "json", "parquet"].contains(name.lowercased()) { return .none }
      throw SQLError(
        .notSupported, "extensions are not supported: \"\(name)\"",
        hint: "what is there is built in")
    case .createModel(let create): return try run(create)
    case .dropModel(let drop): return try run(drop)
    case .alterModel(let alter): return try run(alter)
    case .exportModel(let export): return try run(export)
    case .verifyModel: return try rows(try binder().bindRowStatement(statement))
    }
  }

  // MARK: Planning and running

  func catalog() -> StatementCatalog {
    StatementCatalog(
      state, database, target: self, settings: settings, connection: connection,
      onProgress: { [weak self] text in self?.running.withLock { $0.text = text } },
      run: { [weak self] query in
        var rows: [[Value]] = []
        try self?.drain(query) { batch in
          for row in 0..<batch.rowCount { rows.append(batch.columns.map { $0.value(row) }) }
        }
        return rows
      })
  }

  /// A bound query as results and tables take it: a column of bare NULLs is an INTEGER, as DuckDB
  /// has it.
  func bind(_ query: Query, keepsNull: Bool = false) throws -> BoundQuery {
    let bound = try binder().bind(query)
    return keepsNull ? bound : withoutNullTypes(bound)
  }

  /// The query with columns of bare NULLs as INTEGER.
  func withoutNullTypes(_ query: BoundQuery) -> BoundQuery {
    let output = query.plan.output
    guard output.contains(where: { $0.type == .null }) else { return query }
    var id = 0
    let items = output.map { reference -> (expression: Expression, reference: ColumnReference) in
      id -= 1
      guard reference.type == .null else { return (.column(reference), reference) }
      return (
        .cast(.column(reference), to: .integer, isTry: false),
        ColumnReference(id: id, name: reference.name, type: .integer)
      )
    }
    var bound = query
    bound.plan = .project(ProjectNode(input: bound.plan, items: items))
    return bound
  }

  func binder() -> Binder {
    let binder = Binder(catalog: catalog())
    binder.parameters = parameters
    return binder
  }

  func optimize(_ plan: Plan, onRule: ((String, Plan) -> Void)? = nil) throws -> Plan {
    try Optimizer(workers: settings.threads, disabled: settings.disabledRules)
      .optimize(plan, onRule: onRule)
  }

  func start() -> QueryContext {
    let query = QueryContext(
      workerCount: settings.threads, batchRows: settings.batchSize, memory: database.memory)
    running.withLock { $0 = (query, nil) }
    return query
  }

  /// A query that was run before by this text alone, with its plans.
  package func knownStatement(_ text: String) -> (parsed: ParsedStatement, plans: KeptPlans)? {
    statements.statement(text)
  }

  /// Remembers a statement for the next time that the text comes; nil for one that is not worth it.
  package func remember(_ parsed: ParsedStatement, of text: String) -> KeptPlans? {
    statements.add(parsed, of: text)
  }

  /// The rows of an optimized plan that writes nothing.
  func rows(planned plan: Plan, fields: [Field]) throws -> StatementResult {
    let query = start()
    let builder = PlanBuilder(query: query)
    let source = StatementSource(
      source: try builder.source(plan), completions: builder.completions, state: state,
      query: query)
    return StatementResult(fields: fields, source: source, changedRows: nil)
  }

  /// The rows of a bound query, produced as they are pulled.
  func rows(_ bound: BoundQuery) throws -> StatementResult {
    let result = try rows(planned: try optimize(bound.plan), fields: bound.fields)
    guard bound.plan.writes else { return result }
    // Writes are done on return.
    if bound.plan.countsWrites {
      var batches: [Batch] = []
      while let batch = try result.source.next() { batches.append(batch) }
      var changed: Int?
      if case .integer(let count)? = batches.first?.columns[0].value(0) {
        changed = Int(clamping: count)
      }
      return StatementResult(
        fields: bound.fields, source: BatchListSource(batches), changedRows: changed)
    }
    let kept = try keep(result.source, types: bound.fields.map(\.type))
    return StatementResult(fields: bound.fields, source: kept, changedRows: nil)
  }

  /// Runs a bound query to its end, giving each batch.
  func drain(_ bound: BoundQuery, _ body: (Batch) throws -> Void) throws {
    let result = try rows(bound)
    while let batch = try result.source.next() { try body(batch) }
  }

  /// Runs a bound query to its end into row groups of these types, in the query's row order.
  func load(
    _ bound: BoundQuery, types: [LogicalType], sink: LoadSink? = nil
  ) throws -> (groups: [RowGroup], rowCount: Int) {
    let query = start()
    let builder = PlanBuilder(query: query)
    let collector = RowGroupCollector(types: types, sink: sink)
    let source = StatementSource(
      source: try builder.load(try optimize(bound.plan), into: collector),
      completions: builder.completions, state: state, query: query)
    while try source.next() != nil {}
    return try collector.finish()
  }

  /// A result of a few text rows.
  func table(_ columns: [String], _ rows: [[String?]]) throws -> StatementResult {
    var builders = columns.map { _ in ColumnBuilder(.varchar, capacity: rows.count) }
    for row in rows {
      for (column, text) in row.enumerated() {
        try builders[column].append(text.map { .varchar($0) } ?? .null)
      }
    }
    let batch = Batch(
      columns: builders.indices.map { builders[$0].finish() }, rowCount: rows.count)
    return StatementResult(
      fields: columns.map { Field($0, .varchar) }, source: BatchListSource([batch]),
      changedRows: nil)
  }

  /// One number, as DML answers.
  func count(_ rows: Int) throws -> StatementResult {
    let column = try Column.constant(.integer(Int128(rows)), .bigint, count: 1)
    return StatementResult(
      fields: [Field("Count", .bigint)],
      source: BatchListSource([Batch(columns: [column], rowCount: 1)]), changedRows: rows)
  }
}

/// A query's rows; statements inside it that must run to their end do so when the rows end.
private final class StatementSource: BatchSource {
  private var source: (any BatchSource)?
  private let completions: [any CompletingSource]
  private let query: QueryContext
  private let start = IdleMemory.statementStarted()
  /// Of the files that the rows come from.
  private var snapshots: [ReadSnapshot]
  /// Rows are pulled after the session has ended the statement: its zone and moment still count.
  private let time = SessionTime.current

  init(
    source: any BatchSource, completions: [any CompletingSource], state: CatalogState,
    query: QueryContext
  ) {
    snapshots = state.snapshots
    self.query = query
    self.source = source
    self.completions = completions
  }

  func next() throws -> Batch? {
    try SessionTime.with(time) {
      if let batch = try source?.next() { return batch }
      source = nil
      for completion in completions { try completion.complete() }
      snapshots = []
      query.closeSpillFile()
      return nil
    }
  }

  deinit {
    query.closeSpillFile()
    IdleMemory.statementEnded(start: start)
  }
}
