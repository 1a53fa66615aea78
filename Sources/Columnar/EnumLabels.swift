/// The texts that an ENUM's values are, in their order; a value is stored as its position.
@usableFromInline package final class EnumLabels: Hashable, Sendable, CustomStringConvertible {
  package let labels: [String]
  /// Where a text is, by the hash of its bytes with open addressing: its position and one, or 0.
  private let slots: [UInt32]
  /// The labels as VARCHAR, without and with a NULL behind them: what casts to text refer to.
  private let texts: Column
  private let textsAndNull: Column

  /// No two texts may be equal.
  package init(_ labels: [String]) {
    self.labels = labels
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
    var size = 8
    while size < labels.count * 2 { size *= 2 }
    var slots = [UInt32](repeating: 0, count: size)
    let views = texts.values(as: StringView.self)
    for position in labels.indices {
      var slot = Int(truncatingIfNeeded: Hashing.hash(UnsafePointer(views + position))) & (size - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = UInt32(truncatingIfNeeded: position + 1)
    }
    self.slots = slots
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

  package func position(of label: String) -> Int? {
    let heap = StringHeap()
    let view = heap.store(label)
    return withExtendedLifetime(heap) { withUnsafePointer(to: view) { position(of: $0) } }
  }

  /// The look-up of a column's texts: no String is made.
  package func position(of text: UnsafePointer<StringView>) -> Int? {
    let views = texts.values(as: StringView.self)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Hashing.hash(text)) & mask
    while slots[slot] != 0 {
      let position = Int(slots[slot]) - 1
      if views[position] == text.pointee { return position }
      slot = (slot + 1) & mask
    }
    return nil
  }

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
