import Diagnostics
import Execution

/// Bytes of an answer that must be whole before it is sent, on disk when they fill the memory.
package final class AnswerSpool {
  private let spool: ByteSpool

  init(_ spool: ByteSpool) { self.spool = spool }

  /// Takes over what is in `open`, once that is worth it or when all of it `isLast`.
  package func take(_ open: inout [UInt8], isLast: Bool = false) throws {
    do {
      try spool.take(&open, isLast: isLast)
    } catch let error as SQLError {
      throw DatabaseError(error, in: "")
    }
  }

  /// Gives all bytes, in order.
  package func forEach(_ body: ([UInt8]) -> Void) throws {
    do {
      try spool.forEach(body)
    } catch let error as SQLError {
      throw DatabaseError(error, in: "")
    }
  }
}
