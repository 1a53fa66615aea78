import Columnar
import Diagnostics
import Formats
import Planner
import Syntax

// What the binder asks besides tables and models.
extension StatementCatalog {
  /// The schema that new objects go to.
  var currentSchema: String { searchPath.first ?? CatalogState.mainSchema }

  var defaultOrder: DefaultOrder { settings.defaultOrder }

  func entry(named name: QualifiedName) throws -> CatalogEntry? {
    // `FROM a.parquet`, unless there is a schema a.
    let written = name.parts.map(\.name).joined(separator: ".")
    var failure: (any Error)?
    do {
      if let (_, object) = try find(.relation, name) {
        switch object.item {
        case .table(let table): return .table(table)
        case .foreign(let table): return .table(table)
        case .view(let view):
          return .view(query: view.query, columns: view.columns, searchPath: view.searchPath)
        case .schema, .model, .sequence, .type, .macro, .index, .setting: return nil
        }
      }
    } catch { failure = error }
    if let view = try SystemViews.entry(for: name) { return view }
    // A replacement scan: a name that is a path of a known format.
    if written.contains("."), let format = try? FileFormats.find(nil, path: written),
      let paths = try? FileGlob.expand(written), let source = try? format.read(paths, [])
    {
      return .table(source)
    }
    if let failure { throw failure }
    return nil
  }

  func type(named name: QualifiedName) throws -> LogicalType? {
    if case .type(let type)? = try find(.type, name)?.object.item { return type }
    return nil
  }

  var typeNames: [String] { state.names(.type) }

  func macro(named name: QualifiedName, isTable: Bool) -> MacroEntry? {
    // A dotted name may be a method chain: what is no schema is no mistake here.
    guard let found = try? find(isTable ? .tableMacro : .macro, name),
      case .macro(let entry) = found.object.item
    else { return DefaultMacros.named(name, isTable: isTable) }
    return entry
  }

  var macroNames: [String] {
    state.names(.macro) + state.names(.tableMacro) + DefaultMacros.allNames
  }

  func sessionCall(_ name: String, _ arguments: [Expression], span: SourceSpan) throws
    -> Expression?
  {
    guard let function = SessionFunctions.named(name) else { return nil }
    isReusable = false
    if !function.argumentCount.contains(arguments.count) {
      let bounds = function.argumentCount
      let count =
        bounds.lowerBound == bounds.upperBound
        ? "\(bounds.lowerBound)" : "\(bounds.lowerBound) to \(bounds.upperBound)"
      throw SQLError(
        .binder, "\(name) takes \(count) arguments, not \(arguments.count)", at: span)
    }
    let call = SessionCall(function: name, arguments: arguments, catalog: self, span: span)
    do {
      return try function.bind(call)
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
  }

  func rows(of statement: Statement, bind: (Query) throws -> BoundQuery) throws
    -> (any TableSource)?
  {
    switch statement {
    case .describe(let describe): return try rows(of: describe, bind: bind)
    case .show(let show): return try rows(of: show, bind: bind)
    default: return nil
    }
  }

  var sessionFunctionNames: [String] { SessionFunctions.allNames }
}
