import JSONReading

/// Reads one request of the protocol: a JSON object (RFC 8259, nothing laxer) whose key `sql` is a
/// string. Other keys are checked and forgotten; of a key given twice the last counts.
struct JSONRequest {
  /// Why a line is no request: one sentence for the answer.
  struct Mistake: Error {
    let message: String
  }

  let sql: String

  /// Half of a surrogate pair stands for nothing that UTF-8 can say: U+FFFD takes its place.
  private static let rules: JSONRules = {
    var rules = JSONRules.strict
    rules.allowsLoneSurrogates = true
    rules.maximumDepth = 256
    return rules
  }()

  init(_ line: ArraySlice<UInt8>) throws(Mistake) {
    let result = line.withUnsafeBufferPointer { bytes -> Result<String?, JSONMistake> in
      var tape = JSONTape()
      do throws(JSONMistake) {
        let root = try tape.read(bytes, JSONRequest.rules)
        return .success(JSONRequest.text(tape, root))
      } catch {
        return .failure(error)
      }
    }
    switch result {
    case .success(let sql?): self.sql = sql
    case .success(nil):
      throw Mistake(message: "the request has no string under the key \"sql\"")
    case .failure(let mistake):
      throw Mistake(
        message: "not a request: \(mistake.reason) at byte \(mistake.offset + 1)")
    }
  }

  private static func text(_ tape: borrowing JSONTape, _ root: Int) -> String? {
    guard tape[root].kind == .object else { return nil }
    var found: String?
    var key = root + 1
    for _ in 0..<tape[root].count {
      if tape.string(key) == "sql" {
        found = tape[key + 1].kind == .string ? tape.string(key + 1) : nil
      }
      key = Int(tape[key + 1].next)
    }
    return found
  }
}
