import Diagnostics
import Planner
import Syntax

/// What PRAGMA does besides settings (`PRAGMA x = y`) and table functions (`PRAGMA f(…)`).
struct PragmaDefinition: Sendable {
  let name: String
  let summary: String
  let run: @Sendable (Session) throws -> StatementResult
}

enum Pragmas {
  static let rows: [PragmaDefinition] = [
    show("functions", "the functions", "FROM apus_functions()"),
    show("show_databases", "the databases", "SHOW DATABASES"),
    show("show_tables", "the tables", "SHOW TABLES"),
    show("show_tables_expanded", "the tables with their columns", "SHOW ALL TABLES"),
  ]

  /// Of other engines: accepted, nothing to do.
  static let withoutEffect: Set<String> = [
    "disable_checkpoint_on_shutdown", "disable_object_cache", "disable_optimizer",
    "disable_print_progress_bar", "disable_profile", "disable_profiling", "disable_progress_bar",
    "disable_verification", "disable_verify_external", "disable_verify_fetch_row",
    "disable_verify_parallelism", "disable_verify_serializer", "enable_checkpoint_on_shutdown",
    "enable_object_cache", "enable_optimizer", "enable_print_progress_bar", "enable_profile",
    "enable_profiling", "enable_progress_bar", "enable_verification", "force_checkpoint",
    "verify_external", "verify_fetch_row", "verify_parallelism", "verify_serializer",
  ]

  private static func show(_ name: String, _ summary: String, _ sql: String) -> PragmaDefinition {
    PragmaDefinition(name: name, summary: summary) {
      try $0.run(try Parser.parseStatement(sql).statement)
    }
  }

  static var allNames: [String] {
    rows.map(\.name) + withoutEffect.sorted()
      + CatalogFunctions.allNames.compactMap { name in
        name.hasPrefix("pragma_") ? String(name.dropFirst("pragma_".count)) : nil
      } + Setting.rows.map(\.name)
  }
}

extension Session {
  func run(_ pragma: Pragma) throws -> StatementResult {
    let name = pragma.name.last.name.lowercased()
    switch pragma.argument {
    case .value(let value):
      if Pragmas.withoutEffect.contains(name) { return .none }
      if CatalogFunctions.named("pragma_\(name)") != nil {
        throw SQLError(
          .binder, "pragma \"\(name)\" is no setting", at: pragma.name.span,
          hint: "PRAGMA \(name)(…)")
      }
      try apply(pragma.name, text: try settingText(value))
      return .none
    case .none:
      if Pragmas.withoutEffect.contains(name) { return .none }
      if let row = Pragmas.rows.first(where: { $0.name == name }) { return try row.run(self) }
      if CatalogFunctions.named("pragma_\(name)") != nil {
        return try call(pragma.name, "pragma_\(name)", [])
      }
      if let setting = Setting.named(name) {
        return try table([setting.name], [[setting.read(settings)]])
      }
    case .call(let arguments):
      if name == "show", arguments.count == 1 {
        let text = try settingText(arguments[0])
        let table = try QualifiedName.parsing(text, span: arguments[0].span)
        return try run(Describe(target: .table(table)))
      }
      if Pragmas.withoutEffect.contains(name) { return .none }
      if CatalogFunctions.named("pragma_\(name)") != nil {
        // A bare word is a name: PRAGMA table_info(t).
        let values = arguments.map { argument -> SyntaxExpression in
          guard case .column(let word) = argument.kind else { return argument }
          return SyntaxExpression(
            .literal(.string(word.parts.map { Printer.quoted($0.name) }.joined(separator: "."))),
            span: argument.span)
        }
        return try call(pragma.name, "pragma_\(name)", values)
      }
      if let row = Pragmas.rows.first(where: { $0.name == name }), arguments.isEmpty {
        return try row.run(self)
      }
    }
    throw SQLError(
      .catalog, "pragma \"\(pragma.name.last.name)\" does not exist", at: pragma.name.span,
      hint: didYouMean(name, among: Pragmas.allNames))
  }

  private func call(_ name: QualifiedName, _ function: String, _ arguments: [SyntaxExpression])
    throws -> StatementResult
  {
    let identifier = Identifier(name: function, span: name.span)
    return try rows(
      try binder().bindCall(
        FunctionCall(
          name: QualifiedName(identifier), arguments: arguments.map { Argument($0) })))
  }
}
