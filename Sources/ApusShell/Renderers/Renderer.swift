import Apus

/// Prints one result. Made for its columns, fed with its chunks, closed once.
/// A form that can stream writes in `write`; one that must measure first holds rows until `finish`.
protocol Renderer {
  mutating func write(_ chunk: ResultChunk)
  mutating func finish()
}

/// One way to print results, as a row of the table in `Renderers.swift`.
struct RendererDefinition: Sendable {
  let name: String
  let summary: String
  let make: @Sendable ([ResultColumn], RenderStyle, Output) -> any Renderer
}

/// What the user has set, and how wide the terminal is.
struct RenderStyle: Sendable {
  var showsHeaders = true
  /// How many rows a box shows; nil for all.
  var maximumRows: Int? = 40
  /// What NULL is printed as; nil leaves it to the form.
  var nullText: String?
  /// nil when the output is no terminal: then nothing is cut to its width.
  var terminalWidth: Int?
}

/// A column of a result, with what renderers ask of its type.
struct ResultColumn: Sendable {
  let name: String
  /// The SQL type in capitals: `DECIMAL(9,2)`, `INTEGER[]`.
  let type: String
  /// Whether its values are numbers: right-aligned in a box, without quotes in JSON.
  let isNumeric: Bool

  init(_ column: (name: String, type: String)) {
    name = column.name
    type = column.type
    isNumeric = !type.hasSuffix("]") && Self.numericTypes.contains(type.prefix { $0 != "(" })
  }

  private static let numericTypes: Set<Substring> = [
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
    "FLOAT", "REAL", "DOUBLE", "DECIMAL",
  ]
}
