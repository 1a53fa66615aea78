import Diagnostics
import Storage
import Synchronization
import Syntax

/// A source of numbers. What was drawn is gone, also when the transaction is rolled back: so its
/// state is an object that every version of the catalog shares.
final class NumberSequence: Sendable {
  struct State: Sendable {
    var next: Int64
    /// nil until the first draw.
    var last: Int64?
    /// Whether the draw after the last one would pass the end.
    var isExhausted = false
  }

  let name: String
  let start: Int64
  let increment: Int64
  let minimum: Int64
  let maximum: Int64
  let isCycle: Bool
  private let state: Mutex<State>
  /// Where other processes draw from it too; nil while it is only in memory.
  private let place = Mutex<SequencePlace?>(nil)

  init(_ create: CreateSequence) throws {
    name = create.name.last.name
    increment = Int64(create.increment ?? 1)
    let span = create.name.span
    if increment == 0 { throw SQLError(.syntax, "INCREMENT must not be 0", at: span) }
    minimum = Int64(create.minimum ?? (increment > 0 ? 1 : Int(Int64.min)))
    maximum = Int64(create.maximum ?? (increment > 0 ? Int(Int64.max) : -1))
    if minimum >= maximum {
      throw SQLError(
        .syntax, "MINVALUE (\(minimum)) must be less than MAXVALUE (\(maximum))", at: span)
    }
    start = Int64(create.start ?? Int(increment > 0 ? minimum : maximum))
    if start < minimum {
      throw SQLError(
        .syntax, "START value (\(start)) cannot be less than MINVALUE (\(minimum))", at: span)
    }
    if start > maximum {
      throw SQLError(
        .syntax, "START value (\(start)) cannot be greater than MAXVALUE (\(maximum))", at: span)
    }
    isCycle = create.isCycle
    state = Mutex(State(next: start))
  }

  var current: State { state.withLock { $0 } }

  /// Draws `count` numbers.
  func draw(_ count: Int) throws -> [Int64] {
    try change { state in
      var numbers: [Int64] = []
      numbers.reserveCapacity(count)
      for _ in 0..<count {
        if state.isExhausted {
          let end = increment > 0 ? maximum : minimum
          throw SQLError(
            .outOfRange,
            "nextval: reached \(increment > 0 ? "maximum" : "minimum") value of sequence \"\(name)\" (\(end))"
          )
        }
        numbers.append(state.next)
        state.last = state.next
        advance(&state)
      }
      return numbers
    }
  }

  private func advance(_ state: inout State) {
    let (sum, overflow) = state.next.addingReportingOverflow(increment)
    if !overflow, sum >= minimum, sum <= maximum {
      state.next = sum
    } else if isCycle {
      state.next = increment > 0 ? minimum : maximum
    } else {
      state.isExhausted = true
    }
  }

  /// The last number drawn, of any connection.
  func currentValue() throws -> Int64 {
    guard let last = current.last else {
      throw SQLError(
        .invalidInput, "currval: sequence \"\(name)\" has not given a number yet",
        hint: "SELECT nextval('\(name)')")
    }
    return last
  }

  /// Goes on behind `value`, or with it where it does not count as drawn.
  func set(_ value: Int64, isDrawn: Bool) throws {
    guard value >= minimum, value <= maximum else {
      throw SQLError(
        .outOfRange,
        "setval: \(value) is outside sequence \"\(name)\" (\(minimum) to \(maximum))")
    }
    try change { state in
      state = State(next: value, last: isDrawn ? value : state.last)
      if isDrawn { advance(&state) }
    }
  }

  /// CREATE SEQUENCE … as it would go on now.
  var sql: String { sql(named: Printer.quoted(name)) }

  /// The same under a name that is SQL already.
  func sql(named name: String) -> String { text(name, start: current.next) + ";" }

  /// CREATE SEQUENCE … as it was made.
  var definitionText: String { text(Printer.quoted(name), start: start) }

  private func text(_ name: String, start: Int64) -> String {
    "CREATE SEQUENCE \(name) INCREMENT BY \(increment) MINVALUE \(minimum) "
      + "MAXVALUE \(maximum) START \(start) \(isCycle ? "CYCLE" : "NO CYCLE")"
  }

  // MARK: In a file

  func isStored(at place: SequencePlace) -> Bool {
    self.place.withLock { $0?.isSame(as: place) ?? false }
  }

  /// From now on the file has the state.
  func store(at place: SequencePlace) { self.place.withLock { $0 = place } }

  /// What another process, or the last one, has left in the file.
  func read(_ record: SequenceStateRecord) {
    state.withLock {
      $0 = State(next: record.next, last: record.last, isExhausted: record.isExhausted)
    }
  }

  func record(at place: SequencePlace) -> SequenceStateRecord {
    let now = current
    return SequenceStateRecord(
      schema: place.schema, name: place.name, next: now.next, last: now.last,
      isExhausted: now.isExhausted)
  }

  /// Changes the state, in the file first where it is in one: nobody else draws meanwhile.
  private func change<Result: Sendable>(_ body: (inout State) throws -> Result) throws -> Result {
    guard let place = place.withLock({ $0 }) else { return try state.withLock { try body(&$0) } }
    let (now, result) = try place.file.changeSequence(schema: place.schema, name: place.name) {
      record in
      var now = State(next: record.next, last: record.last, isExhausted: record.isExhausted)
      let result = try body(&now)
      record.next = now.next
      record.last = now.last
      record.isExhausted = now.isExhausted
      return (now, result)
    }
    state.withLock { $0 = now }
    return result
  }
}

/// The row of a file where a sequence's state is.
struct SequencePlace: Sendable {
  let file: DatabaseFile
  let schema: String
  let name: String

  func isSame(as other: SequencePlace) -> Bool {
    file === other.file && schema == other.schema && name == other.name
  }
}
