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
  /// The last epoch, where a clock or a person ended the training; and whether the version has the
  /// weights of the best epoch rather than what restore_best says.
  var ended: (epoch: Int, keepsBest: Bool)?

  /// With the options of the model as they are now: ALTER MODEL may change them.
  init(
    statement: TrainModel, of definition: ModelDefinition, start: Int?, rows: Int, hash: UInt64
  ) {
    sql = Self.text(of: statement, definition, start: start)
    self.start = start
    self.rows = rows
    self.hash = String(hash, radix: 16)
  }

  /// The statement with all options, going on from a version where one is named.
  static func text(
    of statement: TrainModel, _ definition: ModelDefinition, start: Int? = nil
  ) -> String {
    var kept = statement
    kept.versionName = nil
    let given = statement.options.map { $0.name.name.lowercased() }
    kept.options =
      definition.statement.options.filter { !given.contains($0.name.name.lowercased()) }
      + statement.options
    kept.start = start.map { .warm(.number($0)) } ?? .fresh
    return Printer.sql(.trainModel(kept))
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
    if let epoch = json["ended"]?.number.flatMap({ Int(exactly: $0) }) {
      if case .boolean(true)? = json["keeps_best"] {
        ended = (epoch, true)
      } else {
        ended = (epoch, false)
      }
    }
  }

  var json: ModelJSON {
    var members: [(key: String, value: ModelJSON)] = [
      ("sql", .text(sql)), ("rows", .number(Double(rows))), ("hash", .text(hash)),
    ]
    if let ended {
      members.append(("ended", .number(Double(ended.epoch))))
      members.append(("keeps_best", .boolean(ended.keepsBest)))
    }
    if let start { members.append(("start", .number(Double(start)))) }
    return .object(members)
  }
}
