import Columnar
import Functions

/// The types of the columns that a sample of documents shows. (DuckDB's rules.)
struct JSONColumnTypes {
  let options: JSONReadOptions

  /// What a string is tried as, the last first.
  var candidates: [LogicalType] {
    let moments: [LogicalType] = [.timestampTZ, .timestamp, .date, .time]
    return options.convertsStringsToIntegers
      ? [.uuid, .bigint] + moments : [.uuid] + moments
  }

  func type(_ structure: JSONStructure, depth: Int = 0) -> LogicalType {
    if let limit = options.maximumDepth, depth >= limit { return .json }
    guard structure.descriptions.count == 1 else { return .json }
    let own = structure.descriptions[0]
    switch own.kind {
    case .null: return .json
    case .boolean: return .boolean
    case .unsigned: return own.isWide ? .hugeint : .bigint
    case .signed: return .bigint
    case .hugeint: return .hugeint
    case .double: return .double
    case .varchar: return own.candidates?.last ?? .varchar
    case .list: return .list(type(own.children[0], depth: depth + 1))
    case .object: return object(own, structure, depth)
    }
  }

  private func object(
    _ own: JSONStructure.Description, _ structure: JSONStructure, _ depth: Int
  ) -> LogicalType {
    if own.children.isEmpty { return .map(key: .varchar, value: .json) }
    // Keys that are each in few objects are data, not names.
    let objects = Double(structure.count - structure.nullCount)
    let appearances = own.children.reduce(0.0) { $0 + Double($1.count) / objects }
    if options.mapThreshold != nil,
      appearances / Double(own.children.count) < options.fieldAppearanceThreshold
    {
      return .map(key: .varchar, value: merged(own, depth))
    }
    let fields = zip(own.keys, own.children).map { key, child in
      Field(key, type(child, depth: depth + 1))
    }
    if let threshold = options.mapThreshold, own.children.count >= threshold {
      let value = merged(own, depth)
      var similarity = 0.0
      for field in fields {
        guard let one = self.similarity(value, field.type, depth + 1) else {
          return .structure(fields)
        }
        similarity += one
      }
      if similarity / Double(fields.count) >= 0.8 { return .map(key: .varchar, value: value) }
    }
    return .structure(fields)
  }

  /// The type of the values of all keys together.
  private func merged(_ own: JSONStructure.Description, _ depth: Int) -> LogicalType {
    var all = JSONStructure()
    for child in own.children { all.merge(child) }
    return type(all, depth: depth + 2)
  }

  /// How much of a merged type a key's own type has, 0 to 1; nil when they do not go together.
  private func similarity(
    _ merged: LogicalType, _ type: LogicalType, _ depth: Int
  ) -> Double? {
    if let limit = options.maximumDepth, depth >= limit { return 1 }
    if type == .json || merged == type { return 1 }
    switch (merged, type) {
    case (.json, _): return nil
    case (.structure(let all), .structure(let some)):
      var total = 0.0
      for field in some {
        guard let other = all.first(where: { $0.name == field.name }),
          let one = similarity(other.type, field.type, depth + 1)
        else { return nil }
        total += one
      }
      return total / Double(all.count)
    case (.map(_, let value), .structure(let fields)), (.structure(let fields), .map(_, let value)):
      var total = 0.0
      for field in fields {
        guard let one = similarity(value, field.type, depth + 1) else { return nil }
        total += one
      }
      return total / Double(fields.count)
    case (.map(_, let a), .map(_, let b)): return similarity(a, b, depth + 1)
    case (.list(let a), .list(let b)): return similarity(a, b, depth + 1)
    default: return 1
    }
  }
}
