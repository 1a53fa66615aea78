import Columnar

/// The levels and values of one leaf of a row group to be written.
struct ParquetLeafData {
  var type: LogicalType
  var maxDefinition: Int
  var maxRepetition: Int
  var entryCount: Int
  /// Nil when every entry is a value.
  var definitions: [UInt8]?
  var repetitions: [UInt8]?
  /// Flat; values that are there are `picks`, or all rows when nil.
  var column: Column
  var picks: [UInt32]?
  var valueCount: Int { picks?.count ?? entryCount }
}

/// Takes lists and structs apart into levels and leaf values, the reverse of `ParquetAssembly`.
/// Every column, field and element is optional, but for the entries of maps and their keys.
enum ParquetShredder {
  /// Whether a part has a definition level of its own.
  private enum Presence {
    case optional, required
    /// Of a map: required, with a required key.
    case entry
  }

  static func shred(_ column: Column) -> [ParquetLeafData] {
    let flat = asText(column).flattened()
    if !flat.type.isNested { return [topLevel(flat)] }
    var leaves: [ParquetLeafData] = []
    let rows = flat.count
    shred(
      flat, Array(0..<Int32(truncatingIfNeeded: rows)), [UInt8](repeating: 0, count: rows),
      [UInt8](repeating: 0, count: rows), definition: 0, repetition: 0, &leaves)
    return leaves
  }

  /// The values of an ENUM are written as their texts.
  private static func asText(_ column: Column) -> Column {
    if case .enumeration = column.type { ValueText.text(of: column) } else { column }
  }

  private static func topLevel(_ column: Column) -> ParquetLeafData {
    let rows = column.count
    var data = ParquetLeafData(
      type: column.type, maxDefinition: 1, maxRepetition: 0, entryCount: rows, column: column)
    guard let words = column.validity, Validity.countValid(words, rows) < rows else { return data }
    var definitions = [UInt8](repeating: 0, count: rows)
    var picks: [UInt32] = []
    picks.reserveCapacity(rows)
    for row in 0..<rows where Validity.isValid(words, row) {
      definitions[row] = 1
      picks.append(UInt32(truncatingIfNeeded: row))
    }
    data.definitions = definitions
    data.picks = picks
    return data
  }

  /// `rows` are rows of `column`, -1 where something above is missing, with their levels so far.
  private static func shred(
    _ column: Column, _ rows: [Int32], _ definitions: [UInt8], _ repetitions: [UInt8],
    definition above: Int, repetition: Int, presence: Presence = .optional,
    _ leaves: inout [ParquetLeafData]
  ) {
    var rows = rows
    var definitions = definitions
    var definition = above
    if presence == .optional {
      definition += 1
      for entry in rows.indices where rows[entry] >= 0 {
        if column.isNull(Int(rows[entry])) { rows[entry] = -1 } else { definitions[entry] += 1 }
      }
    }
    switch column.type {
    case .structure:
      for (position, child) in column.children.enumerated() {
        shred(
          asText(child).flattened(), rows, definitions, repetitions, definition: definition,
          repetition: repetition,
          presence: presence == .entry && position == 0 ? .required : .optional, &leaves)
      }
    case .list, .array, .map:
      var inner: [Int32] = []
      var innerDefinitions: [UInt8] = []
      var innerRepetitions: [UInt8] = []
      let level = UInt8(repetition + 1)
      for entry in rows.indices {
        let row = Int(rows[entry])
        var list = ListEntry(offset: 0, length: 0)
        if row >= 0 {
          if case .array(_, let n) = column.type {
            list = ListEntry(offset: row * n, length: n)
          } else {
            list = column.values(as: ListEntry.self)[row]
          }
        }
        if list.length == 0 {
          inner.append(-1)
          innerDefinitions.append(definitions[entry])
          innerRepetitions.append(repetitions[entry])
        }
        for element in 0..<list.length {
          inner.append(Int32(truncatingIfNeeded: list.offset + element))
          innerDefinitions.append(definitions[entry] + 1)
          innerRepetitions.append(element == 0 ? repetitions[entry] : level)
        }
      }
      var presence = Presence.optional
      if case .map = column.type { presence = .entry }
      shred(
        asText(column.children[0]).flattened(), inner, innerDefinitions, innerRepetitions,
        definition: definition + 1, repetition: repetition + 1, presence: presence, &leaves)
    default:
      leaves.append(
        ParquetLeafData(
          type: column.type, maxDefinition: definition, maxRepetition: repetition,
          entryCount: rows.count, definitions: definitions,
          repetitions: repetition > 0 ? repetitions : nil, column: column,
          picks: rows.filter { $0 >= 0 }.map { UInt32($0) }))
    }
  }
}
