import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

// CREATE TABLE.
extension Session {
  func run(_ create: CreateTable) throws -> StatementResult {
    let name = create.name.last.name
    guard let key = try claim(.relation, create.name, create.header, kind: "table") else {
      return .none
    }
    if state[key] != nil { try checkUnreferenced(key, "replace", span: create.name.span) }
    switch create.content {
    case .query(let query, let names, let hasData):
      var bound = try bind(query)
      if names.count > bound.names.count {
        throw SQLError(
          .binder, "table \"\(name)\" has \(bound.names.count) columns, but more names are given",
          at: create.name.span)
      }
      for (position, column) in names.enumerated() { bound.names[position] = column.name }
      let fields = try uniqueNames(bound.fields)
      let definition = TableDefinition(
        name: name,
        columns: fields.map { TableDefinition.Column(name: $0.name, type: $0.type) })
      var data = TableData(types: fields.map(\.type))
      if hasData {
        let loaded = try load(
          bound, types: fields.map(\.type), sink: loadSink(key, columnIDs: data.columnIDs))
        data.append(loaded.groups)
      }
      publish(new: TableVersion(key: key, definition: definition, data: data))
      return try count(data.rowCount)
    case .columns(let columns, let constraints):
      let definition = try TableBuilder(session: self, name: create.name, schema: key.schema)
        .build(columns, constraints)
      publish(new: TableVersion(key: key, definition: definition))
      return .none
    }
  }

  private func publish(new table: TableVersion) {
    change {
      // What OR REPLACE replaces takes its indexes with it.
      for index in $0.indexes(of: table.key) { $0[index.key] = nil }
      $0[table.key] = CatalogObject(name: table.definition.name, item: .table(table))
    }
  }

  /// An error when another table has a foreign key to this one.
  func checkUnreferenced(_ key: CatalogState.Key, _ verb: String, span: SourceSpan?) throws {
    if let child = state.referencing(key).first(where: { $0.key != key }) {
      throw SQLError(
        .catalog,
        "cannot \(verb) table \"\(state[key]?.name ?? key.name)\": table \"\(child.definition.name)\" has a foreign key to it",
        at: span)
    }
  }
}

/// Turns the columns and constraints of CREATE TABLE and ALTER TABLE into a definition.
struct TableBuilder {
  let session: Session
  let name: QualifiedName
  let schema: String

  func build(_ columns: [ColumnDefinition], _ constraints: [TableConstraint]) throws
    -> TableDefinition
  {
    var definition = try self.definition(columns, constraints)
    try check(&definition)
    return definition
  }

  /// Nothing in it is bound.
  func definition(_ columns: [ColumnDefinition], _ constraints: [TableConstraint]) throws
    -> TableDefinition
  {
    var definition = TableDefinition(name: name.last.name, columns: [])
    for column in columns {
      if definition.position(of: column.name.name) != nil {
        throw SQLError(
          .catalog, "column \"\(column.name.name)\" is defined twice", at: column.name.span)
      }
      definition.columns.append(try self.column(column))
    }
    for column in columns {
      for constraint in column.constraints { try add(constraint, of: column, to: &definition) }
    }
    for constraint in constraints { try add(constraint, to: &definition) }
    return definition
  }

  /// A column without what concerns other columns.
  func column(_ syntax: ColumnDefinition) throws -> TableDefinition.Column {
    var column = TableDefinition.Column(name: syntax.name.name, type: .null)
    for constraint in syntax.constraints {
      switch constraint {
      case .defaultValue(let value): column.defaultValue = value
      case .generated(let value, _): column.generated = value
      case .notNull: column.isRequired = true
      case .collate(let name): column.collation = name.last.name
      case .null, .primaryKey, .unique, .check, .references: break
      }
    }
    if let type = syntax.type {
      column.type = try session.resolve(type)
    } else if column.generated == nil {
      throw SQLError(.syntax, "column \"\(column.name)\" needs a type", at: syntax.span)
    }
    if column.generated != nil, column.defaultValue != nil {
      throw SQLError(
        .binder, "the generated column \"\(column.name)\" cannot have a DEFAULT", at: syntax.span)
    }
    return column
  }

  func add(
    _ constraint: ColumnConstraint, of column: ColumnDefinition,
    to definition: inout TableDefinition
  ) throws {
    let kind: TableConstraint.Kind
    switch constraint {
    case .notNull, .null, .defaultValue, .generated, .collate: return
    case .primaryKey: kind = .primaryKey([column.name])
    case .unique: kind = .unique([column.name])
    case .check(let condition): kind = .check(condition)
    case .references(let reference): kind = .foreignKey([column.name], reference)
    }
    try add(TableConstraint(kind, span: column.span), to: &definition)
  }

  func add(_ constraint: TableConstraint, to definition: inout TableDefinition) throws {
    switch constraint.kind {
    case .check(let condition):
      definition.checks.append(
        TableDefinition.Check(name: constraint.name?.name, condition: condition))
    case .primaryKey(let names):
      if definition.keys.contains(where: { $0.kind == .primary }) {
        throw SQLError(
          .syntax, "table \"\(definition.name)\" has more than one primary key",
          at: constraint.span)
      }
      let columns = try positions(names, definition, constraint.span)
      for column in columns { definition.columns[column].isRequired = true }
      definition.keys.append(
        TableDefinition.Key(kind: .primary, name: constraint.name?.name, columns: columns))
    case .unique(let names):
      definition.keys.append(
        TableDefinition.Key(
          kind: .unique, name: constraint.name?.name,
          columns: try positions(names, definition, constraint.span)))
    case .foreignKey(let names, let reference):
      definition.foreignKeys.append(
        try foreignKey(names, reference, constraint, definition))
    }
  }

  private func positions(_ names: [Identifier], _ definition: TableDefinition, _ span: SourceSpan)
    throws -> [Int]
  {
    let positions = try names.map { try definition.column($0) }
    if Set(positions).count != positions.count {
      throw SQLError(.binder, "the constraint names a column twice", at: span)
    }
    return positions
  }

  private func foreignKey(
    _ names: [Identifier], _ reference: ForeignReference, _ constraint: TableConstraint,
    _ definition: TableDefinition
  ) throws -> TableDefinition.ForeignKey {
    let columns = try positions(names, definition, constraint.span)
    let parentName = reference.table.last.name
    let isSelf =
      parentName.lowercased() == definition.name.lowercased()
    let found = try session.find(.relation, reference.table)
    let key = found?.key ?? CatalogState.Key(.relation, schema: schema, parentName)
    let parent: TableDefinition
    if isSelf {
      parent = definition
    } else if case .table(let table)? = found?.object.item {
      parent = table.definition
    } else {
      throw SQLError(
        .catalog, "table \"\(parentName)\" does not exist", at: reference.table.span,
        hint: didYouMean(parentName, among: session.catalog().tableNames))
    }
    var referenced = try reference.columns.map { try parent.column($0) }
    if referenced.isEmpty {
      guard let primary = parent.keys.first(where: { $0.kind == .primary }) else {
        throw SQLError(
          .binder, "table \"\(parentName)\" has no primary key to refer to",
          at: reference.table.span)
      }
      referenced = primary.columns
    }
    if referenced.count != columns.count {
      throw SQLError(
        .binder,
        "a foreign key of \(columns.count) columns cannot refer to \(referenced.count) columns",
        at: constraint.span)
    }
    guard
      parent.keys.contains(where: {
        Set($0.columns) == Set(referenced) && $0.columns.count == referenced.count
          && ($0.kind == .primary || $0.kind == .unique)
      })
    else {
      throw SQLError(
        .binder,
        "there is no primary key or unique constraint over the columns of \"\(parentName)\" that the foreign key refers to",
        at: constraint.span)
    }
    for (own, other) in zip(columns, referenced)
    where definition.columns[own].type != parent.columns[other].type {
      throw SQLError(
        .binder,
        "column \"\(definition.columns[own].name)\" is \(definition.columns[own].type), but \"\(parent.columns[other].name)\" of \"\(parentName)\" is \(parent.columns[other].type)",
        at: constraint.span)
    }
    return TableDefinition.ForeignKey(
      name: constraint.name?.name, columns: columns, schema: key.schema,
      table: isSelf ? definition.name : parent.name,
      referenced: referenced.map { parent.columns[$0].name })
  }

  /// Binds what the definition holds, so that a wrong one fails now and not at the first INSERT.
  /// Generated columns without a type get their expression's.
  func check(_ definition: inout TableDefinition) throws {
    let types = try session.binder().checkDefinition(definition)
    for position in definition.columns.indices
    where definition.columns[position].type == .null {
      definition.columns[position].type = types[position]
    }
    if definition.columns.allSatisfy({ $0.generated != nil }) {
      throw SQLError(
        .binder, "table \"\(definition.name)\" needs a column that is not generated",
        at: name.span)
    }
  }
}

extension Session {
  /// A type as statements name it.
  func resolve(_ type: TypeName) throws -> LogicalType { try binder().resolve(type) }
}
