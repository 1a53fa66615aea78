import Apus

extension RendererDefinition {
  static let csv = RendererDefinition(
    name: "csv", summary: "comma-separated values (RFC 4180); NULL is an empty field"
  ) { SeparatedRenderer(columns: $0, style: $1, output: $2, separator: ",", quoting: .csv) }

  static let list = RendererDefinition(
    name: "list", summary: "values with | between them, a row a line"
  ) { SeparatedRenderer(columns: $0, style: $1, output: $2, separator: "|", quoting: .none) }

  static let tabs = RendererDefinition(
    name: "tabs", summary: "values with tabs between them; tab, line end and \\ as \\t, \\n, \\\\"
  ) { SeparatedRenderer(columns: $0, style: $1, output: $2, separator: "\t", quoting: .backslash) }
}

/// A row a line, its values apart by one byte. Streams: it holds nothing.
struct SeparatedRenderer: Renderer {
  /// What keeps a value from being taken for two.
  enum Quoting {
    case none
    case csv
    case backslash
  }

  private let columnCount: Int
  private let nullText: [UInt8]
  private let output: Output
  private let separator: UInt8
  private let quoting: Quoting
  private var scratch: [UInt8] = []

  init(
    columns: [ResultColumn], style: RenderStyle, output: Output, separator: Unicode.Scalar,
    quoting: Quoting
  ) {
    columnCount = columns.count
    nullText = Array((style.nullText ?? "").utf8)
    self.output = output
    self.separator = UInt8(ascii: separator)
    self.quoting = quoting
    if style.showsHeaders {
      output.write { line in
        for (index, column) in columns.enumerated() {
          if index > 0 { line.append(self.separator) }
          self.append(Array(column.name.utf8), to: &line)
        }
        self.endLine(&line)
      }
    }
  }

  mutating func write(_ chunk: ResultChunk) {
    for row in 0..<chunk.rowCount {
      output.write { line in
        for column in 0..<columnCount {
          if column > 0 { line.append(separator) }
          if chunk.isNull(row: row, column: column) {
            line.append(contentsOf: nullText)
          } else {
            scratch.removeAll(keepingCapacity: true)
            chunk.appendText(row: row, column: column, to: &scratch)
            append(scratch, to: &line)
          }
        }
        endLine(&line)
      }
    }
  }

  mutating func finish() {}

  private func endLine(_ line: inout [UInt8]) {
    // RFC 4180 ends lines with CR LF; every reader takes LF, and Unix tools want it.
    line.append(UInt8(ascii: "\n"))
  }

  private func append(_ text: [UInt8], to line: inout [UInt8]) {
    switch quoting {
    case .none:
      line.append(contentsOf: text)
    case .csv:
      // An empty text is quoted, so that it is not read back as NULL.
      let needsQuotes =
        text.isEmpty
        || text.contains { $0 == separator || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }
      guard needsQuotes else {
        line.append(contentsOf: text)
        return
      }
      line.append(0x22)
      for byte in text {
        if byte == 0x22 { line.append(0x22) }
        line.append(byte)
      }
      line.append(0x22)
    case .backslash:
      for byte in text {
        switch byte {
        case 0x09: line.append(contentsOf: [0x5c, UInt8(ascii: "t")])
        case 0x0a: line.append(contentsOf: [0x5c, UInt8(ascii: "n")])
        case 0x0d: line.append(contentsOf: [0x5c, UInt8(ascii: "r")])
        case 0x5c: line.append(contentsOf: [0x5c, 0x5c])
        default: line.append(byte)
        }
      }
    }
  }
}
