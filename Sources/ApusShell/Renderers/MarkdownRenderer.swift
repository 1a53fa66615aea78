import Apus

extension RendererDefinition {
  static let markdown = RendererDefinition(
    name: "markdown", summary: "a table for Markdown"
  ) { MarkdownRenderer(columns: $0, style: $1, output: $2) }
}

/// A Markdown table with aligned columns, so that its source can be read too. It holds all rows.
struct MarkdownRenderer: Renderer {
  private let columns: [ResultColumn]
  private let nullText: String
  private let output: Output
  private var rows: [[String]] = []

  init(columns: [ResultColumn], style: RenderStyle, output: Output) {
    self.columns = columns
    nullText = style.nullText ?? "NULL"
    self.output = output
  }

  mutating func write(_ chunk: ResultChunk) {
    for row in 0..<chunk.rowCount {
      rows.append(
        columns.indices.map { column in
          chunk.text(row: row, column: column).map(Self.escaped) ?? nullText
        })
    }
  }

  mutating func finish() {
    let names = columns.map { Self.escaped($0.name) }
    let widths = columns.indices.map { column in
      rows.reduce(max(3, DisplayWidth.of(names[column]))) { max($0, DisplayWidth.of($1[column])) }
    }
    writeLine(names, widths)
    let rules = columns.indices.map { column in
      let dashes = String(repeating: "-", count: widths[column] - 1)
      return columns[column].isNumeric ? dashes + ":" : dashes + "-"
    }
    output.write("| " + rules.joined(separator: " | ") + " |\n")
    for row in rows { writeLine(row, widths) }
  }

  private func writeLine(_ cells: [String], _ widths: [Int]) {
    let texts = columns.indices.map { column -> String in
      let room = String(repeating: " ", count: widths[column] - DisplayWidth.of(cells[column]))
      return columns[column].isNumeric ? room + cells[column] : cells[column] + room
    }
    output.write("| " + texts.joined(separator: " | ") + " |\n")
  }

  private static func escaped(_ text: String) -> String {
    DisplayWidth.printable(text).reduce(into: "") { result, character in
      if character == "|" { result.append("\\") }
      result.append(character)
    }
  }
}
