import Columnar
import Diagnostics

/// Casts from VARCHAR by the forms that `TextParsing` knows; the column is flat.
enum TextCast {
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    let job = Job(column: column, type: type, tryCast: tryCast)
    switch type {
    case .boolean: return try job.parse(UInt8.self) { TextParsing.boolean($0).map { $0 ? 1 : 0 } }
    case .tinyint: return try job.parse(Int8.self) { TextParsing.integer($0) }
    case .smallint: return try job.parse(Int16.self) { TextParsing.integer($0) }
    case .integer: return try job.parse(Int32.self) { TextParsing.integer($0) }
    case .bigint: return try job.parse(Int64.self) { TextParsing.integer($0) }
    case .hugeint: return try job.parse(Int128.self) { TextParsing.integer($0) }
    case .utinyint: return try job.parse(UInt8.self) { TextParsing.integer($0) }
    case .usmallint: return try job.parse(UInt16.self) { TextParsing.integer($0) }
    case .uinteger: return try job.parse(UInt32.self) { TextParsing.integer($0) }
    case .ubigint: return try job.parse(UInt64.self) { TextParsing.integer($0) }
    case .uhugeint: return try job.parse(UInt128.self) { TextParsing.integer($0) }
    case .float: return try job.parse(Float.self) { TextParsing.float($0) }
    case .double: return try job.parse(Double.self) { TextParsing.double($0) }
    case .decimal(let precision, let scale):
      switch type.physical {
      case .int16: return try job.decimal(Int16.self, precision, scale)
      case .int32: return try job.decimal(Int32.self, precision, scale)
      case .int64: return try job.decimal(Int64.self, precision, scale)
      default: return try job.decimal(Int128.self, precision, scale)
      }
    case .date: return try job.parse(Int32.self) { TextParsing.date($0) }
    case .time:
      return try job.parse(Int64.self) { text in
        TextParsing.time(text)
          ?? TextParsing.timestamp(text).flatMap {
            Calendar.isFinite($0) ? Calendar.split($0).microseconds : nil
          }
      }
    case .timestamp: return try job.parse(Int64.self) { TextParsing.timestamp($0) }
    case .uuid: return try job.parse(UInt128.self) { TextParsing.uuid($0) }
    case .enumeration(let labels): return try job.labels(labels)
    case .timestampNanoseconds:
      return try job.parse(Int64.self) { TextParsing.timestampNanoseconds($0) }
    case .timestampMilliseconds:
      return try job.parse(Int64.self) { text in
        TextParsing.timestamp(text).map { Calendar.rounded($0, by: 1000) }
      }
    case .timestampSeconds:
      return try job.parse(Int64.self) { text in
        TextParsing.timestamp(text).map { Calendar.rounded($0, by: 1_000_000) }
      }
    case .timestampTZ:
      var cursor = SessionTime.cursor
      return try job.parse(Int64.self) { TextParsing.timestampTZ($0, &cursor) }
    case .timeTZ:
      var cursor = SessionTime.cursor
      let offset = SessionTime.currentOffset
      return try job.parse(UInt64.self) {
        TextParsing.timeTZ($0, &cursor, defaultOffset: offset)
      }
    case .json: throw Cast.noCast(column.type, type)
    case .interval: return try job.parse(Interval.self) { TextParsing.interval($0) }
    case .blob: return try job.blob()
    case .list, .array, .structure, .map: return try job.nested()
    case .null: throw Cast.noCast(column.type, type)
    case .varchar: return column
    }
  }

  struct Job {
    let column: Column
    let type: LogicalType
    let tryCast: Bool

    @inline(__always)
    func parse<T: BitwiseCopyable>(
      _ t: T.Type, _ body: (UnsafeBufferPointer<UInt8>) -> T?
    ) throws -> Column {
      try parseViews(t) { body($0.buffer) }
    }

    @inline(__always)
    func parseViews<T: BitwiseCopyable>(
      _ t: T.Type, _ body: (UnsafePointer<StringView>) -> T?
    ) throws -> Column {
      let reader = ColumnReader<StringView>(column)
      return try Kernels.nullableRows([column], column.count, type, t) { row in
        if let value = body(reader.pointer(row)) { return value }
        if tryCast { return nil }
        throw Cast.notText(reader[row].string, type)
      }
    }

    @inline(__always)
    func decimal<T: FixedWidthInteger & BitwiseCopyable>(
      _ t: T.Type, _ precision: Int, _ scale: Int
    ) throws -> Column {
      try parse(t) {
        TextParsing.decimal($0, precision: precision, scale: scale).flatMap { T(exactly: $0) }
      }
    }

    /// `\xHH` is a byte, everything else stands for itself and must be ASCII.
    func blob() throws -> Column {
      let reader = ColumnReader<StringView>(column)
      return try Kernels.nullableTexts([column], column.count, .blob) { row, buffer in
        let bytes = reader.pointer(row).buffer
        var position = 0
        while position < bytes.count {
          let byte = bytes[position]
          if byte == 0x5C {
            guard position + 3 < bytes.count, bytes[position + 1] == 0x78,
              let high = TextParsing.hexadecimalDigit(bytes[position + 2]),
              let low = TextParsing.hexadecimalDigit(bytes[position + 3])
            else {
              if tryCast { return false }
              throw Cast.notText(reader[row].string, type)
            }
            try buffer.append(high << 4 | low)
            position += 4
          } else {
            guard byte < 0x80 else {
              if tryCast { return false }
              throw Cast.notText(reader[row].string, type)
            }
            try buffer.append(byte)
            position += 1
          }
        }
        return true
      }
    }

    /// The positions of an ENUM's texts.
    func labels(_ labels: EnumLabels) throws -> Column {
      do {
        return try positions(labels)
      } catch var error as SQLError {
        let reader = ColumnReader<StringView>(column)
        let wrong = (0..<column.count).first {
          !reader.isNull($0) && labels.position(of: reader.pointer($0)) == nil
        }
        if let wrong {
          error.hint = didYouMean(reader[wrong].string, among: labels.labels)
        }
        throw error
      }
    }

    private func positions(_ labels: EnumLabels) throws -> Column {
      switch type.physical {
      case .uint8: try parseViews(UInt8.self) { labels.position(of: $0).map { UInt8($0) } }
      case .uint16: try parseViews(UInt16.self) { labels.position(of: $0).map { UInt16($0) } }
      default: try parseViews(UInt32.self) { labels.position(of: $0).map { UInt32($0) } }
      }
    }

    /// Lists, arrays, structs and maps are parsed to values: rare, and not worth a kernel.
    func nested() throws -> Column {
      let reader = ColumnReader<StringView>(column)
      var builder = ColumnBuilder(type, capacity: column.count)
      let cancellation = Cancellation.current
      for row in 0..<column.count {
        try cancellation.check()
        if reader.isNull(row) {
          builder.appendNull()
        } else if let value = NestedText.value(
          reader.pointer(row).buffer, type, tryCast: tryCast)
        {
          try builder.append(value)
        } else if tryCast {
          builder.appendNull()
        } else {
          try cancellation.check()
          throw Cast.notText(reader[row].string, type)
        }
      }
      return builder.finish()
    }
  }
}
