import Columnar
import Diagnostics

/// Explicit casts between all types. (What happens without being written is `ImplicitCast`.)
///
/// Rounding is DuckDB's: floating point to integers half to even, decimals half away from zero.
/// A value that does not fit is a `.conversion` error that names it, or NULL with `tryCast`.
package enum Cast {
  /// The column as another type: same rows; constants and small dictionaries stay what they are.
  package static func column(
    _ column: Column, to type: LogicalType, tryCast: Bool = false
  ) throws -> Column {
    if column.type == type { return column }
    if column.type == .null || column.count == 0 {
      return Column.nulls(type, count: column.count)
    }
    switch column.encoding {
    case .constant:
      if column.isConstantNull { return Column.nulls(type, count: column.count) }
      let one = try flat(column.flatValue(0), to: type, tryCast: tryCast)
      return Column(repeating: one, count: column.count)
    case .dictionary:
      if let base = ScalarEvaluation.distinctBase(column, column.count),
        let values = try? flat(base, to: type, tryCast: tryCast)
      {
        return ScalarEvaluation.rewrapped(values, as: column)
      }
      return try flat(column.flattened(), to: type, tryCast: tryCast)
    case .flat:
      return try flat(column, to: type, tryCast: tryCast)
    }
  }

  /// Whether there is a cast at all, so that the binder can refuse early.
  package static func exists(from: LogicalType, to: LogicalType) -> Bool {
    if from == to || from == .null || to == .varchar || from == .varchar { return true }
    switch (from, to) {
    case (_, .null): return false
    case (.json, _), (_, .json): return true
    // As their texts.
    case (.enumeration, _): return exists(from: .varchar, to: to)
    case (.map(let k, let v), .map(let l, let w)):
      return exists(from: k, to: l) && exists(from: v, to: w)
    case (.structure(let fields), .map(let key, let value)):
      return ImplicitCast.hasNames(fields) && exists(from: .varchar, to: key)
        && fields.allSatisfy { exists(from: $0.type, to: value) }
    case (.uuid, .blob), (.blob, .uuid), (.uuid, .uhugeint), (.uhugeint, .uuid): return true
    case (.list(let a), .list(let b)), (.list(let a), .array(let b, _)),
      (.array(let a, _), .list(let b)):
      return exists(from: a, to: b)
    case (.array(let a, let n), .array(let b, let m)): return n == m && exists(from: a, to: b)
    case (.structure(let a), .structure(let b)):
      if ImplicitCast.hasNames(a) && ImplicitCast.hasNames(b) {
        // By name: at least one must be in both.
        let pairs = a.compactMap { field in
          ImplicitCast.index(of: field.name, in: b).map { (field.type, b[$0].type) }
        }
        return !pairs.isEmpty && pairs.allSatisfy { exists(from: $0, to: $1) }
      }
      return a.count == b.count && zip(a, b).allSatisfy { exists(from: $0.type, to: $1.type) }
    case (.boolean, _): return to.isNumeric
    case (_, .boolean): return from.isNumeric
    case _ where from.isTemporal && to.isTemporal: return TemporalCast.exists(from, to)
    case (.blob, _), (_, .blob): return false
    default: return from.isNumeric && to.isNumeric
    }
  }

  static func flat(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    let from = column.type
    if from == type { return column }
    if from == .null { return Column.nulls(type, count: column.count).flattened() }
    switch (from, type) {
    case (_, .varchar): return try ValueText.boundedText(of: column)
    case (.json, _): return try JSONCast.column(column, to: type, tryCast: tryCast)
    case (.varchar, .json): return try JSONCast.checked(column, tryCast: tryCast)
    case (_, .json): return try JSONCreation.column(column, column.count)
    case (.enumeration, _):
      return try Cast.column(ValueText.text(of: column), to: type, tryCast: tryCast)
    case (_, .map) where from.hasFields:
      guard exists(from: from, to: type) else { throw noCast(from, type) }
      return try MapCast.column(column, to: type, tryCast: tryCast)
    case (.uuid, .uhugeint), (.uhugeint, .uuid): return column.reinterpreted(as: type)
    case (.uuid, .blob), (.blob, .uuid):
      return try UUIDCast.column(column, to: type, tryCast: tryCast)
    case (.varchar, _): return try TextCast.column(column, to: type, tryCast: tryCast)
    case (.list, .list), (.list, .array), (.array, .list), (.array, .array),
      (.structure, .structure):
      guard exists(from: from, to: type) else { throw noCast(from, type) }
      return try NestedCast.column(column, to: type, tryCast: tryCast)
    case _ where from.isTemporal && type.isTemporal:
      return try TemporalCast.column(column, to: type, tryCast: tryCast)
    default:
      guard exists(from: from, to: type) else { throw noCast(from, type) }
      return try NumericCast.column(column, to: type, tryCast: tryCast)
    }
  }

  /// `operation` of every row that is not NULL; where it gives nil, the row becomes NULL with
  /// `tryCast` and is an error without.
  @inline(__always)
  static func convert<A: BitwiseCopyable, B: BitwiseCopyable>(
    _ column: Column, to type: LogicalType, _ tryCast: Bool, _ a: A.Type, _ b: B.Type,
    _ operation: (A) -> B?
  ) throws -> Column {
    let reader = ColumnReader<A>(column)
    return try Kernels.nullableRows([column], column.count, type, b) { row in
      if let value = operation(reader[row]) { return value }
      if tryCast { return nil }
      throw doesNotFit(column, row, type)
    }
  }

  // MARK: Messages

  static func noCast(_ from: LogicalType, _ to: LogicalType) -> SQLError {
    SQLError(.conversion, "there is no cast from \(from) to \(to)")
  }

  static func doesNotFit(_ column: Column, _ row: Int, _ type: LogicalType) -> SQLError {
    var value = ""
    if case .varchar(let text) = ValueText.text(of: column.flatValue(row)).value(0) { value = text }
    return SQLError(
      .conversion,
      "type \(name(column.type)) with value \(value) can't be cast because the value is out of "
        + "range for the destination type \(name(type))")
  }

  static func notText(_ text: String, _ type: LogicalType) -> SQLError {
    let shown = text.utf8.count > 200 ? String(text.prefix(200)) + "…" : text
    return SQLError(.conversion, "could not convert string '\(shown)' to \(name(type))")
  }

  /// A type's name in messages: integers by their bits, as DuckDB does.
  static func name(_ type: LogicalType) -> String {
    switch type {
    case .boolean: "BOOL"
    case .tinyint: "INT8"
    case .smallint: "INT16"
    case .integer: "INT32"
    case .bigint: "INT64"
    case .hugeint: "INT128"
    case .utinyint: "UINT8"
    case .usmallint: "UINT16"
    case .uinteger: "UINT32"
    case .ubigint: "UINT64"
    case .uhugeint: "UINT128"
    default: type.description
    }
  }
}
