import Functions

/// What the catalog and the reference page say of a function that is no row of the tables of scalar and
/// aggregate functions: the binder knows it by name.
package struct FunctionNotes: Sendable {
  package let name: String
  package let aliases: [String]
  package let family: String
  package let summary: String
  package let forms: [FunctionForm]
  /// A query and its rows as text, columns by spaces, rows by a bar; run by a test.
  package let examples: [(sql: String, result: String)]

  init(
    _ name: String, aliases: [String] = [], family: String = "window", _ summary: String,
    _ forms: [FunctionForm],
    _ examples: [(sql: String, result: String)]
  ) {
    self.name = name
    self.aliases = aliases
    self.family = family
    self.summary = summary
    self.forms = forms
    self.examples = examples
  }
}

extension WindowFunction {
  package var notes: FunctionNotes {
    switch self {
    case .rowNumber:
      FunctionNotes(
        rawValue, "The row's number in its partition, from 1.", [FunctionForm(gives: "BIGINT")],
        [("SELECT x, row_number() OVER (ORDER BY x) FROM (VALUES (5), (7)) t(x)", "5 1 | 7 2")])
    case .rank:
      FunctionNotes(
        rawValue, "The row's place; equal rows share one and leave gaps behind them.",
        [FunctionForm(gives: "BIGINT")],
        [
          (
            "SELECT x, rank() OVER (ORDER BY x) FROM (VALUES (5), (5), (7)) t(x)",
            "5 1 | 5 1 | 7 3"
          )
        ])
    case .denseRank:
      FunctionNotes(
        rawValue,
        "The row's place; equal rows share one, and no number is left out.",
        [FunctionForm(gives: "BIGINT")],
        [
          (
            "SELECT x, dense_rank() OVER (ORDER BY x) FROM (VALUES (5), (5), (7)) t(x)",
            "5 1 | 5 1 | 7 2"
          )
        ])
    case .percentRank:
      FunctionNotes(
        rawValue, "The rank from 0 to 1: (rank - 1) / (rows - 1).", [FunctionForm(gives: "DOUBLE")],
        [
          (
            "SELECT x, percent_rank() OVER (ORDER BY x) FROM (VALUES (5), (6), (7)) t(x)",
            "5 0.0 | 6 0.5 | 7 1.0"
          )
        ])
    case .cumeDist:
      FunctionNotes(
        rawValue, "The share of rows that are not behind this one.",
        [FunctionForm(gives: "DOUBLE")],
        [("SELECT x, cume_dist() OVER (ORDER BY x) FROM (VALUES (5), (7)) t(x)", "5 0.5 | 7 1.0")])
    case .ntile:
      FunctionNotes(
        rawValue, "Which of n parts of nearly equal size the row is in, from 1.",
        [FunctionForm("BIGINT", gives: "BIGINT")],
        [
          (
            "SELECT x, ntile(2) OVER (ORDER BY x) FROM (VALUES (5), (6), (7)) t(x)",
            "5 1 | 6 1 | 7 2"
          )
        ])
    case .lag: shifted("The value of an earlier row", example: "5 NULL | 7 5")
    case .lead: shifted("The value of a later row", example: "5 7 | 7 NULL")
    case .firstValue:
      FunctionNotes(
        rawValue, aliases: ["first"], "The value of the first row of the frame.",
        [FunctionForm("ANY", gives: "ANY")],
        [("SELECT x, first_value(x) OVER (ORDER BY x) FROM (VALUES (5), (7)) t(x)", "5 5 | 7 5")])
    case .lastValue:
      FunctionNotes(
        rawValue, aliases: ["last"], "The value of the last row of the frame.",
        [FunctionForm("ANY", gives: "ANY")],
        [("SELECT x, last_value(x) OVER () FROM (VALUES (5), (7)) t(x)", "5 7 | 7 7")])
    case .nthValue:
      FunctionNotes(
        rawValue, "The value of the nth row of the frame, from 1; NULL where there is none.",
        [FunctionForm("ANY", "BIGINT", gives: "ANY")],
        [
          (
            "SELECT x, nth_value(x, 2) OVER (ORDER BY x) FROM (VALUES (5), (7)) t(x)",
            "5 NULL | 7 7"
          )
        ])
    case .fill:
      FunctionNotes(
        rawValue, "NULLs filled on the line between their neighbours by the ORDER BY key.",
        [FunctionForm("NUMERIC | DATE | TIMESTAMP", gives: "the argument's type")],
        [
          (
            "SELECT k, fill(v) OVER (ORDER BY k) FROM (VALUES (1, 10), (2, NULL), (3, 30)) t(k, v)",
            "1 10 | 2 20 | 3 30"
          )
        ])
    }
  }

  private func shifted(_ summary: String, example: String) -> FunctionNotes {
    FunctionNotes(
      rawValue, summary + ", by default the next one away, else NULL or the default given.",
      [
        FunctionForm("ANY", gives: "ANY"), FunctionForm("ANY", "BIGINT", gives: "ANY"),
        FunctionForm("ANY", "BIGINT", "ANY", gives: "ANY"),
      ],
      [("SELECT x, \(rawValue)(x) OVER (ORDER BY x) FROM (VALUES (5), (7)) t(x)", example)])
  }
}
