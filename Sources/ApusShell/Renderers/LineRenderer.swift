import Apus

extension RendererDefinition {
  static let line = RendererDefinition(
    name: "line", summary: "a line for each value, an empty line between rows"
  ) { LineRenderer(columns: $0, style: $1, output: $2) }
}

/// `name = value`, the names right-aligned: for rows of many columns. Streams.
struct LineRenderer: Renderer {
  private let labels: [String]
  private let nullText: String
  private let output: Output
  private var hasRows = false

  init(columns: [ResultColumn], style: RenderStyle, output: Output) {
    let width = columns.map { DisplayWidth.of($0.name) }.max() ?? 0
    labels = columns.map { column in
      let name = DisplayWidth.printable(column.name)
      return String(repeating: " ", count: max(0, width - DisplayWidth.of(name))) + name + " = "
    }
    nullText = style.nullText ?? "NULL"
    self.output = output
  }

  mutating func write(_ chunk: ResultChunk) {
    for row in 0..<chunk.rowCount {
      if hasRows { output.write("\n") }
      hasRows = true
      for (column, label) in labels.enumerated() {
        output.write(label + (chunk.text(row: row, column: column) ?? nullText) + "\n")
      }
    }
  }

  mutating func finish() {}
}
