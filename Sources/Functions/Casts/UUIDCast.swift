import Columnar
import Diagnostics

/// Casts between UUID and its 16 bytes as a BLOB; the column is flat.
enum UUIDCast {
  static func column(_ column: Column, to type: LogicalType, tryCast: Bool) throws -> Column {
    type == .blob ? try bytes(column) : try numbers(column, tryCast: tryCast)
  }

  private static func bytes(_ column: Column) throws -> Column {
    let reader = ColumnReader<UInt128>(column)
    return try Kernels.nullableTexts([column], column.count, .blob) { row, buffer in
      for place in 0..<16 {
        try buffer.append(UInt8(truncatingIfNeeded: reader[row] >> UInt128(8 * (15 - place))))
      }
      return true
    }
  }

  private static func numbers(_ column: Column, tryCast: Bool) throws -> Column {
    let reader = ColumnReader<StringView>(column)
    return try Kernels.nullableRows([column], column.count, .uuid, UInt128.self) { row in
      let bytes = reader.pointer(row).buffer
      guard bytes.count == 16 else {
        if tryCast { return nil }
        throw SQLError(.conversion, "a UUID has 16 bytes, not \(bytes.count)")
      }
      var value: UInt128 = 0
      for byte in bytes { value = value << 8 | UInt128(byte) }
      return value
    }
  }
}
