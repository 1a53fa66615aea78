import Columnar

/// The texts of a column, each once: what is looked up or hashed is so once per value and batch.
struct DistinctTexts {
  /// Nil for NULL.
  let texts: [String?]
  /// Of each row, a position in `texts`.
  let groups: [UInt32]

  init(_ column: Column, _ count: Int) throws {
    let values = try castColumn(column, to: .varchar)
    let table = GroupTable([.varchar])
    var groups = [UInt32](repeating: 0, count: count)
    table.lookUp([values], count: count, groups: &groups)
    let known = table.keys(first: 0, count: table.count)[0]
    self.groups = groups
    texts = (0..<table.count).map { row in
      if case .varchar(let text) = known.value(row) { text } else { nil }
    }
  }
}

/// Ids for texts. What is not in it has the id 0, `<other>`; the known ones count from `first`.
struct Vocabulary: Sendable {
  let words: [String]
  let first: Int32
  private let ids: [String: Int32]

  init(_ words: [String], first: Int32 = 1) {
    self.words = words
    self.first = first
    ids = Dictionary(
      words.enumerated().map { ($1, Int32(truncatingIfNeeded: $0) &+ first) },
      uniquingKeysWith: { known, _ in known })
  }

  /// Ids from 0 to below this.
  var cardinality: Int { words.count + Int(first) }

  /// Nil for a text that training did not see.
  func id(_ text: String) -> Int32? { ids[text] }
}

/// FNV-1a with a finisher: the same for ever and on every machine.
func stableHash(_ texts: [String]) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for text in texts {
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ 0xff) &* 0x100_0000_01b3
  }
  hash ^= hash >> 33
  hash = hash &* 0xff51_afd7_ed55_8ccd
  return hash ^ hash >> 33
}
