/// The texts that an ENUM's values are, in their order; a value is stored as its position.
@usableFromInline package final class EnumLabels: Hashable, Sendable, CustomStringConvertible {
  package let labels: [String]
  private let positions: [String: Int]
  /// The labels as VARCHAR, without and with a NULL behind them: what casts to text refer to.
  private let texts: Column
  private let textsAndNull: Column

  /// No two texts may be equal.
  package init(_ labels: [String]) {
    self.labels = labels
    positions = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    func column(withNull: Bool) -> Column {
      var builder = ColumnBuilder(.varchar, capacity: labels.count + 1)
      for label in labels {
        var label = label
        label.withUTF8 { builder.append(bytes: $0) }
      }
      if withNull { builder.appendNull() }
      return builder.finish()
    }
    texts = column(withNull: false)
    textsAndNull = column(withNull: true)
  }

  /// The rows of a column of this type as VARCHAR: a dictionary over the labels.
  func text(of column: Column) -> Column {
    let rows = Selection(capacity: column.count)
    var hasNull = false
    for row in 0..<column.count {
      let isNull = column.isNull(row)
      if isNull { hasNull = true }
      rows.indices[row] = UInt32(
        truncatingIfNeeded: isNull ? labels.count : column.enumPosition(column.valueIndex(row)))
    }
    return Column.dictionary(hasNull ? textsAndNull : texts, rows)
  }

  package func position(of label: String) -> Int? { positions[label] }

  /// As few bytes as the number of labels allows.
  package var physical: PhysicalType {
    labels.count <= 1 << 8 ? .uint8 : labels.count <= 1 << 16 ? .uint16 : .uint32
  }

  /// `ENUM('a', 'b')`
  @usableFromInline package var description: String {
    "ENUM(" + labels.map(quotedText).joined(separator: ", ") + ")"
  }

  @usableFromInline package static func == (a: EnumLabels, b: EnumLabels) -> Bool {
    a === b || a.labels == b.labels
  }

  @usableFromInline package func hash(into hasher: inout Hasher) { hasher.combine(labels) }
}

/// The text as an SQL literal, in single quotes.
package func quotedText(_ text: String) -> String {
  "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}
