import Columnar
import Diagnostics
import Synchronization

/// One or more CSV files as a table. What the options leave open is sniffed from the first file.
package final class CSVSource: TableSource {
  package let schema: [Field]
  package let estimatedRowCount: Int?
  package var isCheapToReadAgain: Bool { false }
  let files: [CSVFile]
  let options: CSVOptions
  private let head = CSVHead()

  /// Opens the files and sniffs the first; all must have the same columns.
  package convenience init(
    paths: [String], options: [(name: String, value: Value, type: LogicalType)] = []
  ) throws {
    try self.init(paths: paths, options: CSVOptions(options))
  }

  package init(paths: [String], options: CSVOptions) throws {
    self.options = options
    guard let first = paths.first else {
      throw SQLError(.io, "no files were given to read_csv")
    }
    let firstBytes = try CSVSource.open(first, options)
    var sniffer = CSVSniffer(firstBytes, options)
    let layout = try sniffer.sniff()
    schema = layout.fields
    var files = [
      CSVFile(bytes: firstBytes, dialect: layout.dialect, dataStart: layout.dataStart)
    ]
    var size = firstBytes.count
    for path in paths.dropFirst() {
      let bytes = try CSVSource.open(path, options)
      var pinned = options
      pinned.delimiter = layout.dialect.delimiter
      pinned.quote = layout.dialect.quoting
      pinned.escape = layout.dialect.escape
      pinned.header = layout.hasHeader
      pinned.types = []
      pinned.sampleSize = 16
      var sniffer = CSVSniffer(bytes, pinned)
      let other = try sniffer.sniff()
      if bytes.count > 0, options.columns == nil {
        try CSVSource.compare(layout, other, first, path)
      }
      var dialect = layout.dialect
      dialect.newline = other.dialect.newline
      files.append(CSVFile(bytes: bytes, dialect: dialect, dataStart: other.dataStart))
      size += bytes.count
    }
    self.files = files
    estimatedRowCount = Int(Double(size) / layout.bytesPerRow)
  }

  package func columnStatistics(_ position: Int) -> ColumnStatistics? {
    head.statistics(of: position, in: self)
  }

  package func sample(columns: [Int]) -> [Column]? { head.sample(of: columns, in: self) }

  package func scan(
    columns: [Int], filters: [ScanFilter], batchRows: Int
  ) throws -> any PartitionedScan {
    RangedScan(files: files) { [self] file, range, partition in
      CSVPartitionReader(
        self, file, range, columns: columns, batchRows: max(1, batchRows), sequence: partition)
    }
  }

  static func open(_ path: String, _ options: CSVOptions) throws -> FileBytes {
    try FileBytes(
      path: path, compression: options.compression ?? FileCompression(path: path))
  }

  private static func compare(
    _ layout: CSVLayout, _ other: CSVLayout, _ first: String, _ path: String
  ) throws {
    if other.fields.count != layout.fields.count {
      throw SQLError(
        .invalidInput,
        "\"\(path)\" has \(other.fields.count) columns, \"\(first)\" has \(layout.fields.count)")
    }
    guard layout.hasHeader else { return }
    for (mine, theirs) in zip(layout.fields, other.fields) where mine.name != theirs.name {
      throw SQLError(
        .invalidInput,
        "\"\(path)\" has a column \"\(theirs.name)\" where \"\(first)\" has "
          + "\"\(mine.name)\"", hint: "give both files the same columns in the same order")
    }
  }
}

/// One file cut into ranges of whole records. Where a range starts depends on the quotes before it,
/// so starts are found one after the other, each when it is first asked for: a pass at memory speed
/// over the range before. That keeps the cut right whatever the quotes hold, and needs no guess.
final class CSVFile: RangedFile {
  let bytes: FileBytes
  let dialect: CSVDialect
  let dataStart: Int
  let rangeCount: Int
  private let rangeBytes: Int
  private let starts: Mutex<[Int]>

  init(bytes: FileBytes, dialect: CSVDialect, dataStart: Int) {
    self.bytes = bytes
    self.dialect = dialect
    self.dataStart = dataStart
    let size = bytes.count - dataStart
    // Small enough for many workers, large enough to be worth the parts around it.
    rangeBytes = min(4 << 20, max(1 << 18, size / 16))
    rangeCount = max(0, (size + rangeBytes - 1) / rangeBytes)
    starts = Mutex([dataStart])
  }

  /// The bytes of range `index`; empty when a record of an earlier range covers it all.
  func range(_ index: Int) -> Range<Int> {
    bytes.prefetch(nominal(index)..<nominal(index + 1))
    return starts.withLock { starts in
      while starts.count < index + 2 {
        let start = starts[starts.count - 1]
        let end = nominal(starts.count)
        starts.append(
          max(
            start,
            CSVTokenizer.boundary(
              bytes.start, count: bytes.count, dialect: dialect, from: start, near: end)))
      }
      return starts[index]..<starts[index + 1]
    }
  }

  private func nominal(_ index: Int) -> Int { min(bytes.count, dataStart + index * rangeBytes) }
}
