import Columnar
import Diagnostics
import Planner
import Storage
import Syntax

/// What CREATE INDEX made. Unique ones are keys of their table too; others are only remembered:
/// scans of columns need none.
struct IndexDefinition: Sendable {
  var name: String
  var table: CatalogState.Key
  var isUnique: Bool
  var expressions: [SyntaxExpression]
  /// The statement, as SQL.
  var text: String
}

extension CatalogState {
  /// The indexes of a table.
  func indexes(of table: Key) -> [(key: Key, index: IndexDefinition, object: CatalogObject)] {
    objects(.index).compactMap { key, object in
      guard case .index(let index) = object.item, index.table == table else { return nil }
      return (key, index, object)
    }
  }
}

extension Session {
  func run(_ create: CreateIndex) throws -> StatementResult {
    guard let (tableKey, known) = try find(.relation, create.table),
      case .table(let table) = known.item
    else {
      throw SQLError(
        .catalog, "table \"\(create.table.last.name)\" does not exist", at: create.table.span,
        hint: didYouMean(create.table.last.name, among: catalog().tableNames))
    }
    let name = create.name?.name ?? freeIndexName(table)
    let key = CatalogState.Key(.index, schema: tableKey.schema, name)
    if state[key] != nil {
      if create.header.isIfNotExists { return .none }
      throw SQLError(.catalog, "index \"\(name)\" already exists", at: create.name?.span)
    }
    var columns: [Int] = []
    for expression in create.expressions {
      let read = try binder().columnsRead(by: expression, table.definition, clause: "an index")
      if case .column = expression.kind, let position = read.first {
        columns.append(position)
      } else if create.isUnique {
        throw SQLError(
          .notSupported, "a unique index takes columns, no expressions", at: expression.span)
      }
    }
    let index = IndexDefinition(
      name: name, table: tableKey, isUnique: create.isUnique, expressions: create.expressions,
      text: Printer.sql(.createIndex(create)))
    var changed: TableVersion?
    if create.isUnique {
      if Set(columns).count != columns.count {
        throw SQLError(.binder, "the index names a column twice", at: create.table.span)
      }
      var definition = table.definition
      definition.keys.append(
        TableDefinition.Key(kind: .index(name), name: name, columns: columns))
      var data = table.data
      do {
        try data.addIndex(columns: columns)
      } catch let duplicate as DuplicateKey {
        throw table.altered(definition, data).error(duplicate)
      }
      changed = table.altered(definition, data)
    } else if columns.count == create.expressions.count {
      var definition = table.definition
      definition.indexes.append((name, columns))
      changed = table.altered(definition, table.data)
    }
    change { state in
      if let changed { state.replace(changed) }
      state[key] = CatalogObject(name: name, item: .index(index))
    }
    return .none
  }

  private func freeIndexName(_ table: TableVersion) -> String {
    var number = 0
    while true {
      let name = "\(table.definition.name)_index" + (number == 0 ? "" : "_\(number)")
      if state[CatalogState.Key(.index, schema: table.key.schema, name)] == nil { return name }
      number += 1
    }
  }

  /// Takes an index, and the key that it is, from the catalog.
  func remove(index: IndexDefinition, _ key: CatalogState.Key) {
    change { state in
      state[key] = nil
      guard case .table(let table)? = state[index.table]?.item else { return }
      if !index.isUnique {
        var definition = table.definition
        definition.indexes.removeAll { $0.name == index.name }
        state.replace(table.altered(definition, table.data))
        return
      }
      guard
        let position = table.definition.keys.firstIndex(where: { $0.kind == .index(index.name) })
      else { return }
      var definition = table.definition
      var data = table.data
      definition.keys.remove(at: position)
      data.indexes.remove(at: position)
      state.replace(table.altered(definition, data))
    }
  }
}
