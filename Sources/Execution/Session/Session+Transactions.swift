import Diagnostics
import Functions
import Planner
import Syntax

/// What a session knows of the transaction that is open.
struct OpenTransaction {
  /// What was there at BEGIN.
  var base: CatalogState
  var isReadOnly: Bool
  /// What `now()` gives in it.
  let start = Clock.now()
  /// A statement failed: nothing but an end is accepted.
  var isAborted = false
  /// By lower-case name, the newest last.
  var savepoints: [(name: String, state: CatalogState)] = []
}

extension Statement {
  /// Whether an aborted transaction takes the statement.
  var endsTransaction: Bool {
    guard case .transaction(let statement) = self else { return false }
    switch statement {
    case .commit, .rollback, .rollbackTo: return true
    case .begin, .savepoint, .release: return false
    }
  }
}

extension Session {
  func run(_ statement: TransactionStatement) throws -> StatementResult {
    stateChanges &+= 1
    switch statement {
    case .begin(let isReadOnly):
      if transaction != nil {
        throw SQLError(.transaction, "cannot start a transaction within a transaction")
      }
      transaction = OpenTransaction(base: state, isReadOnly: isReadOnly)
    case .commit:
      let open = try current("commit")
      transaction = nil
      if open.isAborted {
        state = open.base
      } else {
        do {
          try commit(from: open.base)
        } catch {
          state = open.base
          throw error
        }
      }
    case .rollback:
      state = try current("rollback").base
      transaction = nil
    case .savepoint(let name):
      _ = try current("set a savepoint")
      transaction?.savepoints.append((name.name.lowercased(), state))
    case .release(let name):
      let position = try savepoint(name)
      transaction?.savepoints.removeSubrange(position...)
    case .rollbackTo(let name):
      let position = try savepoint(name)
      if let saved = transaction?.savepoints[position].state { state = saved }
      transaction?.savepoints.removeSubrange((position + 1)...)
      transaction?.isAborted = false
    }
    return .none
  }

  private func current(_ verb: String) throws -> OpenTransaction {
    if let transaction { return transaction }
    throw SQLError(.transaction, "cannot \(verb) - no transaction is active")
  }

  private func savepoint(_ name: Identifier) throws -> Int {
    let points = try current("use a savepoint").savepoints
    if let position = points.lastIndex(where: { $0.name == name.name.lowercased() }) {
      return position
    }
    throw SQLError(
      .transaction, "savepoint \"\(name.name)\" does not exist", at: name.span,
      hint: didYouMean(name.name, among: points.map(\.name)))
  }
}
