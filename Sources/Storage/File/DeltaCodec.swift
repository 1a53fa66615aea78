import Columnar
import Diagnostics

/// Values of the engine as cells of the row delta, and back. What SQLite has a form for is readable
/// there; the rest is the bytes of a chunk of one row.
enum DeltaCodec {
  /// The rows of columns, with their numbers.
  static func rows(_ columns: [Column], _ offsets: [Int], firstRow: Int) throws -> [DeltaRow] {
    try offsets.map { offset in
      DeltaRow(
        number: Int64(firstRow + offset), cells: try columns.map { try cell($0, offset) })
    }
  }

  private static func cell(_ column: Column, _ row: Int) throws -> StoredValue {
    if column.type.isNested, !column.isNull(row) {
      return .blob(try ColumnChunk.encode(Column.dictionary(column, Selection([row])).flattened()))
    }
    switch column.value(row) {
    case .null: return .null
    case .boolean(let flag): return .integer(flag ? 1 : 0)
    case .integer(let number), .decimal(let number):
      return Int64(exactly: number).map { .integer($0) } ?? .text("\(number)")
    case .unsigned(let number): return .text("\(number)")
    // SQLite has no NaN: it would be NULL.
    case .float(let number): return number.isNaN ? .text("nan") : .real(Double(number))
    case .double(let number): return number.isNaN ? .text("nan") : .real(number)
    case .varchar(let text): return .text(text)
    case .blob(let bytes): return .blob(bytes)
    case .date(let days): return .integer(Int64(days))
    case .time(let count), .timestamp(let count): return .integer(count)
    case .timeTZ(let word): return .integer(Int64(bitPattern: word))
    case .interval(let interval):
      return .text("\(interval.months) \(interval.days) \(interval.microseconds)")
    case .uuid(let number): return .blob(withUnsafeBytes(of: number.bigEndian) { Array($0) })
    case .list, .structure:
      throw SQLError(.internal, "a nested value reached the row delta as a \(column.type)")
    }
  }

  /// One column of the row delta.
  static func column(_ type: LogicalType, _ cells: [StoredValue]) throws -> Column {
    var builder = ColumnBuilder(type, capacity: max(cells.count, 1))
    for cell in cells {
      if cell == .null {
        builder.appendNull()
      } else if type.isNested {
        guard case .blob(let bytes) = cell else { throw damage(type) }
        let value = try bytes.withUnsafeBytes { try ColumnChunk.decode($0, type: type) }
        guard value.count == 1 else { throw damage(type) }
        builder.append(value)
      } else {
        guard let value = value(cell, type) else { throw damage(type) }
        do { try builder.append(value) } catch { throw damage(type) }
      }
    }
    return builder.finish()
  }

  private static func value(_ cell: StoredValue, _ type: LogicalType) -> Value? {
    switch (type, cell) {
    case (.boolean, .integer(let number)): .boolean(number != 0)
    case (.decimal, .integer(let number)): .decimal(Int128(number))
    case (.decimal, .text(let text)): Int128(text).map { .decimal($0) }
    case (.float, .real(let number)): .float(Float(number))
    case (.double, .real(let number)): .double(number)
    case (.float, .text("nan")): .float(.nan)
    case (.double, .text("nan")): .double(.nan)
    case (.uhugeint, .text(let text)):
      Int128(text).map { .integer($0) } ?? UInt128(text).map { .unsigned($0) }
    case (.hugeint, .text(let text)): Int128(text).map { .integer($0) }
    case (.date, .integer(let number)): Int32(exactly: number).map { .date($0) }
    case (.time, .integer(let number)): .time(number)
    case (.timeTZ, .integer(let number)): .timeTZ(UInt64(bitPattern: number))
    case (.timestamp, .integer(let number)), (.timestampTZ, .integer(let number)),
      (.timestampSeconds, .integer(let number)), (.timestampMilliseconds, .integer(let number)),
      (.timestampNanoseconds, .integer(let number)):
      .timestamp(number)
    case (.varchar, .text(let text)), (.json, .text(let text)), (.enumeration, .text(let text)):
      .varchar(text)
    case (.blob, .blob(let bytes)): .blob(bytes)
    case (.uuid, .blob(let bytes)):
      bytes.count == 16
        ? .uuid(bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }) : nil
    case (.interval, .text(let text)): interval(text)
    case (_, .integer(let number)) where type.isInteger: .integer(Int128(number))
    case (.ubigint, .text(let text)): Int128(text).map { .integer($0) }
    default: nil
    }
  }

  private static func interval(_ text: String) -> Value? {
    let parts = text.split(separator: " ")
    guard parts.count == 3, let months = Int32(parts[0]), let days = Int32(parts[1]),
      let microseconds = Int64(parts[2])
    else { return nil }
    return .interval(Interval(months: months, days: days, microseconds: microseconds))
  }

  private static func damage(_ type: LogicalType) -> SQLError {
    SQLError(.io, "the row delta of the database file is damaged: a cell is no \(type)")
  }
}
