import Diagnostics

/// EXPLAIN [ANALYZE] statement.
package struct Explain: Sendable {
  package var isAnalyze: Bool
  /// `EXPLAIN (FORMAT json)`: the options as written
  package var options: [CopyOption]
  package var statement: Statement
  /// Where the explained statement stands
  package var span: SourceSpan
}

/// DESCRIBE and SUMMARIZE.
package struct Describe: Sendable {
  package enum Target: Sendable {
    case table(QualifiedName)
    case file(String, span: SourceSpan)
    case query(Query)
    case model(ModelReference)
    /// DESCRIBE alone: every table
    case all
  }
  package var target: Target

  package init(target: Target) { self.target = target }
}

/// SHOW.
package enum Show: Sendable {
  case tables
  /// SHOW TABLES FROM schema
  case tablesFrom(QualifiedName)
  /// SHOW ALL TABLES
  case allTables
  case databases
  case schemas
  case models
  case variables
  /// SHOW ALL: every setting
  case allSettings
  /// SHOW name: a setting or a table
  case name(QualifiedName)
  case createModel(QualifiedName)
  case createTable(QualifiedName)
  case versions(QualifiedName)
  case functions
}

/// SET name = value.
package struct SetVariable: Sendable {
  package enum Scope: String, Sendable {
    case session = "SESSION"
    case global = "GLOBAL"
    case local = "LOCAL"
    /// SET VARIABLE
    case variable = "VARIABLE"
  }
  package var scope: Scope?
  package var name: QualifiedName
  /// A bare word is a `.column`; several values are a `.list`
  package var value: SyntaxExpression
}

/// RESET name.
package struct ResetVariable: Sendable {
  package var scope: SetVariable.Scope?
  package var name: QualifiedName
}

/// `PRAGMA name`, `PRAGMA name = value`, `PRAGMA name(args)`.
package struct Pragma: Sendable {
  package enum Argument: Sendable {
    case none
    case value(SyntaxExpression)
    case call([SyntaxExpression])
  }
  package var name: QualifiedName
  package var argument: Argument
}

/// BEGIN and its kin.
package enum TransactionStatement: Sendable {
  case begin(isReadOnly: Bool)
  case commit
  case rollback
  case savepoint(Identifier)
  case release(Identifier)
  case rollbackTo(Identifier)
}

/// PREPARE name AS statement.
package struct Prepare: Sendable {
  package var name: Identifier
  package var statement: Statement
  /// Where the prepared statement stands
  package var span: SourceSpan
  /// The distinct parameters, in the order of their first use.
  package var parameters: [Parameter]
}

/// EXECUTE name (arguments), each by position or by name.
package struct Execute: Sendable {
  package var name: Identifier
  package var arguments: [Argument]
}

/// ATTACH 'path' [AS name] [(options)].
package struct Attach: Sendable {
  package var path: String
  package var name: Identifier?
  package var ifNotExists: Bool
  package var options: [CopyOption]
}

/// CHECKPOINT, VACUUM, ANALYZE, and SQLite's REINDEX of a table or an index.
package enum Maintenance: Sendable {
  case checkpoint(Identifier?)
  case vacuum(QualifiedName?)
  case analyze(QualifiedName?)
  case reindex(QualifiedName?)
}
