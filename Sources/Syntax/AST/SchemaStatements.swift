import Diagnostics

/// What stands between CREATE and the name.
package struct CreateHeader: Sendable {
  package var isOrReplace = false
  package var isTemporary = false
  package var isIfNotExists = false
}

/// CREATE TABLE, by columns or AS query.
package struct CreateTable: Sendable {
  package enum Content: Sendable {
    case columns([ColumnDefinition], constraints: [TableConstraint])
    /// `columns` renames the query's; `hasData` is false for WITH NO DATA
    case query(Query, columns: [Identifier], hasData: Bool)
  }
  package var header: CreateHeader
  package var name: QualifiedName
  package var content: Content
}

/// `name type constraint …`.
package struct ColumnDefinition: Sendable {
  package var name: Identifier
  /// nil for a generated column without a type
  package var type: TypeName?
  package var constraints: [ColumnConstraint]
  package var span: SourceSpan
}

/// A constraint written with its column.
package enum ColumnConstraint: Sendable {
  case notNull
  case null
  case primaryKey
  case unique
  case defaultValue(SyntaxExpression)
  case check(SyntaxExpression)
  case references(ForeignReference)
  case generated(SyntaxExpression, isStored: Bool)
  case collate(QualifiedName)
}

/// `REFERENCES table (columns)`.
package struct ForeignReference: Sendable {
  package var table: QualifiedName
  package var columns: [Identifier]
}

/// A constraint of the whole table.
package struct TableConstraint: Sendable {
  package enum Kind: Sendable {
    case primaryKey([Identifier])
    case unique([Identifier])
    case check(SyntaxExpression)
    case foreignKey([Identifier], ForeignReference)
  }
  package var name: Identifier?
  package var kind: Kind
  package var span: SourceSpan
}

/// CREATE VIEW.
package struct CreateView: Sendable {
  package var header: CreateHeader
  package var name: QualifiedName
  package var columns: [Identifier]
  package var query: Query
}

/// CREATE SCHEMA.
package struct CreateSchema: Sendable {
  package var header: CreateHeader
  package var name: QualifiedName
}

/// CREATE TYPE name AS type.
package struct CreateType: Sendable {
  package var header: CreateHeader
  package var name: QualifiedName
  package var type: TypeName
  /// `AS ENUM (SELECT …)`: the values are the query's rows, and `type` has none
  package var enumQuery: Query?
}

/// CREATE SEQUENCE name [START n] [INCREMENT n] [MINVALUE n] [MAXVALUE n] [CYCLE].
package struct CreateSequence: Sendable {
  package var header: CreateHeader
  package var name: QualifiedName
  package var start: Int?
  package var increment: Int?
  package var minimum: Int?
  package var maximum: Int?
  package var isCycle: Bool
}

/// ALTER SEQUENCE name OWNED BY table: dropped with it.
package struct AlterSequence: Sendable {
  package var ifExists: Bool
  package var name: QualifiedName
  package var owner: QualifiedName
}

/// CREATE [UNIQUE] INDEX.
package struct CreateIndex: Sendable {
  package var header: CreateHeader
  package var isUnique: Bool
  package var name: Identifier?
  package var table: QualifiedName
  package var expressions: [SyntaxExpression]
}

/// CREATE MACRO (or FUNCTION) name (parameters) AS expression | TABLE query, (parameters) AS …
package struct CreateMacro: Sendable {
  package var header: CreateHeader
  package var name: QualifiedName
  /// At least one; all scalar or all tables.
  package var definitions: [MacroDefinition]
}

/// One `(parameters) AS body` of a macro: the number of arguments chooses among several.
package struct MacroDefinition: Sendable {
  package enum Body: Sendable {
    case expression(SyntaxExpression)
    case table(Query)
  }
  package var parameters: [MacroParameter]
  package var body: Body

  /// The parameters' types: no two definitions of a macro have the same.
  package var signature: [String] {
    parameters.map { $0.type.map { Printer.sql($0).lowercased() } ?? "" }
  }

  package var isTable: Bool {
    switch body {
    case .expression: false
    case .table: true
    }
  }
}

/// `name [type]` or `name [type] := value`.
package struct MacroParameter: Sendable {
  package var name: Identifier
  package var type: TypeName?
  package var defaultValue: SyntaxExpression?
}

/// COMMENT ON kind name IS 'text' | NULL.
package struct CommentOn: Sendable {
  package enum Target: String, CaseIterable, Sendable {
    case table = "TABLE"
    case view = "VIEW"
    case column = "COLUMN"
    case index = "INDEX"
    case sequence = "SEQUENCE"
    case type = "TYPE"
    case macro = "MACRO"
    case tableMacro = "MACRO TABLE"
    case schema = "SCHEMA"
    case database = "DATABASE"
    case model = "MODEL"
  }
  package var target: Target
  package var name: QualifiedName
  /// nil for NULL: no comment
  package var text: String?
}

/// ALTER TABLE or ALTER VIEW.
package struct AlterTable: Sendable {
  package enum Action: Sendable {
    case renameTable(to: Identifier)
    case renameColumn(Identifier, to: Identifier)
    case addColumn(ColumnDefinition, ifNotExists: Bool)
    case dropColumn(Identifier, ifExists: Bool, isCascade: Bool)
    case setType(Identifier, TypeName, using: SyntaxExpression?)
    case setDefault(Identifier, SyntaxExpression)
    case dropDefault(Identifier)
    case setNotNull(Identifier)
    case dropNotNull(Identifier)
    case addConstraint(TableConstraint)
  }
  package var isView: Bool
  package var ifExists: Bool
  package var name: QualifiedName
  package var action: Action
}

/// DROP of anything but a model.
package struct Drop: Sendable {
  package enum Target: String, CaseIterable, Sendable {
    case table = "TABLE"
    case view = "VIEW"
    case schema = "SCHEMA"
    case index = "INDEX"
    case sequence = "SEQUENCE"
    case type = "TYPE"
    case macro = "MACRO"
    case tableMacro = "MACRO TABLE"
  }
  package var target: Target
  package var ifExists: Bool
  package var names: [QualifiedName]
  package var isCascade: Bool
}
