extension Printer {
  mutating func write(_ query: Query) {
    write(query.with)
    write(query.body)
    if !query.orderBy.isEmpty {
      put(" ")
      orderBy(query.orderBy)
    }
    if let limit = query.limit {
      put(" LIMIT ")
      write(limit.count)
      if limit.isPercent { put(" PERCENT") }
    }
    clause("OFFSET", query.offset)
  }

  mutating func write(_ with: WithClause?) {
    guard let with else { return }
    put(with.isRecursive ? "WITH RECURSIVE " : "WITH ")
    list(with.tables) { printer, table in
      printer.write(table.name)
      if !table.columns.isEmpty { printer.names(table.columns) }
      if !table.usingKey.isEmpty {
        printer.put(" USING KEY ")
        printer.names(table.usingKey)
      }
      printer.put(" AS ")
      switch table.isMaterialized {
      case nil: break
      case true?: printer.put("MATERIALIZED ")
      case false?: printer.put("NOT MATERIALIZED ")
      }
      printer.enclosed("", table.query)
    }
    put(" ")
  }

  mutating func write(_ body: QueryBody) {
    switch body {
    case .select(let select): write(select)
    case .values(let values):
      put("VALUES ")
      list(values.rows) { printer, row in
        printer.put("(")
        printer.expressions(row)
        printer.put(")")
      }
    case .table(let name):
      put("TABLE ")
      write(name)
    case .setOperation(let operation):
      operand(operation.left, of: operation.kind, isRight: false)
      put(" " + operation.kind.rawValue)
      if operation.isAll { put(" ALL") }
      if operation.isByName { put(" BY NAME") }
      put(" ")
      operand(operation.right, of: operation.kind, isRight: true)
    case .nested(let query): enclosed("", query)
    case .statement(let statement): write(statement)
    }
  }

  /// Parsed trees need no parentheses of ours here: what was in parentheses is `.nested`. Trees that
  /// were built otherwise may.
  private mutating func operand(
    _ body: QueryBody, of kind: SetOperation.Kind, isRight: Bool
  ) {
    if case .setOperation(let inner) = body {
      let binds = inner.kind == .intersect
      let needs = kind == .intersect ? isRight || !binds : isRight && !binds
      if needs {
        put("(")
        write(body)
        put(")")
        return
      }
    }
    write(body)
  }

  mutating func write(_ select: Select) {
    put("SELECT ")
    switch select.distinct {
    case .all: break
    case .distinct: put("DISTINCT ")
    case .on(let items):
      put("DISTINCT ON (")
      expressions(items)
      put(") ")
    }
    list(select.items) { $0.write($1) }
    if !select.from.isEmpty {
      put(" FROM ")
      list(select.from) { $0.write($1) }
    }
    clause("WHERE", select.filter)
    switch select.groupBy {
    case nil: break
    case .all?: put(" GROUP BY ALL")
    case .elements(let elements)?:
      put(" GROUP BY ")
      list(elements) { $0.write($1) }
    }
    clause("HAVING", select.having)
    if !select.windows.isEmpty {
      put(" WINDOW ")
      list(select.windows) { printer, window in
        printer.write(window.name)
        printer.put(" AS ")
        printer.write(window.specification)
      }
    }
    clause("QUALIFY", select.qualify)
    if let sample = select.sample {
      put(" USING SAMPLE ")
      write(sample)
    }
  }

  mutating func write(_ item: SelectItem) {
    write(item.expression)
    if let alias = item.alias {
      put(" AS ")
      write(alias)
    }
  }

  private mutating func write(_ element: GroupingElement) {
    switch element {
    case .expression(let expression): write(expression)
    case .empty: put("()")
    case .rollup(let items):
      put("ROLLUP (")
      expressions(items)
      put(")")
    case .cube(let items):
      put("CUBE (")
      expressions(items)
      put(")")
    case .sets(let sets):
      put("GROUPING SETS (")
      list(sets) { $0.write($1) }
      put(")")
    }
  }

  private mutating func write(_ sample: Sample) {
    if let method = sample.method { put(method + "(") }
    write(sample.size, .postfix)
    put(sample.isPercent ? " PERCENT" : " ROWS")
    if sample.method != nil { put(")") }
    if let seed = sample.seed { put(" REPEATABLE (\(seed))") }
  }

  mutating func write(_ table: TableReference) {
    let isJoin = if case .join = table.kind { true } else { false }
    if isJoin, table.alias != nil { put("(") }
    switch table.kind {
    case .table(let name): write(name)
    case .file(let path): put(Self.literal(path))
    case .function(let function):
      if function.isLateral { put("LATERAL ") }
      write(function.call)
      if function.hasOrdinality { put(" WITH ORDINALITY") }
    case .derived(let derived):
      enclosed(derived.isLateral ? "LATERAL " : "", derived.query)
    case .join(let join): write(join)
    case .pivot(let pivot): write(pivot)
    case .unpivot(let unpivot): write(unpivot)
    }
    if isJoin, table.alias != nil { put(")") }
    if let alias = table.alias {
      put(" AS ")
      write(alias.name)
      if !alias.columns.isEmpty { names(alias.columns) }
    }
    if let sample = table.sample {
      put(" TABLESAMPLE ")
      write(sample)
    }
  }

  private mutating func write(_ join: Join) {
    write(join.left)
    put(" ")
    if case .natural = join.condition { put("NATURAL ") }
    if join.isAsof { put("ASOF ") }
    if join.kind != .inner { put(join.kind.rawValue + " ") }
    put("JOIN ")
    if case .join = join.right.kind, join.right.alias == nil {
      put("(")
      write(join.right)
      put(")")
    } else {
      write(join.right)
    }
    switch join.condition {
    case .none, .natural: break
    case .on(let condition): clause("ON", condition)
    case .using(let columns):
      put(" USING ")
      names(columns)
    }
  }

  private mutating func write(_ pivot: Pivot) {
    // Only the statement form has a pivot without values, or none but aggregates.
    put("(PIVOT ")
    write(pivot.source)
    if !pivot.columns.isEmpty {
      put(" ON ")
      list(pivot.columns) { printer, column in
        printer.write(column.expression, .other)
        switch column.values {
        case .found: break
        case .listed(let values):
          printer.put(" IN (")
          printer.list(values) { $0.write($1) }
          printer.put(")")
        case .query(let query):
          printer.put(" IN (")
          printer.write(query)
          printer.put(")")
        case .enumeration(let name):
          printer.put(" IN ")
          printer.write(name)
        }
      }
    }
    if !pivot.aggregates.isEmpty {
      put(" USING ")
      list(pivot.aggregates) { $0.write($1) }
    }
    if !pivot.groupBy.isEmpty {
      put(" GROUP BY ")
      list(pivot.groupBy) { $0.write($1) }
    }
    put(")")
  }

  private mutating func write(_ unpivot: Unpivot) {
    write(unpivot.source)
    put(unpivot.includesNulls ? " UNPIVOT INCLUDE NULLS (" : " UNPIVOT (")
    if unpivot.valueColumns.count == 1, let only = unpivot.valueColumns.first {
      write(only)
    } else {
      names(unpivot.valueColumns)
    }
    put(" FOR ")
    write(unpivot.nameColumn)
    put(" IN (")
    list(unpivot.columns) { $0.write($1) }
    put("))")
  }
}
