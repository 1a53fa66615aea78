import CVectorMath
import Columnar
import Diagnostics
import Glibc

/// Cells of one column to a typed column, one loop per type.
enum CSVColumnParser {
  /// Rows that do not convert are added to `failures` and hold NULL. An empty cell is NULL, of a
  /// VARCHAR column only when it is not quoted.
  static func convert(
    _ fields: CSVFields, to type: LogicalType, file: FileBytes, checksText: Bool, unescapes: Bool,
    escape: UInt8, _ failures: CSVFailures
  ) throws -> Column {
    switch type {
    case .boolean:
      return values(fields, type, failures) { TextParsing.boolean($0).map { UInt8($0 ? 1 : 0) } }
    case .tinyint: return values(fields, type, failures) { TextParsing.integer($0, as: Int8.self) }
    case .smallint:
      return values(fields, type, failures) { TextParsing.integer($0, as: Int16.self) }
    case .integer: return values(fields, type, failures) { TextParsing.integer($0, as: Int32.self) }
    case .bigint: return values(fields, type, failures) { TextParsing.integer($0, as: Int64.self) }
    case .hugeint:
      return values(fields, type, failures) { TextParsing.integer($0, as: Int128.self) }
    case .utinyint:
      return values(fields, type, failures) { TextParsing.integer($0, as: UInt8.self) }
    case .usmallint:
      return values(fields, type, failures) { TextParsing.integer($0, as: UInt16.self) }
    case .uinteger:
      return values(fields, type, failures) { TextParsing.integer($0, as: UInt32.self) }
    case .ubigint:
      return values(fields, type, failures) { TextParsing.integer($0, as: UInt64.self) }
    case .uhugeint:
      return values(fields, type, failures) { TextParsing.integer($0, as: UInt128.self) }
    case .float: return values(fields, type, failures) { TextParsing.float($0) }
    case .double: return values(fields, type, failures) { TextParsing.double($0) }
    case .decimal(let precision, let scale):
      switch type.physical {
      case .int16:
        return values(fields, type, failures) {
          TextParsing.decimal($0, precision: precision, scale: scale).map {
            Int16(truncatingIfNeeded: $0)
          }
        }
      case .int32:
        return values(fields, type, failures) {
          TextParsing.decimal($0, precision: precision, scale: scale).map {
            Int32(truncatingIfNeeded: $0)
          }
        }
      case .int64:
        return values(fields, type, failures) {
          TextParsing.decimal($0, precision: precision, scale: scale).map {
            Int64(truncatingIfNeeded: $0)
          }
        }
      default:
        return values(fields, type, failures) {
          TextParsing.decimal($0, precision: precision, scale: scale)
        }
      }
    case .date: return values(fields, type, failures) { TextParsing.plainDate($0) }
    case .time: return values(fields, type, failures) { TextParsing.time($0) }
    case .timestamp: return values(fields, type, failures) { TextParsing.timestamp($0) }
    case .timestampTZ:
      var cursor = SessionTime.cursor
      return values(fields, type, failures) { TextParsing.timestampTZ($0, &cursor) }
    case .timestampNanoseconds:
      return values(fields, type, failures) { TextParsing.timestampNanoseconds($0) }
    case .timestampSeconds, .timestampMilliseconds:
      let factor: Int64 = type == .timestampSeconds ? 1_000_000 : 1000
      return values(fields, type, failures) { text in
        TextParsing.timestamp(text).map { Calendar.rounded($0, by: factor) }
      }
    case .timeTZ:
      var cursor = SessionTime.cursor
      let offset = SessionTime.currentOffset
      return values(fields, type, failures) {
        TextParsing.timeTZ($0, &cursor, defaultOffset: offset)
      }
    case .interval: return values(fields, type, failures) { TextParsing.interval($0) }
    case .varchar, .blob:
      return strings(
        fields, type, file, checksText: checksText && type == .varchar, unescapes: unescapes,
        escape: escape, failures)
    case .uuid: return values(fields, type, failures) { TextParsing.uuid($0) }
    case .enumeration, .json, .null, .list, .array, .structure, .map:
      throw SQLError(
        .notSupported, "type \(type) cannot be read from CSV",
        hint: "read the column as VARCHAR and cast it")
    }
  }

  @inline(__always)
  private static func values<T: BitwiseCopyable>(
    _ fields: CSVFields, _ type: LogicalType, _ failures: CSVFailures,
    _ parse: (UnsafeBufferPointer<UInt8>) -> T?
  ) -> Column {
    let column = Column(flat: type, count: fields.rows)
    let target = column.values(as: T.self)
    let width = MemoryLayout<T>.size
    for row in 0..<fields.rows {
      let cell = fields.cell(row)
      if cell.count > 0, let value = parse(cell.text) {
        target[row] = value
        continue
      }
      memset(target + row, 0, width)
      column.setNull(row)
      if cell.count > 0, !isNullText(cell, fields.nullText) { failures.rows.append(row) }
    }
    return column
  }

  private static func isNullText(_ cell: CSVFields.Cell, _ nullText: [UInt8]) -> Bool {
    cell.count == nullText.count && cell.text.elementsEqual(nullText)
  }

  private static func strings(
    _ fields: CSVFields, _ type: LogicalType, _ file: FileBytes, checksText: Bool, unescapes: Bool,
    escape: UInt8, _ failures: CSVFailures
  ) -> Column {
    let heap = StringHeap()
    let column = Column(flat: type, count: fields.rows, heaps: [heap, file])
    let target = column.values(as: StringView.self)
    let nullText = fields.nullText
    let nullCells = fields.nullCells
    var plain = TextBuffer()
    for row in 0..<fields.rows {
      let cell = fields.cell(row)
      if cell.count == nullText.count, nullCells == .all || !cell.isQuoted, nullCells != .none,
        isNullText(cell, nullText)
      {
        target[row] = StringView()
        column.setNull(row)
        continue
      }
      if cell.isBroken || cell.count > StringView.maximumCount {
        target[row] = StringView()
        failures.rows.append(row)
        continue
      }
      let start = fields.bytes + cell.start
      if checksText, apus_utf8_valid(start, cell.count) == 0 {
        target[row] = StringView()
        failures.rows.append(row)
        failures.isInvalidText = true
        continue
      }
      if unescapes, cell.isQuoted, memchr(start, Int32(escape), cell.count) != nil {
        plain.removeAll()
        CSVUnescaping.append(
          cell.text, quote: UInt8(truncatingIfNeeded: fields.quote), escape: escape, to: &plain)
        target[row] = heap.store(UnsafePointer(plain.start), plain.count)
        continue
      }
      if cell.count > StringView.inlineCapacity {
        target[row] = StringView(pointer: start, cell.count)
      } else if cell.start &+ 16 <= fields.bytesAfter {
        target[row] = inlineView(start, cell.count)
      } else {
        target[row] = StringView(inline: start, cell.count)
      }
    }
    return column
  }

  /// A short string by two loads and a mask instead of a call to memcpy.
  /// SAFETY: 16 bytes from `start` on are readable.
  @inline(__always)
  private static func inlineView(_ start: UnsafePointer<UInt8>, _ count: Int) -> StringView {
    let raw = UnsafeRawPointer(start)
    var low = raw.loadUnaligned(as: UInt64.self)
    var high = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    if count < 8 {
      low &= (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1
      high = 0
    } else {
      high &= (1 &<< UInt64(truncatingIfNeeded: (count &- 8) &* 8)) &- 1
    }
    #if _endian(big)
      return StringView(inline: start, count)
    #else
      var view = StringView()
      view.length = UInt32(truncatingIfNeeded: count)
      view.prefix = UInt32(truncatingIfNeeded: low)
      view.tail = low >> 32 | high << 32
      return view
    #endif
  }
}
