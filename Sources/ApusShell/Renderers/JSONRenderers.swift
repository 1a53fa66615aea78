import Apus

extension RendererDefinition {
  static let json = RendererDefinition(
    name: "json", summary: "one JSON array, an object a row"
  ) { columns, _, output in JSONRenderer(columns: columns, output: output, isArray: true) }

  static let jsonlines = RendererDefinition(
    name: "jsonlines", summary: "a JSON object a line"
  ) { columns, _, output in JSONRenderer(columns: columns, output: output, isArray: false) }
}

/// Rows as JSON objects, streamed. Numbers and booleans stand bare; `nan` and `inf`, which JSON
/// cannot say, are texts, so that nothing is lost. Nested values are texts as SQL prints them.
struct JSONRenderer: Renderer {
  private let columns: [ResultColumn]
  private let keys: [[UInt8]]
  private let areBooleans: [Bool]
  private let output: Output
  private let isArray: Bool
  private var hasRows = false
  private var scratch: [UInt8] = []

  init(columns: [ResultColumn], output: Output, isArray: Bool) {
    self.columns = columns
    self.output = output
    self.isArray = isArray
    areBooleans = columns.map { $0.type == "BOOLEAN" }
    keys = columns.map { column in
      var key: [UInt8] = []
      JSONText.append(string: Array(column.name.utf8), to: &key)
      key.append(UInt8(ascii: ":"))
      return key
    }
  }

  mutating func write(_ chunk: ResultChunk) {
    for row in 0..<chunk.rowCount {
      output.write { line in
        if isArray { line.append(contentsOf: hasRows ? ",\n ".utf8 : "[".utf8) }
        hasRows = true
        line.append(UInt8(ascii: "{"))
        for column in columns.indices {
          if column > 0 { line.append(UInt8(ascii: ",")) }
          line.append(contentsOf: keys[column])
          appendValue(chunk, row, column, to: &line)
        }
        line.append(UInt8(ascii: "}"))
        if !isArray { line.append(UInt8(ascii: "\n")) }
      }
    }
  }

  mutating func finish() {
    if isArray { output.write(hasRows ? "]\n" : "[]\n") }
  }

  private mutating func appendValue(
    _ chunk: ResultChunk, _ row: Int, _ column: Int, to line: inout [UInt8]
  ) {
    guard !chunk.isNull(row: row, column: column) else {
      line.append(contentsOf: "null".utf8)
      return
    }
    scratch.removeAll(keepingCapacity: true)
    chunk.appendText(row: row, column: column, to: &scratch)
    if areBooleans[column] {
      line.append(contentsOf: scratch)
    } else if columns[column].isNumeric, JSONText.isNumber(scratch) {
      JSONText.append(number: scratch, to: &line)
    } else {
      JSONText.append(string: scratch, to: &line)
    }
  }
}
