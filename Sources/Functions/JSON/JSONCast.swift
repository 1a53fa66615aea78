import Columnar
import Diagnostics
import JSONReading

/// Casts from and to JSON; the column is flat.
enum JSONCast {
  /// Text as JSON: checked, and kept as it is.
  static func checked(_ column: Column, tryCast: Bool) throws -> Column {
    let reader = ColumnReader<StringView>(column)
    var tape = JSONTape(capacity: 256)
    var wrong: [Int] = []
    for row in 0..<column.count where !reader.isNull(row) {
      tape.removeAll()
      let text = reader.pointer(row).buffer
      do {
        _ = try tape.read(text, .sql)
      } catch {
        if !tryCast { throw SQLError(.conversion, error.message(text)) }
        wrong.append(row)
      }
    }
    let checked = column.reinterpreted(as: .json)
    if wrong.isEmpty { return checked }
    let nulls = Column(flat: .boolean, count: column.count)
    for row in wrong { nulls.setNull(row) }
    return checked.withNulls(of: nulls)
  }

  /// JSON as any other type but VARCHAR.
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    let reader = ColumnReader<StringView>(column)
    var tape = JSONTape(capacity: column.count * 4)
    var places: [JSONTransform.Place] = []
    places.reserveCapacity(column.count)
    for row in 0..<column.count {
      if reader.isNull(row) {
        places.append(-1)
      } else {
        places.append(
          JSONTransform.Place(
            truncatingIfNeeded: try JSONDocuments.read(reader.pointer(row).buffer, &tape)))
      }
    }
    let rules = tryCast ? JSONTransformRules.tryCast : .cast
    return try JSONTransform(rules, owner: column).column(tape, places, type)
  }
}
