import Columnar
import Diagnostics
import Glibc
import Synchronization

/// Writes batches to a Parquet file. Rows are collected until they make a row group. The file
/// appears under its name only at `finish`, so a statement that fails leaves nothing behind.
package final class ParquetWriter: FileWriter {
  private let path: String
  private let temporaryPath: String
  private let schema: [Field]
  private let options: ParquetWriteOptions
  private let compressor: ParquetCompressor
  private var descriptor: Int32
  private var builders: [ColumnBuilder]
  private var pendingRows = 0
  private var totalRows = 0
  private var offset = 0
  private var rowGroups: [(rows: Int, chunks: [ParquetWrittenChunk])] = []
  private let output = ByteSink(capacity: 1 << 20)
  private static let serial = Atomic<Int>(0)

  /// Starts the file beside its final place; an `.io` error when that cannot be written.
  package init(
    path: String, schema: [Field], options: ParquetWriteOptions = ParquetWriteOptions()
  ) throws {
    guard !schema.isEmpty else {
      throw SQLError(.invalidInput, "a Parquet file needs at least one column")
    }
    self.path = path
    self.schema = schema
    self.options = options
    let number = Self.serial.add(1, ordering: .relaxed).newValue
    temporaryPath = "\(path).tmp-\(getpid())-\(number)"
    compressor = ParquetCompressor(options.codec, level: options.compressionLevel)
    builders = schema.map { ColumnBuilder($0.type) }
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failed(path, errno) }
    output.append("PAR1", 4)
  }

  deinit { abort() }

  package func write(_ batch: Batch) throws {
    guard batch.columns.count == builders.count else {
      throw SQLError(.internal, "a batch has another number of columns than the Parquet file")
    }
    var start = 0
    while start < batch.rowCount {
      let take = min(batch.rowCount - start, options.rowGroupRows - pendingRows)
      let part = batch.slice(start, take)
      for column in builders.indices { builders[column].append(part.columns[column]) }
      pendingRows += take
      start += take
      if pendingRows == options.rowGroupRows { try writeRowGroup() }
    }
  }

  private func writeRowGroup() throws {
    if pendingRows == 0 { return }
    var chunks: [ParquetWrittenChunk] = []
    for column in builders.indices {
      let whole = builders[column].finish()
      for leaf in ParquetShredder.shred(whole) {
        let position = offset + output.count
        let writer = ParquetChunkWriter(leaf, compressor)
        chunks.append(
          try writer.write(at: position) { bytes, count in
            if output.count + count > 1 << 20 { try flush() }
            output.append(bytes, count)
          })
      }
    }
    rowGroups.append((pendingRows, chunks))
    totalRows += pendingRows
    pendingRows = 0
  }

  private func flush() throws {
    var done = 0
    while done < output.count {
      let written = Glibc.write(descriptor, output.start + done, output.count - done)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw Self.failed(path, errno) }
      done += written
    }
    offset += done
    output.clear()
  }

  /// Gives the file its name. Rows so far, all of them.
  package func finish() throws -> Int {
    guard descriptor >= 0 else {
      throw SQLError(.internal, "the Parquet file has been finished already")
    }
    do {
      try writeRowGroup()
      let footer = ParquetFooterWriter.bytes(schema, rowGroups, options.codec, rowCount: totalRows)
      try footer.withUnsafeBytes { raw in
        if let base = raw.baseAddress { output.append(base, raw.count) }
        output.append(length: raw.count)
        output.append("PAR1", 4)
        try flush()
      }
      let status = close(descriptor)
      descriptor = -1
      guard status == 0, rename(temporaryPath, path) == 0 else { throw Self.failed(path, errno) }
    } catch {
      abort()
      unlink(temporaryPath)
      throw error
    }
    return totalRows
  }

  package func abort() {
    if descriptor < 0 { return }
    close(descriptor)
    descriptor = -1
    unlink(temporaryPath)
  }

  private static func failed(_ path: String, _ code: Int32) -> SQLError {
    SQLError(.io, "cannot write file \"\(path)\": \(String(cString: strerror(code)))")
  }
}
