import Columnar
import Diagnostics
import Execution
import Functions
import Syntax

/// The engine as a library: constants and helpers that need no database.
public enum Apus {
  public static let version = "0.1.0"

  /// Whether an interactive text ends its statement: a semicolon outside strings and comments.
  public static func isComplete(_ sqlSoFar: String) -> Bool {
    StatementSplitter.isComplete(sqlSoFar)
  }

  /// The language's words, upper case, for completion.
  public static var keywords: [String] { Keyword.allCases.map { $0.rawValue.uppercased() } }

  /// Names of functions, for completion.
  public static var functionNames: [String] {
    (ScalarFunctions.allNames + Aggregates.allNames).sorted()
  }
}

/// A database: tables, views, models and functions, shared by its connections. Thread-safe.
///
///     let database = try Database()
///     let connection = database.connect()
///     try connection.execute("CREATE TABLE t AS SELECT range AS x FROM range(10)")
///     print(try connection.execute("SELECT sum(x) FROM t").rows())
public final class Database: Sendable {
  let catalog: DatabaseCatalog

  /// A database in memory.
  public init() throws { catalog = DatabaseCatalog() }

  /// The database in the file at `path`, which is made when there is none; `:memory:` or an empty
  /// path is a database in memory. Other processes may have the file open: any number of them read,
  /// one at a time writes.
  ///
  /// - Parameter isReadOnly: refuse every change; the file must be there.
  public init(path: String, isReadOnly: Bool = false) throws {
    if path.isEmpty || path == ":memory:" {
      catalog = DatabaseCatalog()
      return
    }
    do {
      catalog = try DatabaseCatalog(path: path, isReadOnly: isReadOnly)
    } catch let error as SQLError {
      throw DatabaseError(error, in: "")
    }
  }

  public func connect() -> Connection { Connection(Session(catalog)) }
}

/// A connection runs statements one at a time, on the thread that calls. `interrupt` and `progress`
/// may be called from any other.
public final class Connection: @unchecked Sendable {
  let session: Session

  /// SAFETY: the session's own state is protected; statements are the caller's to serialise.
  init(_ session: Session) { self.session = session }

  /// Runs all statements of the text in order, up to the first failure; gives the last one's result.
  @discardableResult
  public func execute(_ sql: String) throws -> QueryResult {
    var script = script(sql)
    var last: QueryResult?
    while let statement = try script.next() {
      // What is not the last statement is run to its end and its rows dropped.
      while try last?.next() != nil {}
      last = try statement.run()
    }
    try last?.materialize(in: session)
    return last
      ?? QueryResult(.init(fields: [], source: BatchListSource([]), changedRows: nil), in: sql)
  }

  /// One statement with `?`, `$1` or `$name` for values that each run gives. Names that do not exist
  /// are found now; types follow the values.
  ///
  ///     let insert = try connection.prepare("INSERT INTO t VALUES (?, ?)")
  ///     for (id, name) in people { try insert.execute(id, name) }
  public func prepare(_ sql: String) throws -> PreparedStatement {
    try PreparedStatement(sql, session)
  }

  /// Runs one statement with values for its `?` or `$1`, in their order.
  ///
  ///     try connection.execute("SELECT * FROM t WHERE id = ?", 7).rows()
  @discardableResult
  public func execute(
    _ sql: String, _ first: any SQLValueConvertible, _ rest: any SQLValueConvertible...
  ) throws -> QueryResult {
    try prepare(sql).execute(values: [first] + rest)
  }

  /// The statements of a script one at a time, parsed as they are asked for: a syntax error in the
  /// third does not keep the first two from running.
  public func script(_ text: String) -> Script { Script(text, session) }

  /// Stops the running statement as soon as possible; it throws with the code "Interrupted".
  public func interrupt() { session.interrupt() }

  /// For an answer that must be whole before it is sent.
  package func spool() -> AnswerSpool { AnswerSpool(session.spool()) }

  /// How far the running statement is, from 0 to 1, and what it is doing; nil where unknown.
  public var progress: (fraction: Double?, text: String?) { session.progress }
}

/// The statements of a text, in one pass.
public struct Script {
  private let text: String
  private let session: Session
  private var parser: Parser?
  /// The text is one statement that was run before: there is nothing to parse.
  private var isKnown = false

  init(_ text: String, _ session: Session) {
    self.text = text
    self.session = session
  }

  /// The next statement; nil at the end. Throws on a syntax error, with the place counted from the
  /// script's start; no more statements come after it.
  public mutating func next() throws -> ScriptStatement? {
    do {
      let isFirst = parser == nil
      if isFirst {
        if isKnown { return nil }
        if let known = session.knownStatement(text) {
          isKnown = true
          return ScriptStatement(
            parsed: known.parsed, script: text, session: session, plans: known.plans)
        }
        parser = try Parser(text)
      }
      guard let parsed = try parser?.nextStatement() else { return nil }
      return ScriptStatement(
        parsed: parsed, script: text, session: session,
        plans: isFirst ? session.remember(parsed, of: text) : nil)
    } catch let error as SQLError {
      session.noteFailure()
      throw DatabaseError(error, in: text)
    }
  }
}

/// One statement of a script.
public struct ScriptStatement {
  let parsed: ParsedStatement
  let script: String
  let session: Session
  /// Of a query that was run before as it stands here.
  let plans: KeptPlans?

  /// The statement as written.
  public var text: String { String(parsed.text(in: script)) }

  /// The line where it starts, from 1.
  public var line: Int { SourcePosition(of: parsed.span.start, in: script).line }

  /// Runs it; rows come as they are pulled from the result.
  public func run() throws -> QueryResult {
    do {
      let text = parsed.text(in: script)
      guard let plans else { return QueryResult(try session.run(parsed, text: text), in: script) }
      return QueryResult(
        try session.run(parsed, values: [:], text: text, plans: plans), in: script)
    } catch let error as SQLError {
      throw DatabaseError(error, in: script)
    }
  }
}
