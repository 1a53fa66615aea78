import Syntax

/// What it takes to train a version again, and to know that the data is the same.
struct TrainingReceipt: Sendable {
  /// TRAIN MODEL …
  var sql: String
  /// The version that it went on from.
  var start: Int?
  var rows: Int
  /// Of all that was read: see `TrainingReader`.
  var hash: String

  init(statement: TrainModel, start: Int?, rows: Int, hash: UInt64) {
    var kept = statement
    kept.versionName = nil
    if let start { kept.start = .warm(.number(start)) }
    sql = Printer.sql(.trainModel(kept))
    self.start = start
    self.rows = rows
    self.hash = String(hash, radix: 16)
  }

  /// Nil for what `json` did not make.
  init?(_ json: ModelJSON) {
    guard let sql = json["sql"]?.text,
      let rows = json["rows"]?.number.flatMap({ Int(exactly: $0) }),
      let hash = json["hash"]?.text
    else { return nil }
    self.sql = sql
    self.rows = rows
    self.hash = hash
    start = json["start"]?.number.flatMap { Int(exactly: $0) }
  }

  var json: ModelJSON {
    var members: [(key: String, value: ModelJSON)] = [
      ("sql", .text(sql)), ("rows", .number(Double(rows))), ("hash", .text(hash)),
    ]
    if let start { members.append(("start", .number(Double(start)))) }
    return .object(members)
  }
}
