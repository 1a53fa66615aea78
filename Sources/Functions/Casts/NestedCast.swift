import Columnar
import Diagnostics

/// Casts between lists, arrays and structs: their elements are cast as columns; the column is flat.
enum NestedCast {
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    switch (column.type, type) {
    case (.list, .list(let element)):
      return wrapped(column, type, try elements(column, element, tryCast))
    case (.array(_, let width), .list(let element)):
      let children = try elements(column, element, tryCast)
      let result = Column(flat: type, count: column.count, children: [children.flattened()])
      let entries = result.values(as: ListEntry.self)
      for row in 0..<column.count { entries[row] = ListEntry(offset: row * width, length: width) }
      result.addNulls(of: column)
      return result
    case (.list, .array(let element, let width)):
      return try listToArray(column, type, element, width, tryCast)
    case (.array(_, let n), .array(let element, let width)):
      guard n == width else { throw Cast.noCast(column.type, type) }
      return wrapped(column, type, try elements(column, element, tryCast))
    case (.structure(let from), .structure(let fields)):
      let byName = ImplicitCast.hasNames(from) && ImplicitCast.hasNames(fields)
      guard byName || from.count == fields.count else { throw Cast.noCast(column.type, type) }
      var children: [Column] = []
      for (position, field) in fields.enumerated() {
        let place = byName ? ImplicitCast.index(of: field.name, in: from) : position
        guard let place else {
          children.append(Column.nulls(field.type, count: column.count).flattened())
          continue
        }
        children.append(
          try Cast.column(column.children[place], to: field.type, tryCast: tryCast).flattened())
      }
      return wrapped(column, type, children)
    default: throw Cast.noCast(column.type, type)
    }
  }

  private static func elements(
    _ column: Column, _ element: LogicalType, _ tryCast: Bool
  ) throws -> Column {
    // Children may hold elements that no row refers to, with values that do not fit.
    if let all = try? Cast.column(column.children[0], to: element, tryCast: tryCast) {
      return all.flattened()
    }
    let compact = column.type.physical == .list ? compacted(column) : column
    if compact === column {
      return try Cast.column(column.children[0], to: element, tryCast: tryCast).flattened()
    }
    // Only rows that are NULL or unreferenced could have failed: those become NULL elements; the
    // referenced ones are tried first, so that their errors are reported.
    _ = try Cast.column(compact.children[0], to: element, tryCast: tryCast)
    return try Cast.column(column.children[0], to: element, tryCast: true).flattened()
  }

  private static func compacted(_ column: Column) -> Column {
    var builder = ColumnBuilder(column.type, capacity: column.count)
    builder.append(column)
    return builder.finish()
  }

  private static func wrapped(_ column: Column, _ type: LogicalType, _ child: Column) -> Column {
    wrapped(column, type, [child])
  }

  private static func wrapped(_ column: Column, _ type: LogicalType, _ children: [Column])
    -> Column
  {
    Column(
      type: type, count: column.count, data: column.data, validity: column.validity,
      children: children, owners: [column])
  }

  private static func listToArray(
    _ column: Column, _ type: LogicalType, _ element: LogicalType, _ width: Int, _ tryCast: Bool
  ) throws -> Column {
    let reader = ColumnReader<ListEntry>(column)
    let source = column.children[0]
    let rows = Selection(capacity: column.count * width)
    var wrong: [Int] = []
    // A NULL row of an array still has elements: those of a NULL appended to the child.
    var builder = ColumnBuilder(source.type, capacity: source.count + 1)
    builder.append(source)
    builder.appendNull()
    let child = builder.finish()
    let null = UInt32(truncatingIfNeeded: source.count)
    for row in 0..<column.count {
      var entry: ListEntry? = reader.isNull(row) ? nil : reader[row]
      if let found = entry, found.length != width {
        if !tryCast { throw wrongLength(found.length, width) }
        wrong.append(row)
        entry = nil
      }
      for item in 0..<width {
        rows.indices[row * width + item] =
          entry.map { UInt32(truncatingIfNeeded: $0.offset + item) } ?? null
      }
    }
    let picked = Column.dictionary(child, rows).flattened()
    let cast = try Cast.column(picked, to: element, tryCast: tryCast).flattened()
    let result = Column(flat: type, count: column.count, children: [cast])
    result.addNulls(of: column)
    for row in wrong { result.setNull(row) }
    return result
  }

  private static func wrongLength(_ length: Int, _ width: Int) -> SQLError {
    SQLError(
      .conversion, "a list of \(length) elements can't be cast to an array of \(width) elements")
  }
}
