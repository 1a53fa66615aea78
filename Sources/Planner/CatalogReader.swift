import Columnar
import Diagnostics
import Functions
import Syntax

/// What the binder asks about names. The session's catalog conforms.
package protocol CatalogReader: AnyObject {
  /// What a name in FROM means, by the search path where it has no schema; nil when nothing has it.
  func entry(named name: QualifiedName) throws -> CatalogEntry?
  /// Schemas where names without one are looked up. A view is bound under the path it was made with.
  var searchPath: [String] { get set }
  /// Whether the word may stand before a table's name: a schema or a database.
  func isSchemaOrDatabase(_ name: String) -> Bool
  /// Names of tables and views, for "did you mean".
  var tableNames: [String] { get }
  /// The version of a model that a reference means.
  func model(_ reference: ModelReference) throws -> any ModelDescription
  var modelNames: [String] { get }
  /// Functions in FROM that look into a model.
  var modelFunctionNames: [String] { get }
  /// What runs one of them. `rows` are the columns of the rows given, behind the model's features
  /// in the provider's input; nil where none were given.
  func modelFunction(
    _ name: String, _ model: any ModelDescription, rows: [Field]?,
    options: [(name: String, value: Value)], span: SourceSpan
  ) throws -> any RowProvider
  /// Functions registered by the embedding program.
  func userFunction(named name: String) -> ScalarFunction?
  var userFunctionNames: [String] { get }
  /// A source for the file(s) of a path or glob; the format comes from `format` or the extension.
  func openFiles(
    _ paths: [String], format: String?, options: [(name: String, value: Value, type: LogicalType)]
  ) throws -> any TableSource
  /// Row providers for statements that are row sources.
  func trainProvider(
    _ statement: TrainModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?)
  func evaluateProvider(
    _ statement: EvaluateModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?)
  /// What stores the rows of a write, and what looks keys up for ON CONFLICT.
  func writeProvider(_ write: TableWrite) throws -> any RowProvider
  func conflictProvider(_ lookup: ConflictLookup) throws -> any RowProvider
  /// The file of COPY … FROM, read as columns of these types.
  func openCopy(_ path: String, options: [CopyOption], fields: [Field]) throws -> any TableSource
  var integerDivision: Bool { get }
  /// What ORDER BY does where nothing is written.
  var defaultOrder: DefaultOrder { get }
  /// A type made by CREATE TYPE.
  func type(named name: QualifiedName) throws -> LogicalType?
  var typeNames: [String] { get }
  func macro(named name: QualifiedName, isTable: Bool) -> MacroEntry?
  var macroNames: [String] { get }
  /// A call of a function of the session or the catalog: getvariable, nextval, current_schema …;
  /// nil when there is none of that name.
  func sessionCall(_ name: String, _ arguments: [Expression], span: SourceSpan) throws
    -> Expression?
  var sessionFunctionNames: [String] { get }
  /// A table function about the catalog or the session.
  func catalogFunction(named name: String) -> TableFunctionDefinition?
  var catalogFunctionNames: [String] { get }
  /// The rows of DESCRIBE and SHOW.
  func rows(of statement: Statement, bind: (Query) throws -> BoundQuery) throws
    -> (any TableSource)?
  /// Runs a bound query now: PIVOT finds its columns in the data.
  func rows(of query: BoundQuery) throws -> [[Value]]
}

package enum CatalogEntry: Sendable {
  case table(any TableSource)
  case view(query: Query, columns: [String], searchPath: [String])
}

/// A macro as the binder expands it.
package struct MacroEntry: Sendable {
  package var name: String
  /// Chosen by the number of arguments.
  package var definitions: [MacroDefinition]

  package init(name: String, definitions: [MacroDefinition]) {
    self.name = name
    self.definitions = definitions
  }
}

/// The order of a sort key that says neither ASC nor DESC, or not where NULL goes.
package struct DefaultOrder: Sendable {
  package enum Nulls: String, CaseIterable, Sendable {
    case last = "nulls_last"
    case first = "nulls_first"
    /// As if NULL were the smallest value (SQLite, MySQL).
    case smallest = "nulls_first_on_asc_last_on_desc"
    /// As if NULL were the largest value (PostgreSQL).
    case largest = "nulls_last_on_asc_first_on_desc"
  }
  package var isDescending = false
  package var nulls = Nulls.last

  package init() {}

  func nullsFirst(descending: Bool) -> Bool {
    switch nulls {
    case .last: false
    case .first: true
    case .smallest: !descending
    case .largest: descending
    }
  }
}
