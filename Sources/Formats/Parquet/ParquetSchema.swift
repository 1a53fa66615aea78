import Columnar
import Diagnostics

/// A column of the file with values of its own.
struct ParquetLeaf: Sendable {
  /// Names from the top, joined by dots.
  var path: String
  /// Position among the column chunks of a row group.
  var index: Int
  var type: LogicalType
  var conversion: ParquetConversion
  var physicalType: ParquetPhysicalType
  var typeLength: Int
  var maxDefinition: Int
  var maxRepetition: Int
  /// The definition level from which on the innermost list around it has an element; 0 outside
  /// of lists.
  var slotDefinition: Int

  var isFlat: Bool { maxRepetition == 0 && maxDefinition <= 1 }
}

/// A column or a part of one, with the levels that tell whether it is there.
indirect enum ParquetNode: Sendable {
  case leaf(Int)
  /// Definition levels from `definition` on say that the list is not NULL, from `element` on that
  /// it has an element; repetition level `repetition` says that an element belongs to the same list.
  case list(element: ParquetNode, definition: Int, elementDefinition: Int, repetition: Int)
  case structure([ParquetNode], definition: Int)

  /// Leaves below, in file order.
  var leaves: [Int] {
    switch self {
    case .leaf(let leaf): [leaf]
    case .list(let element, _, _, _): element.leaves
    case .structure(let fields, _): fields.flatMap(\.leaves)
    }
  }

  var firstLeaf: Int {
    switch self {
    case .leaf(let leaf): leaf
    case .list(let element, _, _, _): element.firstLeaf
    case .structure(let fields, _): fields[0].firstLeaf
    }
  }
}

/// The file's schema as columns of the engine.
struct ParquetSchema: Sendable {
  private(set) var leaves: [ParquetLeaf] = []
  private(set) var nodes: [ParquetNode] = []
  private(set) var fields: [Field] = []
  /// By an element's position: the type of what it holds.
  private(set) var elementTypes: [Int: LogicalType] = [:]
  private let elements: [ParquetSchemaElement]
  private let binaryAsString: Bool
  private var next = 1

  init(_ elements: [ParquetSchemaElement], binaryAsString: Bool) throws {
    self.elements = elements
    self.binaryAsString = binaryAsString
    guard let root = elements.first, root.childCount <= elements.count - 1 else {
      throw Self.damaged
    }
    for _ in 0..<root.childCount {
      guard next < elements.count else { throw Self.damaged }
      let (node, field) = try build(definition: 0, repetition: 0, slot: 0, path: "", depth: 0)
      nodes.append(node)
      fields.append(field)
    }
    guard next == elements.count else { throw Self.damaged }
    guard !fields.isEmpty else { throw ParquetDamage("it has no columns") }
  }

  /// The element at `next` with everything below it.
  private mutating func build(
    definition: Int, repetition: Int, slot: Int, path: String, depth: Int
  ) throws -> (ParquetNode, Field) {
    guard next < elements.count, depth < 24 else { throw Self.damaged }
    let element = elements[next]
    let name = path.isEmpty ? element.name : path + "." + element.name
    if element.repetition == .repeated {
      // A repeated field outside of a LIST group is a list that is never NULL (2-level, protobuf).
      let (node, type) = try content(
        definition: definition + 1, repetition: repetition + 1, slot: definition + 1, path: name,
        depth: depth)
      return (
        .list(
          element: node, definition: definition, elementDefinition: definition + 1,
          repetition: repetition + 1), Field(element.name, .list(type))
      )
    }
    let inner = definition + (element.repetition == .optional ? 1 : 0)
    let (node, type) = try content(
      definition: inner, repetition: repetition, slot: slot, path: name, depth: depth)
    return (node, Field(element.name, type))
  }

  /// What the element at `next` holds, its own repetition being accounted for.
  private mutating func content(
    definition: Int, repetition: Int, slot: Int, path: String, depth: Int
  ) throws -> (ParquetNode, LogicalType) {
    let position = next
    let (node, type) = try parts(
      definition: definition, repetition: repetition, slot: slot, path: path, depth: depth)
    elementTypes[position] = type
    return (node, type)
  }

  private mutating func parts(
    definition: Int, repetition: Int, slot: Int, path: String, depth: Int
  ) throws -> (ParquetNode, LogicalType) {
    let element = elements[next]
    next += 1
    if element.physicalType != nil && element.childCount == 0 {
      guard
        let (type, conversion) = ParquetConversion.choose(element, binaryAsString: binaryAsString),
        let physical = element.physicalType
      else {
        throw ParquetDamage("the type of column \"\(path)\" is not supported", code: .notSupported)
      }
      leaves.append(
        ParquetLeaf(
          path: path, index: leaves.count, type: type, conversion: conversion,
          physicalType: physical, typeLength: element.typeLength, maxDefinition: definition,
          maxRepetition: repetition, slotDefinition: slot))
      return (.leaf(leaves.count - 1), type)
    }
    guard element.childCount > 0 else {
      throw ParquetDamage("column \"\(path)\" has no fields", code: .notSupported)
    }
    let isList =
      element.annotation == .list || element.annotation == .map
      || element.annotation == .mapKeyValue
    if isList, element.childCount == 1, next < elements.count,
      elements[next].repetition == .repeated
    {
      return try listContent(
        definition: definition, repetition: repetition, path: path, depth: depth,
        isMap: element.annotation != .list)
    }
    var parts: [ParquetNode] = []
    var fields: [Field] = []
    for _ in 0..<element.childCount {
      let (node, field) = try build(
        definition: definition, repetition: repetition, slot: slot, path: path, depth: depth + 1)
      parts.append(node)
      fields.append(field)
    }
    return (.structure(parts, definition: definition), .structure(fields))
  }

  /// The repeated group below a LIST or MAP group, by the rules of the format's
  /// LogicalTypes.md, "Backward-compatibility rules".
  private mutating func listContent(
    definition: Int, repetition: Int, path: String, depth: Int, isMap: Bool
  ) throws -> (ParquetNode, LogicalType) {
    let middle = elements[next]
    let name = path + "." + middle.name
    let outer = elements[next - 1].name
    let node: ParquetNode
    let type: LogicalType
    let isWrapper =
      !isMap && middle.childCount == 1 && middle.physicalType == nil
      && middle.name != "array" && middle.name != outer + "_tuple"
    if isWrapper {
      let position = next
      next += 1
      let (inner, field) = try build(
        definition: definition + 1, repetition: repetition + 1, slot: definition + 1, path: name,
        depth: depth + 1)
      node = inner
      type = field.type
      elementTypes[position] = .list(type)
    } else {
      (node, type) = try content(
        definition: definition + 1, repetition: repetition + 1, slot: definition + 1, path: name,
        depth: depth + 1)
    }
    let list = ParquetNode.list(
      element: node, definition: definition, elementDefinition: definition + 1,
      repetition: repetition + 1)
    if isMap, case .structure(let fields) = type, fields.count == 2 {
      return (list, .map(key: fields[0].type, value: fields[1].type))
    }
    return (list, .list(type))
  }

  private static var damaged: ParquetDamage { ParquetDamage("its schema is damaged") }
}
