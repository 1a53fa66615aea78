import Diagnostics

/// INSERT INTO.
package struct Insert: Sendable {
  package enum Source: Sendable {
    case defaultValues
    case query(Query)
  }
  package enum ConflictPolicy: Sendable {
    /// OR REPLACE
    case replace
    /// OR IGNORE
    case ignore
    case onConflict(OnConflict)
  }
  package var with: WithClause?
  package var table: QualifiedName
  package var alias: Identifier?
  package var columns: [Identifier]
  package var isByName: Bool
  package var source: Source
  package var conflict: ConflictPolicy?
  package var returning: [SelectItem]
}

/// ON CONFLICT [(columns)] [WHERE …] DO NOTHING | UPDATE SET … [WHERE …].
package struct OnConflict: Sendable {
  package var columns: [Identifier]
  package var columnFilter: SyntaxExpression?
  /// Empty for DO NOTHING
  package var assignments: [Assignment]
  package var filter: SyntaxExpression?
}

/// `column = value` in SET; `(a, b) = (1, 2)` has several columns and a `.row` or `.subquery`.
package struct Assignment: Sendable {
  package var columns: [QualifiedName]
  package var value: SyntaxExpression
}

/// UPDATE … SET … FROM … WHERE … RETURNING.
package struct Update: Sendable {
  package var with: WithClause?
  package var table: QualifiedName
  package var alias: Identifier?
  package var assignments: [Assignment]
  package var from: [TableReference]
  package var filter: SyntaxExpression?
  package var returning: [SelectItem]
}

/// DELETE FROM … USING … WHERE … RETURNING.
package struct Delete: Sendable {
  package var with: WithClause?
  package var table: QualifiedName
  package var alias: Identifier?
  package var using: [TableReference]
  package var filter: SyntaxExpression?
  package var returning: [SelectItem]
}

/// MERGE INTO … USING … ON … WHEN ….
package struct Merge: Sendable {
  package enum Condition: Sendable {
    case on(SyntaxExpression)
    case using([Identifier])
  }
  package enum Match: String, Sendable {
    case matched = "MATCHED"
    case notMatchedByTarget = "NOT MATCHED"
    case notMatchedBySource = "NOT MATCHED BY SOURCE"
  }
  package enum Action: Sendable {
    case update([Assignment])
    /// UPDATE alone: every column of the source
    case updateAll(byPosition: Bool)
    case delete
    /// `columns` may be empty
    case insert(columns: [Identifier], values: [SyntaxExpression])
    /// INSERT alone: every column of the source
    case insertAll(columns: [Identifier], byPosition: Bool)
    case insertDefaults
    case nothing
    case error(SyntaxExpression?)
  }
  package struct Clause: Sendable {
    package var match: Match
    package var condition: SyntaxExpression?
    package var action: Action
    package var span: SourceSpan
  }
  package var with: WithClause?
  package var table: QualifiedName
  package var alias: Identifier?
  package var source: TableReference
  package var condition: Condition
  package var clauses: [Clause]
  package var returning: [SelectItem]
}

/// One option of COPY or EXPORT, `NAME value`. A word alone has no value; a bare word as value is
/// a `.column`, `(a, b)` a `.row` and `(a)` the `.column` a.
package struct CopyOption: Sendable {
  package var name: Identifier
  package var value: SyntaxExpression?
}

/// COPY table or query TO 'path'.
package struct CopyTo: Sendable {
  package enum Source: Sendable {
    case table(QualifiedName, columns: [Identifier])
    case query(Query)
  }
  package var source: Source
  /// Usually a string literal
  package var path: SyntaxExpression
  package var options: [CopyOption]
}

/// COPY table FROM 'path'.
package struct CopyFrom: Sendable {
  package var table: QualifiedName
  package var columns: [Identifier]
  package var path: SyntaxExpression
  package var options: [CopyOption]
}

/// EXPORT DATABASE [database TO] 'folder' [(options)].
package struct ExportDatabase: Sendable {
  /// nil: the current one
  package var database: Identifier?
  package var path: String
  package var pathSpan: SourceSpan
  package var options: [CopyOption]
}

/// IMPORT DATABASE 'folder'.
package struct ImportDatabase: Sendable {
  package var path: String
  package var pathSpan: SourceSpan
}
