/// A table as the file has it: the statement that makes it, and columns and constraints beside it
/// for people and for finding chunks.
package struct TableRecord: Sendable, Equatable {
  /// Never given to another table; 0 until the table is inserted.
  package var id: Int64
  package var schema: String
  package var name: String
  /// CREATE TABLE …, without the schema.
  package var sql: String
  /// The number of the next row added.
  package var nextRow: Int64
  package var rowCount: Int64
  /// The number of the next column added.
  package var nextColumn: Int64
  /// The commit that last changed the table or its rows.
  package var commit: Int64
  package var comment: String?

  package init(
    id: Int64 = 0, schema: String, name: String, sql: String, nextRow: Int64 = 0,
    rowCount: Int64 = 0, nextColumn: Int64 = 1, commit: Int64 = 0, comment: String? = nil
  ) {
    self.nextColumn = nextColumn
    self.commit = commit
    self.id = id
    self.schema = schema
    self.name = name
    self.sql = sql
    self.nextRow = nextRow
    self.rowCount = rowCount
    self.comment = comment
  }
}

/// A column of a table. Its number is the engine's choice, from 1, and is not used again in the same
/// table: chunks and the row delta are found by it, whatever the column is called by now.
package struct ColumnRecord: Sendable, Equatable {
  package var id: Int64
  package var name: String
  package var type: String
  package var defaultSQL: String?
  package var generatedSQL: String?
  package var isRequired: Bool
  package var collation: String?
  package var comment: String?

  package init(
    id: Int64, name: String, type: String, defaultSQL: String? = nil, generatedSQL: String? = nil,
    isRequired: Bool = false, collation: String? = nil, comment: String? = nil
  ) {
    self.id = id
    self.name = name
    self.type = type
    self.defaultSQL = defaultSQL
    self.generatedSQL = generatedSQL
    self.isRequired = isRequired
    self.collation = collation
    self.comment = comment
  }
}

/// A constraint of a table.
package struct ConstraintRecord: Sendable, Equatable {
  /// `primary key`, `unique`, `foreign key`, `check`.
  package var kind: String
  package var name: String?
  /// The columns' names, with commas.
  package var columns: String?
  package var sql: String

  package init(kind: String, name: String? = nil, columns: String? = nil, sql: String) {
    self.kind = kind
    self.name = name
    self.columns = columns
    self.sql = sql
  }
}

/// An object that the statement which makes it describes wholly.
package struct ObjectRecord: Sendable, Equatable {
  /// Which table of the file it is in.
  package enum Kind: String, Sendable, CaseIterable {
    case view = "views"
    case macro = "macros"
    case tableMacro = "table_macros"
    case type = "types"
    case index = "indexes"
    case sequence = "sequences"
  }

  package var kind: Kind
  package var schema: String
  package var name: String
  package var sql: String
  /// Under which the statement means what it means.
  package var searchPath: String?
  /// The object that takes it along when it is dropped.
  package var owner: String?
  package var comment: String?
  /// A JSON object of comments by the columns' names.
  package var columnComments: String?

  package init(
    kind: Kind, schema: String, name: String, sql: String, searchPath: String? = nil,
    owner: String? = nil, comment: String? = nil, columnComments: String? = nil
  ) {
    self.columnComments = columnComments
    self.kind = kind
    self.schema = schema
    self.name = name
    self.sql = sql
    self.searchPath = searchPath
    self.owner = owner
    self.comment = comment
  }
}

/// Where a sequence stands.
package struct SequenceStateRecord: Sendable, Equatable {
  package var schema: String
  package var name: String
  package var next: Int64
  /// nil before the first draw.
  package var last: Int64?
  package var isExhausted: Bool

  package init(schema: String, name: String, next: Int64, last: Int64?, isExhausted: Bool) {
    self.schema = schema
    self.name = name
    self.next = next
    self.last = last
    self.isExhausted = isExhausted
  }
}
