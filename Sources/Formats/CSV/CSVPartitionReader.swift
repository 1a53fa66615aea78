import CVectorMath
import Columnar
import Diagnostics

/// The rows of one range of a CSV file, a batch at a time: records are cut, then each wanted column
/// is converted in one loop.
final class CSVPartitionReader: BatchSource {
  private let source: CSVSource
  private let file: CSVFile
  private let base: Int
  private let length: Int
  private let tokenizer: CSVTokenizer
  private let columns: [Int]
  private let batchRows: Int
  private let sequence: Int
  /// For each row of the batch, its first field.
  private let firstFields: UnsafeMutablePointer<UInt32>
  private var badRows: Set<Int> = []

  /// SAFETY: the file's bytes are held by `file`; `firstFields` is written by `next` only.
  init(
    _ source: CSVSource, _ file: CSVFile, _ range: Range<Int>, columns: [Int], batchRows: Int,
    sequence: Int
  ) {
    self.source = source
    self.file = file
    self.columns = columns
    self.batchRows = batchRows
    self.sequence = sequence
    base = range.lowerBound
    length = range.count
    tokenizer = CSVTokenizer(
      file.bytes.start + range.lowerBound, limit: range.count, dialect: file.dialect,
      endsFile: range.upperBound == file.bytes.count, isLenient: source.options.ignoresErrors)
    firstFields = .allocate(capacity: batchRows)
  }

  deinit {
    firstFields.deallocate()
    file.bytes.letGo(base..<(base + length))
  }

  func next() throws -> Batch? {
    while true {
      do {
        try tokenizer.fill(batchRows)
      } catch let problem as CSVScanProblem {
        throw scanError(problem)
      }
      let records = min(batchRows, tokenizer.recordCount)
      if records == 0 { return nil }
      let rows = try pickRows(records)
      if rows == 0 {
        tokenizer.drop(records)
        continue
      }
      badRows.removeAll(keepingCapacity: true)
      var converted: [Column] = []
      converted.reserveCapacity(columns.count)
      for column in columns { converted.append(try convert(column, rows)) }
      tokenizer.drop(records)
      let batch = Batch(columns: converted, rowCount: rows, sequence: sequence)
      if badRows.isEmpty { return batch }
      if badRows.count < rows {
        return batch.selecting(Selection((0..<rows).filter { !badRows.contains($0) }))
      }
    }
  }

  /// Writes the first fields of the records that are rows of the table; gives how many.
  private func pickRows(_ records: Int) throws -> Int {
    let width = source.schema.count
    let ends = tokenizer.recordEnds
    let target = firstFields
    var rows = 0
    var before: UInt32 = 0
    for record in 0..<records {
      let end = ends[record]
      if Int(end &- before) == width {
        target[rows] = before
        rows += 1
      } else if !isBlank(before, end), !source.options.ignoresErrors {
        throw CSVErrors.fieldCount(
          place(fieldStart(Int(before))), found: Int(end - before), expected: width)
      }
      before = end
    }
    return rows
  }

  private func isBlank(_ first: UInt32, _ end: UInt32) -> Bool {
    guard end - first == 1 else { return false }
    let start = fieldStart(Int(first))
    let stop = Int(tokenizer.positions[Int(first)])
    return stop == start || (stop == start + 1 && tokenizer.bytes[start] == 13)
  }

  private func fieldStart(_ index: Int) -> Int { Int(tokenizer.positions[index - 1] &+ 1) }

  private func convert(_ column: Int, _ rows: Int) throws -> Column {
    let fields = CSVFields(
      tokenizer, firstFields, column: column, isLast: column == source.schema.count - 1,
      rows: rows, bytesAfter: file.bytes.count - base, nullText: source.options.nullText,
      nullCells: nullCells(column))
    let type = source.schema[column].type
    let failures = CSVFailures()
    let converted = try CSVColumnParser.convert(
      fields, to: type, file: file.bytes, checksText: tokenizer.hasHighBytes,
      unescapes: tokenizer.hasEscapes, escape: file.dialect.escape, failures)
    guard let row = failures.rows.first else { return converted }
    if source.options.ignoresErrors {
      badRows.formUnion(failures.rows)
      return converted
    }
    throw cellError(column, row, fields, failures.isInvalidText)
  }

  private func nullCells(_ column: Int) -> CSVFields.NullCells {
    if source.options.neverNull.contains(source.schema[column].name.lowercased()) { return .none }
    return source.options.allowsQuotedNulls ? .all : .unquoted
  }

  // MARK: Errors

  private func place(_ offset: Int) -> CSVPlace {
    CSVPlace(file: file.bytes, offset: base + offset, newline: file.dialect.newline)
  }

  private func scanError(_ problem: CSVScanProblem) -> SQLError {
    switch problem {
    case .unterminatedQuote(let at), .textAfterQuote(let at), .recordTooLong(let at):
      CSVErrors.scan(problem, place(at))
    }
  }

  private func cellError(
    _ column: Int, _ row: Int, _ fields: CSVFields, _ isInvalidText: Bool
  ) -> SQLError {
    let index = Int(firstFields[row]) + column
    let place = place(fieldStart(index))
    let field = source.schema[column]
    let cell = fields.cell(row)
    if cell.isBroken {
      return CSVErrors.scan(.textAfterQuote(0), place)
    }
    if isInvalidText { return CSVErrors.invalidText(place, column: column, name: field.name) }
    let isGiven =
      source.options.columns != nil
      || source.options.types.contains {
        source.options.typesAreByPosition
          ? $0.name == "\(column)" : $0.name.lowercased() == field.name.lowercased()
      }
    return CSVErrors.badCell(
      place, column: column, name: field.name, text: cell.text, type: field.type,
      isSniffed: !isGiven)
  }
}

/// The rows of a column that could not be converted.
final class CSVFailures {
  var rows: [Int] = []
  var isInvalidText = false
}

/// Where the cells of one column lie.
struct CSVFields {
  let bytes: UnsafePointer<UInt8>
  let positions: UnsafeMutablePointer<UInt32>
  let firstFields: UnsafeMutablePointer<UInt32>
  let column: Int
  let isLast: Bool
  let rows: Int
  /// How many bytes may be read from `bytes` on.
  let bytesAfter: Int
  /// 256 when nothing quotes, so that no byte equals it.
  let quote: Int
  let nullText: [UInt8]
  let nullCells: NullCells

  /// Which texts may be NULL.
  enum NullCells {
    case none, unquoted, all
  }

  init(
    _ tokenizer: CSVTokenizer, _ firstFields: UnsafeMutablePointer<UInt32>, column: Int,
    isLast: Bool, rows: Int, bytesAfter: Int, nullText: [UInt8],
    nullCells: NullCells
  ) {
    bytes = tokenizer.bytes
    positions = tokenizer.positions
    self.firstFields = firstFields
    self.column = column
    self.isLast = isLast
    self.rows = rows
    self.bytesAfter = bytesAfter
    quote = tokenizer.dialect.quote.map { Int($0) } ?? 256
    self.nullText = nullText
    self.nullCells = nullCells
  }

  struct Cell {
    var start: Int
    var count: Int
    var isQuoted: Bool
    /// Starts with a quote and does not end with one.
    var isBroken: Bool
    var text: UnsafeBufferPointer<UInt8>
  }

  @inline(__always)
  func cell(_ row: Int) -> Cell {
    let index = Int(firstFields[row]) &+ column
    var start = Int(positions[index &- 1] &+ 1)
    var end = Int(positions[index])
    if isLast, end > start, bytes[end &- 1] == 13 { end &-= 1 }
    var isQuoted = false
    var isBroken = false
    if end > start, Int(bytes[start]) == quote {
      if end &- start >= 2, Int(bytes[end &- 1]) == quote {
        isQuoted = true
        start &+= 1
        end &-= 1
      } else {
        isBroken = true
      }
    }
    return Cell(
      start: start, count: end &- start, isQuoted: isQuoted, isBroken: isBroken,
      text: UnsafeBufferPointer(start: bytes + start, count: end &- start))
  }
}
