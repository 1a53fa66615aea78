/// The texts that an ENUM's values are, in their order; a value is stored as its position.
@usableFromInline package final class EnumLabels: Hashable, Sendable, CustomStringConvertible {
  package let labels: [String]
  private let positions: [String: Int]

  /// No two texts may be equal.
  package init(_ labels: [String]) {
    self.labels = labels
    positions = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
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
