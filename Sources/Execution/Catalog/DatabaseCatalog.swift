import Diagnostics
import Functions
import Synchronization

/// The newest state of one database, shared by its connections, and the functions that the
/// embedding program registered.
package final class DatabaseCatalog: Sendable {
  private let state = Mutex(CatalogState())
  private let functions = Mutex<[String: ScalarFunction]>([:])

  /// What all its statements together may hold.
  package let memory = MemoryBroker(limit: Settings.defaultMemoryLimit)

  package init() {}

  /// What a statement or transaction that begins now sees.
  var snapshot: CatalogState { state.withLock { $0 } }

  /// Publishes what was changed from `base` to `mine`, all or nothing.
  func commit(from base: CatalogState, to mine: CatalogState) throws {
    try state.withLock { newest in
      var next =
        newest.version == base.version
        ? mine.published : try newest.rebased(from: base, to: mine)
      next.version = newest.version + 1
      newest = next
    }
  }

  // MARK: Functions

  /// Makes a function known to all connections; an error when a built-in one has the name.
  package func register(_ function: ScalarFunction) throws {
    if ScalarFunctions.named(function.name) != nil || Aggregates.named(function.name) != nil {
      throw SQLError(.catalog, "function \"\(function.name)\" is built in and cannot be replaced")
    }
    functions.withLock { $0[function.name.lowercased()] = function }
  }

  func function(named name: String) -> ScalarFunction? {
    functions.withLock { $0[name.lowercased()] }
  }

  var functionNames: [String] { functions.withLock { $0.keys.sorted() } }
}
