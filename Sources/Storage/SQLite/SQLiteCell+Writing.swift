import Columnar
import Diagnostics

extension SQLiteCell {
  /// What a column is declared as. Numbers beyond 64 bits, and all that SQLite has no kind of value
  /// for, are text.
  static func declaredType(_ type: LogicalType) -> String {
    switch Form(type) {
    case .integer: "BIGINT"
    case .real: "DOUBLE"
    case .blob: "BLOB"
    case .text:
      switch type {
      case .date: "DATE"
      case .timestamp, .timestampSeconds, .timestampMilliseconds: "TIMESTAMP"
      default: "TEXT"
      }
    }
  }

  /// Which kind of value a type becomes.
  private enum Form {
    case integer, real, text, blob

    init(_ type: LogicalType) {
      switch type {
      case .boolean, .tinyint, .smallint, .integer, .bigint, .utinyint, .usmallint, .uinteger:
        self = .integer
      case .float, .double, .decimal: self = .real
      case .blob: self = .blob
      case .null, .hugeint, .ubigint, .uhugeint, .varchar, .date, .time, .timeTZ, .timestamp,
        .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds, .timestampTZ, .interval,
        .uuid, .enumeration, .json, .list, .array, .structure, .map:
        self = .text
      }
    }
  }

  /// The values of a column on their way into statements.
  struct Source {
    private let form: Form
    private let column: Column
    private let divisor: Double

    init(_ column: Column) throws {
      form = Form(column.type)
      self.column = form == .text ? try ValueText.text(of: column) : column
      var divisor = 1.0
      if case .decimal(_, let scale) = column.type { for _ in 0..<scale { divisor *= 10 } }
      self.divisor = divisor
    }

    func bind(_ row: Int, to statement: borrowing SQLiteStatement, _ index: Int) throws {
      if column.isNull(row) { return try statement.bind(index, StoredValue.null) }
      switch form {
      case .integer: try statement.bind(index, integer(row))
      case .real: try statement.bind(index, real(row))
      case .text, .blob:
        let view = ColumnReader<StringView>(column).pointer(row)
        if form == .text {
          try statement.bind(index, text: view.buffer)
        } else {
          // Copied: a short one lies in the view itself.
          try statement.bind(index, .blob(Array(view.buffer)))
        }
      }
    }

    private func integer(_ row: Int) throws -> Int64 {
      switch column.type.physical {
      case .bool, .uint8: Int64(ColumnReader<UInt8>(column)[row])
      case .int8: Int64(ColumnReader<Int8>(column)[row])
      case .int16: Int64(ColumnReader<Int16>(column)[row])
      case .uint16: Int64(ColumnReader<UInt16>(column)[row])
      case .int32: Int64(ColumnReader<Int32>(column)[row])
      case .uint32: Int64(ColumnReader<UInt32>(column)[row])
      case .int64: ColumnReader<Int64>(column)[row]
      case .int128, .uint64, .uint128, .float, .double, .string, .interval, .list, .array,
        .structure:
        throw SQLError(.internal, "\(column.type) is no integer of SQLite")
      }
    }

    private func real(_ row: Int) throws -> Double {
      switch column.type.physical {
      case .float: Double(ColumnReader<Float>(column)[row])
      case .double: ColumnReader<Double>(column)[row]
      case .int16: Double(ColumnReader<Int16>(column)[row]) / divisor
      case .int32: Double(ColumnReader<Int32>(column)[row]) / divisor
      case .int64: Double(ColumnReader<Int64>(column)[row]) / divisor
      case .int128: Double(ColumnReader<Int128>(column)[row]) / divisor
      case .bool, .int8, .uint8, .uint16, .uint32, .uint64, .uint128, .string, .interval, .list,
        .array, .structure:
        throw SQLError(.internal, "\(column.type) is no real number of SQLite")
      }
    }
  }
}
