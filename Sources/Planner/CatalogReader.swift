import Columnar
import Diagnostics
import Functions
import Syntax

/// What the binder asks about names. The session's catalog conforms.
package protocol CatalogReader: AnyObject {
  func entry(named name: String) -> CatalogEntry?
  /// Names of tables and views, for "did you mean".
  var tableNames: [String] { get }
  func model(named name: String) -> (any ModelDescription)?
  var modelNames: [String] { get }
  /// Functions registered by the embedding program.
  func userFunction(named name: String) -> ScalarFunction?
  var userFunctionNames: [String] { get }
  /// A source for the file(s) of a path or glob; the format comes from `format` or the extension.
  func openFile(
    _ path: String, format: String?, options: [(name: String, value: Value, type: LogicalType)]
  ) throws -> any TableSource
  /// Row providers for statements that are row sources.
  func trainProvider(
    _ statement: TrainModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?)
  func evaluateProvider(
    _ statement: EvaluateModel, input: (Query) throws -> (plan: Plan, names: [String])
  ) throws -> (provider: any RowProvider, input: Plan?)
  var integerDivision: Bool { get }
  /// Runs a bound query now: PIVOT finds its columns in the data.
  func rows(of query: BoundQuery) throws -> [[Value]]
}

package enum CatalogEntry: Sendable {
  case table(any TableSource)
  case view(query: Query, columns: [String], text: String)
}
