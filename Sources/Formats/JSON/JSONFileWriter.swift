import Columnar
import Diagnostics
import Functions

/// How COPY … TO writes JSON.
package struct JSONWriterOptions: Sendable {
  /// One array of objects instead of an object a line.
  package var isArray = false
  package var compression: FileCompression?

  package init() {}

  static let optionNames = ["array", "compression"]

  /// Reads the options of COPY … TO.
  package init(_ arguments: [(name: String, value: Value, type: LogicalType)]) throws {
    for (name, value, _) in arguments {
      switch name.lowercased() {
      case "array": isArray = value.isNull ? true : try FormatOption.flag(name, value)
      case "compression":
        compression = try FormatOption.compression(name, value)
      default:
        throw SQLError(
          .binder, "COPY to JSON has no option \"\(name)\"",
          hint: didYouMean(name, among: JSONWriterOptions.optionNames))
      }
    }
  }
}

/// Writes batches as JSON, an object a row; NULL is null.
package final class JSONFileWriter: FileWriter {
  private let file: OutputFile
  private let isArray: Bool
  private let keys: [[UInt8]]
  private var buffer = TextBuffer(capacity: 1 << 17)
  private var rowCount = 0

  package init(path: String, fields: [Field], options: JSONWriterOptions) throws {
    isArray = options.isArray
    keys = fields.map { JSONValueWriter.key($0.name) }
    file = try OutputFile(
      path: path, compression: options.compression ?? FileCompression(path: path))
    if isArray { buffer.append("[\n\t") }
  }

  package func write(_ batch: Batch) throws {
    let writers = try batch.columns.map { try JSONValueWriter($0) }
    for row in 0..<batch.rowCount {
      if isArray {
        if rowCount > 0 { buffer.append(",\n\t") }
      }
      rowCount += 1
      if writers.isEmpty { buffer.append(0x7B) }
      for (position, writer) in writers.enumerated() {
        buffer.append(position == 0 ? 0x7B : 0x2C)
        keys[position].withUnsafeBufferPointer { buffer.append($0) }
        try writer.append(row, to: &buffer)
      }
      buffer.append(0x7D)
      if !isArray { buffer.append(0x0A) }
      if buffer.count >= 1 << 16 { try flush() }
    }
  }

  package func finish() throws -> Int {
    if isArray { buffer.append("\n]\n") }
    try flush()
    try file.finish()
    return rowCount
  }

  package func abort() { file.abort() }

  private func flush() throws {
    try file.write(UnsafeRawBufferPointer(buffer.bytes))
    buffer.removeAll()
  }
}
