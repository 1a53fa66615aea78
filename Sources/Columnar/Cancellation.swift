import Diagnostics
import Synchronization

/// Whether the statement that runs here is to end. Operators ask once a batch; kernels that may work
/// long on a single batch or value (a list of millions, a pattern over megabytes) ask as they go.
package final class Cancellation: Sendable {
  @usableFromInline let requested = Atomic<Bool>(false)

  /// Where no statement runs: nobody cancels it.
  package static let never = Cancellation()

  package init() {}

  /// Safe from any thread.
  package func request() { requested.store(true, ordering: .relaxed) }

  @inlinable package var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// Throws `.interrupted` once it was requested. A load and a branch.
  @inlinable
  package func check() throws {
    if isRequested { throw Cancellation.interrupted() }
  }

  /// That of the statement that runs here: kept by a kernel for its loops.
  package static var current: Cancellation { SessionTime.current.cancellation }

  @usableFromInline
  static func interrupted() -> SQLError {
    SQLError(.interrupted, "the query was cancelled")
  }
}
