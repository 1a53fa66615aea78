/// A text of SQL with the output it must give: `.plan` (what EXPLAIN prints) and `.err` (an error
/// as people see it, with its caret). Blocks are apart by empty lines; a block with a line `----`
/// is SQL and its output, one without is only run.
struct GoldenFile {
  struct Block {
    let line: Int
    /// Comment lines and SQL, as they stand.
    let source: [String]
    /// nil for a block that is only run.
    let expected: [String]?

    var sql: String { source.filter { !$0.hasPrefix("#") }.joined(separator: "\n") }
  }

  let blocks: [Block]

  init(_ text: String) {
    var blocks: [Block] = []
    var lines: [String] = []
    var start = 1
    func close() {
      if let rule = lines.firstIndex(of: "----") {
        blocks.append(
          Block(line: start, source: Array(lines[..<rule]), expected: Array(lines[(rule + 1)...])))
      } else if !lines.isEmpty {
        blocks.append(Block(line: start, source: lines, expected: nil))
      }
      lines = []
    }
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.isEmpty {
        close()
        start = index + 2
      } else {
        lines.append(String(line))
      }
    }
    close()
    self.blocks = blocks
  }

  /// The file's text with these outputs in place of the expected ones.
  func text(withOutputs outputs: [[String]?]) -> String {
    zip(blocks, outputs).map { block, output in
      (block.source + (output.map { ["----"] + $0 } ?? [])).joined(separator: "\n")
    }.joined(separator: "\n\n") + "\n"
  }
}
