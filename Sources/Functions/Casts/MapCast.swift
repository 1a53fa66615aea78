import Columnar
import Diagnostics

/// Casts to MAP from another MAP and from a STRUCT, whose fields' names are the keys; the column is
/// flat. A key that cannot be cast is an error, with `tryCast` the whole map is NULL; a value that
/// cannot becomes NULL with `tryCast`.
enum MapCast {
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    guard case .map(let key, let value) = type else { throw Cast.noCast(column.type, type) }
    switch column.type {
    case .map: return try map(column, to: type, key, value, tryCast)
    case .structure(let fields): return try structure(column, fields, to: type, key, value, tryCast)
    default: throw Cast.noCast(column.type, type)
    }
  }

  private static func map(
    _ column: Column, to type: LogicalType, _ key: LogicalType, _ value: LogicalType,
    _ tryCast: Bool
  ) throws -> Column {
    // Entries that no row refers to may hold what does not fit.
    var builder = ColumnBuilder(column.type, capacity: column.count)
    builder.append(column)
    let compact = builder.finish()
    let (keys, values) = MapKernels.parts(compact)
    let castKeys = try Cast.column(keys, to: key, tryCast: tryCast)
    let castValues = try Cast.column(values, to: value, tryCast: tryCast)
    let result = Column(
      flat: type, count: column.count,
      children: [MapKernels.entries(type, castKeys, castValues)])
    result.values(as: ListEntry.self).update(
      from: compact.values(as: ListEntry.self), count: column.count)
    result.addNulls(of: compact)
    if tryCast {
      try MapKernels.check(result) { result.setNull($0) }
    } else if keys.type != key {
      try MapKernels.check(result)
    }
    return result
  }

  private static func structure(
    _ column: Column, _ fields: [Field], to type: LogicalType, _ key: LogicalType,
    _ value: LogicalType, _ tryCast: Bool
  ) throws -> Column {
    let names = try Column.constant(
      .list(fields.map { .varchar($0.name) }), .list(.varchar), count: 1
    ).children[0]
    let keys = try Cast.column(names, to: key, tryCast: tryCast)
    let parts = try column.children.map {
      try Cast.column($0, to: value, tryCast: tryCast).flattened()
    }
    let values = ListKernels.lists(of: parts, column.count, .list(value))
    let repeated = Selection(capacity: column.count * fields.count)
    for row in 0..<column.count {
      for field in fields.indices {
        repeated.indices[row * fields.count + field] = UInt32(truncatingIfNeeded: field)
      }
    }
    let result = MapKernels.rewrapped(
      values, as: type,
      over: MapKernels.entries(type, Column.dictionary(keys, repeated), values.children[0])
    ).withNulls(of: column)
    try MapKernels.check(result)
    return result
  }
}
