import Apus

extension RendererDefinition {
  static let box = RendererDefinition(
    name: "box", summary: "a table with borders, for people (the usual form)"
  ) { BoxRenderer(columns: $0, style: $1, output: $2) }
}

/// A table drawn with lines: names, types, aligned values. Memory is bounded by the rows shown: of a
/// long result it keeps the first half of them, and the last half in a ring.
struct BoxRenderer: Renderer {
  private let columns: [ResultColumn]
  private let style: RenderStyle
  private let output: Output
  private var head: [[String]] = []
  private var tail: [[String]] = []
  /// Where the next row goes in the full ring: its oldest row.
  private var tailStart = 0
  private var rowCount = 0

  /// No column is made narrower than this to fit the terminal; then columns are left out.
  private static let narrowest = 12

  init(columns: [ResultColumn], style: RenderStyle, output: Output) {
    self.columns = columns
    self.style = style
    self.output = output
  }

  mutating func write(_ chunk: ResultChunk) {
    // The last `maximumRows` of the chunk are enough for the ring, those before only count.
    let limit = style.maximumRows
    let headRoom = limit.map { max(0, ($0 + 1) / 2 - head.count) } ?? chunk.rowCount
    let fromTail = limit.map { max(0, chunk.rowCount - $0) } ?? 0
    for row in 0..<chunk.rowCount where row < headRoom || row >= fromTail {
      let cells = columns.indices.map { cell(chunk, row, $0) }
      if row < headRoom { head.append(cells) } else { appendToTail(cells) }
    }
    rowCount += chunk.rowCount
  }

  private mutating func appendToTail(_ cells: [String]) {
    // One more than half, so that a result of one row too many is shown whole or cut, never both.
    let capacity = (style.maximumRows ?? 0) / 2
    guard capacity > 0 else { return }
    if tail.count < capacity {
      tail.append(cells)
    } else {
      tail[tailStart] = cells
      tailStart = (tailStart + 1) % capacity
    }
  }

  private func cell(_ chunk: ResultChunk, _ row: Int, _ column: Int) -> String {
    guard let text = chunk.text(row: row, column: column) else { return style.nullText ?? "NULL" }
    return DisplayWidth.printable(text)
  }

  mutating func finish() {
    let last = Array(tail[tailStart...] + tail[..<tailStart])
    let hidden = rowCount - head.count - last.count
    let layout = Layout(
      columns: columns, rows: head + last, style: style, narrowest: Self.narrowest)
    draw(layout, last: last, hidden: hidden)
    footer(hidden: hidden, hiddenColumns: columns.count - layout.shownCount)
  }

  private func draw(_ layout: Layout, last: [[String]], hidden: Int) {
    var text = layout.border("┌", "┬", "┐")
    if style.showsHeaders {
      text += layout.line(columns.map { DisplayWidth.printable($0.name) }) { _ in .center }
      text += layout.line(columns.map { $0.type.lowercased() }) { _ in .center }
      text += layout.border("├", "┼", "┤")
    }
    let alignment: (Int) -> Layout.Alignment = { columns[$0].isNumeric ? .right : .left }
    for row in head { text += layout.line(row, alignment) }
    if hidden > 0 {
      let dots = [String](repeating: "·", count: columns.count)
      for _ in 0..<3 { text += layout.line(dots, alignment) }
    }
    for row in last { text += layout.line(row, alignment) }
    text += layout.border("└", "┴", "┘")
    output.write(text)
  }

  /// Silent for the plain case of one row whose columns are all seen.
  private func footer(hidden: Int, hiddenColumns: Int) {
    guard rowCount != 1 || hiddenColumns > 0 else { return }
    var text =
      hidden > 0
      ? "… \(grouped(rowCount)) rows" : "\(grouped(rowCount)) \(rowCount == 1 ? "row" : "rows")"
    if hidden > 0 { text += " (\(rowCount - hidden) shown)" }
    text += ", \(columns.count) \(columns.count == 1 ? "column" : "columns")"
    if hiddenColumns > 0 { text += " (\(columns.count - hiddenColumns) shown)" }
    output.write(text + "\n")
  }
}

/// Which columns of a box are seen, and how wide.
private struct Layout {
  enum Alignment {
    case left
    case right
    case center
  }

  /// Positions in a line; nil stands for the columns that are left out.
  private var slots: [Int?]
  private var widths: [Int]

  var shownCount: Int { slots.count { $0 != nil } }

  init(columns: [ResultColumn], rows: [[String]], style: RenderStyle, narrowest: Int) {
    widths = columns.indices.map { column in
      var width = 1
      if style.showsHeaders {
        width = DisplayWidth.of(DisplayWidth.printable(columns[column].name))
        width = max(width, DisplayWidth.of(columns[column].type))
      }
      for row in rows { width = max(width, DisplayWidth.of(row[column])) }
      return max(1, width)
    }
    slots = columns.indices.map { $0 }
    if let limit = style.terminalWidth { fit(limit, narrowest: narrowest) }
  }

  private var totalWidth: Int {
    slots.reduce(1) { $0 + 3 + ($1.map { widths[$0] } ?? 1) }
  }

  /// First the widest columns give way, then the middle ones are left out.
  private mutating func fit(_ limit: Int, narrowest: Int) {
    while totalWidth > limit, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
      widths[widest] > narrowest
    {
      let second = widths.filter { $0 < widths[widest] }.max() ?? narrowest
      let excess = totalWidth - limit
      widths[widest] = max(widths[widest] - excess, min(second, widths[widest] - 1), narrowest)
    }
    while totalWidth > limit, shownCount > 2 {
      let middle: Int
      if let gap = slots.firstIndex(of: nil) {
        // Leave out on the longer side of the gap.
        middle = gap > slots.count - 1 - gap ? gap - 1 : gap + 1
        slots.remove(at: middle)
      } else {
        slots[slots.count / 2] = nil
      }
    }
  }

  func border(_ left: String, _ middle: String, _ right: String) -> String {
    let bars = slots.map { String(repeating: "─", count: ($0.map { widths[$0] } ?? 1) + 2) }
    return left + bars.joined(separator: middle) + right + "\n"
  }

  func line(_ cells: [String], _ alignment: (Int) -> Alignment) -> String {
    let texts = slots.map { slot -> String in
      guard let column = slot else { return "…" }
      return padded(cells[column], to: widths[column], alignment(column))
    }
    return "│ " + texts.joined(separator: " │ ") + " │\n"
  }

  private func padded(_ text: String, to width: Int, _ alignment: Alignment) -> String {
    let shown = DisplayWidth.truncated(text, to: width)
    let room = width - DisplayWidth.of(shown)
    let left =
      switch alignment {
      case .left: 0
      case .right: room
      case .center: room / 2
      }
    return String(repeating: " ", count: left) + shown + String(repeating: " ", count: room - left)
  }
}
