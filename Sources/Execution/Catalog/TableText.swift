import Columnar
import Planner
import Syntax

/// Tables and views as the statements that would make them.
enum TableText {
  /// One constraint as the catalog shows it.
  struct Constraint {
    var kind: String
    var text: String
    var name: String
    var columns: [Int]
    var expression: String?
    var referencedTable: String?
    var referencedColumns: [String] = []
  }

  static func create(_ view: ViewDefinition, _ key: CatalogState.Key, _ object: CatalogObject)
    -> String
  {
    let columns =
      view.columns.isEmpty
      ? "" : " (" + view.columns.map { Printer.quoted($0) }.joined(separator: ", ") + ")"
    return "CREATE \(temporary(key))VIEW \(name(key, object))\(columns) AS \(view.text);"
  }

  static func create(
    _ definition: TableDefinition, _ key: CatalogState.Key, _ object: CatalogObject
  ) -> String {
    let single = definition.keys.filter { $0.columns.count == 1 }
    var parts = definition.columns.enumerated().map { position, column -> String in
      var text = "\(Printer.quoted(column.name)) \(column.type)"
      if let generated = column.generated {
        return text + " GENERATED ALWAYS AS(\(Printer.sql(generated)))"
      }
      if let value = column.defaultValue { text += " DEFAULT(\(Printer.sql(value)))" }
      let keys = single.filter { $0.columns == [position] }
      let isPrimary = keys.contains { $0.kind == .primary }
      if column.isRequired, !isPrimary { text += " NOT NULL" }
      if isPrimary { text += " PRIMARY KEY" }
      if keys.contains(where: { $0.kind == .unique }) { text += " UNIQUE" }
      return text
    }
    for constraint in constraints(definition)
    where constraint.kind == "CHECK" || constraint.kind == "FOREIGN KEY"
      || constraint.kind != "NOT NULL" && constraint.columns.count > 1
    {
      parts.append(constraint.text)
    }
    return "CREATE \(temporary(key))TABLE \(name(key, object))(\(parts.joined(separator: ", ")));"
  }

  /// All that CREATE TABLE can say of a table, for its file.
  static func complete(_ definition: TableDefinition, _ file: CatalogFile) -> String {
    func list(_ columns: [Int]) -> String {
      "(" + columns.map { Printer.quoted(definition.columns[$0].name) }.joined(separator: ", ")
        + ")"
    }
    func named(_ name: String?) -> String {
      name.map { "CONSTRAINT \(Printer.quoted($0)) " } ?? ""
    }
    var parts = definition.columns.map { column -> String in
      var text = "\(Printer.quoted(column.name)) \(column.type)"
      if let collation = column.collation { text += " COLLATE \(Printer.quoted(collation))" }
      if let generated = column.generated {
        text += " GENERATED ALWAYS AS (\(Printer.sql(generated)))"
      }
      if let value = column.defaultValue { text += " DEFAULT (\(Printer.sql(value)))" }
      return column.isRequired ? text + " NOT NULL" : text
    }
    for key in definition.keys {
      switch key.kind {
      case .primary: parts.append(named(key.name) + "PRIMARY KEY " + list(key.columns))
      case .unique: parts.append(named(key.name) + "UNIQUE " + list(key.columns))
      case .index: break
      }
    }
    for check in definition.checks {
      parts.append(named(check.name) + "CHECK (\(Printer.sql(check.condition)))")
    }
    for key in definition.foreignKeys {
      parts.append(
        named(key.name) + "FOREIGN KEY \(list(key.columns)) REFERENCES "
          + CatalogRecords.qualified(key.schema, key.table, file) + " ("
          + key.referenced.map { Printer.quoted($0) }.joined(separator: ", ") + ")")
    }
    return "CREATE TABLE \(Printer.quoted(definition.name)) (\(parts.joined(separator: ", ")))"
  }

  private static func temporary(_ key: CatalogState.Key) -> String {
    key.schema == CatalogState.temporarySchema ? "TEMP " : ""
  }

  /// Qualified by its schema outside of main and temp.
  private static func name(_ key: CatalogState.Key, _ object: CatalogObject) -> String {
    qualified(object.name, in: key.schema)
  }

  /// A name as SQL, with its schema outside of main and temp.
  static func qualified(_ name: String, in schema: String) -> String {
    let own = Printer.quoted(name)
    if [CatalogState.mainSchema, CatalogState.temporarySchema].contains(schema) { return own }
    return schema.split(separator: ".").map { Printer.quoted(String($0)) }
      .joined(separator: ".") + "." + own
  }

  /// How many indexes a table has: its keys, and those of CREATE INDEX that are no keys.
  static func indexCount(
    _ definition: TableDefinition, _ key: CatalogState.Key, _ state: CatalogState
  ) -> Int {
    definition.keys.count + state.indexes(of: key).filter { !$0.index.isUnique }.count
  }

  static func constraints(_ definition: TableDefinition) -> [Constraint] {
    let table = definition.name
    func names(_ columns: [Int]) -> [String] { columns.map { definition.columns[$0].name } }
    func list(_ names: [String]) -> String {
      "(" + names.map { Printer.quoted($0) }.joined(separator: ", ") + ")"
    }
    func label(_ columns: [Int], _ ending: String) -> String {
      ([table] + names(columns) + [ending]).joined(separator: "_")
    }
    var result: [Constraint] = []
    for key in definition.keys {
      switch key.kind {
      case .primary:
        result.append(
          Constraint(
            kind: "PRIMARY KEY", text: "PRIMARY KEY" + list(names(key.columns)),
            name: key.name ?? label(key.columns, "pkey"), columns: key.columns))
      case .unique:
        result.append(
          Constraint(
            kind: "UNIQUE", text: "UNIQUE" + list(names(key.columns)),
            name: key.name ?? label(key.columns, "key"), columns: key.columns))
      case .index: break
      }
    }
    for check in definition.checks {
      let columns = columnPositions(check.condition, definition)
      let text = Printer.sql(check.condition)
      result.append(
        Constraint(
          kind: "CHECK", text: "CHECK(\(text))", name: check.name ?? label(columns, "check"),
          columns: columns, expression: text))
    }
    for key in definition.foreignKeys {
      result.append(
        Constraint(
          kind: "FOREIGN KEY",
          text: "FOREIGN KEY \(list(names(key.columns))) REFERENCES "
            + qualified(key.table, in: key.schema) + list(key.referenced),
          name: key.name ?? label(key.columns, (key.referenced + ["fkey"]).joined(separator: "_")),
          columns: key.columns, referencedTable: key.table, referencedColumns: key.referenced))
    }
    for (position, column) in definition.columns.enumerated() where column.isRequired {
      result.append(
        Constraint(
          kind: "NOT NULL", text: "NOT NULL", name: label([position], "not_null"),
          columns: [position]))
    }
    return result
  }

  /// The columns that an expression reads, in its order.
  private static func columnPositions(_ expression: SyntaxExpression, _ definition: TableDefinition)
    -> [Int]
  {
    var found: [Int] = []
    _ = try? SyntaxRewriter.rewrite(expression) { inner, _ in
      if case .column(let name) = inner.kind,
        let position = definition.position(of: name.last.name),
        !found.contains(position)
      {
        found.append(position)
      }
      return nil
    }
    return found
  }
}
