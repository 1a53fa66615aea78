import Columnar
import Diagnostics
import Syntax

/// What CREATE TABLE and ALTER TABLE say about a table: its columns and what their rows must keep.
package struct TableDefinition: Sendable {
  package struct Column: Sendable {
    package var name: String
    package var type: LogicalType
    /// DEFAULT: bound anew for each INSERT.
    package var defaultValue: SyntaxExpression?
    /// GENERATED ALWAYS AS: computed when a row is written.
    package var generated: SyntaxExpression?
    /// NOT NULL.
    package var isRequired = false
    package var collation: String?

    package init(name: String, type: LogicalType) {
      self.name = name
      self.type = type
    }
  }

  package struct Check: Sendable {
    package var name: String?
    package var condition: SyntaxExpression

    package init(name: String?, condition: SyntaxExpression) {
      self.name = name
      self.condition = condition
    }
  }

  /// Columns whose values no two rows share.
  package struct Key: Sendable {
    package enum Kind: Sendable, Equatable {
      case primary, unique
      /// CREATE UNIQUE INDEX of this name.
      case index(String)
    }
    package var kind: Kind
    package var name: String?
    package var columns: [Int]

    package init(kind: Kind, name: String?, columns: [Int]) {
      self.kind = kind
      self.name = name
      self.columns = columns
    }
  }

  package struct ForeignKey: Sendable {
    package var name: String?
    package var columns: [Int]
    package var schema: String
    package var table: String
    /// By name, in the order of `columns`.
    package var referenced: [String]

    package init(
      name: String?, columns: [Int], schema: String, table: String, referenced: [String]
    ) {
      self.name = name
      self.columns = columns
      self.schema = schema
      self.table = table
      self.referenced = referenced
    }
  }

  package var name: String
  package var columns: [Column]
  package var checks: [Check] = []
  /// In the order of the table's indexes.
  package var keys: [Key] = []
  package var foreignKeys: [ForeignKey] = []
  /// Columns of CREATE INDEX without UNIQUE, by the index's name.
  package var indexes: [(name: String, columns: [Int])] = []

  /// Columns by which rows are found without a scan.
  package var lookupColumns: [[Int]] { keys.map(\.columns) + indexes.map(\.columns) }

  package init(name: String, columns: [Column]) {
    self.name = name
    self.columns = columns
  }

  package var fields: [Field] { columns.map { Field($0.name, $0.type) } }

  package func position(of name: String) -> Int? {
    let wanted = name.lowercased()
    return columns.firstIndex { $0.name.isName(lowercased: wanted) }
  }

  /// A column by name; an error that names the table otherwise.
  package func column(_ name: Identifier) throws -> Int {
    if let position = position(of: name.name) { return position }
    throw SQLError(
      .binder, "table \"\(self.name)\" has no column \"\(name.name)\"", at: name.span,
      hint: didYouMean(name.name, among: columns.map(\.name)))
  }

  /// Columns that must be known together when one of them changes: those of keys and foreign keys.
  package func keyColumns(touchedBy changed: Set<Int>) -> Set<Int> {
    var result: Set<Int> = []
    for group in keys.map(\.columns) + foreignKeys.map(\.columns)
    where !changed.isDisjoint(with: group) {
      result.formUnion(group)
    }
    return result
  }
}

/// A table that statements can write to.
package protocol StoredTable: TableSource {
  var definition: TableDefinition { get }
  var hasRowNumbers: Bool { get }
}

extension StoredTable {
  package var hasRowNumbers: Bool { true }

  /// The position in a scan that gives the rows' numbers.
  package var rowNumberPosition: Int { definition.columns.count }
}
