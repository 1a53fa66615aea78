import Columnar

/// Puts lists and structs together from the levels of their leaves: Melnik et al. 2010, "Dremel",
/// read a column at a time instead of a record at a time.
struct ParquetAssembly {
  /// By leaf number.
  let entries: [Int: ParquetChunkReader.Entries]
  let leaves: [ParquetLeaf]

  /// The column of a node. Its slots are the entries whose repetition level is at most `repetition`
  /// and whose definition level is at least `slot`: those of the innermost list around it.
  func column(
    _ node: ParquetNode, type: LogicalType, repetition: Int, slot: Int
  ) throws -> Column {
    guard let first = entries[node.firstLeaf] else { throw ParquetDamage.badLevels }
    switch node {
    case .leaf: return first.slots
    case .structure(let parts, let definition):
      guard case .structure(let fields) = type else { throw ParquetDamage.badLevels }
      var children: [Column] = []
      for (part, field) in zip(parts, fields) {
        let child = try column(part, type: field.type, repetition: repetition, slot: slot)
        children.append(child.flattened())
      }
      let rows = children[0].count
      guard children.allSatisfy({ $0.count == rows }) else { throw ParquetDamage.badLevels }
      let result = Column(flat: type, count: rows, children: children)
      guard definition > slot, let definitions = first.definitions else { return result }
      var row = 0
      for entry in 0..<first.count {
        if let repetitions = first.repetitions, repetitions[entry] > repetition { continue }
        guard definitions[entry] >= slot else { continue }
        guard row < rows else { throw ParquetDamage.badLevels }
        if definitions[entry] < definition { result.setNull(row) }
        row += 1
      }
      guard row == rows else { throw ParquetDamage.badLevels }
      return result
    case .list(let element, let definition, let elementDefinition, let inner):
      guard let elementType = type.listElement, let definitions = first.definitions,
        let repetitions = first.repetitions
      else { throw ParquetDamage.badLevels }
      let child = try column(
        element, type: elementType, repetition: inner, slot: elementDefinition)
      var rows = 0
      for entry in 0..<first.count
      where repetitions[entry] < inner && definitions[entry] >= slot { rows += 1 }
      let result = Column(flat: type, count: rows, children: [child.flattened()])
      let lists = result.values(as: ListEntry.self)
      var row = -1
      var elements = 0
      for entry in 0..<first.count {
        let level = definitions[entry]
        if repetitions[entry] < inner && level >= slot {
          row += 1
          lists[row] = ListEntry(offset: elements, length: 0)
          if level < definition { result.setNull(row) }
        }
        if repetitions[entry] <= inner && level >= elementDefinition {
          guard row >= 0 else { throw ParquetDamage.badLevels }
          lists[row].length += 1
          elements += 1
        }
      }
      guard elements == child.count else { throw ParquetDamage.badLevels }
      return result
    }
  }
}
