import Diagnostics
import Foundation
import Testing

@testable import Syntax

/// The error that parsing `sql` gives, nil where it parses.
func syntaxError(_ sql: String) -> SQLError? {
  do {
    _ = try Parser.parseScript(sql)
    return nil
  } catch {
    return error as? SQLError
  }
}

/// Prints the one statement in `sql`.
func printed(_ sql: String) throws -> String {
  Printer.sql(try Parser.parseStatement(sql).statement)
}

/// A small seeded generator, so that a failing mutation can be found again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Runs `body` on a thread with a stack of `bytes`, and waits for it.
func onStack(of bytes: Int, _ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  let thread = Thread {
    body()
    done.signal()
  }
  thread.stackSize = bytes
  thread.start()
  done.wait()
}
