import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

// ALTER TABLE: each action makes the table's next version.
extension Session {
  func run(_ alter: AlterTable) throws -> StatementResult {
    let name = alter.name.last.name
    let kind = alter.isView ? "view" : "table"
    guard let (key, known) = try find(.relation, alter.name, orNil: alter.ifExists) else {
      if alter.ifExists { return .none }
      throw SQLError(
        .catalog, "\(kind) \"\(name)\" does not exist", at: alter.name.span,
        hint: didYouMean(name, among: catalog().tableNames))
    }
    if known.item.kind != kind {
      throw SQLError(
        .catalog, "\"\(known.name)\" is a \(known.item.kind), not a \(kind)", at: alter.name.span)
    }
    if case .renameTable(let new) = alter.action {
      try rename(key, known, to: new)
      return .none
    }
    guard case .table(let table) = known.item else {
      throw SQLError(.notSupported, "a view can only be renamed", at: alter.name.span)
    }
    if let changed = try TableAlteration(session: self, table: table, span: alter.name.span)
      .apply(alter.action)
    {
      change { $0.replace(changed) }
    }
    return .none
  }

  /// The object that a name means; an error when its schema does not exist, unless that may be.
  func find(_ space: CatalogState.Space, _ name: QualifiedName, orNil: Bool = false) throws -> (
    key: CatalogState.Key, object: CatalogObject
  )? {
    do {
      return try catalog().find(space, name)
    } catch let error as SQLError where error.code == .catalog && orNil {
      return nil
    }
  }

  private func rename(_ key: CatalogState.Key, _ object: CatalogObject, to new: Identifier) throws {
    let target = CatalogState.Key(key.space, schema: key.schema, new.name)
    if target != key, let taken = state[target] {
      throw SQLError(
        .catalog, "\(taken.item.kind) \"\(taken.name)\" already exists", at: new.span)
    }
    try checkUnreferenced(key, "rename", span: new.span)
    var renamed = object
    renamed.name = new.name
    if case .table(let table) = object.item {
      var definition = table.definition
      definition.name = new.name
      for index in definition.foreignKeys.indices
      where key.refers(to: definition.foreignKeys[index]) {
        definition.foreignKeys[index].table = new.name
      }
      renamed.item = .table(
        table.altered(definition, table.data, key: target))
    }
    let indexes = state.indexes(of: key)
    change { state in
      state[key] = nil
      state[target] = renamed
      for (indexKey, var index, var entry) in indexes {
        index.table = target
        entry.item = .index(index)
        state[indexKey] = entry
      }
    }
  }
}

/// One action of ALTER TABLE on one table.
struct TableAlteration {
  let session: Session
  let table: TableVersion
  let span: SourceSpan

  private var definition: TableDefinition { table.definition }

  /// The table's next version; nil when nothing is to be done.
  func apply(_ action: AlterTable.Action) throws -> TableVersion? {
    switch action {
    case .renameTable: return nil
    case .renameColumn(let old, let new): return try rename(old, to: new)
    case .addColumn(let column, let ifNotExists):
      return try add(column, ifNotExists: ifNotExists)
    case .dropColumn(let name, let ifExists, _): return try drop(name, ifExists: ifExists)
    case .setType(let name, let type, let using): return try setType(name, type, using: using)
    case .setDefault(let name, let value):
      return try change(name) { column in
        column.defaultValue = value
        _ = try session.binder().defaultExpression(column)
      }
    case .dropDefault(let name): return try change(name) { $0.defaultValue = nil }
    case .setNotNull(let name):
      let position = try definition.column(name)
      if try table.data.hasNull(position) {
        throw SQLError(
          .constraint,
          "NOT NULL constraint failed: \(definition.name).\(definition.columns[position].name) has NULL values",
          at: name.span)
      }
      return try change(name) { $0.isRequired = true }
    case .dropNotNull(let name):
      let position = try definition.column(name)
      if definition.keys.contains(where: { $0.kind == .primary && $0.columns.contains(position) }) {
        throw SQLError(
          .catalog, "column \"\(name.name)\" is in the primary key and stays NOT NULL",
          at: name.span)
      }
      return try change(name) { $0.isRequired = false }
    case .addConstraint(let constraint): return try add(constraint)
    }
  }

  private func change(
    _ name: Identifier, _ body: (inout TableDefinition.Column) throws -> Void
  ) throws -> TableVersion {
    var definition = definition
    let position = try definition.column(name)
    if definition.columns[position].generated != nil {
      throw SQLError(
        .binder, "\"\(name.name)\" is a generated column", at: name.span)
    }
    try body(&definition.columns[position])
    return table.altered(definition, table.data)
  }

  // MARK: Columns

  private func rename(_ old: Identifier, to new: Identifier) throws -> TableVersion {
    var definition = definition
    let position = try definition.column(old)
    if let other = definition.position(of: new.name), other != position {
      throw SQLError(
        .catalog, "column \"\(new.name)\" exists already in table \"\(definition.name)\"",
        at: new.span)
    }
    try session.checkUnreferenced(table.key, "alter", span: old.span)
    let previous = definition.columns[position].name
    definition.columns[position].name = new.name
    func renamed(_ expression: SyntaxExpression) -> SyntaxExpression {
      ColumnRenaming(from: previous, to: new.name, table: definition.name).rewrite(expression)
    }
    for index in definition.checks.indices {
      definition.checks[index].condition = renamed(definition.checks[index].condition)
    }
    for index in definition.columns.indices {
      definition.columns[index].generated = definition.columns[index].generated.map(renamed)
    }
    for index in definition.foreignKeys.indices
    where table.key.refers(to: definition.foreignKeys[index]) {
      definition.foreignKeys[index].referenced = definition.foreignKeys[index].referenced.map {
        $0.lowercased() == previous.lowercased() ? new.name : $0
      }
    }
    return table.altered(definition, table.data)
  }

  private func add(_ syntax: ColumnDefinition, ifNotExists: Bool) throws -> TableVersion? {
    if definition.position(of: syntax.name.name) != nil {
      if ifNotExists { return nil }
      throw SQLError(
        .catalog,
        "column \"\(syntax.name.name)\" exists already in table \"\(definition.name)\"",
        at: syntax.name.span)
    }
    for constraint in syntax.constraints {
      switch constraint {
      case .null, .defaultValue, .notNull, .collate: break
      case .generated:
        throw SQLError(
          .notSupported, "generated columns cannot be added to a table that is there",
          at: syntax.span)
      case .primaryKey, .unique, .check, .references:
        throw SQLError(
          .notSupported, "a column cannot be added with a constraint", at: syntax.span,
          hint: "ALTER TABLE … ADD …")
      }
    }
    let builder = TableBuilder(
      session: session, name: QualifiedName(Identifier(name: definition.name)),
      schema: table.key.schema)
    let column = try builder.column(syntax)
    let value = try session.binder().defaultExpression(column)
    let evaluator = try ExpressionEvaluator(value, layout: [:])
    let columns = try table.data.computed(from: []) { batch in
      try evaluator.evaluate(Batch(columns: [], rowCount: batch.rowCount))
    }
    var definition = definition
    definition.columns.append(column)
    let data = table.data.appending(column.type, columns)
    if column.isRequired, try data.hasNull(definition.columns.count - 1) {
      throw SQLError(
        .constraint, "NOT NULL constraint failed: \(definition.name).\(column.name)",
        at: syntax.span, hint: "give the column a DEFAULT")
    }
    return table.altered(definition, data)
  }

  private func drop(_ name: Identifier, ifExists: Bool) throws -> TableVersion? {
    if ifExists, definition.position(of: name.name) == nil { return nil }
    let position = try definition.column(name)
    var definition = definition
    let plain = definition.columns.indices.filter { definition.columns[$0].generated == nil }
    if definition.columns.count == 1 || plain == [position] {
      throw SQLError(
        .catalog, "cannot drop column \"\(name.name)\": it is the table's only column",
        at: name.span)
    }
    try refuseInUse(position, "drop column", name, allowsOwnCheck: true)
    definition.checks = try definition.checks.filter {
      try !session.binder().columnsRead(by: $0.condition, definition, clause: "CHECK")
        .contains(position)
    }
    let kept = definition.columns.indices.filter { $0 != position }
    func moved(_ columns: [Int]) -> [Int] { columns.map { $0 > position ? $0 - 1 : $0 } }
    definition.columns.remove(at: position)
    for index in definition.keys.indices {
      definition.keys[index].columns = moved(definition.keys[index].columns)
    }
    for index in definition.foreignKeys.indices {
      definition.foreignKeys[index].columns = moved(definition.foreignKeys[index].columns)
    }
    for index in definition.indexes.indices {
      definition.indexes[index].columns = moved(definition.indexes[index].columns)
    }
    var indexes = table.data.indexes
    for index in indexes.indices { indexes[index].columns = moved(indexes[index].columns) }
    return table.altered(definition, table.data.picking(kept, indexes: indexes))
  }

  /// An error when something depends on a column.
  private func refuseInUse(
    _ position: Int, _ verb: String, _ name: Identifier, allowsOwnCheck: Bool
  ) throws {
    func refuse(_ reason: String) -> SQLError {
      SQLError(.catalog, "cannot \(verb) \"\(name.name)\": \(reason)", at: name.span)
    }
    for key in definition.keys where key.columns.contains(position) {
      switch key.kind {
      case .primary: throw refuse("a PRIMARY KEY constraint depends on it")
      case .unique: throw refuse("a UNIQUE constraint depends on it")
      case .index(let index): throw refuse("the index \"\(index)\" depends on it")
      }
    }
    for (_, index, _) in session.state.indexes(of: table.key) {
      let read = try index.expressions.map {
        try session.binder().columnsRead(by: $0, definition, clause: "an index")
      }
      if read.contains(where: { $0.contains(position) }) {
        throw refuse("the index \"\(index.name)\" depends on it")
      }
    }
    if definition.foreignKeys.contains(where: { $0.columns.contains(position) }) {
      throw refuse("a FOREIGN KEY constraint depends on it")
    }
    if session.state.referencing(table.key).contains(where: { child in
      child.definition.foreignKeys.contains {
        table.key.refers(to: $0)
          && $0.referenced.contains {
            $0.lowercased() == definition.columns[position].name.lowercased()
          }
      }
    }) {
      throw refuse("a FOREIGN KEY constraint refers to it")
    }
    for check in definition.checks {
      let read = try session.binder().columnsRead(
        by: check.condition, definition, clause: "CHECK")
      if read.contains(position), !(allowsOwnCheck && read.count == 1) {
        throw refuse("a CHECK constraint depends on it")
      }
    }
    for (other, column) in definition.columns.enumerated() where other != position {
      guard let generated = column.generated else { continue }
      let read = try session.binder().columnsRead(
        by: generated, definition, clause: "generated columns")
      if read.contains(position) {
        throw refuse("the generated column \"\(column.name)\" depends on it")
      }
    }
  }

  private func setType(_ name: Identifier, _ type: TypeName?, using: SyntaxExpression?) throws
    -> TableVersion
  {
    var definition = definition
    let position = try definition.column(name)
    if definition.columns[position].generated != nil {
      throw SQLError(
        .binder, "the type of the generated column \"\(name.name)\" cannot be changed",
        at: name.span)
    }
    try refuseInUse(position, "change the type of column", name, allowsOwnCheck: false)
    let source = using ?? SyntaxExpression(.column(QualifiedName(name)), span: name.span)
    let target = try type.map { try session.resolve($0) }
    let (expression, columns) = try session.binder().rowExpression(
      source, definition, to: target, clause: "USING")
    let read = expression.columnIDs
    let positions = columns.indices.filter { read.contains(columns[$0].id) }
    let evaluator = try ExpressionEvaluator(
      expression,
      layout: Dictionary(
        uniqueKeysWithValues: positions.enumerated().map { (columns[$1].id, $0) }))
    let made = try table.data.computed(from: positions) { try evaluator.evaluate($0) }
    definition.columns[position].type = expression.type
    let data = table.data.replacing(position, expression.type, made)
    if definition.columns[position].isRequired, try data.hasNull(position) {
      throw SQLError(
        .constraint, "NOT NULL constraint failed: \(definition.name).\(name.name)", at: name.span)
    }
    if let value = definition.columns[position].defaultValue {
      // A default that the new type does not take is an error now.
      _ = value
      _ = try session.binder().defaultExpression(definition.columns[position])
    }
    return table.altered(definition, data)
  }

  // MARK: Constraints

  private func add(_ constraint: TableConstraint) throws -> TableVersion {
    var definition = definition
    var data = table.data
    let builder = TableBuilder(
      session: session, name: QualifiedName(Identifier(name: definition.name, span: span)),
      schema: table.key.schema)
    let keys = definition.keys.count
    try builder.add(constraint, to: &definition)
    for position in definition.columns.indices
    where try definition.columns[position].isRequired && data.hasNull(position) {
      throw SQLError(
        .constraint,
        "NOT NULL constraint failed: \(definition.name).\(definition.columns[position].name)",
        at: constraint.span)
    }
    try builder.check(&definition)
    let bare = table.altered(definition, data)
    if definition.keys.count > keys {
      do {
        try data.addIndex(columns: definition.keys[keys].columns)
      } catch let duplicate as DuplicateKey {
        throw bare.error(duplicate)
      }
    }
    if case .check = constraint.kind, let check = definition.checks.last {
      let (condition, columns) = try session.binder().rowExpression(
        check.condition, definition, to: .boolean, clause: "CHECK")
      let evaluator = try ExpressionEvaluator(
        .not(condition),
        layout: Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1.id, $0) }))
      try data.forEachLiveBatch { batch in
        if try evaluator.select(batch).count == 0 { return }
        throw SQLError(
          .constraint,
          "CHECK constraint failed on table \"\(definition.name)\" with expression CHECK(\(Printer.sql(check.condition)))",
          at: constraint.span)
      }
    }
    let next = table.altered(definition, data)
    if case .foreignKey = constraint.kind {
      var rows: [[Int: Column]] = []
      try data.forEachLiveBatch { batch in
        rows.append(Dictionary(uniqueKeysWithValues: batch.columns.enumerated().map { ($0, $1) }))
      }
      try ForeignKeyCheck(table: next, target: session, losesRows: false)
        .check(next, newRows: rows, changed: Set(definition.columns.indices))
    }
    return next
  }
}
