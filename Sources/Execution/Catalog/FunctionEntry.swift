import Functions
import Planner

/// One function of any of the tables: what `apus_functions()` lists and docs/reference/functions.md
/// describes.
package struct FunctionEntry: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case scalar, aggregate, macro, window, table
  }

  package let name: String
  package let aliases: [String]
  package let kind: Kind
  /// What it is about: string, date, list …
  package let family: String
  package let summary: String
  package let forms: [FunctionForm]
  /// A word on NULL arguments.
  package let nulls: String?
  package let isVolatile: Bool
  /// Expressions of scalar functions and aggregates, queries of the others; the result where the table
  /// has it.
  package let examples: [(sql: String, result: String?)]

  package var names: [String] { [name] + aliases }
  /// Whether the examples are queries, not expressions.
  package var isForm: Bool { examples.contains { $0.sql.hasPrefix("SELECT ") } }
  package var isOperator: Bool { family == "operator" }

  package static let all: [FunctionEntry] =
    scalars + macros + aggregates + windows + Binder.namedForms.map { FunctionEntry($0, .scalar) }
    + Binder.tableForms.map { FunctionEntry($0, .table) } + tables + session

  private static let scalars = ScalarFunctions.all.map { function in
    FunctionEntry(
      name: function.name, aliases: function.aliases, kind: .scalar, family: function.category,
      summary: function.summary, forms: function.allForms, nulls: nulls(of: function),
      isVolatile: function.isVolatile, examples: function.examples.map { ($0.sql, $0.result) })
  }

  private static let macros =
    DefaultMacros.rows.map { FunctionEntry($0, .macro, gives: "what its body gives") }
    + DefaultMacros.tableRows.map { FunctionEntry($0, .table, gives: "rows") }

  private init(_ macro: DefaultMacro, _ kind: Kind, gives result: String) {
    self.init(
      name: macro.name, aliases: [], kind: kind, family: macro.family, summary: macro.summary,
      forms: macro.parameters.map { parameters in
        FunctionForm(parameters: parameters.map { _ in "ANY" }, variadic: nil, result: result)
      }, nulls: nil, isVolatile: false,
      examples: macro.examples.map { ($0.sql, kind == .table ? nil : $0.result) })
  }

  private static let aggregates = Aggregates.all.map { function in
    FunctionEntry(
      name: function.name, aliases: function.aliases, kind: .aggregate, family: "aggregate",
      summary: function.summary, forms: function.allForms, nulls: nil, isVolatile: false,
      examples: function.examples.map { ($0.sql, $0.result) })
  }

  private static let windows = WindowFunction.allCases.map { FunctionEntry($0.notes, .window) }

  private static let tables = (TableFunctions.rows + CatalogFunctions.definitions).map { function in
    FunctionEntry(
      name: function.name, aliases: function.aliases, kind: .table,
      family: function.name.hasPrefix("apus_") || function.name.hasPrefix("pragma_")
        ? "catalog" : "table",
      summary: sentence(function.summary),
      forms: function.forms.isEmpty ? [FunctionForm(gives: "rows")] : function.forms, nulls: nil,
      isVolatile: false, examples: [(function.example, nil)])
  }

  private static let session = SessionFunctions.rows.map { function in
    FunctionEntry(
      name: function.name, aliases: function.aliases, kind: .scalar, family: "session",
      summary: sentence(function.summary), forms: function.forms, nulls: nil,
      isVolatile: function.name == "nextval", examples: [])
  }

  private init(_ notes: FunctionNotes, _ kind: Kind) {
    self.init(
      name: notes.name, aliases: notes.aliases, kind: kind,
      family: kind == .window ? "window" : kind == .table ? "table" : notes.family,
      summary: notes.summary, forms: notes.forms, nulls: nil, isVolatile: false,
      examples: notes.examples.map { ($0.sql, $0.result) })
  }

  private init(
    name: String, aliases: [String], kind: Kind, family: String, summary: String,
    forms: [FunctionForm], nulls: String?, isVolatile: Bool,
    examples: [(sql: String, result: String?)]
  ) {
    self.name = name
    self.aliases = aliases
    self.kind = kind
    self.family = family
    self.summary = summary
    self.forms = forms
    self.nulls = nulls
    self.isVolatile = isVolatile
    self.examples = examples
  }

  private static func nulls(of function: ScalarFunction) -> String? {
    let rules = function.overloads.filter { !$0.parameters.isEmpty || $0.variadic != nil }
    if rules.isEmpty { return nil }
    if rules.allSatisfy({ $0.nullRule == .propagates }) { return nil }
    return rules.contains { $0.nullRule == .propagates }
      ? "Some of its forms take NULL as a value." : "NULL arguments do not make the result NULL."
  }

  /// Summaries of tables that are not sentences begin small and end without a stop.
  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }
}
