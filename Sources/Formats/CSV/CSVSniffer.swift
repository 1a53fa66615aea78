import Columnar
import Diagnostics
import Glibc

/// What a file's first rows say about it.
struct CSVLayout: Sendable {
  var dialect = CSVDialect()
  /// Where the first row of data starts.
  var dataStart = 0
  var hasHeader = false
  var fields: [Field] = []
  /// For a guess of the row count.
  var bytesPerRow = 64.0
}

/// Finds out how a file is written and what its columns hold, from a sample at its start.
struct CSVSniffer {
  private let file: FileBytes
  private let options: CSVOptions
  private var start = 0

  init(_ file: FileBytes, _ options: CSVOptions) {
    self.file = file
    self.options = options
  }

  mutating func sniff() throws -> CSVLayout {
    if let delimiter = options.delimiter, options.quote == .character(delimiter) {
      throw SQLError(.binder, "delim and quote of read_csv must be different characters")
    }
    var layout = CSVLayout()
    let bytes = file.start
    if file.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
    layout.dialect.newline = newline()
    skipLines(layout.dialect.newline)
    layout.dialect = try dialect(newline: layout.dialect.newline)

    let wanted = options.sampleSize == .max ? Int.max : options.sampleSize + 1
    let tokenizer = sampleTokenizer(layout.dialect, limit: file.count - start)
    do {
      try tokenizer.fill(wanted)
    } catch let problem as CSVScanProblem {
      // Far into the file the reader will say it better; before the first rows nobody else does.
      if tokenizer.recordCount == 0 { throw error(problem, layout.dialect) }
    }
    let widest = tokenizer.recordCount > 0 ? Int(tokenizer.recordEnds[0]) : 0
    if widest > CSVSniffer.columnLimit { throw tooWide(widest) }
    let sample = CSVSample(tokenizer, options)
    let names = sample.isEmpty ? [] : sample.texts(of: 0)
    let width = options.columns?.count ?? max(names.count, 1)
    let body = sample.types(from: sample.count > 1 ? 1 : 0, width: width)
    layout.hasHeader = options.header ?? (options.detects && sample.looksLikeHeader(under: body))
    let types: [LogicalType]
    if options.allVarchar {
      types = Array(repeating: .varchar, count: width)
    } else if layout.hasHeader {
      types = sample.count > 1 ? body : Array(repeating: .varchar, count: width)
    } else {
      types = sample.types(from: 0, width: width)
    }
    layout.dataStart = start + (layout.hasHeader ? sample.end(of: 0) : 0)
    layout.fields = try fields(names: layout.hasHeader ? names : [], types: types)
    if sample.count > 0 {
      layout.bytesPerRow = max(1, Double(sample.end(of: sample.count - 1)) / Double(sample.count))
    }
    return layout
  }

  /// More columns than any table has: the file is something else than CSV.
  private static let columnLimit = 1 << 16

  // MARK: Characters

  private func newline() -> UInt8 {
    let look = min(file.count - start, 1 << 20)
    guard look > 0, memchr(file.start + start, 10, look) == nil,
      memchr(file.start + start, 13, look) != nil
    else { return 10 }
    return 13
  }

  private mutating func skipLines(_ newline: UInt8) {
    for _ in 0..<options.skip {
      guard start < file.count,
        let found = memchr(file.start + start, Int32(newline), file.count - start)
      else {
        start = file.count
        return
      }
      start = UnsafeRawPointer(found) - UnsafeRawPointer(file.start) + 1
    }
  }

  private func sampleTokenizer(
    _ dialect: CSVDialect, limit: Int, isLenient: Bool = false
  ) -> CSVTokenizer {
    let bounded = min(limit, file.count - start)
    return CSVTokenizer(
      file.start + start, limit: bounded, dialect: dialect,
      endsFile: bounded == file.count - start, isLenient: isLenient || options.ignoresErrors)
  }

  /// The characters under which the first rows have the same number of fields, and most fields.
  private func dialect(newline: UInt8) throws -> CSVDialect {
    var base = CSVDialect()
    base.newline = newline
    if let delimiter = options.delimiter { base.delimiter = delimiter }
    if let quoting = options.quote { base.quoting = quoting }
    base.escape = options.escape ?? base.quote ?? 0x22
    if !options.detects { return base }

    var delimiters: [UInt8] = [0x2C, 0x7C, 0x3B, 0x09, 0x3A]
    if let given = options.delimiter { delimiters = [given] }
    var best: (score: Double, dialect: CSVDialect)?
    var quotings: [CSVQuoting] = [.character(0x22), .character(0x27), CSVQuoting.none]
    if let given = options.quote { quotings = [given] }
    for quoting in quotings {
      for delimiter in delimiters {
        var candidate = base
        candidate.quoting = quoting
        candidate.delimiter = delimiter
        var escapes: [UInt8] = [candidate.quote ?? 0x22]
        if let given = options.escape {
          escapes = [given]
        } else if candidate.quote != nil {
          escapes.append(0x5C)
        }
        for escape in escapes where escape != delimiter {
          candidate.escape = escape
          guard let score = score(candidate) else { continue }
          if best.map({ score > $0.score }) ?? true { best = (score, candidate) }
          // Another escape is worth a look only where doubled quotes do not explain the file.
          break
        }
      }
      // A later quote is tried only when the one before explains no file of several columns.
      if let best, best.score >= 1 { return best.dialect }
    }
    if let best { return best.dialect }
    return base
  }

  /// At least 1 for a consistent table of two columns or more, in favour of more columns; below 1
  /// for one column; nil when the quotes do not work out or the rows do not agree.
  private func score(_ dialect: CSVDialect) -> Double? {
    let tokenizer = sampleTokenizer(dialect, limit: 1 << 20)
    do {
      try tokenizer.fill(1000)
    } catch {
      return nil
    }
    var counts: [Int: Int] = [:]
    var rows = 0
    var before = 0
    var quoted = 0
    let positions = tokenizer.positions
    for record in 0..<min(tokenizer.recordCount, 1000) {
      let end = Int(tokenizer.recordEnds[record])
      let first = Int(positions[before - 1] &+ 1)
      let last = Int(positions[end - 1])
      if let quote = dialect.quote {
        for field in before..<end
        where tokenizer.bytes[Int(positions[field - 1] &+ 1)] == quote
          && positions[field - 1] &+ 1 < positions[field]
        {
          quoted += 1
        }
      }
      let isBlank = last == first || (last == first + 1 && tokenizer.bytes[first] == 13)
      if !isBlank {
        counts[end - before, default: 0] += 1
        rows += 1
      }
      before = end
    }
    guard rows > 0 else { return 0 }
    if dialect.quote == 0x27 && quoted == 0 { return nil }
    guard let (columns, agreeing) = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })
    else { return nil }
    let share = Double(agreeing) / Double(rows)
    if columns == 1 { return share > 0.8 ? 0.5 : nil }
    if share < 0.8 { return nil }
    // Full agreement counts more than a few columns.
    return share == 1 ? 1000 + Double(columns) : 1 + Double(columns) * share
  }

  // MARK: Columns

  private func fields(names header: [String], types sniffed: [LogicalType]) throws -> [Field] {
    if let columns = options.columns { return columns }
    var fields: [Field] = []
    var taken: Set<String> = []
    if options.names.count > sniffed.count {
      throw SQLError(
        .binder,
        "\(options.names.count) names are given, \"\(file.path)\" has \(sniffed.count) columns")
    }
    for (position, type) in sniffed.enumerated() {
      var name = position < header.count ? header[position] : ""
      if position < options.names.count { name = options.names[position] }
      if name.isEmpty { name = "column\(position)" }
      var unique = name
      var suffix = 1
      while !taken.insert(unique.lowercased()).inserted {
        unique = "\(name)_\(suffix)"
        suffix += 1
      }
      fields.append(Field(unique, type))
    }
    for (position, given) in options.types.enumerated() {
      if options.typesAreByPosition {
        guard position < fields.count else {
          throw SQLError(
            .binder,
            "\(options.types.count) types are given, \"\(file.path)\" has \(fields.count) columns")
        }
        fields[position].type = given.type
      } else {
        let wanted = given.name.lowercased()
        guard let index = fields.firstIndex(where: { $0.name.lowercased() == wanted }) else {
          throw SQLError(
            .binder,
            "\"\(file.path)\" has no column \"\(given.name)\" that types could give a type",
            hint: didYouMean(given.name, among: fields.map(\.name)))
        }
        fields[index].type = given.type
      }
    }
    return fields
  }

  private func tooWide(_ count: Int) -> SQLError {
    SQLError(
      .invalidInput,
      "\"\(file.path)\": the first row has \(count) fields, at most \(CSVSniffer.columnLimit) can "
        + "be read", hint: "set delim, or skip lines at the start with skip")
  }

  private func error(_ problem: CSVScanProblem, _ dialect: CSVDialect) -> SQLError {
    let offset: Int
    switch problem {
    case .unterminatedQuote(let at), .textAfterQuote(let at), .recordTooLong(let at): offset = at
    }
    return CSVErrors.scan(
      problem, CSVPlace(file: file, offset: start + offset, newline: dialect.newline))
  }
}
