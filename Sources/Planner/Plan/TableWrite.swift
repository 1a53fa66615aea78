import Columnar

/// What a write does with the rows that its plan gives, and how they are laid out.
package struct TableWrite: Sendable {
  package enum Verb: String, Sendable {
    case insert = "Insert into"
    case update = "Update"
    case delete = "Delete from"
    /// A row with an `action`; rows to insert have no number.
    case merge = "Merge into"
  }

  /// The action of a row of `.merge`.
  package enum Action: Int, Sendable {
    case insert, update, delete
  }

  package var verb: Verb
  package var table: any StoredTable
  /// Where the input has the number of the row to change.
  package var rowNumber: Int?
  /// Where it has the `Action`'s number.
  package var action: Int?
  /// Where it has values: positions in the table, of consecutive columns from `firstValue` on.
  package var columns: [Int] = []
  package var firstValue = 0
  /// Positions in the table that an update writes.
  package var changed: Set<Int> = []
  /// BOOLEAN columns that must not be false, and the condition each stands for.
  package var checks: [(input: Int, text: String)] = []
  /// Whether the rows written are given (RETURNING), or only how many they are.
  package var returnsRows = false
  /// The same row must not come twice (MERGE).
  package var refusesRepeats = false

  package init(verb: Verb, table: any StoredTable) {
    self.verb = verb
    self.table = table
  }

  /// What the write gives: the table's columns, the row's number where rows are changed, and the
  /// action's name where there are several; or the number of rows.
  package var outputFields: [Field] {
    if !returnsRows { return [Field("Count", .bigint)] }
    var fields = table.definition.fields
    if rowNumber != nil { fields.append(Field("rowid", .bigint)) }
    if action != nil { fields.append(Field("merge_action", .varchar)) }
    return fields
  }
}

/// Rows to insert, looked up by their keys before they are written (ON CONFLICT). Gives the number
/// of the row each is in conflict with (NULL for none), that row's columns, and the row's own. Of
/// input rows that share a key the first counts.
package struct ConflictLookup: Sendable {
  package var table: any StoredTable
  /// Which of the table's keys.
  package var keys: [Int]

  package init(table: any StoredTable, keys: [Int]) {
    self.table = table
    self.keys = keys
  }

  package var outputFields: [Field] {
    [Field("rowid", .bigint)] + table.definition.fields + table.definition.fields
  }
}
